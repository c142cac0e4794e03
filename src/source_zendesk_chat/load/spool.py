"""Rows that wait on disk for their transaction, so that memory does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

SEGMENT_BYTES: Final = 8 * 2**20  # what is in memory at a time


class Spool:
    """One stream's rows that are not yet in the database, in a file of their own.

    Attributes:
        records: How many.
        length: Bytes.
    """

    def __init__(self, path: Path, schema: pa.Schema, key: Sequence[str]) -> None:
        self._path = path
        self._schema = schema
        self._key = list(key)
        self._keys: list[pa.Table] = []
        self._writer: pq.ParquetWriter | None = None
        self.records = 0
        self.length = 0

    def append(self, rows: pa.Table) -> None:
        """Write the rows of one page behind the others."""
        if not rows.num_rows:
            return
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, self._schema)
        self._writer.write_table(rows)
        self._keys.append(rows.select(self._key))
        self.records += rows.num_rows
        self.length += rows.nbytes

    def keys(self) -> pa.Table:
        """Return the columns of the key, of all rows."""
        return pa.concat_tables([self._schema.empty_table().select(self._key), *self._keys])

    def file(self) -> Path | None:
        """Return the Parquet file of all rows, or None where some have equal keys; none may be added then."""
        keys = self.keys()
        if self._writer is None or (self._key and keys.group_by(self._key).aggregate([]).num_rows < self.records):
            return None
        self._writer.close()
        return self._path

    def segments_newest_first(self) -> Iterator[pa.Table]:
        """Yield all rows in tables of about ``SEGMENT_BYTES``, the latest first, each in its own order; none may be added then.

        Going backwards lets the reader keep the latest row of each key by remembering which keys it has met.
        """
        if self._writer is None:
            return
        self._writer.close()
        with pq.ParquetFile(self._path) as file:
            segment: list[pa.Table] = []
            for index in range(file.num_row_groups - 1, -1, -1):
                segment.insert(0, file.read_row_group(index))
                if index == 0 or sum(rows.nbytes for rows in segment) >= SEGMENT_BYTES:
                    yield pa.concat_tables(segment)
                    segment = []

    def clear(self) -> None:
        """Forget all rows and give their room on disk back."""
        if self._writer is not None:
            self._writer.close()
            self._path.unlink()
        self._writer = None
        self._keys = []
        self.records = 0
        self.length = 0
