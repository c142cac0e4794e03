"""The loop of a load: gather a run's events, and commit them in transactions of bounded size and age."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from zendesk_chat.engine.events import (
    Event,
    Ledger,
    PageRead,
    SchemaChange,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    StreamUnavailable,
)
from zendesk_chat.load.failures import explained
from zendesk_chat.load.report import LoadReport, StreamReport
from zendesk_chat.load.transaction import Part, Resume, commit, read_resumes
from zendesk_chat.tables.arrow import RecordReader
from zendesk_chat.tables.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path

    from zendesk_chat.load.destination import Target
    from zendesk_chat.streams.stream import StateBlob
    from zendesk_chat.tables.table import StreamTable


@dataclass(frozen=True, slots=True)
class Saved:
    """A transaction is committed: its records are safe whatever happens next."""

    records: int


Observe: TypeAlias = Callable[[Event | Saved], None]
"""Told of each event once it is taken in and before the next one is asked for, and of each transaction."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much work an interruption may cost: whichever is reached first commits what is gathered.

    Attributes:
        length: Bytes of records. They wait on disk, not in memory.
        records: Their number. Their keys are held in memory during the transaction.
        seconds: Since the transaction before; or four times what that one took, where that is longer.
    """

    length: int = 256 * 2**20
    records: int = 500_000
    seconds: float = 5.0


_LIMITS: Final = Limits()
PAUSE_PER_COMMIT: Final = 4


def load_events(  # noqa: PLR0913  each with a default but what to load, as what, and where to
    events: Iterable[Event],
    tables: Sequence[StreamTable],
    target: Target,
    observe: Observe = lambda _: None,
    *,
    full_refresh: bool = False,
    required: Collection[str] = (),
    limits: Limits = _LIMITS,
    monotonic: Callable[[], float] = time.monotonic,
) -> LoadReport:
    """Load a run into a destination.

    A stream with a cursor is upserted by its key, transaction by transaction, each with the state to resume from; with a
    ``parent_field``, the parents that a page names have its records and no others afterwards. Any other stream replaces its
    table once it is complete. One that the account lacks gets no table. When ``events`` raises, what came before is committed.

    Args:
        events: The run; with ``full_refresh`` one that began without states.
        tables: A table for each stream that may occur.
        target: Where to.
        observe: Told what happens.
        full_refresh: The first records of each stream with a cursor replace its table's contents, so that what the
            source no longer has disappears. From the start of the run to then, no state is stored for it.
        required: Streams that were asked for by name: without them the load is not complete, also where the account lacks them.
        limits: When to commit.
        monotonic: Seconds.

    Raises:
        DestinationError: The destination cannot be written. All transactions before stand.
    """
    with (
        contextlib.closing(_Load(target, tables)) as load,
        contextlib.closing(load.committing_on_error(events)) as guarded,
    ):
        if full_refresh:
            load.forget_states()
        last, pause = monotonic(), limits.seconds
        for event in guarded:
            with explained("keeping records on disk"):
                load.take(event)
            observe(event)
            began = monotonic()
            if load.reaches(limits, due=began - last >= pause):
                observe(load.commit())
                last = monotonic()
                pause = max(limits.seconds, PAUSE_PER_COMMIT * (last - began))
        observe(load.commit())
        return load.report(required)


class _Intake:
    """What this run knows of one stream, and what of it is not committed."""

    def __init__(self, table: StreamTable, directory: Path, *, replace: bool) -> None:
        self.table = table
        self.spool = Spool(directory / f"{table.name}.parquet", table)
        self._read = RecordReader(table).read
        self.replace = replace or table.mirrors
        self.state: StateBlob | None = None
        self.outcome = StreamReport(table.name, "interrupted", Ledger())
        self.pending = True  # at first, so that a stream without records gets its table too

    def take(self, event: Event) -> None:
        match event:
            case PageRead():
                self.spool.append(self._read(event.records), event.parents)
                self.state = event.state
                self.pending = True
            case StreamCompleted():
                self.outcome = StreamReport(self.table.name, "complete", event.ledger)
            case StreamFailed():
                self.outcome = StreamReport(self.table.name, "failed", event.ledger, event.error)
            case StreamUnavailable():
                self.outcome = StreamReport(self.table.name, "not available", event.ledger, event.error)
            case _:
                pass

    @property
    def ready(self) -> bool:
        """Whether there is something that may be committed now.

        A list not until it is complete; and contents that are to replace others not before there are any.
        """
        complete = self.outcome.state == "complete"
        if self.table.mirrors:
            return self.pending and complete
        return self.pending and self.state is not None and (complete or not self.replace or self.spool.records > 0)

    def part(self) -> Part:
        return Part(self.table, self.spool.rows(), replace=self.replace)

    def committed(self) -> None:
        self.spool.clear()
        self.replace = self.table.mirrors
        self.pending = False


class _Load:
    """A load in progress."""

    def __init__(self, target: Target, tables: Sequence[StreamTable]) -> None:
        self._target = target
        self._tables = {table.name: table for table in tables}
        self._resumes = read_resumes(target)
        self._intakes: dict[str, _Intake] = {}
        self._drifts: list[SchemaChange] = []

    def forget_states(self) -> None:
        """Note, before anything else, that the contents of all tables with a cursor are to be replaced."""
        stale = {name: Resume(None, replace=True) for name, table in self._tables.items() if not table.mirrors}
        commit(self._target, [], stale)
        self._resumes |= stale

    def committing_on_error(self, events: Iterable[Event]) -> Generator[Event, None, None]:
        """Yield the events; commit what is gathered when they raise, but not for an interrupt, which is in a hurry."""
        try:
            yield from events
        except Exception:
            self.commit()
            raise

    def take(self, event: Event) -> None:
        if isinstance(event, StreamStarted | PageRead | StreamCompleted | StreamFailed | StreamUnavailable):
            self._intake(event.stream).take(event)
        elif isinstance(event, SchemaChange):
            self._drifts.append(event)

    def _intake(self, stream: str) -> _Intake:
        if stream not in self._intakes:
            resume = self._resumes.get(stream)
            replace = resume is not None and resume.replace
            self._intakes[stream] = _Intake(self._tables[stream], self._target.directory, replace=replace)
        return self._intakes[stream]

    def reaches(self, limits: Limits, *, due: bool) -> bool:
        ready = self._ready()
        return bool(ready) and (
            due
            or sum(intake.spool.length for intake in ready) >= limits.length
            or sum(intake.spool.records for intake in ready) >= limits.records
        )

    def commit(self) -> Saved:
        ready = self._ready()
        records = sum(intake.spool.records for intake in ready)
        if ready:
            resumes = {intake.table.name: Resume(intake.state) for intake in ready if not intake.table.mirrors}
            changed = {name: resume for name, resume in resumes.items() if resume != self._resumes.get(name)}
            commit(self._target, [intake.part() for intake in ready], changed)
            self._resumes |= changed
            for intake in ready:
                intake.committed()
        return Saved(records)

    def close(self) -> None:
        for intake in self._intakes.values():
            intake.spool.clear()

    def report(self, required: Collection[str]) -> LoadReport:
        """What came of each stream that was begun, in the order of the tables."""
        streams = tuple(self._intakes[name].outcome for name in self._tables if name in self._intakes)
        return LoadReport(streams, tuple(self._drifts), frozenset(required))

    def _ready(self) -> list[_Intake]:
        return [intake for intake in self._intakes.values() if intake.ready]
