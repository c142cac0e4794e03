"""The values of a column as Arrow."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Raw

from zendesk_chat.streams.records import micros_of
from zendesk_chat.tables.lenient import NULL, Value
from zendesk_chat.tables.table import EXTRA, UNPARSED, ColumnType, StreamTable

Array: TypeAlias = "pa.Array[pa.Scalar[pa.DataType]]"

UNFIT: Final = (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError)
"""The errors of ``to_column``."""

_TIMESTAMP: Final = pa.timestamp("us", tz="UTC")
_TYPES: Final[dict[ColumnType, pa.DataType]] = {
    "text": pa.string(),
    "json": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": _TIMESTAMP,
}
_SHORTEST_TIME: Final = len("2026-01-01T09:30:00Z")
_FIRST_US: Final = micros_of("0001-01-01T00:00:00Z") or 0
_LAST_US: Final = micros_of("9999-12-31T23:59:59.999999Z") or 0


def arrow_schema(table: StreamTable) -> pa.Schema:
    """Return the columns of a table as Arrow. JSON columns are strings."""
    fields = [pa.field(name, _TYPES[kind]) for name, kind in table.columns.items()]
    return pa.schema([*fields, pa.field(EXTRA, pa.string()), pa.field(UNPARSED, pa.string())])


def to_column(kind: ColumnType, values: Sequence[Value]) -> Array:
    """Return values as a column. None and NaN are null.

    Args:
        kind: The type of the column.
        values: JSON as bytes, times as RFC 3339 strings.

    Raises:
        pa.ArrowInvalid: A value does not fit, or a time may have to be read leniently.
        pa.ArrowTypeError: The same.
        OverflowError: The same.
    """
    if kind == "timestamp":
        return _to_times(values)
    return pa.array(values, _TYPES[kind], from_pandas=True)


def to_text(values: Sequence[Value]) -> Array:
    """Return strings and integers as a text column."""
    try:
        return to_column("text", values)
    except pa.ArrowTypeError:  # few columns contain an integer
        return to_column("text", [str(value) if isinstance(value, int) else value for value in values])


def to_json(values: Sequence[Raw]) -> Array:
    """Return JSON as a column. JSON null becomes null. The bytes of all values are copied at once.

    Raises:
        pa.ArrowInvalid: It is not UTF-8.
    """
    is_valid = pa.array([value is not NULL and value != NULL for value in values], pa.bool_())
    ends = array("i", accumulate(map(len, values), initial=0))
    column = pa.StringArray.from_buffers(len(values), pa.py_buffer(ends), pa.py_buffer(b"".join(values)), is_valid.buffers()[1])
    column.validate(full=True)
    return column


def _to_times(values: Sequence[Value]) -> Array:
    """Parse times, except those that ``lenient`` reads differently: without minutes, or outside the years 1 to 9999."""
    strings = pa.array(values, pa.string(), from_pandas=True)
    times = pc.cast(strings, _TIMESTAMP)
    if times.null_count < len(times):
        shortest = pc.min(pc.binary_length(strings)).as_py()
        micros = times.view(pa.int64())
        if shortest < _SHORTEST_TIME or pc.min(micros).as_py() < _FIRST_US or pc.max(micros).as_py() > _LAST_US:
            raise pa.ArrowInvalid("a time that has to be read leniently")
    return times
