"""The system tables of a schema: its account, the state of each stream, and the runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import duckdb

from zendesk_chat._version import __version__
from zendesk_chat.errors import DestinationRefusedError
from zendesk_chat.load.file.tables import Found, comments, quoted, rows_of
from zendesk_chat.tables.describing import SYSTEM_TABLES

if TYPE_CHECKING:
    from zendesk_chat.engine.stats import SyncStats
    from zendesk_chat.load.report import StreamReport
    from zendesk_chat.streams.stream import StateBlob
    from zendesk_chat.tables.table import StreamTable

FORMAT: Final = 1
"""The version of these tables. A file of a later version is refused."""

KEPT_RUNS: Final = 1000  # the file would grow with every run


@dataclass(frozen=True, slots=True)
class AccountRow:
    """The account in a schema.

    Attributes:
        account_key: Zendesk's own identifier of the account; None until a run has read it.
        time_zone: For the views; an IANA name.
    """

    subdomain: str
    account_key: str | None = None
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Refresh:
    """A full refresh that is not complete: its rows are in a table beside the stream's.

    Attributes:
        state: To resume from; None at its start.
        settings: A fingerprint of the settings that it began with. With others, it starts again.
    """

    settings: str
    state: StateBlob | None = None


@dataclass(frozen=True, slots=True)
class StreamRow:
    """What is known of a stream's table.

    Attributes:
        state: To resume from; None to start from the beginning.
        redaction: A fingerprint of the redaction rules that its rows were loaded with.
        digest: Of the records of a list, with which the table was last replaced.
        completed_at: When the stream was last complete, in seconds since 1970; None for never.
    """

    state: StateBlob | None = None
    refresh: Refresh | None = None
    redaction: str = ""
    digest: str = ""
    completed_at: float | None = None


class System:
    """The system tables of one schema. The caller begins and ends transactions."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, schema: str) -> None:
        self._connection = connection
        self._schema = schema

    def exists(self, found: Mapping[str, Found]) -> bool:
        """Return whether an earlier run made the tables.

        Raises:
            DestinationRefusedError: A later version of this program made them, or somebody else made one of their names.
        """
        if "_sync_account" not in found:
            return False
        for name, table in SYSTEM_TABLES.items():
            if name in found and (found[name].is_view or not found[name].columns.keys() >= table.columns.keys()):
                raise DestinationRefusedError(
                    f"{self._schema}.{name} is not the table that sync needs under this name. Rename it, or load into another "
                    "schema with --schema NAME."
                )
        versions = rows_of(self._connection, f"SELECT format FROM {self._table('_sync_account')} WHERE format > ?", [FORMAT])
        if versions:
            raise DestinationRefusedError(
                f"A later version of zendesk-chat made the schema {self._schema} of this file. Upgrade zendesk-chat."
            )
        return True

    def make(self, found: Mapping[str, Found]) -> None:
        """Make the tables that are missing."""
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
        values = [FORMAT, account.subdomain, account.account_key, account.time_zone]
        self._connection.execute(f"INSERT INTO {self._table('_sync_account')} VALUES (?, ?, ?, ?)", values)

    def streams(self) -> dict[str, StreamRow]:
        """Return what is stored of each stream."""
        columns = "stream, state, refresh_state, refresh_settings, redaction, digest, epoch(completed_at)"
        rows = rows_of(self._connection, f"SELECT {columns} FROM {self._table('_sync_streams')}")
        return {name: _stream_row(*values) for name, *values in rows}

    def set_streams(self, rows: Mapping[str, StreamRow]) -> None:
        """Store these streams; the others stay as they are."""
        if not rows:
            return
        self._connection.execute(f"DELETE FROM {self._table('_sync_streams')} WHERE stream IN (SELECT unnest(?))", [list(rows)])
        self._connection.executemany(
            f"INSERT INTO {self._table('_sync_streams')} "
            "(stream, state, refreshing, refresh_state, refresh_settings, redaction, digest, completed_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, to_timestamp(?))",
            [_stream_values(name, row) for name, row in rows.items()],
        )

    def add_outdated(self, table: StreamTable) -> None:
        """Store the keys of all rows of a table: they were loaded with other redaction rules than the next ones."""
        key, parent = quoted(table.primary_key[0]), quoted(table.parent_field) if table.parent_field else "NULL"
        self.forget_outdated(table.name)
        self._connection.execute(
            f"INSERT INTO {self._table('_sync_outdated')} SELECT ?, {key}, {parent} FROM {self._table(table.name)}",
            [table.name],
        )

    def forget_outdated(self, stream: str) -> None:
        """Remove the keys of a stream's rows."""
        self._connection.execute(f"DELETE FROM {self._table('_sync_outdated')} WHERE stream = ?", [stream])

    def outdated(self) -> dict[str, int]:
        """Return how many rows of each stream were loaded with other redaction rules than later ones."""
        sql = f"SELECT stream, count(*) FROM {self._table('_sync_outdated')} GROUP BY stream ORDER BY stream"
        return dict(rows_of(self._connection, sql))

    def begin_run(self, now: float) -> int:
        """Store that a run has begun, and return its number. An earlier run without an end was killed."""
        runs, streams = self._table("_sync_runs"), self._table("_sync_run_streams")
        self._connection.execute(f"UPDATE {runs} SET result = 'interrupted' WHERE result = 'running'")
        number: int
        ((number,),) = rows_of(self._connection, f"SELECT coalesce(max(run), 0) + 1 FROM {runs}")
        for table in (runs, streams):
            self._connection.execute(f"DELETE FROM {table} WHERE run <= ?", [number - KEPT_RUNS])
        self._connection.execute(
            f"INSERT INTO {runs} VALUES (?, to_timestamp(?), NULL, ?, 'running', NULL)", [number, now, __version__]
        )
        return number

    def end_run(self, run: int, now: float, result: str, exit_code: int, streams: Sequence[StreamReport]) -> None:
        """Store how a run ended."""
        self._connection.execute(
            f"UPDATE {self._table('_sync_runs')} SET ended_at = to_timestamp(?), result = ?, exit_code = ? WHERE run = ?",
            [now, result, exit_code, run],
        )
        rows = [_run_stream(run, stream) for stream in streams]
        if rows:
            sql = f"INSERT INTO {self._table('_sync_run_streams')} VALUES ({', '.join('?' * len(rows[0]))})"
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
) -> StreamRow:
    refresh = None if refresh_settings is None else Refresh(refresh_settings, _decoded(refresh_state))
    return StreamRow(_decoded(state), refresh, redaction, digest, completed_at)


def _stream_values(name: str, row: StreamRow) -> list[object]:
    refresh = row.refresh
    values: list[object] = [name, _encoded(row.state), refresh is not None]
    values += [_encoded(refresh.state), refresh.settings] if refresh else [None, None]
    return [*values, row.redaction, row.digest, row.completed_at]


def _run_stream(run: int, stream: StreamReport) -> list[object]:
    stats: SyncStats = stream.stats
    counts = [stats.received, stats.emitted, stats.skipped, stats.requests, stats.seconds]
    return [run, stream.name, stream.state, *counts, stats.resumed_from, stats.reached, stream.error and str(stream.error)]


def _decoded(text: str | None) -> StateBlob | None:
    return None if text is None else json.loads(text)


def _encoded(state: StateBlob | None) -> str | None:
    return None if state is None else json.dumps(state)
