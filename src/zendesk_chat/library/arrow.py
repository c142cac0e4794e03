"""Streams as Arrow, with the columns and types that ``sync`` loads."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date

import pyarrow as pa

from zendesk_chat.errors import ConfigError
from zendesk_chat.library.account import Account
from zendesk_chat.library.reading import Batch, read
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.stream import StateBlob
from zendesk_chat.tables.arrow import RecordReader, naming_rows
from zendesk_chat.tables.arrow import arrow_schema as table_schema
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


def read_arrow(
    account: Account,
    stream: str,
    state: StateBlob | None = None,
    *,
    start_date: str | date | None = None,
    end_date: str | date | None = None,
    until: StateBlob | None = None,
    parents: bool = False,
) -> Generator[ArrowBatch, None, None]:
    """Read a stream as ``read`` does, with a table for each batch.

    With ``parents``, the table of a stream that is extracted from chats begins with a row for each chat in ``Batch.parents``:
    its ``parent_field`` has the id of the chat, and all other columns are null. So the rows still name the chats whose
    earlier rows to delete when they have left this process.

    Raises:
        ConfigError: As for ``read``, or the stream has no ``parent_field``.
    """
    (found,) = account.catalog.select([stream])
    if parents and found.parent_field is None:
        raise ConfigError(f"parents: the records of {stream} replace no other records. Leave it out for this stream.")
    batches = to_arrow(account, read(account, stream, state, start_date=start_date, end_date=end_date, until=until))
    return _with_parents(StreamTable.of(found), batches) if parents else batches


def arrow_reader(
    account: Account,
    stream: str,
    state: StateBlob | None = None,
    *,
    start_date: str | date | None = None,
    end_date: str | date | None = None,
    until: StateBlob | None = None,
    parents: bool = False,
) -> pa.RecordBatchReader:
    """Read a stream as one Arrow stream, which pandas, Polars, DuckDB and others consume page by page.

    The arguments are those of ``read_arrow``.
    """
    found = read_arrow(account, stream, state, start_date=start_date, end_date=end_date, until=until, parents=parents)
    batches = (batch for page in found for batch in page.table.to_batches())
    return pa.RecordBatchReader.from_batches(arrow_schema(stream, account), batches)


def arrow_schema(stream: str, account: Account | None = None) -> pa.Schema:
    """Return the columns of a stream, without reading. With an account, they are those of its redacted records.

    Raises:
        ConfigError: There is no such stream.
    """
    (found,) = (account.catalog if account else Catalog()).select([stream])
    return table_schema(StreamTable.of(found))


def _with_parents(table: StreamTable, batches: Generator[ArrowBatch, None, None]) -> Generator[ArrowBatch, None, None]:
    """Add the rows that name parents."""
    with closing(batches):
        for batch in batches:
            parents = pa.table({table.parent_field: pa.array(batch.parents, pa.string())})
            yield replace(batch, table=pa.concat_tables([naming_rows(table, parents), batch.table]))


def to_arrow(account: Account, batches: Generator[Batch, None, None]) -> Generator[ArrowBatch, None, None]:
    """Convert batches of any streams to tables."""
    with closing(batches):
        readers: dict[str, RecordReader] = {}
        for batch in batches:
            if batch.stream not in readers:
                readers[batch.stream] = RecordReader(StreamTable.of(account.catalog.streams[batch.stream]))
            table = readers[batch.stream].read(batch.records)
            yield ArrowBatch(batch.stream, table, batch.state, batch.progress, batch.parents)
