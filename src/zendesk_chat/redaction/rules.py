"""The setting ``redact``: which fields of records are changed before they leave the process, and how.

    {"hash_key": "a long secret", "rules": [{"field": "chats.visitor.email", "action": "hash"}]}

A ``field`` is a stream, or ``*`` for all, and a path in its records. In a path ``*`` is any one key or item of an array, and
``**`` any number of levels. Paths continue through arrays that they do not name: ``chats.history.msg`` is
``chats.history.*.msg``.

===== =================================================================================================================
drop  Removes the key. An item of an array becomes null, so that the others keep their positions.
null  Replaces the value with null.
hash  Replaces strings, numbers and booleans, also inside an object or array, with 32 hexadecimal digits of the HMAC-SHA-256
      of their text. Equal values get equal digits in every stream and run with the same ``hash_key``. Null and "" stay.
mask  Replaces personal data in strings with ``[email]``, ``[phone]``, ``[card]`` or ``[ip]``. A number that is a complete
      phone or card number becomes null, because its column holds numbers. In a field for IP addresses, malformed ones such
      as ``203.0.299.96`` are masked too. A rule marks such a field by its name (``session.ip``) or by ``"patterns": ["ip"]``.
===== =================================================================================================================

If several rules match a value, the first of drop, null, hash and mask applies, and masks look for the patterns of all. If a
path continues into an object but the record has a scalar there, the scalar becomes null, whatever the action:
``chats.visitor.email=hash`` turns ``{"visitor": "jo@example.com"}`` into ``{"visitor": null}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from msgspec import Struct

from zendesk_chat.errors import ConfigError
from zendesk_chat.validation import convert, is_absent

if TYPE_CHECKING:
    from zendesk_chat.redaction.fields import StreamFields

Action: TypeAlias = Literal["drop", "null", "hash", "mask"]
Kind: TypeAlias = Literal["email", "ip", "card", "phone"]
Path: TypeAlias = tuple[str, ...]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)  # in the order in which masks look for them
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)  # the strongest first
SHORTEST_HASH_KEY: Final = 16
LONGEST_PATH: Final = 100  # segments; no record is that deep
ANY_KEY: Final = "*"
ANY_LEVELS: Final = "**"
WILDCARDS: Final = (ANY_KEY, ANY_LEVELS)
_FIELD: Final = re.compile(r"(\*|[a-z_]+)((?:\.(?:\*\*?|[^.*\[\]\s]+))+)")  # chats.visitor.email, *.**.ip
_BRACKETS: Final = re.compile(r"\.?\[\*?\]")  # the [] of chats.history[].msg, and [*]
_IP_NAME: Final = re.compile(r"(?:\b|_)ip(?:\b|_)")  # ip, ip_address, client_ip; not zip


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
    """What happens to one field of a stream.

    Two actions are for internal rules: ``keep`` exempts a key or cursor from wildcards, and ``list`` marks a field with an
    array.
    """

    stream: str  # its name, or ``*`` for all
    path: Path
    action: Action | Literal["keep", "list"]
    patterns: tuple[Kind, ...] = KINDS  # what ``mask`` looks for
    implied: int = 0  # number of segments that the connector added in front of a path that begins with a wildcard

    @property
    def is_for_ip(self) -> bool:
        """Whether the field contains IP addresses: its mask looks for nothing else, or its name contains the word ``ip``."""
        name = next((segment for segment in reversed(self.path) if segment not in WILDCARDS), "")
        return "ip" in self.patterns and (self.patterns == ("ip",) or bool(_IP_NAME.search(name)))


@dataclass(frozen=True, slots=True)
class Redaction:
    """Everything that is redacted."""

    rules: tuple[Rule, ...]  # in the order of the configuration, followed by internal ones
    hash_key: str = field(repr=False)  # empty if no rule needs it
    streams: Mapping[str, StreamFields] = field(default_factory=dict, repr=False, hash=False)  # filled in by fields.bind


def parse_redaction(raw: object) -> Redaction | None:
    """Validate the setting ``redact`` after JSON decoding. Returns None if it redacts nothing.

    Raises:
        ConfigError: It is malformed. The message shows the JSON path and no value.
    """
    if is_absent(raw):
        return None
    given = convert(raw, RedactSettings, "redact")
    rules = tuple(_parse_rule(entry, f"redact rule {number}") for number, entry in enumerate(given.rules, 1))
    hash_key = given.hash_key.strip()
    if given.hash_key and len(hash_key) < SHORTEST_HASH_KEY:
        raise ConfigError(f"redact.hash_key: must be a string of at least {SHORTEST_HASH_KEY} characters.")
    if not hash_key and any(rule.action == "hash" for rule in rules):
        raise ConfigError(
            f"redact.hash_key: missing. The action hash needs a secret of at least {SHORTEST_HASH_KEY} characters. Keep it: "
            "a different key gives different hashes."
        )
    return Redaction(rules, hash_key) if rules else None


def _parse_rule(raw: object, position: str) -> Rule:
    given = convert(raw, RuleSettings, position, {name: f"{position}, {name}" for name in RuleSettings.__struct_fields__})
    match = _FIELD.fullmatch(_BRACKETS.sub(".*", given.field.strip()))
    if not match or match[2].count(".") > LONGEST_PATH:
        raise ConfigError(
            f"{position}, field: must be a stream and a path, such as chats.visitor.email. In it, * is one key or item, ** any "
            "levels."
        )
    if given.patterns and given.action != "mask":
        raise ConfigError(f"{position}, patterns: only the action mask takes patterns.")
    kinds = tuple(kind for kind in KINDS if not given.patterns or kind in given.patterns)
    segments = match[2].removeprefix(".").split(".")
    if segments[-1] == ANY_LEVELS:  # everything below
        segments.append(ANY_KEY)
    path = tuple(segment for segment, after in pairwise([*segments, ""]) if not segment == after == ANY_LEVELS)
    return Rule(match[1], path, given.action, kinds)
