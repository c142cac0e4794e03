"""One stream on its way into its table: the pages that wait, and how a transaction writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import duckdb

from zendesk_chat.load.file.merging import NO_ROWS, Merger, Rows
from zendesk_chat.load.file.system import Refresh, StreamRow
from zendesk_chat.load.file.tables import STAGED, count_rows, make_table
from zendesk_chat.tables.sql import quoted, rows_of

if TYPE_CHECKING:
    from zendesk_chat.engine.events import PageRead
    from zendesk_chat.load.file.pages import Pages
    from zendesk_chat.streams.stream import RawRecord, StateBlob
    from zendesk_chat.tables.table import StreamTable

_DIGEST_BYTES: Final = 16


class Intake:
    """A stream in a run.

    Attributes:
        row: What the file contains of the stream, after the last transaction.
        exists: Whether its table exists.
        redacted_before: The fingerprint of the last run's rules, if this run has other rules; None if they are the same.
        was_refreshing: Whether an earlier run left the table that a full refresh fills.
        beside_chats: Whether the run also loads chats, so that the table of chats is not behind this one.
        has_outdated: Whether the file has keys of rows that were loaded with other redaction rules.
        records: The number of waiting records; after a write, the number of records written.
        complete: Whether the stream has ended and is complete.
    """

    def __init__(self, table: StreamTable, row: StreamRow, *, exists: bool) -> None:
        self.table = table
        self.row = row
        self.exists = exists
        self.redacted_before: str | None = None
        self.was_refreshing = False
        self.beside_chats = False
        self.has_outdated = False
        self.records = 0
        self.complete = False
        self._pages: Pages | None = None
        self._list: list[RawRecord] = []  # for a stream that mirrors its source
        self._state: StateBlob | None = None
        self._pending = False
        self._holds_rows: bool | None = None  # whether the target has rows; None if unknown

    @property
    def length(self) -> int:
        """The number of bytes that wait."""
        return self._pages.length if self._pages else 0

    @property
    def ready(self) -> bool:
        """Whether there is something to write now. A list is not written before it is complete."""
        return self._pending and (self.complete or not self.table.mirrors)

    def take(self, page: PageRead) -> None:
        """Keep a page until the next write."""
        self._pending = True
        self._state = page.state
        self.records += len(page.records)
        if self.table.mirrors:
            self._list += page.records
        elif page.records or page.parents:
            self._columns().append(page.records, page.parents)

    def end(self, *, complete: bool) -> None:
        """Note that the stream has ended."""
        self.complete = complete
        self._pending |= complete and self.row.refresh is not None  # its rows become visible

    def write(self, connection: duckdb.DuckDBPyConnection, schema: str) -> StreamRow:
        """Write what waits in the caller's transaction. Return what the file then contains of the stream."""
        if self.table.mirrors:
            return self._write_list(connection, schema)
        rows = self._pages.rows() if self._pages else NO_ROWS
        name = (STAGED if self.row.refresh else "") + self.table.name
        if not self._target_exists(connection, schema, name):
            make_table(connection, schema, name, self.table)
        merger = Merger(connection, self.table, quoted(schema, name))
        if self.has_outdated and not self.row.refresh:
            merger = replace(merger, outdated=quoted(schema, "_sync_outdated"))
        if self._holds(connection, merger.target):
            merger.upsert(rows)
        else:
            merger.append(rows)
        if self.table.latest_by and rows.parents is not None:
            from zendesk_chat.load.file.visitors import correct_visitors

            correct_visitors(merger, schema, rows, chats_are_current=self.beside_chats)
        refresh = self.row.refresh
        if refresh is None:
            return replace(self.row, state=self._state)
        state = refresh.state if self._state is None else self._state  # everything was read before; only the end was missing
        if not self.complete:
            return replace(self.row, refresh=Refresh(refresh.settings, state))
        merger.publish(quoted(schema, self.table.name), quoted(schema, "_sync_outdated"))
        return replace(self.row, state=state, refresh=None)

    def written(self, row: StreamRow) -> None:
        """Forget what the file contains now."""
        self._holds_rows = True if self.records else self._holds_rows if row.refresh == self.row.refresh else None
        self.exists = True
        self.row = row
        self.records = 0
        self._list = []
        self._pending = False
        if self._pages:
            self._pages.clear()

    def _columns(self) -> Pages:
        """Return the pages that wait. A run without new records creates none, and does not load Arrow."""
        if self._pages is None:
            from zendesk_chat.load.file.pages import Pages

            self._pages = Pages(self.table)
        return self._pages

    def _write_list(self, connection: duckdb.DuckDBPyConnection, schema: str) -> StreamRow:
        """Replace the table, unless it was last replaced with the same records."""
        target, digest = quoted(schema, self.table.name), _digest(self._list)
        if not self.exists:
            make_table(connection, schema, self.table.name, self.table)
        if digest == self.row.digest and count_rows(connection, target) == len(self._list):
            self.records = 0
        else:
            Merger(connection, self.table, target).replace(self._list_rows())
        return replace(self.row, digest=digest)

    def _list_rows(self) -> Rows:
        if not self._list:
            return NO_ROWS
        pages = self._columns()
        pages.clear()  # pages of an attempt that ran out of memory
        pages.append(self._list)
        return pages.rows()

    def _target_exists(self, connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> bool:
        if not self.row.refresh:
            return self.exists
        sql = "SELECT 1 FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = ? AND table_name = ?"
        return bool(rows_of(connection, sql, [schema, name]))

    def _holds(self, connection: duckdb.DuckDBPyConnection, target: str) -> bool:
        """Return whether there are rows that new ones may replace."""
        if self._holds_rows is None:
            self._holds_rows = bool(rows_of(connection, f"SELECT 1 FROM {target} LIMIT 1"))
        return self._holds_rows


def _digest(records: Sequence[RawRecord]) -> str:
    digest = blake2b(digest_size=_DIGEST_BYTES)
    for record in records:
        digest.update(b"%d:%b" % (len(record), record))
    return digest.hexdigest()
