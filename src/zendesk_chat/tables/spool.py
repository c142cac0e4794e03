"""Rows that wait on disk for their transaction, so that memory does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zendesk_chat.tables.arrow import arrow_schema
from zendesk_chat.tables.table import StreamTable

Staying: TypeAlias = "pa.BooleanArray | pa.ChunkedArray[Any]"
"""For each row whether it is the latest of its key, and still a child of its parent."""

_ORDER: Final = "_order"
SEGMENT_BYTES: Final = 8 * 2**20  # what is in memory at a time


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to write.

    Attributes:
        batches: Of ``arrow_schema(table)``, with unique keys; at least one, even if it is empty. You can read them once.
        file: The same rows as a Parquet file, if there is one.
        records: How many rows.
        keys: The columns of the key.
        parents: Those whose only children are these rows, in a column named like the table's ``parent_field``; None if it has
            none.
    """

    batches: Iterator[pa.Table]
    file: Path | None
    records: int
    keys: pa.Table
    parents: pa.Table | None


class Spool:
    """One stream's rows that are not yet in the database, in a file: ``records`` rows of ``length`` bytes in memory."""

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
        """Write the rows of one page behind the others; they are all that these parents have."""
        self._last_named |= dict.fromkeys(parents, len(self._page_sizes))
        self._page_sizes.append(rows.num_rows)
        if not rows.num_rows:
            return
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, self._schema)
        self._writer.write_table(rows)
        self.records += rows.num_rows
        self.length += rows.nbytes

    def rows(self) -> Rows:
        """Return the rows that remain after each page has replaced older ones. You MUST NOT append after this."""
        if self._writer is not None:
            self._writer.close()
        parent = self._table.parent_field
        index = self._index()
        staying = _staying(_latest_of_keys(self._table, index), self._held_by_parents(index))
        kept = index if staying is None else index.filter(staying)
        return Rows(
            self._segments(staying),
            self._path if self._writer is not None and staying is None else None,
            self.records if staying is None else kept.num_rows,
            kept.select(list(self._table.primary_key)),
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
        table = self._table
        columns = list(dict.fromkeys([*table.primary_key, *filter(None, [table.parent_field, table.latest_by])]))
        if self._writer is None or not columns:
            return self._schema.empty_table().select(columns)
        return pq.read_table(self._path, columns=columns)

    def _held_by_parents(self, index: pa.Table) -> Staying | None:
        """Return for each row whether no later page replaced its parent's children, or None if all stay."""
        if self._table.parent_field is None or not self._last_named:
            return None
        pages = pa.concat_arrays([pa.repeat(pa.scalar(page, pa.int64()), size) for page, size in enumerate(self._page_sizes)])
        named: Any = pc.take(
            pa.array(self._last_named.values(), pa.int64()),
            pc.index_in(index.column(self._table.parent_field), value_set=pa.array(self._last_named, pa.string())),
        )
        held = pc.less_equal(pc.fill_null(named, -1), pages)
        return None if pc.all(held).as_py() else held

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


def _staying(latest: Staying | None, held: Staying | None) -> Staying | None:
    return pc.and_(latest, held) if latest is not None and held is not None else (held if latest is None else latest)


def _latest_of_keys(table: StreamTable, index: pa.Table) -> Staying | None:
    """Return for each row whether it is the latest of its key. A row whose key does not fit its column stays."""
    key = list(table.primary_key)
    if not key or index.group_by(key).aggregate([]).num_rows == index.num_rows:
        return None
    order_of_rows = pa.array(range(index.num_rows), pa.int64())
    order: list[tuple[str, Literal["ascending", "descending"]]]
    order = [(name, "descending") for name in (table.latest_by, _ORDER) if name]  # nulls come last
    rows = index.append_column(_ORDER, order_of_rows).sort_by(order)
    picked = rows.group_by(key, use_threads=False).aggregate([(_ORDER, "first")]).column(f"{_ORDER}_first")
    staying = pc.is_in(order_of_rows, value_set=picked)
    for name in key:
        staying = pc.or_(staying, pc.is_null(index.column(name)))
    return staying
