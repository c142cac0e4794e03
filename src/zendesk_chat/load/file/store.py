"""A run's records on their way into a DuckDB file: one transaction changes the tables and the state to resume from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import duckdb

from zendesk_chat.errors import DestinationRefusedError
from zendesk_chat.load.account_guard import AccountGuard, AccountRow
from zendesk_chat.load.failures import explained
from zendesk_chat.load.file.intake import Intake
from zendesk_chat.load.file.opening import allow_all_memory, lacks_memory
from zendesk_chat.load.file.system import Refresh, StreamRow, System
from zendesk_chat.load.file.tables import (
    STAGED,
    Found,
    columns_of,
    constraints_of,
    count_rows,
    find_tables,
    fit_columns,
    not_ours,
    require_own,
)
from zendesk_chat.load.redaction_changes import about_redaction
from zendesk_chat.load.store import Limits, Waiting
from zendesk_chat.tables.sql import quoted, rows_of, transaction
from zendesk_chat.wording import counted

if TYPE_CHECKING:
    from zendesk_chat.clock import Clock
    from zendesk_chat.engine.events import PageRead
    from zendesk_chat.load.report import LoadReport
    from zendesk_chat.streams.stream import StateBlob
    from zendesk_chat.tables.table import StreamTable

T = TypeVar("T")
_ALONE: Final = nullcontext()
HELD_BYTES: Final = 64 * 2**20  # the most that wait until the account is identified
LIMITS: Final = Limits(length=64 * 2**20)  # smaller transactions rewrite unfinished row groups again and again


@dataclass(frozen=True, slots=True)
class Target:
    """What a run loads, and where.

    Attributes:
        name: The path of the file, for messages.
        schema: The schema of the tables.
        account: The account in the configuration. Its time zone is "" if the one in the file is kept.
        tables: The tables, one for each loaded stream.
        redactions: A fingerprint of the rules that change a stream, by stream; absent if none do.
        bounds: A fingerprint of the start and end of the loaded range.
        full_refresh: Whether each stream is read from the start, and replaces its table when it is complete.
        renamed_from: The former subdomain of the account; "" if it was not renamed.
    """

    name: str
    schema: str
    account: AccountRow
    tables: Sequence[StreamTable]
    redactions: Mapping[str, str] = field(default_factory=dict)
    bounds: str = ""
    full_refresh: bool = False
    renamed_from: str = ""

    def settings_of(self, stream: str) -> str:
        """Return a fingerprint of what a full refresh of a stream depends on. With other settings it starts again."""
        return f"{self.bounds} {self.redactions.get(stream, '')}"


class FileStore:
    """A DuckDB file during a run.

    Attributes:
        warnings: What the user should know, so far.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        target: Target,
        clock: Clock,
        writing: AbstractContextManager[object] = _ALONE,
    ) -> None:
        """Read what the file contains. Nothing is written before the first commit.

        Args:
            connection: Of the file.
            target: What the run loads.
            clock: For the times at which the run begins and ends.
            writing: Held during each transaction, for accounts that are loaded into one file at the same time.

        Raises:
            DestinationRefusedError: The file contains another account, or an object of the user has the name of a table.
        """
        self.name = target.name
        self.limits = LIMITS
        self.warnings: list[str] = []
        self._connection = connection
        self._target = target
        self._clock = clock
        self._writing = writing
        self._started_at = clock.now()
        self._system = System(connection, target.schema)
        self._run: int | None = None
        self._stored_account: AccountRow | None = None
        with explained(f"reading {target.name}"):
            found = find_tables(connection, target.schema)
            stored = self._system.exists(found)
            held = self._system.account() if stored else None
            rows = self._system.streams() if held else {}
            if held and held.account_key is None and not rows:  # nothing was ever loaded: the subdomain may have been a mistake
                held = None
            self._guard = AccountGuard(target.name, target.account, held, target.renamed_from)
            self._unredacted = {name for name, row in rows.items() if row.redaction and not target.redactions.get(name)}
            self._intakes = {table.name: self._intake(table, rows.get(table.name), found) for table in target.tables}
        self._found = found
        for intake in self._intakes.values():
            intake.beside_chats = "chats" in self._intakes

    @property
    def account(self) -> AccountRow:
        """The account in the file, with what this run has learned."""
        return self._guard.account

    def states(self) -> dict[str, StateBlob]:
        """Return the state of each stream, for the engine to resume from."""
        rows = {name: intake.row for name, intake in self._intakes.items()}
        states = {name: row.refresh.state if row.refresh else row.state for name, row in rows.items()}
        return {name: state for name, state in states.items() if state is not None}

    def take(self, page: PageRead) -> None:
        """Keep a page. Raises DestinationRefusedError if it shows that the account is another one."""
        self._guard.take(page)
        if self._guard.identified:
            self._begin_run()  # before any record, so that a killed run is known
        if page.stream in self._intakes:
            self._intakes[page.stream].take(page)

    def end(self, stream: str, *, complete: bool) -> None:
        """Note that a stream has ended."""
        self._guard.end(stream)
        if stream in self._intakes:
            self._intakes[stream].end(complete=complete)

    def waiting(self) -> Waiting:
        """Return what can be committed now."""
        ready = [intake for intake in self._intakes.values() if intake.ready]
        waiting = Waiting(len(ready), sum(intake.records for intake in ready), sum(intake.length for intake in ready))
        return waiting if self._guard.identified or waiting.length > HELD_BYTES else Waiting(0, 0, 0)

    def commit(self) -> int:
        """Write what can be committed in one transaction, and return the number of records written."""
        if not self.waiting().streams:
            return 0
        self._begin_run()
        ready = [intake for intake in self._intakes.values() if intake.ready]
        ready.sort(key=lambda intake: intake.table.latest_by is not None)  # visitors last: they are compared with chats
        rows = self._with_memory(partial(self._write, ready))
        records = sum(intake.records for intake in ready)
        for intake in ready:
            intake.written(rows[intake.table.name])
        return records

    def finish(self, report: LoadReport) -> None:
        """Store how the run ended."""
        if not self._guard.identified:
            return
        self._begin_run()
        self._with_memory(partial(self._end_run, report))

    def _end_run(self, report: LoadReport) -> None:
        now = self._clock.now()
        with transaction(self._connection):
            done = [stream.name for stream in report.streams if stream.state == "complete"]
            rows = {name: self._counted(intake) for name, intake in self._intakes.items() if intake.exists}
            rows |= {name: replace(rows[name], completed_at=now) for name in done if name in rows}
            self._system.set_account(self._guard.account)
            self._system.set_streams(rows)
            self._system.end_run(self._run or 0, now, report.result, report.exit_code, report.streams)
            self._warn_of_outdated()

    def _counted(self, intake: Intake) -> StreamRow:
        return replace(intake.row, count=count_rows(self._connection, quoted(self._target.schema, intake.table.name)))

    def _warn_of_outdated(self) -> None:
        outdated = {name: count for name, count in self._system.outdated().items() if name in self._intakes}
        clear = [name for name in self._intakes if not self._target.redactions.get(name)]
        lost = [name for name in clear if name in self._unredacted or name in outdated]
        self.warnings += about_redaction(lost, outdated)

    def _intake(self, table: StreamTable, row: StreamRow | None, found: Mapping[str, Found]) -> Intake:
        """Return a stream with what the file contains of it. A table that the user dropped is loaded from the start."""
        target, exists = self._target, table.name in found
        if exists:
            require_own(target.schema, table, found[table.name], made=row is not None)
        elif row is not None:
            self.warnings.append(f"The table {target.schema}.{table.name} no longer exists. It is loaded again from the start.")
        redaction = target.redactions.get(table.name, "")
        if row is None or not exists:
            intake = Intake(table, StreamRow(redaction=redaction), exists=exists)
        elif table.mirrors:  # a full refresh replaces it even if the records are the same
            digest = "" if target.full_refresh else row.digest
            intake = Intake(table, replace(row, redaction=redaction, digest=digest), exists=True)
        else:
            intake = self._resumed(table, row, found)
        intake.was_refreshing = row is not None and is_staged(table, row, found)
        return intake

    def _resumed(self, table: StreamTable, row: StreamRow, found: Mapping[str, Found]) -> Intake:
        """Return a stream whose table exists, and is not replaced by each run."""
        target, redaction = self._target, self._target.redactions.get(table.name, "")
        count = count_rows(self._connection, quoted(target.schema, table.name))
        before = row.redaction if row.redaction != redaction and count > 0 else None
        if target.full_refresh or row.refresh:
            row = self._refreshing(table, row, found, holds_rows=count > 0)
        elif row.count is not None and row.count != count:
            has = f"{target.schema}.{table.name} has {counted(count, 'row')}"
            self._warn_of_rows(table.name, f"{has}, but had {row.count:,} after the last sync. Another program changed it.")
        intake = Intake(table, replace(row, redaction=redaction), exists=True)
        intake.redacted_before = before
        return intake

    def _warn_of_rows(self, stream: str, what: str) -> None:
        """Warn that rows of a stream may differ from the account's records."""
        self.warnings.append(f"{what} To reload the table, add --full-refresh --streams {stream}.")

    def _refreshing(self, table: StreamTable, row: StreamRow, found: Mapping[str, Found], *, holds_rows: bool) -> StreamRow:
        """Return the row of a stream in a full refresh: resumed from an interrupted one, or from the start."""
        settings, staged = self._target.settings_of(table.name), found.get(STAGED + table.name)
        if staged and is_staged(table, row, found):
            if row.refresh and row.refresh.settings == settings and staged.columns == columns_of(table):
                return row
        elif staged:
            raise not_ours(self._target.schema, staged, table.name)
        return replace(row, refresh=Refresh(settings)) if holds_rows else replace(row, state=None, refresh=None)

    def _holds_rows(self, name: str) -> bool:
        sql = f"SELECT 1 FROM {quoted(self._target.schema, name)} LIMIT 1"
        return bool(rows_of(self._connection, sql))

    def _begin_run(self) -> None:
        """Prepare the file for the run, in one transaction before all others."""
        if self._run is not None:
            return
        self._run = self._with_memory(self._prepare_run)
        self._stored_account = self._guard.account

    def _prepare_run(self) -> int:
        schema = self._target.schema
        with transaction(self._connection):
            self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
            self._system.make(self._found)
            self._system.set_account(self._guard.account)
            for name, intake in self._intakes.items():
                self._prepare(name, intake)
            outdated = self._system.outdated()
            for name, intake in self._intakes.items():
                intake.has_outdated = name in outdated
            self._system.set_streams({name: intake.row for name, intake in self._intakes.items() if intake.exists})
            return self._system.begin_run(self._started_at)

    def _with_memory(self, write: Callable[[], T]) -> T:
        """Write in a transaction, and repeat it once if DuckDB needs more memory."""
        with self._writing, explained(f"writing to {self.name}"):
            try:
                return write()
            except duckdb.Error as error:
                if not lacks_memory(error):
                    raise
                allow_all_memory(self._connection)  # records of many megabytes need it; the limit is enough for all others
                return write()

    def _prepare(self, name: str, intake: Intake) -> None:
        """Prepare an existing table for what the run writes into it."""
        schema, refresh = self._target.schema, intake.row.refresh
        staged = self._found.get(STAGED + name)
        if staged and intake.was_refreshing and not (refresh and refresh.state):  # a full refresh that is not resumed
            self._connection.execute(f"DROP TABLE {quoted(schema, staged.name)}")
        if not intake.exists:
            self._system.forget_outdated(name)
            return
        lacking = fit_columns(self._connection, schema, intake.table, self._found[name])
        if lacking and intake.table.mirrors:
            intake.row = replace(intake.row, digest="")
        elif refresh is None and intake.redacted_before is None and self._holds_rows(name):
            for what in lacking:
                self._warn_of_rows(name, what)
        intake.row = replace(intake.row, count=None)
        if intake.redacted_before is not None:
            self._system.add_outdated(intake.table, intake.redacted_before, intake.row.redaction)

    def _write(self, ready: Sequence[Intake]) -> dict[str, StreamRow]:
        """Write what waits in one transaction. Return what the file then contains."""
        rows: dict[str, StreamRow] = {}
        schema = self._target.schema
        try:
            with transaction(self._connection):
                for intake in ready:
                    rows[intake.table.name] = intake.write(self._connection, schema)
                self._system.set_streams({name: row for name, row in rows.items() if row != self._intakes[name].row})
                if self._guard.account != self._stored_account:
                    self._system.set_account(self._guard.account)
            self._stored_account = self._guard.account
        except duckdb.ConstraintException:
            names = [intake.table.name for intake in ready]
            raise self._constrained([*names, "_sync_streams"][len(rows)]) from None
        return rows

    def _constrained(self, name: str) -> DestinationRefusedError:
        found = constraints_of(self._connection, self._target.schema, name)
        what = " or ".join(found) or "a constraint"
        return DestinationRefusedError(
            f"The table {self._target.schema}.{name} rejected a row because of {what}. Remove that from the table, then sync "
            "again. No data is lost.",
            stream=name,
        )


def is_staged(table: StreamTable, row: StreamRow, found: Mapping[str, Found]) -> bool:
    """Return whether the table that a full refresh fills exists and an earlier run created it."""
    staged = found.get(STAGED + table.name)
    return row.refresh is not None and row.refresh.state is not None and staged is not None and not staged.is_view
