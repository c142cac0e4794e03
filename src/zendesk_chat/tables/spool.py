"""Rows that wait on disk for their transaction, so that they need no memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from zendesk_chat.tables.arrow import arrow_schema
from zendesk_chat.tables.latest import Staying, deciding_columns, staying_rows
from zendesk_chat.tables.table import StreamTable

SEGMENT_BYTES: Final = 8 * 2**20  # what is in memory at the same time


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to write.

    Attributes:
        batches: Tables of ``arrow_schema(table)`` with unique keys; at least one, even if it is empty. You can read them once.
        file: The same rows as a Parquet file, if there is one.
        records: The number of rows.
        parents: The parents whose only children are these rows, in a column named like the table's ``parent_field``; None if it
            has none.
    """

    batches: Iterator[pa.Table]
    file: Path | None
    records: int
    parents: pa.Table | None


class Spool:
    """The rows of one stream that are not in the database yet, in a file: ``records`` rows with ``length`` bytes in memory."""

    def __init__(self, path: Path, table: StreamTable) -> None:
        self._path = path
        self._table = table
        self._schema = arrow_schema(table)
        self._empty()

    def _empty(self) -> None:
        self._writer: pq.ParquetWriter | None = None
        self._page_sizes: list[int] = []
        self._last_named: dict[str, int] = {}
        self.records = 0
        self.length = 0

    def append(self, rows: pa.Table, parents: Sequence[str] = ()) -> None:
        """Append the rows of one page. They are all that these parents have."""
        self._last_named |= dict.fromkeys(parents, len(self._page_sizes))
        self._page_sizes.append(rows.num_rows)
        if not rows.num_rows:
            return
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, self._schema)
        self._writer.write_table(rows)
        self.records += rows.num_rows
        self.length += rows.nbytes

    @property
    def names_parents(self) -> bool:
        """Whether a page was complete for some parents, so that their other children are to be deleted."""
        return bool(self._last_named)

    def rows(self) -> Rows:
        """Return the rows that remain after later pages have replaced older ones. You MUST NOT append after this."""
        if self._writer is not None:
            self._writer.close()
        parent = self._table.parent_field
        index = self._index()
        staying = staying_rows(self._table, index, self._page_sizes, self._last_named)
        return Rows(
            self._segments(staying),
            self._path if self._writer is not None and staying is None else None,
            self.records if staying is None else index.filter(staying).num_rows,
            None if parent is None else pa.table({parent: pa.array(self._last_named, pa.string())}),
        )

    def clear(self) -> None:
        """Delete all rows and their file."""
        if self._writer is not None:
            self._writer.close()
            self._path.unlink()
        self._empty()

    def _index(self) -> pa.Table:
        """Return the columns that decide which rows stay."""
        columns = deciding_columns(self._table)
        if self._writer is None or not columns:
            return self._schema.empty_table().select(columns)
        return pq.read_table(self._path, columns=columns)

    def _segments(self, staying: Staying | None) -> Iterator[pa.Table]:
        """Yield the rows that stay, in tables of about ``SEGMENT_BYTES``."""
        if self._writer is None:
            yield self._schema.empty_table()
            return
        with pq.ParquetFile(self._path) as file:
            segment: list[pa.Table] = []
            begun = 0
            for number in range(file.num_row_groups):
                segment.append(file.read_row_group(number))
                if number == file.num_row_groups - 1 or sum(rows.nbytes for rows in segment) >= SEGMENT_BYTES:
                    rows = pa.concat_tables(segment)
                    yield rows if staying is None else rows.filter(staying.slice(begun, rows.num_rows))
                    begun += rows.num_rows
                    segment = []
