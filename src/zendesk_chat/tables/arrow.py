"""JSON records to Arrow: typed columns, and nothing lost of what does not fit them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from zendesk_chat.tables.lenient import read_leniently
from zendesk_chat.tables.strict import row_decoder, to_columns
from zendesk_chat.tables.table import EXTRA, UNPARSED, ColumnType, StreamTable

if TYPE_CHECKING:
    import duckdb

    from zendesk_chat.streams.stream import RawRecord

_ARROW_TYPES: Final[dict[ColumnType, pa.DataType]] = {
    "text": pa.string(),
    "json": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


def arrow_schema(table: StreamTable) -> pa.Schema:
    """Return the columns of a table as Arrow; JSON columns are strings."""
    fields = [pa.field(name, _ARROW_TYPES[kind]) for name, kind in table.columns.items()]
    return pa.schema([*fields, pa.field(EXTRA, pa.string()), pa.field(UNPARSED, pa.string())])


def record_reader(reader: duckdb.DuckDBPyConnection, table: StreamTable) -> Callable[[Sequence[RawRecord]], pa.Table]:
    """Return a function that reads records into rows of ``arrow_schema(table)``, one for each, in their order.

    Records that are exactly what the schema says take the fast way, the others are read leniently.
    """
    schema = arrow_schema(table)
    decode = row_decoder(table)

    def read(records: Sequence[RawRecord]) -> pa.Table:
        rows = decode(records)
        plain = [index for index, row in enumerate(rows) if row is not None]
        odd = [index for index, row in enumerate(rows) if row is None]
        strict = schema.empty_table()
        if plain:
            try:
                columns = to_columns(table, [rows[index] for index in plain])
            except pa.ArrowInvalid:
                return read_leniently(reader, table, records).cast(schema)
            nulls = pa.nulls(len(plain), pa.string())
            strict = pa.table([*columns, nulls, nulls], schema=schema)
        if not odd:
            return strict
        lenient = read_leniently(reader, table, [records[index] for index in odd]).cast(schema)
        places = sorted(range(len(records)), key=[*plain, *odd].__getitem__)
        return pa.concat_tables([strict, lenient]).take(pa.array(places, pa.int64()))

    return read
