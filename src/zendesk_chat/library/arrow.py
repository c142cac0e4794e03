"""Streams as Arrow, with the columns and types that ``sync`` loads."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import pyarrow as pa

from zendesk_chat.library.account import Account
from zendesk_chat.library.reading import Batch, read
from zendesk_chat.streams.stream import StateBlob
from zendesk_chat.tables.arrow import RecordReader, arrow_schema
from zendesk_chat.tables.table import StreamTable


@dataclass(frozen=True, slots=True)
class ArrowBatch:
    """A ``Batch`` as a table.

    Attributes:
        table: Columns of timestamps, numbers, strings and booleans. Nested fields are JSON strings. Fields that the schema
            lacks are in the JSON of ``_extra``. Values that do not fit their column's type are in the JSON of ``_unparsed``.
    """

    stream: str
    table: pa.Table = field(repr=False)
    state: dict[str, object] = field(repr=False)
    progress: float | None
    parents: Sequence[str] = field(default=(), repr=False)


def read_arrow(account: Account, stream: str, state: StateBlob | None = None) -> Generator[ArrowBatch, None, None]:
    """Read a stream as ``read`` does, with a table for each batch."""
    return to_arrow(account, read(account, stream, state))


def arrow_reader(account: Account, stream: str, state: StateBlob | None = None) -> pa.RecordBatchReader:
    """Read a stream as one Arrow stream, which pandas, Polars, DuckDB and others consume page by page."""
    (found,) = account.catalog.select([stream])
    tables = (batch.table for batch in read_arrow(account, stream, state))
    return pa.RecordBatchReader.from_batches(
        arrow_schema(StreamTable.of(found)), (batch for table in tables for batch in table.to_batches())
    )


def to_arrow(account: Account, batches: Generator[Batch, None, None]) -> Generator[ArrowBatch, None, None]:
    """Convert batches of any streams to tables."""
    with closing(batches):
        readers: dict[str, RecordReader] = {}
        for batch in batches:
            if batch.stream not in readers:
                readers[batch.stream] = RecordReader(StreamTable.of(account.catalog.streams[batch.stream]))
            table = readers[batch.stream].read(batch.records)
            yield ArrowBatch(batch.stream, table, batch.state, batch.progress, batch.parents)
