"""Read streams side by side in threads and tell one consumer about it, in order.

Memory is bounded by the pages in the queue and in the threads' hands, whatever the size of the account: a consumer that is slow
makes the threads wait.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from source_zendesk_chat.api.client import Client, Wait
from source_zendesk_chat.api.transport import Response
from source_zendesk_chat.clock import Clock, Stopped
from source_zendesk_chat.engine.events import (
    CredentialsRotated,
    Event,
    Ledger,
    Note,
    PageRead,
    Quiet,
    RateLimited,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
)
from source_zendesk_chat.engine.side_by_side import Lanes, SideBySide
from source_zendesk_chat.errors import ConnectorError, DataError
from source_zendesk_chat.streams.stream import Bounds, StateBlob, Stream

T = TypeVar("T")
SaveCredentials = Callable[[dict[str, Any]], None]
WORKERS: Final = 16  # a thread for each stream, so that a list does not wait for a backfill to end
PAGES_WAITING: Final = 1
POLL_SECONDS: Final = 0.2
QUIET_SECONDS: Final = 5.0
SETTLE_SECONDS: Final = 3.0
SHORTEST_REPORTED_WAIT_SECONDS: Final = 1.0
REPORT_AGAIN_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Task:
    """One stream to read.

    Attributes:
        stream: The stream.
        state: As stored by an earlier run, in any of its forms; None to read from the start.
        bounds: What to read of it.
    """

    stream: Stream[Any]
    state: StateBlob | None
    bounds: Bounds


def run(
    tasks: Iterable[Task],
    connect: Callable[[SaveCredentials], Client],
    clock: Clock,
    stopped: threading.Event,
    *,
    workers: int = WORKERS,
) -> Iterator[Event]:
    """Read the tasks and yield what happens; end when all are done or ``stopped`` is set.

    An event counts as dealt with once the next one is asked for: records are written, and credentials saved.

    Args:
        tasks: What to read. A task that fails does not touch the others.
        connect: Makes the client, given what to call with renewed credentials.
        clock: Time; its waits MUST end when ``stopped`` is set.
        stopped: Set by the consumer to end early, and by this function when it ends.
        workers: Streams at once.
    """
    pending = deque(tasks)
    unfinished = len(pending)
    channel = _Channel(stopped)
    client = connect(channel.save_credentials)
    lanes = Lanes(client.room)
    threads = [
        threading.Thread(target=_work, args=(pending, channel, client, lanes, clock), name=f"reader-{number}", daemon=True)
        for number in range(min(workers, unfinished))
    ]
    for thread in threads:
        thread.start()
    try:
        for event in _until_stopped(channel, threads, stopped):
            yield event
            if isinstance(event, StreamCompleted | StreamFailed):
                unfinished -= 1
            elif isinstance(event, CredentialsRotated):
                event.saved.set()
    finally:
        stopped.set()
    if unfinished:
        client.settle(SETTLE_SECONDS)
        yield from channel.unsaved()


def _until_stopped(channel: _Channel, threads: Sequence[threading.Thread], stopped: threading.Event) -> Iterator[Event]:
    """Events, until no thread is left to send more."""
    quiet = 0.0
    while not stopped.is_set():
        working = any(thread.is_alive() for thread in threads)
        event = channel.get(POLL_SECONDS if working else 0)
        quiet = 0.0 if event else quiet + POLL_SECONDS
        if event is not None:
            yield event
        elif not working:
            return
        elif quiet >= QUIET_SECONDS:
            quiet = 0.0
            yield Quiet()


class _Channel:
    """The bounded queue from the reading threads to the one consumer. Every wait in it ends when the run is stopped."""

    def __init__(self, stopped: threading.Event) -> None:
        self.stopped = stopped
        self._events: queue.Queue[Event] = queue.Queue(PAGES_WAITING)
        self._rotated: list[CredentialsRotated] = []

    def get(self, seconds: float) -> Event | None:
        """The next event, or None when there is none after so long."""
        try:
            return self._events.get(timeout=seconds) if seconds else self._events.get_nowait()
        except queue.Empty:
            return None

    def put(self, event: Event) -> None:
        """Hand over an event as soon as there is room."""
        while not self.stopped.is_set():
            try:
                return self._events.put(event, timeout=POLL_SECONDS)
            except queue.Full:
                continue
        raise Stopped

    def save_credentials(self, config: dict[str, Any]) -> None:
        """Hand over renewed credentials and return only when they are saved."""
        event = CredentialsRotated(config)
        self._rotated.append(event)
        self.put(event)
        while not event.saved.wait(POLL_SECONDS):
            if self.stopped.is_set():
                raise Stopped

    def unsaved(self) -> list[CredentialsRotated]:
        """Renewed credentials that the run was stopped before saving. The old ones are used up, so that these MUST be saved."""
        return [event for event in self._rotated if not event.saved.is_set()]


class _Reading:
    """One task being read: fetches for it, and counts."""

    def __init__(self, task: Task, channel: _Channel, client: Client, lanes: Lanes, clock: Clock) -> None:
        self._task = task
        self._name = task.stream.name
        self._channel = channel
        self._client = client
        self._clock = clock
        self._fetch = SideBySide(self._get, lanes, channel.stopped)
        self._lock = threading.Lock()
        self._sent = 0
        self._reset_at = 0.0
        self._ledger = Ledger()

    @property
    def ledger(self) -> Ledger:
        """The account so far."""
        return replace(self._ledger, requests=self._sent)

    def read(self) -> None:
        """Read the task to its end."""
        stream, state = self._task.stream, self._task.state
        position = stream.load_state(state) if state else None
        cursor = stream.cursor_field or ""
        self._ledger = Ledger(first=_text(state.get(cursor)) if state and position else None)
        written: StateBlob | None = None
        for batch in stream.read(self._fetch, position, self._task.bounds):
            for note in batch.notes:
                self._channel.put(Note("WARN", note))
            blob = stream.dump_state(batch.position)
            self._ledger = replace(
                self._ledger,
                pages=self._ledger.pages + 1,
                received=self._ledger.received + batch.received,
                emitted=self._ledger.emitted + len(batch.records),
                unchanged=self._ledger.unchanged + batch.unchanged,
                outside=self._ledger.outside + batch.outside,
                last=_text(blob.get(cursor)),
            )
            self._channel.put(Note("DEBUG", f"{self._name}: so far {self.ledger}"))
            if batch.records or blob != written:
                self._channel.put(PageRead(self._name, batch.records, blob, batch.progress))
                written = blob
        if not self._ledger.balanced:
            raise DataError(f"{self._name}: the account of its records does not balance: {self.ledger}. Please report this.")

    def _get(
        self,
        path: str,
        params: Mapping[str, str | int],
        decode: Callable[[Response], T],
        *,
        patient: bool,
        took: Callable[[float], None],
    ) -> T:
        sent = 0.0

        def on_request() -> None:
            nonlocal sent
            sent = self._clock.monotonic()
            with self._lock:
                self._sent += 1

        def on_answer(answer: Response) -> T:
            took(self._clock.monotonic() - sent)
            return decode(answer)

        return self._client.get(path, params, on_answer, on_wait=self._waits, on_request=on_request, patient=patient)

    def _waits(self, wait: Wait) -> None:
        if wait.reason:
            return self._channel.put(Note("WARN", wait.reason))
        reset_at = self._clock.now() + wait.seconds
        if wait.seconds >= SHORTEST_REPORTED_WAIT_SECONDS and reset_at > self._reset_at + REPORT_AGAIN_SECONDS:
            self._reset_at = reset_at  # or each request of the stream would say the same
            self._channel.put(RateLimited(self._name, reset_at))
        return None


def _text(cursor: object) -> str | None:
    return None if cursor is None else str(cursor)


def _work(pending: deque[Task], channel: _Channel, client: Client, lanes: Lanes, clock: Clock) -> None:
    """Read one task after another until none is left."""
    with suppress(Stopped, IndexError):
        while True:
            _read(pending.popleft(), channel, client, lanes, clock)


def _read(task: Task, channel: _Channel, client: Client, lanes: Lanes, clock: Clock) -> None:
    name = task.stream.name
    channel.put(StreamStarted(name))
    began = clock.monotonic()
    reading = _Reading(task, channel, client, lanes, clock)
    error: ConnectorError | None = None
    try:
        reading.read()
    except Stopped:
        raise
    except ConnectorError as expected:
        error = expected
    except Exception as unexpected:  # noqa: BLE001  whatever it is, the user is told and the other streams go on
        error = DataError(f"{name}: unexpected {type(unexpected).__name__}. Please report this.")
        error.__cause__ = unexpected
    ledger = replace(reading.ledger, seconds=clock.monotonic() - began)
    channel.put(StreamFailed(name, error, ledger) if error else StreamCompleted(name, ledger))
