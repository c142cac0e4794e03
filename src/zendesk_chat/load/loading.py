"""The loop of a load: collects a run's events, and commits them in transactions of bounded size and age."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from zendesk_chat.engine.events import (
    Event,
    PageRead,
    SchemaChange,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    StreamUnavailable,
)
from zendesk_chat.engine.stats import SyncStats
from zendesk_chat.load.failures import explained
from zendesk_chat.load.report import STATES, LoadReport, StreamReport
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
    """A transaction is committed: its records are safe."""

    records: int


Observe: TypeAlias = Callable[[Event | Saved], None]
"""Called with each event after it is spooled and before the next one is requested, and with each transaction."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much work an interruption may cost. The first limit that is reached commits the records collected so far.

    Attributes:
        length: Bytes of records. They wait on disk, not in memory.
        records: Number of records. Their keys are in memory during the transaction.
        seconds: Time since the last transaction, or four times what that one took if this is longer.
    """

    length: int = 256 * 2**20
    records: int = 500_000
    seconds: float = 5.0


_LIMITS: Final = Limits()


def load_events(  # noqa: PLR0913  all but three have a default
    events: Iterable[Event],
    tables: Sequence[StreamTable],
    target: Target,
    observe: Observe = lambda _event: None,
    *,
    full_refresh: bool = False,
    required: Collection[str] = (),
    limits: Limits = _LIMITS,
    monotonic: Callable[[], float] = time.monotonic,
) -> LoadReport:
    """Load a run into a destination.

    A stream with a cursor is upserted by its key in transactions, each with the state to resume from. With a
    ``parent_field``, the records of a page replace all that its parents had. Any other stream replaces its table once it is
    complete. A stream that the account lacks gets no table. If ``events`` raises, the records before the error are committed.

    With ``full_refresh``, which needs events of a run without states, the first records of each stream with a cursor replace
    its table's contents, so that records that the source no longer has disappear. Until then, no state is stored for the
    stream. A stream in ``required`` makes the load incomplete if the account lacks it. ``tables`` has one for each stream
    that may occur, ``limits`` say when to commit, and ``monotonic`` returns seconds.

    Raises:
        DestinationError: The destination cannot be written. All transactions before remain valid.
    """
    with closing(_Load(target, tables)) as load, closing(load.committing_on_error(events)) as guarded:
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
                pause = max(limits.seconds, 4 * (last - began))
        observe(load.commit())
        return load.report(required)


class _Intake:
    """One stream of this run, with its records that are not committed."""

    def __init__(self, table: StreamTable, directory: Path, *, replace: bool) -> None:
        self.table = table
        self.spool = Spool(directory / f"{table.name}.parquet", table)
        self._read = RecordReader(table).read
        self.replace = replace or table.mirrors
        self.state: StateBlob | None = None
        self.outcome = StreamReport(table.name, "interrupted", SyncStats())
        self.pending = True  # from the start, so that a stream without records gets its table too

    def take(self, event: Event) -> None:
        match event:
            case PageRead():
                self.spool.append(self._read(event.records), event.parents)
                self.state = event.state
                self.pending = True
            case StreamCompleted() | StreamFailed() | StreamUnavailable():
                error = None if isinstance(event, StreamCompleted) else event.error
                self.outcome = StreamReport(self.table.name, STATES[type(event)], event.stats, error)
            case _:
                pass

    @property
    def ready(self) -> bool:
        """Whether there is something to commit now.

        A list is not committed before it is complete. Records that replace a table are not committed before there are any.
        """
        complete = self.outcome.state == "complete"
        if self.table.mirrors:
            return self.pending and complete
        return self.pending and self.state is not None and (complete or not self.replace or self.spool.records > 0)

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
        """Store, before anything else, that the next records replace the contents of all tables with a cursor."""
        stale = {name: Resume(None, replace=True) for name, table in self._tables.items() if not table.mirrors}
        commit(self._target, [], stale)
        self._resumes |= stale

    def committing_on_error(self, events: Iterable[Event]) -> Generator[Event, None, None]:
        """Yield the events. If they raise, commit what is collected, except on an interrupt, which must end soon."""
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
            parts = [Part(intake.table, intake.spool.rows(), replace=intake.replace) for intake in ready]
            commit(self._target, parts, changed)
            self._resumes |= changed
            for intake in ready:
                intake.committed()
        return Saved(records)

    def close(self) -> None:
        for intake in self._intakes.values():
            intake.spool.clear()

    def report(self, required: Collection[str]) -> LoadReport:
        streams = tuple(self._intakes[name].outcome for name in self._tables if name in self._intakes)
        return LoadReport(streams, tuple(self._drifts), frozenset(required))

    def _ready(self) -> list[_Intake]:
        return [intake for intake in self._intakes.values() if intake.ready]
