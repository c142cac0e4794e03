"""A run's records on their way into a destination that dlt loads: they wait on disk for their transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from zendesk_chat.load.account_guard import AccountGuard, AccountRow
from zendesk_chat.load.failures import explained
from zendesk_chat.load.redaction_changes import about_redaction
from zendesk_chat.load.store import Limits, Waiting
from zendesk_chat.load.warehouse.finishing import finish_tables
from zendesk_chat.load.warehouse.intake import Intake
from zendesk_chat.load.warehouse.location import another, has_schemas, location
from zendesk_chat.load.warehouse.stored_tables import compare_tables, is_empty
from zendesk_chat.load.warehouse.transaction import Memory, commit, read_memory
from zendesk_chat.tables.cleaning import Change, Cleaner, about_changes
from zendesk_chat.tables.shortening import Shortener

if TYPE_CHECKING:
    from zendesk_chat.engine.events import PageRead
    from zendesk_chat.load.report import LoadReport
    from zendesk_chat.load.warehouse.opening import Warehouse
    from zendesk_chat.streams.stream import StateBlob
    from zendesk_chat.tables.table import StreamTable

LIMITS: Final = Limits(length=256 * 2**20, seconds=30.0)  # they wait on disk, and a transaction of dlt takes long


@dataclass(frozen=True, slots=True)
class Target:
    """What a run loads.

    Attributes:
        account: The account in the configuration.
        tables: The tables, one for each loaded stream.
        redactions: A fingerprint of the rules that change a stream, by stream; absent if none do.
        full_refresh: Whether each stream is read from the start, and replaces its table when it is complete.
        renamed_from: The former subdomain of the account; "" if it was not renamed.
    """

    account: AccountRow
    tables: Sequence[StreamTable]
    redactions: Mapping[str, str] = field(default_factory=dict)
    full_refresh: bool = False
    renamed_from: str = ""


class WarehouseStore:
    """A destination during a run.

    A full refresh collects a stream on disk, and replaces the table when the stream is complete. If it is interrupted, the
    earlier rows and the earlier state remain.

    Attributes:
        warnings: What the user should know, so far.
    """

    def __init__(self, warehouse: Warehouse, target: Target) -> None:
        """Read what the destination contains. Nothing is written before the first commit.

        Raises:
            DestinationRefusedError: The destination contains another account.
        """
        self.name = warehouse.name
        self.limits = LIMITS
        self.warnings: list[str] = []
        self._written: set[str] = set()
        self._warehouse = warehouse
        self._target = target
        self._memory = read_memory(warehouse)
        self._guard = AccountGuard(
            location(warehouse.kind, warehouse.pipeline.dataset_name, warehouse.name),
            target.account,
            self._memory.account,
            target.renamed_from,
            another=another(warehouse.kind),
            has_schemas=has_schemas(warehouse.kind),
        )
        with explained(f"reading {warehouse.name}"):
            self._longest_row = _longest_row(warehouse)
            found = compare_tables(warehouse, target.tables, self._memory.streams)
        self.warnings += found.warnings(target.full_refresh)
        self._intakes = {table.name: self._intake(table) for table in target.tables}
        for intake in self._intakes.values():
            if intake.table.name in found.missing | found.changed:
                intake.reload(rebuild=intake.table.name in found.changed)
            elif intake.table.name in found.empty:
                intake.refill()
        self.warnings += about_redaction(
            [name for name, intake in self._intakes.items() if intake.lost_redaction],
            {name: None for name, intake in self._intakes.items() if intake.outdated},
        )

    def states(self) -> dict[str, StateBlob]:
        """Return the state of each stream, for the engine to resume from."""
        return {name: intake.state for name, intake in self._intakes.items() if intake.state is not None}

    def take(self, page: PageRead) -> None:
        """Keep a page on disk.

        Raises:
            DestinationRefusedError: It shows that the account is another one.
            DestinationError: The lock is lost, or the disk is full.
        """
        self._guard.take(page)
        with explained(f"writing to {self.name}"):
            self._warehouse.lock.keep()
        if page.stream in self._intakes:
            with explained("storing records on disk"):
                self._intakes[page.stream].take(page)

    def end(self, stream: str, *, complete: bool) -> None:
        """Note that a stream has ended."""
        self._guard.end(stream)
        if stream in self._intakes:
            self._intakes[stream].complete = complete

    def waiting(self) -> Waiting:
        """Return what can be committed now."""
        if not self._guard.identified:
            return Waiting(0, 0, 0)
        spools = [intake.spool for intake in self._ready()]
        return Waiting(len(spools), sum(spool.records for spool in spools), sum(spool.length for spool in spools))

    def commit(self) -> int:
        """Write what can be committed. Return the number of its records."""
        if not self.waiting().streams:
            return 0
        ready = self._ready()
        changed = [intake for intake in ready if intake.changes(self._memory.streams.get(intake.table.name))]
        records = sum(intake.spool.records for intake in changed)
        kept = {intake.table.name: intake.checkpoint() for intake in ready}
        memory = Memory(self._guard.account, {**self._memory.streams, **kept})
        if changed or memory != self._memory:
            commit(self._warehouse, [intake.part() for intake in changed], self._memory, memory)
            self._memory = memory
            self._written |= {intake.table.name for intake in changed}
        for intake in ready:
            intake.committed()
        return records

    def finish(self, _report: LoadReport) -> None:
        """Remove what waits on disk, and complete the tables that this run has changed."""
        for intake in self._intakes.values():
            intake.spool.clear()
        if self._written:
            self.warnings += finish_tables(self._warehouse, [self._intakes[name].table for name in sorted(self._written)])
        if changes := sum((intake.changes_of_values for intake in self._intakes.values()), Counter[Change]()):
            self.warnings.append(
                about_changes(changes, "Postgres" if self._warehouse.kind.name == "postgres" else "The server")
            )

    def _intake(self, table: StreamTable) -> Intake:
        cleaner = self._cleaner(table)
        redaction = self._target.redactions.get(table.name, "")
        stored = self._memory.streams.get(table.name)
        intake = Intake(table, self._warehouse.directory, stored, redaction, cleaner)
        if self._target.full_refresh and (stored is not None or not is_empty(self._warehouse, table.name)):
            intake.reload()  # otherwise nothing is there to be replaced: load as usual, in several transactions
        return intake

    def _cleaner(self, table: StreamTable) -> Cleaner | Shortener | None:
        match self._warehouse.kind.name:
            case "postgres":
                return Cleaner(table)
            case "mysql":
                return Shortener(table, self._longest_row)
        return None

    def _ready(self) -> list[Intake]:
        return [intake for intake in self._intakes.values() if intake.ready]


def _longest_row(warehouse: Warehouse) -> int:
    """Return how many bytes of a row a server of MySQL accepts; 0 for other destinations, which have no such limit."""
    if warehouse.kind.name != "mysql":
        return 0
    with warehouse.pipeline.sql_client() as client:
        rows = client.execute_sql("SELECT @@max_allowed_packet")
    return int(rows[0][0]) if rows else 0
