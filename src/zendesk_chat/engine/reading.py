"""What a reader thread does: it reads tasks to their end and reports what happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from zendesk_chat.api.client import Client, Decode, Observer
from zendesk_chat.clock import Clock
from zendesk_chat.engine.channel import Channel
from zendesk_chat.engine.events import Answered, Note, RateLimited, Retrying, StreamStarted
from zendesk_chat.engine.fetcher import ConcurrencyLimit, ConcurrentFetcher
from zendesk_chat.engine.first_request import FirstRequest
from zendesk_chat.engine.stream_run import StreamRun, Task
from zendesk_chat.engine.threads import error_of
from zendesk_chat.errors import ConnectorError
from zendesk_chat.request import Request
from zendesk_chat.streams.stream import Batch

T = TypeVar("T")
SHORTEST_REPORTED_WAIT_SECONDS: Final = 1.0
REPORT_AGAIN_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Shared:
    """What all readers of a run share."""

    channel: Channel
    client: Client
    limit: ConcurrencyLimit
    first_request: FirstRequest
    clock: Clock
    each_request: bool = False


class _ClockCorrected(Exception):  # noqa: N818   not an error: the reader starts again
    """The first response showed that the machine's clock is wrong."""


class Reading(Observer):
    """Tasks that are read from the same pages; a single one if no other shares its pages."""

    def __init__(self, tasks: Sequence[Task], shared: Shared) -> None:
        self._tasks = tasks
        self._runs: list[StreamRun] = []
        self._shared = shared
        self._channel = shared.channel
        self._client = shared.client
        self._clock = shared.clock
        self._fetcher = ConcurrentFetcher[object, object](self._get, shared.limit, shared.clock)
        self._lock = threading.Lock()
        self._ahead_at_first: float | None = None  # how far the clock was ahead at the first request; None afterwards
        self._has_read = False
        self._requests = 0
        self._began = shared.clock.monotonic()
        self._reset_at = 0.0

    def read(self) -> None:
        """Read the tasks to their end, and report how they ended. Raises Stopped."""
        for task in self._tasks:
            self._load(StreamRun(task))
        error = error_of(self._runs[0].name, self._read_in_turn) if self._runs else None
        self._fetcher.close()
        for run in self._runs:
            self._end(run, error)

    def sent(self) -> None:
        """Count a request."""
        with self._lock:
            self._requests += 1

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Report how an attempt ended, if the consumer wants it: each event takes a slot of the channel from a page."""
        if not self._shared.each_request:
            return
        what = f"HTTP {status}" if status else "no answer"
        name = self._runs[0].name
        self._channel.put(Answered("DEBUG", f"{name}: GET {path}: {what} in {seconds:.2f} s", name, path, status, seconds))

    def account_answered(self) -> None:
        """Let the other readers start."""
        self._shared.first_request.account_answered()

    def waited(self, seconds: float, reason: str = "") -> None:
        """Report a wait. For the quota, one report covers the waits of all requests."""
        reset_at = self._clock.now() + seconds
        if reason:
            self._channel.put(Retrying("WARN", reason, self._runs[0].name, reset_at))
        elif seconds >= SHORTEST_REPORTED_WAIT_SECONDS and reset_at > self._reset_at + REPORT_AGAIN_SECONDS:
            self._reset_at = reset_at
            self._channel.put(RateLimited(self._runs[0].name, reset_at))

    def _load(self, run: StreamRun) -> None:
        """Read the state of a stream. The stream ends here if the state cannot be read."""
        error = error_of(run.name, run.load_position)
        if error is None:
            self._runs.append(run)
        else:
            self._channel.put(StreamStarted(run.name))
            self._end(run, error)

    def _read_in_turn(self) -> None:
        """Read when it is this reader's turn. A reader that gets no turn has not started."""
        with self._shared.first_request.turn():
            for run in self._runs:
                self._channel.put(StreamStarted(run.name))
            for batches in self._batches():
                for run, batch in zip(self._runs, batches, strict=True):
                    for event in run.take(batch, self._requests_of(run), self._seconds()):
                        self._channel.put(event)
            for run in self._runs:
                run.check_counts()

    def _batches(self) -> Iterator[Sequence[Batch[Any]]]:
        """Yield each page as a batch for each stream. Start again if the first response corrects the clock."""
        source, positions = self._runs[0].stream.source, [run.position for run in self._runs]  # the source is the same for all
        while True:
            ahead = self._ahead_at_first = self._client.time.ahead
            bounds = replace(self._tasks[0].bounds, now=self._tasks[0].bounds.now - ahead)
            try:
                yield from source.read(self._fetcher, positions, bounds)
            except _ClockCorrected:
                if warning := self._client.time.warning():
                    self._channel.put(Note("WARN", warning))
            else:
                return

    def _get(self, request: Request[T], decode: Decode) -> T:
        # Only the first request may correct the clock: a reader that started again later would emit its records twice.
        ahead, self._ahead_at_first = self._ahead_at_first, None
        try:
            decoded = self._client.get(request, self, decode)
            self._has_read = True
            return decoded
        finally:
            if ahead not in {None, self._client.time.ahead}:
                raise _ClockCorrected from None

    def _end(self, run: StreamRun, error: ConnectorError | None) -> None:
        """Report that a stream has ended."""
        run.stats = replace(run.stats, requests=self._requests_of(run), seconds=self._seconds())
        self._channel.put(run.end(error, self._client.account_answers, has_read=self._has_read))

    def _seconds(self) -> float:
        return self._clock.monotonic() - self._began

    def _requests_of(self, run: StreamRun) -> int:
        """Return the number of requests. They count for the first stream; the others needed none."""
        return self._requests if self._runs and run is self._runs[0] else 0
