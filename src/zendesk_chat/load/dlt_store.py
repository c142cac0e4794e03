"""A run's records on their way into a dlt database: they wait on disk for their transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from zendesk_chat.load.dlt_transaction import Part, Resume, commit, read_resumes
from zendesk_chat.load.failures import explained
from zendesk_chat.load.store import Limits, Waiting
from zendesk_chat.tables.arrow import RecordReader
from zendesk_chat.tables.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path

    from zendesk_chat.engine.events import PageRead
    from zendesk_chat.load.dlt_destination import Target
    from zendesk_chat.load.report import LoadReport
    from zendesk_chat.streams.stream import StateBlob
    from zendesk_chat.tables.table import StreamTable

LIMITS: Final = Limits(length=256 * 2**20)  # they wait on disk, and a transaction of dlt takes long


class DltStore:
    """A database during a run.

    With ``full_refresh``, the first records of each stream with a cursor replace its table's contents, so that records that the
    source no longer has disappear. Until then, no state is stored for the stream.
    """

    def __init__(self, target: Target, tables: Sequence[StreamTable], *, full_refresh: bool) -> None:
        self.name = target.name
        self.limits = LIMITS
        self._target = target
        self._resumes = read_resumes(target)
        if full_refresh:
            stale = {table.name: Resume(None, replace=True) for table in tables if not table.mirrors}
            commit(target, [], stale)
            self._resumes |= stale
        self._intakes = {table.name: self._intake(table) for table in tables}

    def states(self) -> dict[str, StateBlob]:
        """Return the state of each stream, for the engine to resume from."""
        return {name: resume.state for name, resume in self._resumes.items() if resume.state is not None}

    def take(self, page: PageRead) -> None:
        """Keep a page on disk."""
        with explained("storing records on disk"):
            self._intakes[page.stream].take(page)

    def end(self, stream: str, *, complete: bool) -> None:
        """Note that a stream has ended."""
        self._intakes[stream].complete = complete

    def waiting(self) -> Waiting:
        """Return what can be committed now."""
        spools = [intake.spool for intake in self._ready()]
        return Waiting(len(spools), sum(spool.records for spool in spools), sum(spool.length for spool in spools))

    def commit(self) -> int:
        """Write what can be committed. Return the number of its records."""
        ready = self._ready()
        records = sum(intake.spool.records for intake in ready)
        if ready:
            resumes = {intake.table.name: Resume(intake.state) for intake in ready if not intake.table.mirrors}
            changed = {name: resume for name, resume in resumes.items() if resume != self._resumes.get(name)}
            parts = [Part(intake.table, intake.spool.rows(), replace=intake.replace) for intake in ready]
            commit(self._target, parts, changed)
            self._resumes |= changed
            for intake in ready:
                intake.committed()
        return records

    def finish(self, _report: LoadReport) -> None:
        """Remove what waits on disk."""
        for intake in self._intakes.values():
            intake.spool.clear()

    def _intake(self, table: StreamTable) -> _Intake:
        resume = self._resumes.get(table.name)
        return _Intake(table, self._target.directory, replace=table.mirrors or (resume is not None and resume.replace))

    def _ready(self) -> list[_Intake]:
        return [intake for intake in self._intakes.values() if intake.ready]


class _Intake:
    """One stream of this run, with its uncommitted records."""

    def __init__(self, table: StreamTable, directory: Path, *, replace: bool) -> None:
        self.table = table
        self.spool = Spool(directory / f"{table.name}.parquet", table)
        self.replace = replace
        self.state: StateBlob | None = None
        self.complete = False
        self._read = RecordReader(table).read
        self._pending = False

    def take(self, page: PageRead) -> None:
        self.spool.append(self._read(page.records), page.parents)
        self.state = page.state
        self._pending = True

    @property
    def ready(self) -> bool:
        """Whether there is something to commit now.

        A list is not committed before it is complete. Records that replace a table are not committed before there are any.
        """
        if self.table.mirrors:
            return self._pending and self.complete
        return self._pending and (self.complete or not self.replace or self.spool.records > 0)

    def committed(self) -> None:
        self.spool.clear()
        self.replace = self.table.mirrors
        self._pending = False
