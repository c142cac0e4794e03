"""Any record as a row: values that fit their column are converted, all others are kept beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Final, NamedTuple, TypeAlias

import msgspec

from zendesk_chat.tables.table import ColumnType

NULL: Final = msgspec.Raw(b"null")
UNREADABLE: Final = "_unreadable"
"""The key of ``_extra`` for the text of a record that is not a readable JSON object."""

Value: TypeAlias = msgspec.Raw | bytes | str | float | bool | None
"""A value of a column: the original JSON for a JSON column, an RFC 3339 string for a timestamp."""

_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_string: Final = msgspec.json.Decoder(str)
_INTEGER: Final = re.compile(r"(-?)0*([0-9]{1,19})(?:\.0+)?")  # 12, 12.0, 007; not 12.7, which would have to be rounded
_EXPONENT: Final = re.compile(r"-?[0-9.]+[eE][+-]?[0-9]+")
_EXACT_FLOATS: Final = 2.0**53  # all integers below it are exact floats
_INT64: Final = range(-(2**63), 2**63)
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_TIMESTAMP: Final = re.compile(
    r"(?P<date>\d{4}-\d{1,2}-\d{1,2})"
    r"(?:[T\s]\s*(?P<hour>\d{1,2}):(?P<minute>[0-5]?\d)(?::(?P<second>[0-5]?\d)(?:\.(?P<fraction>\d*))?)?"
    r"(?P<zone>Z|[+-]\d\d(?::?\d\d)?(?::\d\d)?|\ UTC|\ GMT)?\s*)?",
    re.ASCII,
)  # 2026-01-01, 2026-1-1 9:30, 2026-01-01T09:30:00.1234567+02, 2026-01-01 09:30:00 UTC


class LenientRow(NamedTuple):
    """A record as a row.

    Attributes:
        extra: A JSON object of the fields that have no column and are not null, sorted by name; None if there are none.
        unparsed: A JSON object of the values that do not fit their column; None if all fit.
    """

    values: tuple[Value, ...]
    extra: bytes | None
    unparsed: bytes | None


def read_leniently(columns: Mapping[str, ColumnType], record: bytes) -> LenientRow:
    """Return any record as a row. Numbers in ``extra``, ``unparsed`` and JSON columns keep the API's digits.

    With a text column ``id`` and a bigint column ``size``, ``{"id": 7, "size": "big", "new": 1.50}`` has the values
    ``("7", None)``, the extra ``{"new":1.50}`` and the unparsed ``{"size":"big"}``.
    """
    fields = _fields_of(record)
    values: list[Value] = []
    unparsed: dict[str, msgspec.Raw] = {}
    for name, kind in columns.items():
        raw = fields.pop(name, NULL)
        if raw is NULL or raw == NULL:
            values.append(NULL if kind == "json" else None)
            continue
        value = raw if kind == "json" else _CONVERTERS[kind](raw)
        if value is None:
            unparsed[name] = raw
        values.append(value)
    extra = {name: raw for name, raw in sorted(fields.items()) if raw != NULL}
    return LenientRow(tuple(values), _object(extra), _object(unparsed))


def _fields_of(record: bytes) -> dict[str, msgspec.Raw]:
    try:
        record.decode()  # msgspec does not validate values that it skips
        return _fields.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {UNREADABLE: msgspec.Raw(msgspec.json.encode(record.decode(errors="replace")))}


def _object(fields: Mapping[str, msgspec.Raw]) -> bytes | None:
    return msgspec.json.encode(fields) if fields else None


def _to_text(raw: msgspec.Raw) -> str:
    """Return a string unchanged, and any other value as JSON."""
    json = bytes(raw)
    return _string.decode(json) if json.startswith(b'"') else json.decode()


def _to_bigint(raw: msgspec.Raw) -> int | None:
    text = _to_text(raw)
    if match := _INTEGER.fullmatch(text):
        number = int(match[1] + match[2])
        return number if number in _INT64 else None
    if _EXPONENT.fullmatch(text) and not bytes(raw).startswith(b'"'):  # in JSON, 5e2 is an integer
        value = float(text)
        return int(value) if value.is_integer() and abs(value) < _EXACT_FLOATS else None
    return None


def _to_double(raw: msgspec.Raw) -> float | None:
    text = _to_text(raw)
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) and text.isascii() else None  # float() also accepts the digits of other scripts


def _to_timestamp(raw: msgspec.Raw) -> str | None:
    match = _TIMESTAMP.fullmatch(_to_text(raw))
    if match is None:
        return None
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    micros = int((match["fraction"] or "").ljust(6, "0")[:6])  # further decimals are truncated, as DuckDB does
    if (hour, minute, second, micros) > (24, 0, 0, 0):  # 24:00 is the end of a day
        return None
    time = timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micros)
    try:
        year, month, day = map(int, match["date"].split("-"))
        return (datetime(year, month, day, tzinfo=UTC) + time - _offset(match["zone"] or "")).isoformat()
    except (ValueError, OverflowError):  # a day that does not exist, or outside the years 1 to 9999
        return None


def _offset(zone: str) -> timedelta:
    """Return how far a zone such as ``+02``, ``-0330`` or ``Z`` is ahead of UTC."""
    if zone[:1] not in ("+", "-"):
        return timedelta()
    digits = zone[1:].replace(":", "").ljust(6, "0")
    ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:]))
    return ahead if zone[0] == "+" else -ahead


_CONVERTERS: Final[Mapping[ColumnType, Callable[[msgspec.Raw], Value]]] = {  # they return None for a value that does not fit
    "text": _to_text,
    "bigint": _to_bigint,
    "double": _to_double,
    "bool": lambda raw: _BOOLEANS.get(_to_text(raw)),
    "timestamp": _to_timestamp,
}
