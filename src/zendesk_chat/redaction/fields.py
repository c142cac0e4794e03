"""Which fields of the API's records a rule applies to, and which it must not redact.

Streams derived from chats have no redaction of their own: their records are extracted from redacted chats. A rule for one of
them applies to the part of the chat that its field comes from. For example, ``chat_events.msg`` means
``chats.history.msg``, and ``visitors.ip`` means ``chats.session.ip``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from zendesk_chat.errors import ConfigError
from zendesk_chat.redaction.rules import ANY_KEY, ANY_LEVELS, WILDCARDS, Path, Redaction, Rule

_EVERYTHING: Final = ((ANY_KEY,), (ANY_LEVELS, ANY_KEY))  # paths to all fields of a record


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the fields of a derived stream come from."""

    stream: str  # the stream whose records contain the derived ones
    path: Path  # of the object that becomes a record, such as ``("history", "*")``
    others: Mapping[str, Path | None]  # paths of fields from elsewhere; None for a field that the connector makes

    def of(self, name: str) -> Path | None:
        """Return the path of a field in the records of ``stream``."""
        return self.others.get(name, (*self.path, name))

    def paths(self, path: Path) -> Iterator[Path]:
        """Yield what a path in the derived records means in the records of ``stream``."""
        first, rest = path[0], path[1:]
        if first not in WILDCARDS:
            if (start := self.of(first)) is not None:
                yield (*start, *rest)
            return
        yield (*self.path, *path)
        if path in _EVERYTHING:
            yield from filter(None, self.others.values())
        elif first == ANY_LEVELS:
            yield from self.paths(rest)


@dataclass(frozen=True, slots=True)
class StreamFields:
    """What redaction needs to know about a stream."""

    needed: Collection[str] = ()  # top-level fields of its key and cursor, which are not redacted
    hashable: Collection[str] = ()  # the needed fields that may be hashed, because different values have different hashes
    personal: Collection[str] = ()  # the ``hashable`` fields that wildcards match too
    origin: Origin | None = None  # None if the stream is the API's own
    lists: Collection[Path] = ()  # paths of fields that contain arrays of objects


@dataclass(frozen=True, slots=True)
class _Needed:
    """The key or cursor field ``name`` of ``stream``, which comes from these ``paths`` in the records of ``source``."""

    stream: str
    name: str
    source: str
    paths: tuple[Path, ...]
    hashable: bool
    personal: bool

    def forbids(self, rule: Rule, means: Collection[tuple[str, Path]]) -> bool:
        """Return whether a rule, which means these paths, names the field itself and not by a wildcard."""
        if rule.stream == self.stream and (rule.path == (self.name,) or (self.personal and rule.path in _EVERYTHING)):
            return not self.hashable or rule.action != "hash"
        return not self.hashable and self.is_among(means)

    def is_among(self, means: Collection[tuple[str, Path]]) -> bool:
        """Return whether one of these streams and paths is the field's, with or without the items of arrays in it."""
        spellings = (spelling for path in self.paths for spelling in (path, tuple(key for key in path if key != ANY_KEY)))
        return any((self.source, spelling) in means for spelling in spellings)


def bind(redaction: Redaction, streams: Mapping[str, StreamFields]) -> Redaction:
    """Return the redaction for these streams. In it, wildcards do not match keys and cursors.

    Raises:
        ConfigError: A rule names a stream that does not exist, or a key or cursor.
    """
    needed = [
        _Needed(stream, name, *_source_paths(stream, fields, (name,)), name in fields.hashable, name in fields.personal)
        for stream, fields in streams.items()
        for name in fields.needed
    ]
    named: set[tuple[str, Path]] = set()
    for number, rule in enumerate(redaction.rules):
        position = f"redact rule {number + 1}, field"
        if rule.stream != ANY_KEY and rule.stream not in streams:
            raise ConfigError(f"{position}: no such stream. The streams are {', '.join(streams)}.")
        means: set[tuple[str, Path]] = set()
        if rule.stream != ANY_KEY and rule.path[0] not in WILDCARDS:  # otherwise the rule names no field
            source, paths = _source_paths(rule.stream, streams[rule.stream], rule.path)
            means = {(source, path) for path in paths}
        if forbidding := next((each for each in needed if each.forbids(rule, means)), None):
            raise ConfigError(f"{position}: {_refusal(forbidding, needed)}")
        named |= means
    exempt = [
        Rule(each.source, path, "keep")
        for each in needed
        if not each.personal and not each.is_among(named)
        for path in each.paths
    ]
    return replace(redaction, rules=(*redaction.rules, *dict.fromkeys(exempt)), streams=streams)


def rules_for(redaction: Redaction, stream: str) -> list[Rule]:
    """Return the rules for the records of one of the API's streams, including those for the streams derived from it."""
    own = [replace(rule, stream=stream) for rule in redaction.rules if rule.stream in (stream, ANY_KEY)]
    derived = [
        replace(rule, stream=stream, path=path, implied=max(0, len(path) - len(rule.path)) if rule.path[0] in WILDCARDS else 0)
        for name, fields in redaction.streams.items()
        if (origin := fields.origin) and origin.stream == stream
        for rule in redaction.rules
        for path in _paths_in(origin, name, rule)
    ]
    return [*own, *derived, *(Rule(stream, path, "list") for path in fields_of(redaction, stream).lists)]


def fields_of(redaction: Redaction, stream: str) -> StreamFields:
    """Return what redaction knows about a stream."""
    return redaction.streams.get(stream) or StreamFields()


def _paths_in(origin: Origin, stream: str, rule: Rule) -> Iterator[Path]:
    """Yield what a rule for a derived stream, or for all streams, means in the records of its source."""
    if rule.stream == stream or (rule.stream == ANY_KEY and rule.path[0] != ANY_LEVELS):
        yield from origin.paths(rule.path)
    elif rule.stream == ANY_KEY and origin.others.get(rule.path[1]):
        # *.**.msg matches each msg in a chat. It misses fields that have another name or position there.
        yield from origin.paths(rule.path[1:])


def _refusal(forbidding: _Needed, needed: Iterable[_Needed]) -> str:
    hashable = " and ".join(f"{each.stream}.{each.name}" for each in needed if each.hashable)
    return (
        f"cannot be redacted, because it is part of the key or cursor field {forbidding.stream}.{forbidding.name}. "
        f"Of such fields, only {hashable} can be redacted, with the action hash."
    )


def _source_paths(stream: str, fields: StreamFields, path: Path) -> tuple[str, tuple[Path, ...]]:
    """Return the API's stream, and what a path means in its records."""
    return (fields.origin.stream, tuple(fields.origin.paths(path))) if fields.origin else (stream, (path,))
