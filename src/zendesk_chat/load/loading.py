"""The loop of a load: passes a run's events to a store, and commits in transactions of bounded size and age."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from zendesk_chat.engine.events import (
    CredentialsRotated,
    Event,
    Heartbeat,
    Note,
    PageRead,
    SchemaChange,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    StreamUnavailable,
)
from zendesk_chat.engine.stats import SyncStats
from zendesk_chat.load.report import STATES, LoadReport, StreamReport

if TYPE_CHECKING:
    from zendesk_chat.load.store import Limits, Store


@dataclass(frozen=True, slots=True)
class Saved:
    """A transaction is committed: its records are safe."""

    records: int


Observe: TypeAlias = Callable[[Event | Saved], None]
"""Called with each event after the store has it and before the next one is requested, and with each transaction."""


def load_events(
    events: Iterable[Event],
    streams: Sequence[str],
    store: Store,
    observe: Observe = lambda _event: None,
    *,
    required: Collection[str] = (),
    limits: Limits | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> LoadReport:
    """Load a run into a store.

    A stream with a cursor is upserted by its key in transactions, each with the state to resume from. With a
    ``parent_field``, the records of a page replace all records of its parents. Any other stream replaces its table when it is
    complete. A stream that the account lacks gets no table. If ``events`` raises, the records before the error are committed.

    A stream in ``required`` makes the load incomplete if the account lacks it. ``streams`` are the names in the report, in
    order; other streams are for the store only. ``limits`` replace the store's own, and ``monotonic`` returns seconds.

    Raises:
        DestinationError: The destination cannot be written. All earlier transactions remain valid.
    """
    load = _Load(store, streams)
    began = last = monotonic()
    limits = limits or store.limits
    pause = limits.seconds
    with closing(load.committing_on_error(events)) as guarded:
        for event in guarded:
            load.take(event)
            if load.is_reported(event):
                observe(event)
            start = monotonic()
            if load.reaches(limits, due=start - last >= pause):
                observe(load.commit())
                last = monotonic()
                pause = max(limits.seconds, 4 * (last - start))
    observe(load.commit())
    report = load.report(required, monotonic() - began)
    store.finish(report)
    return report


class _Load:
    """A load in progress."""

    def __init__(self, store: Store, streams: Sequence[str]) -> None:
        self._store = store
        self._order = streams
        self._reports: dict[str, StreamReport] = {}
        self._drifts: list[SchemaChange] = []
        self._saved = 0

    def is_reported(self, event: Event) -> bool:
        return isinstance(event, Note | Heartbeat | CredentialsRotated) or event.stream in self._order

    def committing_on_error(self, events: Iterable[Event]) -> Generator[Event, None, None]:
        """Yield the events. If they raise, commit what is collected, except on an interrupt, which must end soon."""
        try:
            yield from events
        except Exception:
            self.commit()
            raise

    def take(self, event: Event) -> None:
        match event:
            case StreamStarted(stream):
                self._reports[stream] = StreamReport(stream, "interrupted", SyncStats())
            case PageRead(stream):
                self._store.take(event)
                self._reports[stream] = replace(self._reports[stream], stats=event.stats)
            case StreamCompleted() | StreamFailed() | StreamUnavailable():
                error = None if isinstance(event, StreamCompleted) else event.error
                self._reports[event.stream] = StreamReport(event.stream, STATES[type(event)], event.stats, error)
                self._store.end(event.stream, complete=isinstance(event, StreamCompleted))
            case SchemaChange():
                self._drifts.append(event)
            case _:
                pass

    def reaches(self, limits: Limits, *, due: bool) -> bool:
        waiting = self._store.waiting()
        return waiting.streams > 0 and (due or waiting.length >= limits.length or waiting.records >= limits.records)

    def commit(self) -> Saved:
        records = self._store.commit()
        self._saved += records
        return Saved(records)

    def report(self, required: Collection[str], seconds: float) -> LoadReport:
        streams = tuple(self._reports[name] for name in self._order if name in self._reports)
        drifts = tuple(drift for drift in self._drifts if drift.stream in self._order)
        report = LoadReport(streams, drifts, frozenset(required), self._saved, seconds, self._store.name)
        return replace(report, interrupted=len(streams) < len(self._order))
