"""Rows that wait on disk for their transaction, so that memory does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

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
        self._sink: pa.OSFile | None = None
        self._writer: pa.RecordBatchFileWriter | None = None
        self.records = 0
        self.length = 0

    def append(self, rows: pa.Table) -> None:
        """Write the rows of one page behind the others."""
        if not rows.num_rows:
            return
        if self._sink is None or self._writer is None:
            self._sink = pa.OSFile(str(self._path), "wb")
            self._writer = pa.ipc.new_file(self._sink, self._schema)
        self._writer.write_table(rows)
        self._keys.append(rows.select(self._key))
        self.records += rows.num_rows
        self.length += rows.nbytes

    def keys(self) -> pa.Table:
        """Return the columns of the key, of all rows."""
        return pa.concat_tables([self._schema.empty_table().select(self._key), *self._keys])

    def segments_newest_first(self) -> Iterator[pa.Table]:
        """Yield all rows in tables of about ``SEGMENT_BYTES``, the latest first, each in its own order; none may be added then.

        Going backwards lets the reader keep the latest row of each key by remembering which keys it has met.
        """
        if self._writer is None:
            return
        self._writer.close()
        with pa.OSFile(str(self._path), "rb") as source:
            file = pa.ipc.open_file(source)
            segment: list[pa.RecordBatch] = []
            for index in range(file.num_record_batches - 1, -1, -1):
                segment.insert(0, file.get_batch(index))
                if index == 0 or sum(batch.nbytes for batch in segment) >= SEGMENT_BYTES:
                    yield pa.Table.from_batches(segment)
                    segment = []

    def clear(self) -> None:
        """Forget all rows and give their room on disk back."""
        if self._sink is not None:
            self._sink.close()
            self._path.unlink()
        self._sink = self._writer = None
        self._keys = []
        self.records = 0
        self.length = 0
