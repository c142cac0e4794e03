"""JSON records as Arrow tables: typed columns, and nothing is lost of what does not fit them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Raw, Struct
from msgspec.structs import astuple

from zendesk_chat.tables.lenient import NULL, Value, read_leniently
from zendesk_chat.tables.strict import StrictReader
from zendesk_chat.tables.table import EXTRA, UNPARSED, ColumnType, StreamTable

_TIMESTAMP: Final = pa.timestamp("us", tz="UTC")
_ARROW_TYPES: Final[dict[ColumnType, pa.DataType]] = {
    "text": pa.string(),
    "json": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": _TIMESTAMP,
}


def arrow_schema(table: StreamTable) -> pa.Schema:
    """Return the columns of a table as Arrow; JSON columns are strings."""
    fields = [pa.field(name, _ARROW_TYPES[kind]) for name, kind in table.columns.items()]
    return pa.schema([*fields, pa.field(EXTRA, pa.string()), pa.field(UNPARSED, pa.string())])


class RecordReader:
    """Reads the records of a table: those that fit the schema exactly as structs, the others leniently."""

    def __init__(self, table: StreamTable) -> None:
        self._columns = table.columns
        self._schema = arrow_schema(table)
        self._strict = StrictReader.of(table)

    def read(self, records: Sequence[bytes]) -> pa.Table:
        """Return the records as rows of ``arrow_schema(table)``, one for each, in their order."""
        try:
            return self._to_table(records, self._strict.read(records))
        except pa.ArrowInvalid:  # a date that does not exist, or bytes that are no UTF-8 in JSON that was left unread
            return self._to_table(records, [None] * len(records))

    def _to_table(self, records: Sequence[bytes], rows: Sequence[Struct | None]) -> pa.Table:
        if not records:
            return self._schema.empty_table()
        lenient = {index: read_leniently(self._columns, records[index]) for index, row in enumerate(rows) if row is None}
        values = zip(*(lenient[index].values if row is None else astuple(row) for index, row in enumerate(rows)), strict=True)
        columns = [_to_column(kind, column) for kind, column in zip(self._columns.values(), values, strict=True)]
        if not lenient:
            return pa.table([*columns, *[pa.nulls(len(rows), pa.string())] * 2], schema=self._schema)
        extra = [lenient[index].extra if index in lenient else None for index in range(len(rows))]
        unparsed = [lenient[index].unparsed if index in lenient else None for index in range(len(rows))]
        return pa.table([*columns, pa.array(extra, pa.string()), pa.array(unparsed, pa.string())], schema=self._schema)


def _to_column(kind: ColumnType, values: Sequence[Value]) -> pa.Array[pa.Scalar[pa.DataType]]:
    if kind == "json":
        return pa.array([bytes(value) if isinstance(value, Raw) and value != NULL else None for value in values], pa.string())
    if kind == "timestamp":
        return pc.cast(pa.array(values, pa.string()), _TIMESTAMP)
    if kind == "text":
        return pa.array([str(value) if isinstance(value, int) else value for value in values], pa.string())
    return pa.array(values, _ARROW_TYPES[kind])
