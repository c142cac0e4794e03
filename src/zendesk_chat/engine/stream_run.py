"""One stream in a run: where it resumes, its batches as events, and its counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from zendesk_chat.engine.drift import DriftDetector
from zendesk_chat.engine.events import Event, Note, PageRead, StreamCompleted, StreamFailed, StreamUnavailable
from zendesk_chat.engine.stats import SyncStats
from zendesk_chat.errors import ConnectorError, DataError, UnavailableError
from zendesk_chat.streams.stream import Batch, Bounds, Children, RawRecord, StateBlob, Stream


@dataclass(frozen=True, slots=True)
class Task:
    """One stream to read, from the state that an earlier run stored, or from the start.

    Attributes:
        encode: Whether the consumer reads records as bytes instead of columns.
    """

    stream: Stream
    state: StateBlob | None
    bounds: Bounds
    encode: bool = False


class StreamRun:
    """A task that is being read, possibly together with others from the same pages."""

    def __init__(self, task: Task) -> None:
        self.stream = task.stream
        self.name = task.stream.name
        self.position: Any = None
        self.stats = SyncStats()
        self._state = task.state
        self._encode = task.encode
        self._written: StateBlob | None = None
        self._cursor = task.stream.cursor_field or ""
        self._drift: DriftDetector | None = None

    def load_position(self) -> None:
        """Read the stored state. Raises StateError."""
        if self._state:
            self.position = self.stream.load_state(self._state)
            if self.position is not None:
                self.stats = SyncStats(resumed_from=self._cursor_in(self._state))

    def take(self, batch: Batch[Any], requests: int, seconds: float) -> Iterator[Event]:
        """Yield the events of a batch for this stream, after this many requests and seconds."""
        extractor = self.stream.extractor
        children = Children(batch.records) if extractor is None else extractor.extract(batch.records, encode=self._encode)
        blob = self.stream.dump_state(batch.position)
        self._count(batch, children.records, blob)
        self.stats = replace(self.stats, requests=requests, seconds=seconds)
        for note in batch.notes:
            yield Note("WARN", note)
        observed = children.irregular if extractor else children.records
        if observed:
            self._drift = self._drift or DriftDetector(self.name, self.stream.schema)  # late, because creating it takes time
            yield from self._drift.sample(observed)
        yield Note("DEBUG", f"{self.name}: so far {self.stats}")
        if children.records or children.parents or blob != self._written:
            yield PageRead(self.name, children.records, blob, batch.progress, children.parents, self.stats)
            self._written = blob

    def check_counts(self) -> None:
        """Raise DataError if a record was lost."""
        if not self.stats.adds_up:
            what = f"{self.name}: the record counts do not add up: {self.stats}. Please report this."
            raise DataError(what, stream=self.name)

    def end(self, error: ConnectorError | None, account_answers: Callable[[], bool], *, has_read: bool) -> Event:
        """Return the event that ends the stream with this error, or completes it.

        Args:
            error: Why the stream ended early; None if it is complete.
            account_answers: Returns whether any endpoint of the account responds.
            has_read: Whether a request of the stream succeeded, so that the account has it.
        """
        if error is None:
            return StreamCompleted(self.name, self.stats)
        may_lack = self.stream.optional and self.position is None and not has_read
        # If no endpoint of the account responds, nothing is known about this one.
        if may_lack and isinstance(error, UnavailableError) and error.by_api and account_answers():
            return StreamUnavailable(self.name, error, self.stats)
        return StreamFailed(self.name, error, self.stats)

    def _count(self, batch: Batch[Any], records: Sequence[RawRecord], blob: StateBlob) -> None:
        """Add a batch to the counts. The records of a derived stream count as received when they are extracted."""
        derived, stats = self.stream.extraction is not None, self.stats
        self.stats = replace(
            stats,
            pages=stats.pages + batch.pages,
            received=stats.received + (len(records) if derived else batch.received),
            emitted=stats.emitted + len(records),
            unchanged=stats.unchanged + (0 if derived else batch.unchanged),
            outside=stats.outside + (0 if derived else batch.outside),
            reached=self._cursor_in(blob),
        )

    def _cursor_in(self, state: StateBlob) -> str | None:
        cursor = state.get(self._cursor)
        return None if cursor is None else str(cursor)
