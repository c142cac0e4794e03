"""The pages of one stream that wait for their transaction, as columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from zendesk_chat.load.file.merging import Rows
from zendesk_chat.streams.stream import RawRecord
from zendesk_chat.tables.arrow import RecordReader, arrow_schema
from zendesk_chat.tables.latest import Staying, deciding_columns, held_by_chats, staying_rows
from zendesk_chat.tables.table import EXTRA, UNPARSED, StreamTable

pa.set_memory_pool(pa.system_memory_pool())  # Arrow's own pool keeps freed memory, in addition to DuckDB's and Python's
_JSON: Final[dict[str | bytes, str | bytes]] = {"ARROW:extension:name": "arrow.json", "ARROW:extension:metadata": ""}
SLICE_BYTES: Final = 8 * 2**20  # of records that are converted to columns and written at a time


class Pages:
    """Pages in order.

    Attributes:
        length: Bytes in memory.
    """

    def __init__(self, table: StreamTable) -> None:
        self._table = table
        self._schema = _with_json(arrow_schema(table), table)
        self._read = RecordReader(table).slices
        self.clear()

    def clear(self) -> None:
        """Forget all pages."""
        self._slices: list[pa.Table] = []
        self._page_sizes: list[int] = []
        self._last_named: dict[str, int] = {}
        self.length = 0

    def append(self, records: Sequence[RawRecord], parents: Sequence[str] = ()) -> None:
        """Add the records of a page. They are all that these parents have."""
        self._last_named |= dict.fromkeys(parents, len(self._page_sizes))
        self._page_sizes.append(len(records))
        for rows in self._read(records, SLICE_BYTES):
            self._slices.append(pa.table(rows.columns, schema=self._schema))
            self.length += rows.nbytes

    def rows(self) -> Rows:
        """Return the rows that remain after later pages have replaced older ones."""
        parents = pa.table({"parent": pa.array(self._last_named, pa.string())}) if self._last_named else None
        if not self._slices:
            return Rows((), parents)
        index = pa.concat_tables([rows.select(deciding_columns(self._table)) for rows in self._slices])
        staying = staying_rows(self._table, index, self._page_sizes, self._last_named)
        if staying is None:
            return Rows(tuple(_joined(self._slices)), parents)
        return Rows(tuple(_joined(self._filtered(staying))), parents, self._withdrawn(index))

    def _withdrawn(self, index: pa.Table) -> Sequence[str]:
        held = held_by_chats(self._table, index, self._page_sizes, self._last_named) if self._table.latest_by else None
        if held is None:
            return ()
        keys: list[Any] = index.column(self._table.primary_key[0]).filter(pc.invert(held)).to_pylist()
        return keys

    def _filtered(self, staying: Staying) -> Iterator[pa.Table]:
        begun = 0
        for rows in self._slices:
            yield rows.filter(staying.slice(begun, rows.num_rows))
            begun += rows.num_rows


def _with_json(schema: pa.Schema, table: StreamTable) -> pa.Schema:
    """Return a schema that marks JSON columns. DuckDB then takes them unchanged and does not parse them."""
    names = {EXTRA, UNPARSED, *(name for name, kind in table.columns.items() if kind == "json")}
    return pa.schema([field.with_metadata(_JSON) if field.name in names else field for field in schema])


def _joined(slices: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield small slices joined together."""
    waiting: list[pa.Table] = []
    size = 0
    for rows in slices:
        if waiting and size + rows.nbytes > SLICE_BYTES:
            yield pa.concat_tables(waiting)
            waiting, size = [], 0
        waiting.append(rows)
        size += rows.nbytes
    if waiting:
        yield pa.concat_tables(waiting)
