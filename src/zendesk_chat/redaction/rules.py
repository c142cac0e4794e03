"""Which fields are changed before a record leaves the process, and how: the setting ``redact``.

    {"hash_key": "a long secret", "rules": [{"field": "chats.visitor.email", "action": "hash"}]}

A ``field`` is a stream, or ``*`` for all, and a path in its records. In a path ``*`` is any one key or item of an array, and
``**`` any number of levels. Arrays are walked through where a path does not name them: ``chats.history.msg`` is
``chats.history.*.msg``. Where a value stands in place of the object that a path leads through, such as a text in place of the
object ``visitor``, it is treated as the field is: what is marked does not get out by having another form.

===== =================================================================================================================
drop  The key goes. An item of an array becomes null, so that the others keep their places.
null  The value becomes null.
hash  Texts, numbers and booleans, also each one in an object or array, become 32 hexadecimal digits of an HMAC-SHA-256 of
      their text. The same text gives the same digits in every stream and run with the same ``hash_key``. Null and "" stay.
mask  In strings, personal data becomes ``[email]``, ``[phone]``, ``[card]`` or ``[ip]``. A number that is a phone or card
      number as a whole becomes null, since its column holds numbers. In a field for IP addresses, malformed ones such as
      ``203.0.299.96`` are masked too. A rule marks such a field by its name (``session.ip``) or by ``"patterns": ["ip"]``.
===== =================================================================================================================

Where several rules meet, the first of drop, null, hash and mask is done. Streams that are cut out of chats are cut out of
redacted chats: a rule for one of them is a rule for the part of ``chats`` that its field comes from, and the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Final, Literal, TypeAlias, get_args

from msgspec import Struct

from zendesk_chat.errors import ConfigError
from zendesk_chat.validation import convert, is_absent

Action: TypeAlias = Literal["drop", "null", "hash", "mask"]
Kind: TypeAlias = Literal["email", "ip", "card", "phone"]
Path: TypeAlias = tuple[str, ...]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)  # in the order in which they are looked for
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)  # the strongest first
SHORTEST_HASH_KEY: Final = 16
LONGEST_PATH: Final = 100  # segments; no record is so deep
FIELD: Final = re.compile(r"(\*|[a-z_]+)((?:\.(?:\*\*?|[^.*\[\]\s]+))+)")
BRACKETS: Final = re.compile(r"\.?\[\*?\]")
WILDCARDS: Final = ("*", "**")
IP_NAME: Final = re.compile(r"(?:\b|_)ip(?:\b|_)")  # session.ip, ip_address
EVERYTHING: Final = (("*",), ("**", "*"))  # paths to all fields of a record
SOURCE: Final = "chats"
PERSONAL_KEY: Final = ("visitors", "id")  # which wildcards do not spare
HASHABLE_KEYS: Final = (PERSONAL_KEY, ("agent_timeline", "agent_id"))
_OF_CHAT: Final[Mapping[str, Path]] = {"chat_id": ("id",), "chat_update_timestamp": ("update_timestamp",)}
_OF_SESSION: Final = ("ip", "city", "region", "country_code", "country_name", "browser", "platform", "user_agent")


class RedactSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The setting ``redact``, as a user writes it."""

    hash_key: str = ""
    rules: Sequence[object] = ()


class RuleSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One of its rules."""

    field: str
    action: Action
    patterns: Sequence[Kind] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done with one field of a stream.

    Attributes:
        stream: Its name, or ``*`` for all.
        path: Keys; ``*`` and ``**`` among them.
        action: One of ``ACTIONS``, or ``keep`` for a field that wildcards leave alone.
        patterns: What ``mask`` looks for.
        implied: How many segments of the path come from where a stream is cut out of chats, and not from the configuration.
            What stands in place of such an object is not what is marked.
    """

    stream: str
    path: Path
    action: Action | Literal["keep"]
    patterns: tuple[Kind, ...] = KINDS
    implied: int = 0

    @property
    def is_for_ip(self) -> bool:
        """Whether the field holds IP addresses: it is masked for nothing else, or has such a name."""
        name = next((segment for segment in reversed(self.path) if segment not in WILDCARDS), "")
        return "ip" in self.patterns and (self.patterns == ("ip",) or bool(IP_NAME.search(name)))


@dataclass(frozen=True, slots=True)
class Redaction:
    """All that is redacted.

    Attributes:
        rules: In the order of the configuration; those that keep a field come after them.
        hash_key: The secret of ``hash``; empty where no rule needs it.
    """

    rules: tuple[Rule, ...]
    hash_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where in a chat the fields of a stream come from that is cut out of chats.

    Attributes:
        path: The object that gives a record.
        others: Fields that come from elsewhere; None for those that are made.
    """

    path: Path
    others: Mapping[str, Path | None]

    def of(self, name: str) -> Path | None:
        """The path in a chat of one field."""
        return self.others.get(name, (*self.path, name))


ORIGINS: Final[Mapping[str, Origin]] = {
    "chat_events": Origin(("history", "*"), {**_OF_CHAT, "id": None, "position": None}),
    "chat_engagements": Origin(
        ("engagements", "*"), {**_OF_CHAT, "engagement_id": ("engagements", "*", "id"), "position": None}
    ),
    "chat_webpaths": Origin(("webpath", "*"), {**_OF_CHAT, "id": None, "position": None}),
    "chat_conversions": Origin(("conversions", "*"), {**_OF_CHAT, "position": None}),
    "visitors": Origin(
        ("visitor",),
        {
            "last_chat_id": ("id",),
            "last_chat_timestamp": ("timestamp",),
            "chat_update_timestamp": ("update_timestamp",),
            **{name: ("session", name) for name in _OF_SESSION},
        },
    ),
}
LISTS: Final[Mapping[str, tuple[Path, ...]]] = {
    SOURCE: tuple(origin.path[:-1] for origin in ORIGINS.values() if origin.path[-1] == "*"),
    "goals": (("settings", "conditions"),),
}
"""Where in the records of the API there are lists of objects."""


def parse_redaction(raw: object) -> Redaction | None:
    """Validate the setting ``redact`` as decoded from JSON; None if nothing is to be redacted.

    Raises:
        ConfigError: It is malformed; the message names the JSON path and no value.
    """
    if is_absent(raw):
        return None
    given = convert(raw, RedactSettings, "redact")
    rules = tuple(_parse_rule(entry, f"redact.rules[{number}]") for number, entry in enumerate(given.rules))
    hash_key = given.hash_key.strip()
    if given.hash_key and len(hash_key) < SHORTEST_HASH_KEY:
        raise ConfigError(f"redact.hash_key: must be a string of at least {SHORTEST_HASH_KEY} characters.")
    if not hash_key and any(rule.action == "hash" for rule in rules):
        raise ConfigError(
            f"redact.hash_key: missing. The action hash needs a secret of at least {SHORTEST_HASH_KEY} characters. Keep it: "
            "another one gives other hashes."
        )
    return Redaction(rules, hash_key) if rules else None


def check_keys(redaction: Redaction, keys: Mapping[str, Collection[str]]) -> Redaction:
    """The redaction for these streams, in which wildcards leave keys and cursors alone.

    Args:
        redaction: As parsed.
        keys: For each stream there is, the top-level fields that its key and its cursor are made of.

    Raises:
        ConfigError: A rule names a stream that there is not, or a key or cursor.
    """
    sources = {(stream, name): _sources(stream, (name,)) for stream, names in keys.items() for name in names}
    for number, rule in enumerate(redaction.rules):
        place = f"redact.rules[{number}].field"
        if rule.stream != "*" and rule.stream not in keys:
            raise ConfigError(f"{place}: no such stream. There are: {', '.join(keys)}.")
        refused = (f"{stream}.{name}" for (stream, name), paths in sources.items() if _refused(rule, stream, name, paths))
        if key := next(refused, None):
            raise ConfigError(
                f"{place}: cannot be redacted, because {key} is a key or cursor field and is made of it. Of such fields, only "
                "visitors.id and agent_timeline.agent_id can be redacted, by hash."
            )
    named = [rule for rule in redaction.rules if rule.stream != "*" and rule.path[0] not in WILDCARDS]
    stated = {(_source(rule.stream), path) for rule in named for path in _sources(rule.stream, rule.path)}
    spared = [
        Rule(_source(stream), path, "keep")
        for (stream, name), paths in sources.items()
        if (stream, name) != PERSONAL_KEY
        for path in paths
        if stated.isdisjoint((_source(stream), spelling) for spelling in _spellings(path))
    ]
    return replace(redaction, rules=(*redaction.rules, *dict.fromkeys(spared)))


def rules_for(redaction: Redaction, stream: str) -> list[Rule]:
    """The rules for the records of a stream that the API has, with those for streams that are cut out of it."""
    cut = ORIGINS if stream == SOURCE else {}
    return [
        replace(rule, stream=stream, path=path, implied=_implied(rule, path))
        for rule, name in product(redaction.rules, (stream, *cut))
        if rule.stream in (name, "*")
        for source in _sources(name, rule.path)
        for path in _whatever_the_list(stream, source)
    ]


def _whatever_the_list(stream: str, path: Path) -> Iterator[Path]:
    """A path, and where it leads into a list what it is if there is one object instead, or one that holds them by name."""
    yield path
    for place in LISTS.get(stream, ()):
        inside = path[len(place) :]
        if path[: len(place)] == place and inside not in ((), ("*",)) and inside[0] != "**":
            yield (*place, *inside[1:]) if inside[0] == "*" else (*place, "*", *inside)


def _implied(rule: Rule, path: Path) -> int:
    return max(0, len(path) - len(rule.path)) if rule.stream == "*" or rule.path[0] in WILDCARDS else 0


def _refused(rule: Rule, stream: str, name: str, paths: Collection[Path]) -> bool:
    """Whether a rule names this part of a key or cursor itself, not by a wildcard; or takes one that wildcards do not spare."""
    hashable, personal = (stream, name) in HASHABLE_KEYS, (stream, name) == PERSONAL_KEY
    if rule.stream == stream and (rule.path == (name,) or (personal and rule.path in EVERYTHING)):
        return not hashable or rule.action != "hash"
    if rule.stream == "*" or _source(rule.stream) != _source(stream) or rule.path[0] in WILDCARDS or hashable:
        return False
    return any(stated in _spellings(path) for stated in _sources(rule.stream, rule.path) for path in paths)


def _source(stream: str) -> str:
    return SOURCE if stream in ORIGINS else stream


def _spellings(path: Path) -> tuple[Path, Path]:
    """A path of known keys and items with the items, and without."""
    return path, tuple(segment for segment in path if segment != "*")


def _sources(stream: str, path: Path) -> tuple[Path, ...]:
    """Where a path in a stream leads to in the records of the API that it is made of."""
    origin = ORIGINS.get(stream)
    return (path,) if origin is None else tuple(_in_chat(origin, path))


def _in_chat(origin: Origin, path: Path) -> Iterator[Path]:
    first, rest = path[0], path[1:]
    if first not in WILDCARDS:
        if (start := origin.of(first)) is not None:
            yield (*start, *rest)
        return
    yield (*origin.path, *path)
    if path in EVERYTHING:
        yield from filter(None, origin.others.values())
    elif first == "**":
        yield from _in_chat(origin, rest)


def _parse_rule(raw: object, path: str) -> Rule:
    given = convert(raw, RuleSettings, path)
    match = FIELD.fullmatch(BRACKETS.sub(".*", given.field.strip()))
    if not match or match[2].count(".") > LONGEST_PATH:
        raise ConfigError(
            f"{path}.field: give a stream and a path, such as chats.visitor.email. In it * is one key or item, ** any levels."
        )
    if given.patterns and given.action != "mask":
        raise ConfigError(f"{path}.patterns: only the action mask has patterns.")
    kinds = tuple(kind for kind in KINDS if not given.patterns or kind in given.patterns)
    return Rule(match[1], _path(match[2]), given.action, kinds)


def _path(text: str) -> Path:
    """The segments; what ends in any number of levels means all in them."""
    segments = text.removeprefix(".").split(".")
    ended = [*segments, "*"] if segments[-1] == "**" else segments
    return tuple(segment for segment, after in zip(ended, [*ended[1:], ""], strict=True) if not segment == after == "**")
