"""JSON records as Arrow tables with typed columns. Values that do not fit a column are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import pyarrow as pa
from msgspec import Raw, Struct
from msgspec.structs import astuple

from zendesk_chat.streams.derived.extracted import ExtractedRecords
from zendesk_chat.streams.records import in_slices
from zendesk_chat.tables.columns import UNFIT, Array, arrow_schema, to_column, to_json, to_text
from zendesk_chat.tables.extracted import ExtractedReader
from zendesk_chat.tables.lenient import Value, read_leniently
from zendesk_chat.tables.strict import StrictReader
from zendesk_chat.tables.table import ColumnType, StreamTable

__all__ = ["RecordReader", "arrow_schema", "naming_rows"]


class RecordReader:
    """Reads the records of a table: as structs if they fit the schema exactly, otherwise leniently."""

    def __init__(self, table: StreamTable) -> None:
        self._columns = table.columns
        self._schema = arrow_schema(table)
        self._strict = StrictReader.of(table)
        self._extracted = ExtractedReader(table)

    def read(self, records: Sequence[bytes]) -> pa.Table:
        """Return the records as rows of ``arrow_schema(table)``, one for each, in the same order."""
        if isinstance(records, ExtractedRecords) and (columns := self._extracted.columns(records)):
            decoded = self._with_nulls(columns)
            encoded = records.encoded()
            if not encoded:
                return decoded
            return pa.concat_tables([decoded, self._read_encoded(encoded)]).take(pa.array(records.order()))
        return self._read_encoded(records)

    def slices(self, records: Sequence[bytes], most_bytes: int = 8 * 2**20) -> Iterator[pa.Table]:
        """Yield the same rows in slices of about this many bytes of JSON, so that memory does not grow with the records."""
        if isinstance(records, ExtractedRecords):
            yield from map(self.read, records.slices(most_bytes))
        else:
            yield from map(self.read, in_slices(records, most_bytes))

    def _read_encoded(self, records: Sequence[bytes]) -> pa.Table:
        if not records:
            return self._schema.empty_table()
        rows = self._strict.read(records)
        try:
            return self._to_table(records, rows)
        except UNFIT:
            pass
        try:
            return self._to_table(records, self._strict.with_usual_times(rows))
        except UNFIT:  # a time that does not exist, or invalid UTF-8 in JSON that was skipped
            return self._to_table(records, [None] * len(records))

    def _to_table(self, records: Sequence[bytes], rows: Sequence[Struct | None]) -> pa.Table:
        lenient = {index: read_leniently(self._columns, records[index]) for index, row in enumerate(rows) if row is None}
        values = [lenient[index].values if row is None else astuple(row) for index, row in enumerate(rows)]
        by_column = zip(*values, strict=True)
        columns = [_column(kind, column) for kind, column in zip(self._columns.values(), by_column, strict=True)]
        if not lenient:
            return self._with_nulls(columns)
        extra = [lenient[index].extra if index in lenient else None for index in range(len(rows))]
        unparsed = [lenient[index].unparsed if index in lenient else None for index in range(len(rows))]
        return pa.table([*columns, pa.array(extra, pa.string()), pa.array(unparsed, pa.string())], schema=self._schema)

    def _with_nulls(self, columns: Sequence[Array]) -> pa.Table:
        """Return rows whose values all fit: the last two columns are null."""
        return pa.table([*columns, *[pa.nulls(len(columns[0]), pa.string())] * 2], schema=self._schema)


def naming_rows(table: StreamTable, parents: pa.Table) -> pa.Table:
    """Return rows that name parents and are not children: all their other columns are null."""
    schema = arrow_schema(table)
    nulls = {name: pa.nulls(parents.num_rows, schema.field(name).type) for name in schema.names}
    return pa.table(nulls | {name: parents.column(name) for name in parents.column_names}, schema=schema)


def _column(kind: ColumnType, values: Sequence[Value]) -> Array:
    if kind == "json":
        return to_json(cast("Sequence[Raw]", values))
    if kind == "text":
        return to_text(values)
    return to_column(kind, values)
