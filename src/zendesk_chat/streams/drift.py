"""What records hold that their schema does not know: new fields, and values of other types."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from keyword import iskeyword
from threading import Lock
from types import NoneType
from typing import Any, Final, TypeAlias, Union

import msgspec

from zendesk_chat.streams.stream import RawRecord

MOST_FINDINGS: Final = 1000
"""Of one watch; after that it looks at nothing any more."""

MOST_UNKNOWN_FIELDS: Final = 50
"""Of one object; with more of them, or one that is personal data, it is a map, and any further one is told once for all."""

LONGEST_NAME: Final = 100  # of a field, in a path

_WALKS_BEFORE_REBUILD: Final = 32  # to build a decoder takes as long as about so many walks
_PLAIN: Final[dict[str, Any]] = {"null": None, "boolean": bool, "integer": int, "number": float, "string": str}
_JSON_TYPES: Final = frozenset({*_PLAIN, "array", "object"})
_NAMES: Final[dict[type, str]] = {
    NoneType: "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    tuple: "object",
}
_FREE_OBJECT: Final = msgspec.defstruct("FreeObject", [])  # skips whatever is in it
_FREE_ARRAY: Final = list[msgspec.Raw]
_UNFIT: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_DECODABLE_NAME: Final = re.compile(r'[^"\\\x00-\x1f\ud800-\udfff]*')  # msgspec takes no others

_Value: TypeAlias = Any
"""A JSON value, with each object as a tuple of its names and values: a name may come twice."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the schema does not know.

    Attributes:
        path: Names of fields joined by dots; ``*`` for the items of an array, and for any field of a map.
        known: The JSON types that the schema has there, without null; none for an unknown field.
        found: The JSON type that came. It is null only for a field that was unknown until then.
    """

    path: str
    known: tuple[str, ...]
    found: str


class Watch:
    """Looks at the records of one stream, and tells each thing that its schema does not know once.

    A record is decoded into what is known of its form, which costs little and fails where anything is new. Only then it is
    walked through. What is found is known from then on, so that an account with a new field in every record stays fast.

    Null fits everywhere, and an integer where numbers do. An unknown field and an object or array of another type than known
    are not looked into, nor is one whose schema does not say what it holds. What is no JSON, or nested too deeply to be
    decoded, is passed over.

    Args:
        schema: JSON schema (draft-07) of a record; ``type``, ``properties`` and ``items`` are looked at.
    """

    __slots__ = ("_decode", "_findings", "_grown", "_left", "_lock", "_root", "_walks")

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._root = _place("", schema)
        self._left = MOST_FINDINGS
        self._lock = Lock()
        self._findings: list[Finding] = []
        self._build()

    def see(self, records: Sequence[RawRecord]) -> list[Finding]:
        """Return what is new in these records, in their order. Raises nothing, whatever they hold."""
        if self._left:
            for record in records:
                self.decode(record)
        return self.findings()

    def decode(self, record: RawRecord | msgspec.Raw) -> Any:  # noqa: ANN401  a struct made from the schema
        """Look at a record, in any thread; return its known fields as attributes, or None if it holds something new."""
        try:
            return self._decode(record)
        except _UNFIT:
            with self._lock:
                self._walk(bytes(record))
            return None

    def findings(self) -> list[Finding]:
        """Return what was found since it was last asked for."""
        found, self._findings = self._findings, []
        return found

    def _walk(self, record: RawRecord) -> None:
        found = list(islice(_look(self._root, _read(record)), self._left))
        self._left -= len(found)
        self._findings += found
        self._walks += 1
        self._grown |= bool(found)
        if self._grown and self._walks >= _WALKS_BEFORE_REBUILD:
            self._build()

    def _build(self) -> None:
        self._decode: Callable[[RawRecord | msgspec.Raw], Any] = msgspec.json.Decoder(_python_type(self._root)).decode
        self._walks = 0
        self._grown = False


@dataclass(slots=True)
class _Place:
    """What is known of one place in the records. It grows with what is found there.

    Attributes:
        path: As in ``Finding``.
        known: Likewise.
        types: The JSON types that fit.
        fields: Those of an object; None where anything may be in it.
        items: Those of an array; None likewise.
        unknown: How many of ``fields`` the schema does not know.
        is_map: Whether more of them are no news.
    """

    path: str
    known: tuple[str, ...]
    types: set[str]
    fields: dict[str, _Place] | None = None
    items: _Place | None = None
    unknown: int = 0
    is_map: bool = False

    def allow(self, found: str) -> None:
        """Let values of this type pass from now on."""
        self.types |= {"integer", "number"} if found == "number" else {found}


def _place(path: str, schema: Mapping[str, Any]) -> _Place:
    declared = schema.get("type", sorted(_JSON_TYPES))
    known = tuple(kind for kind in ([declared] if isinstance(declared, str) else declared) if kind != "null")
    place = _Place(path, known, {"null"})
    for kind in known:
        place.allow(kind)
    if "object" in known and schema.get("properties"):
        place.fields = {name: _place(_below(path, name), inner) for name, inner in schema["properties"].items()}
    if "array" in known and schema.get("items"):
        place.items = _place(_below(path, "*"), schema["items"])
    return place


def _below(path: str, name: str) -> str:
    return f"{path}.{shown_name(name)}" if path else shown_name(name)


def _python_type(place: _Place) -> Any:  # noqa: ANN401  what msgspec takes for a type
    if place.types >= _JSON_TYPES and place.fields is None and place.items is None:
        return msgspec.Raw
    kinds = _PLAIN | {"object": _object_type(place), "array": _array_type(place)}
    return Union[tuple(kinds[name] for name in sorted(place.types))]  # noqa: UP007  it is made of a list


def _object_type(place: _Place) -> Any:  # noqa: ANN401  as above
    if place.fields is None:
        return _FREE_OBJECT
    fields = [
        (_attribute(name, index), _python_type(inner), msgspec.field(name=name, default=None))
        for index, (name, inner) in enumerate(place.fields.items())
        if _DECODABLE_NAME.fullmatch(name)
    ]
    return msgspec.defstruct("Object", fields, forbid_unknown_fields=not place.is_map, gc=False)


def _attribute(name: str, index: int) -> str:
    """The field's own name, where Python can have it."""
    return name if name.isidentifier() and not iskeyword(name) and not name.startswith("_") else f"_{index}"


def _array_type(place: _Place) -> Any:  # noqa: ANN401  as above
    return _FREE_ARRAY if place.items is None else list[_python_type(place.items)]  # type: ignore[misc]  # made at run time


def _read(record: RawRecord) -> _Value:
    """Return a record with types as they are written; None, in which there is nothing to find, if it cannot be read."""
    try:
        return json.loads(
            record.decode(errors="replace"),
            strict=False,
            object_pairs_hook=tuple,
            parse_int=lambda _: 0,  # what matters is the type: some numbers are too large to be read
            parse_float=lambda _: 0.0,
        )
    except (ValueError, RecursionError):
        return None


def _look(place: _Place, value: _Value) -> Iterator[Finding]:
    found = _NAMES[type(value)]
    if found not in place.types:
        place.allow(found)
        yield Finding(place.path, place.known, found)
    elif found == "object" and place.fields is not None:
        for name, inner in value:
            yield from _look_at_field(place, place.fields, name, inner)
    elif found == "array" and place.items is not None:
        for inner in value:
            yield from _look(place.items, inner)


def _look_at_field(place: _Place, fields: dict[str, _Place], name: str, value: _Value) -> Iterator[Finding]:
    found = _NAMES[type(value)]
    if name in fields:
        yield from _look(fields[name], value)
    elif place.unknown < MOST_UNKNOWN_FIELDS and not place.is_map and not is_personal(name):
        place.unknown += 1
        fields[name] = _Place(_below(place.path, name), (), {"null"})
        fields[name].allow(found)
        yield Finding(fields[name].path, (), found)
    elif not place.is_map:
        place.is_map = True
        yield Finding(_below(place.path, "*"), (), found)


def is_personal(name: str) -> bool:
    """Whether a name is no name but personal data, such as an e-mail address: it is in no report, and its object is a map."""
    if name.isidentifier():
        return False
    from zendesk_chat.redaction.patterns import masker  # late: few accounts have such names
    from zendesk_chat.redaction.rules import KINDS

    return masker(KINDS).mask(name) != name


def shown_name(name: str) -> str:
    """Return a field's name so that any log can hold it."""
    short = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..."
    return short if short.isprintable() else ascii(short)[1:-1]
