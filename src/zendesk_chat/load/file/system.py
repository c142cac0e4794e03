"""The system tables of a schema: its account, the state of each stream, and the runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import duckdb

from zendesk_chat._version import __version__
from zendesk_chat.errors import DestinationRefusedError
from zendesk_chat.load.account_guard import AccountRow
from zendesk_chat.load.file.tables import Found, comments
from zendesk_chat.tables.describing import SYSTEM_TABLES
from zendesk_chat.tables.sql import quoted, rows_of

if TYPE_CHECKING:
    from zendesk_chat.engine.stats import SyncStats
    from zendesk_chat.load.report import StreamReport
    from zendesk_chat.streams.stream import StateBlob
    from zendesk_chat.tables.table import StreamTable

FORMAT: Final = 1
"""The version of these tables. A file of a later version is refused."""

KEPT_RUNS: Final = 1000  # otherwise the file would grow with every run


@dataclass(frozen=True, slots=True)
class Refresh:
    """A full refresh that is not complete. Its rows are in a separate table.

    Attributes:
        state: The state to resume from; None at its start.
        settings: A fingerprint of the settings that it began with. With other settings, it starts again.
    """

    settings: str
    state: StateBlob | None = None


@dataclass(frozen=True, slots=True)
class StreamRow:
    """What is known about a stream's table.

    Attributes:
        state: The state to resume from; None to start from the beginning.
        redaction: A fingerprint of the redaction rules that its rows were loaded with.
        digest: The digest of the list's records that last replaced the table.
        count: The number of rows after the last run; None while a run writes, or if it was killed.
        completed_at: When the stream was last complete, in seconds since 1970; None for never.
    """

    state: StateBlob | None = None
    refresh: Refresh | None = None
    redaction: str = ""
    digest: str = ""
    completed_at: float | None = None
    count: int | None = None


def states_are_missing(schema: str) -> DestinationRefusedError:
    """Return the error for a file whose user dropped the table of the states."""
    return DestinationRefusedError(
        f"The table {schema}._sync_streams is missing. It records how far sync has read. Restore the file from a copy, "
        "or load into another file or schema."
    )


class System:
    """The system tables of one schema. The caller begins and ends transactions."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, schema: str) -> None:
        self._connection = connection
        self._schema = schema

    def exists(self, found: Mapping[str, Found]) -> bool:
        """Return whether an earlier run created the tables.

        Raises:
            DestinationRefusedError: A newer version of this program created them, a user's object has one of their names, or
                the states are missing.
        """
        for name, table in SYSTEM_TABLES.items():
            types = {column: described.type for column, described in table.columns.items()}
            if name in found and (found[name].is_view or not found[name].columns.items() >= types.items()):
                raise DestinationRefusedError(
                    f"sync needs the name {self._schema}.{name} for a table of its own. Rename your object, or choose another "
                    "schema with --schema NAME."
                )
        if "_sync_account" not in found:
            return False
        if "_sync_streams" not in found:
            raise states_are_missing(self._schema)
        versions = rows_of(self._connection, f"SELECT format FROM {self._table('_sync_account')} WHERE format > ?", [FORMAT])
        if versions:
            raise DestinationRefusedError(
                f"A newer version of zendesk-chat created the schema {self._schema} of this file. Upgrade zendesk-chat."
            )
        return True

    def make(self, found: Mapping[str, Found]) -> None:
        """Create the tables that are missing."""
        for name, table in SYSTEM_TABLES.items():
            if name not in found:
                listed = ", ".join(f'"{column}" {described.type}' for column, described in table.columns.items())
                described = comments(self._schema, name, table.comment, table.column_comments())
                self._connection.execute("; ".join([f"CREATE TABLE {self._table(name)} ({listed})", *described]))

    def account(self) -> AccountRow | None:
        """Return the account; None if there is none yet."""
        rows = rows_of(self._connection, f"SELECT subdomain, account_key, time_zone FROM {self._table('_sync_account')}")
        return AccountRow(*rows[0]) if rows else None

    def set_account(self, account: AccountRow) -> None:
        """Store the account."""
        self._connection.execute(f"DELETE FROM {self._table('_sync_account')}")
        self._insert("_sync_account", [[FORMAT, account.subdomain, account.account_key, account.time_zone]])

    def streams(self) -> dict[str, StreamRow]:
        """Return what is stored for each stream."""
        columns = "stream, state, refresh_state, refresh_settings, redaction, digest, epoch(completed_at), row_count"
        rows = rows_of(self._connection, f"SELECT {columns} FROM {self._table('_sync_streams')}")
        return {name: _stream_row(*values) for name, *values in rows}

    def set_streams(self, rows: Mapping[str, StreamRow]) -> None:
        """Store these streams. The others stay unchanged."""
        if not rows:
            return
        self._connection.execute(f"DELETE FROM {self._table('_sync_streams')} WHERE stream IN (SELECT unnest(?))", [list(rows)])
        self._insert("_sync_streams", [_stream_values(name, row) for name, row in rows.items()])

    def add_outdated(self, table: StreamTable, before: str, now: str) -> None:
        """Store the keys of the rows in a table that were loaded with the rules ``before``, because the rules now change.

        Keys of rows with even earlier rules are stored already. Rows that were loaded with the rules ``now`` are valid again.
        """
        key, parent = quoted(table.primary_key[0]), quoted(table.parent_field) if table.parent_field else "NULL"
        outdated = self._table("_sync_outdated")
        self._connection.execute(
            f"INSERT INTO {outdated} (stream, key, parent, redaction) "
            f"SELECT $stream, {key}, {parent}, $before FROM {self._table(table.name)} "
            f"WHERE {key}::VARCHAR NOT IN (SELECT key FROM {outdated} WHERE stream = $stream AND key IS NOT NULL)",
            {"stream": table.name, "before": before},
        )
        self._connection.execute(f"DELETE FROM {outdated} WHERE stream = ? AND redaction = ?", [table.name, now])

    def forget_outdated(self, stream: str) -> None:
        """Remove the keys of a stream's rows."""
        self._connection.execute(f"DELETE FROM {self._table('_sync_outdated')} WHERE stream = ?", [stream])

    def outdated(self) -> dict[str, int]:
        """Return how many rows of each stream were loaded with other redaction rules than the latest ones."""
        sql = f"SELECT stream, count(*) FROM {self._table('_sync_outdated')} GROUP BY stream ORDER BY stream"
        return dict(rows_of(self._connection, sql))

    def begin_run(self, now: float) -> int:
        """Store that a run has begun, and return its number. An earlier run without an end was killed."""
        runs, streams = self._table("_sync_runs"), self._table("_sync_run_streams")
        self._connection.execute(f"UPDATE {runs} SET result = 'interrupted' WHERE result = 'running'")
        last = rows_of(self._connection, f"SELECT run FROM {runs} ORDER BY run DESC NULLS LAST LIMIT 1")
        number = 1 + (last[0][0] or 0) if last else 1
        for table in (runs, streams):
            self._connection.execute(f"DELETE FROM {table} WHERE run <= ?", [number - KEPT_RUNS])
        self._insert("_sync_runs", [[number, now, None, __version__, "running", None]])
        return number

    def end_run(self, run: int, now: float, result: str, exit_code: int, streams: Sequence[StreamReport]) -> None:
        """Store how a run ended."""
        self._connection.execute(
            f"UPDATE {self._table('_sync_runs')} SET ended_at = to_timestamp(?), result = ?, exit_code = ? WHERE run = ?",
            [now, result, exit_code, run],
        )
        self._insert("_sync_run_streams", [_run_stream(run, stream) for stream in streams])

    def _insert(self, name: str, rows: Sequence[Sequence[object]]) -> None:
        """Insert rows with all columns of a system table. Times are in seconds since 1970. A user's own columns are NULL."""
        columns = SYSTEM_TABLES[name].columns
        values = ["to_timestamp(?)" if column.type.startswith("TIMESTAMP") else "?" for column in columns.values()]
        sql = f"INSERT INTO {self._table(name)} ({', '.join(columns)}) VALUES ({', '.join(values)})"
        if rows:
            self._connection.executemany(sql, rows)

    def _table(self, name: str) -> str:
        return quoted(self._schema, name)


def _stream_row(
    state: str | None,
    refresh_state: str | None,
    refresh_settings: str | None,
    redaction: str,
    digest: str,
    completed_at: float | None,
    count: int | None,
) -> StreamRow:
    refresh = None if refresh_settings is None else Refresh(refresh_settings, _decoded(refresh_state))
    return StreamRow(_decoded(state), refresh, redaction, digest, completed_at, count)


def _stream_values(name: str, row: StreamRow) -> list[object]:
    refresh = row.refresh
    refreshed = (_encoded(refresh.state), True, refresh.settings) if refresh else (None, False, None)
    return [name, _encoded(row.state), *refreshed, row.redaction, row.digest, row.completed_at, row.count]


def _run_stream(run: int, stream: StreamReport) -> list[object]:
    stats: SyncStats = stream.stats
    counts = [stats.received, stats.emitted, stats.skipped, stats.requests, stats.seconds]
    return [run, stream.name, stream.state, *counts, stats.resumed_from, stats.reached, stream.error and str(stream.error)]


def _decoded(text: str | None) -> StateBlob | None:
    return None if text is None else json.loads(text)


def _encoded(state: StateBlob | None) -> str | None:
    return None if state is None else json.dumps(state)
