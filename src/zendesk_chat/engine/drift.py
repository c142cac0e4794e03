"""Schema drift: what records contain that their schema lacks, such as new fields and values of other types."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import NoneType
from typing import Final, TypeAlias, Union

import msgspec

from zendesk_chat.engine.events import SchemaChange
from zendesk_chat.json_schema import JSON_TYPES, JsonType, Schema

MAX_CHANGES: Final = 1000  # of one detector, which then stops observing
MAX_UNKNOWN_FIELDS: Final = 50  # of one object; an object with more, or with one that is personal data, is a map
LONGEST_NAME: Final = 100  # of a field, in a path
SAMPLED_COMPLETELY: Final = 2000  # records of a stream; an incremental run seldom has more
SAMPLE_EVERY: Final = 16  # of the records after these

_WALKS_BEFORE_REBUILD: Final = 32  # building a decoder takes about as long as this many walks
_SCALARS: Final[dict[JsonType, object]] = {"null": None, "boolean": bool, "integer": int, "number": float, "string": str}
_NAMES: Final[dict[type, JsonType]] = {
    NoneType: "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    tuple: "object",
}
_FREE_OBJECT: Final = msgspec.defstruct("FreeObject", [])  # skips its content
_FREE_ARRAY: Final = list[msgspec.Raw]
_UNFIT: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_DECODABLE_NAME: Final = re.compile(r'[^"\\\x00-\x1f\ud800-\udfff]*')  # msgspec accepts no others

# A JSON value. An object is a tuple of names and values, because a name may occur twice.
_Value: TypeAlias = "bool | float | str | list[_Value] | tuple[tuple[str, _Value], ...] | None"
_Change: TypeAlias = tuple[str, tuple[JsonType, ...], JsonType]  # path, known types and found type


class DriftDetector:
    """Observes the records of one stream, and reports each change once.

    Decoding a record into a struct made from the schema is cheap, and fails if anything is new. Only then does this walk
    through the record. It rebuilds the struct with what it found, so that a new field in every record is cheap too.

    Null fits everywhere, and an integer fits where numbers do. It does not search inside an unknown field, inside an object or
    array of an unexpected type, or where the schema does not describe the content. It skips records that it cannot decode.
    """

    __slots__ = ("_decode", "_grown", "_left", "_observed", "_root", "_stream", "_walks")

    def __init__(self, stream: str, schema: Schema) -> None:
        self._stream = stream
        self._root = _Node.of("", schema)
        self._left = MAX_CHANGES
        self._observed = 0
        self._build()

    def sample(self, records: Sequence[bytes]) -> list[SchemaChange]:
        """Observe the first ``SAMPLED_COMPLETELY`` records of a stream, then every 16th, across calls."""
        complete = max(0, SAMPLED_COMPLETELY - self._observed)
        first = complete + -(self._observed + complete) % SAMPLE_EVERY  # 0 to 15 records after the completely sampled ones
        self._observed += len(records)
        return self.observe([*records[:complete], *records[first::SAMPLE_EVERY]])

    def observe(self, records: Sequence[bytes]) -> list[SchemaChange]:
        """Return what is new in these records, in their order. It never raises, whatever they contain."""
        changes: list[SchemaChange] = []
        for record in records if self._left else ():
            try:
                self._decode(record)
            except _UNFIT:
                changes += self.walk(record)
        return changes

    def walk(self, record: bytes) -> list[SchemaChange]:
        """Return what is new in a record, found without the struct."""
        found = islice(self._root.changes(parse_record(record)), self._left)
        changes = [SchemaChange(self._stream, *change) for change in found]
        self._left -= len(changes)
        self._walks += 1
        self._grown |= bool(changes)
        if self._grown and self._walks >= _WALKS_BEFORE_REBUILD:
            self._build()
        return changes

    def _build(self) -> None:
        self._decode: Callable[[bytes], object] = msgspec.json.Decoder(self._root.python_type()).decode
        self._walks = 0
        self._grown = False


@dataclass(slots=True)
class _Node:
    """What is known about the values at one path. It grows with each change."""

    path: str  # as in ``SchemaChange``
    known: tuple[JsonType, ...] = ()  # as in ``SchemaChange``
    types: set[JsonType] = field(default_factory=lambda: {"null"})  # that fit
    fields: dict[str, _Node] | None = None  # of an object; None if it may hold anything
    items: _Node | None = None  # of an array; None if they may be anything
    unknown: int = 0  # number of ``fields`` that the schema does not know
    is_map: bool = False  # a map reports no more unknown fields

    @classmethod
    def of(cls, path: str, schema: Schema) -> _Node:
        node = cls(path, schema.present_types)
        for kind in node.known:
            node.allow(kind)
        if schema.properties and schema.allows("object"):
            node.fields = {name: cls.of(_below(path, name), inner) for name, inner in schema.properties.items()}
        if schema.items is not None and schema.items != Schema() and schema.allows("array"):
            node.items = cls.of(_below(path, "*"), schema.items)
        return node

    def allow(self, found: JsonType) -> None:
        self.types |= {"integer", "number"} if found == "number" else {found}

    def changes(self, value: _Value) -> Iterator[_Change]:
        """Yield what is new in a value. From now on it is known."""
        found = _NAMES[type(value)]
        if found not in self.types:
            self.allow(found)
            yield self.path, self.known, found
        elif isinstance(value, tuple) and self.fields is not None:
            for name, inner in value:
                yield from self._changes_in_field(self.fields, name, inner)
        elif isinstance(value, list) and self.items is not None:
            for inner in value:
                yield from self.items.changes(inner)

    def _changes_in_field(self, fields: dict[str, _Node], name: str, value: _Value) -> Iterator[_Change]:
        found = _NAMES[type(value)]
        if name in fields:
            yield from fields[name].changes(value)
        elif self.unknown < MAX_UNKNOWN_FIELDS and not self.is_map and not is_personal(name):
            self.unknown += 1
            fields[name] = node = _Node(_below(self.path, name))
            node.allow(found)
            yield node.path, (), found
        elif not self.is_map:
            self.is_map = True
            yield _below(self.path, "*"), (), found

    def python_type(self) -> object:
        """Return the type that decodes only what is known."""
        if self.types.issuperset(JSON_TYPES) and self.fields is None and self.items is None:
            return msgspec.Raw
        array = _FREE_ARRAY if self.items is None else list[self.items.python_type()]  # type: ignore[misc]  # made at run time
        kinds = _SCALARS | {"object": self._object_type(), "array": array}
        return Union[tuple(kinds[name] for name in sorted(self.types))]  # noqa: UP007  it is made of a list

    def _object_type(self) -> object:
        if self.fields is None:
            return _FREE_OBJECT
        fields = [
            (f"f{index}", inner.python_type(), msgspec.field(name=name, default=None))
            for index, (name, inner) in enumerate(self.fields.items())
            if _DECODABLE_NAME.fullmatch(name)
        ]
        return msgspec.defstruct("Object", fields, forbid_unknown_fields=not self.is_map, gc=False)


def _below(path: str, name: str) -> str:
    return f"{path}.{shown_name(name)}" if path else shown_name(name)


def parse_record(record: bytes) -> _Value:
    """Decode a record, or return None if it cannot be read. Of numbers, only the type is kept: some are too large to read."""
    try:
        value: _Value = json.loads(
            record.decode(errors="replace"),
            strict=False,
            object_pairs_hook=tuple,
            parse_int=len,
            parse_float=lambda _: 0.0,
        )
    except (ValueError, RecursionError):
        return None
    return value


def is_personal(name: str) -> bool:
    """Return whether a name is personal data, such as an e-mail address. No report shows it, and its object is a map."""
    if name.isidentifier():
        return False
    from zendesk_chat.redaction.patterns import masker  # late, because few accounts have such names
    from zendesk_chat.redaction.rules import KINDS

    return masker(KINDS).mask(name) != name


def shown_name(name: str) -> str:
    """Return a field's name in a form that any log can show."""
    short = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..."
    return short if short.isprintable() else ascii(short)[1:-1]
