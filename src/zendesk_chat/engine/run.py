"""Read streams side by side in threads and tell one consumer about it, in order.

Memory is bounded by the pages in the queue and in the threads' hands, whatever the size of the account: a consumer that is slow
makes the threads wait.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from zendesk_chat.api.client import Client, Decode, Observer, Wait
from zendesk_chat.clock import Clock, Stopped
from zendesk_chat.engine.drift import DriftDetector
from zendesk_chat.engine.events import (
    CredentialsRotated,
    Event,
    Ledger,
    Note,
    PageRead,
    Quiet,
    RateLimited,
    SchemaChange,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    StreamUnavailable,
)
from zendesk_chat.engine.fetcher import ConcurrencyLimit, ConcurrentFetcher
from zendesk_chat.engine.gate import Gate
from zendesk_chat.errors import NO_THREAD, ConfigError, ConnectorError, DataError, UnavailableError
from zendesk_chat.request import Request
from zendesk_chat.streams.stream import Batch, Bounds, Children, RawRecord, StateBlob, Stream

T = TypeVar("T")
SaveCredentials = Callable[[dict[str, Any]], None]
WORKERS: Final = 16  # a thread for each stream, so that a list does not wait for a backfill to end
PAGES_WAITING: Final = 1
POLL_SECONDS: Final = 0.2
QUIET_SECONDS: Final = 5.0
SETTLE_SECONDS: Final = 15.0  # half of what Kubernetes gives a pod to end
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

    stream: Stream
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
    pending = _grouped(tasks)
    unfinished = sum(map(len, pending))
    channel = _Channel(stopped)
    client = connect(channel.save_credentials)
    shared = _Shared(channel, client, ConcurrencyLimit(client.free_slots), Gate(stopped, is_open=client.has_answered), clock)
    threads = [
        threading.Thread(target=_work, args=(pending, shared), name=f"reader-{number}", daemon=True)
        for number in range(min(workers, len(pending)))
    ]
    try:
        for event in _until_stopped(channel, _started(threads), stopped):
            yield event
            if isinstance(event, StreamCompleted | StreamFailed | StreamUnavailable):
                unfinished -= 1
            elif isinstance(event, CredentialsRotated):
                event.saved.set()
    finally:
        stopped.set()
        client.settle(SETTLE_SECONDS)  # or tokens that are being renewed would be lost, also if the consumer failed
    if unfinished:
        yield from channel.unsaved()


def _started(threads: Sequence[threading.Thread]) -> Sequence[threading.Thread]:
    """Start the threads, or as many as the operating system allows: those read the streams of the others too.

    Raises:
        ConfigError: It allows none.
    """
    for number, thread in enumerate(threads):
        try:
            thread.start()
        except RuntimeError:
            if number == 0:
                raise ConfigError(NO_THREAD) from None
            return threads[:number]
    return threads


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


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all readers of a run share."""

    channel: _Channel
    client: Client
    limit: ConcurrencyLimit
    gate: Gate
    clock: Clock


class _ClockCorrected(Exception):  # noqa: N818  it reports no error: the reader begins again
    """The first answer showed that the machine's clock is wrong."""


class _Member:
    """One task being read, maybe with others from the same pages: what is told of it, and its account."""

    def __init__(self, task: Task) -> None:
        self.stream = task.stream
        self.name = task.stream.name
        self.position: Any = None
        self.resumes = False
        self.ledger = Ledger()
        self._task = task
        self._written: StateBlob | None = None
        self._cursor = task.stream.cursor_field or ""
        self._drift: DriftDetector | None = None

    def load_position(self) -> None:
        """Read the stored state. Raises StateError."""
        state = self._task.state
        self.position = self.stream.load_state(state) if state else None
        self.resumes = self.position is not None
        self.ledger = Ledger(first=_text(state.get(self._cursor)) if state and self.resumes else None)

    def take(self, batch: Batch[Any], requests: int) -> Iterator[Event]:
        """Yield what a page means for this stream, for which so many requests were sent so far."""
        extractor = self.stream.extractor
        children = Children(batch.records) if extractor is None else extractor.extract(batch.records)
        blob = self.stream.dump_state(batch.position)
        self.ledger = replace(
            self.ledger,
            requests=requests,
            pages=self.ledger.pages + batch.pages,
            received=self.ledger.received + (len(children.records) if extractor else batch.received),
            emitted=self.ledger.emitted + len(children.records),
            unchanged=self.ledger.unchanged + (0 if extractor else batch.unchanged),
            outside=self.ledger.outside + (0 if extractor else batch.outside),
            last=_text(blob.get(self._cursor)),
        )
        for note in batch.notes:
            yield Note("WARN", note)
        yield from self._schema_changes(children.irregular if extractor else children.records)
        yield Note("DEBUG", f"{self.name}: so far {self.ledger}")
        if children.records or children.parents or blob != self._written:
            yield PageRead(self.name, children.records, blob, batch.progress, children.parents)
            self._written = blob

    def _schema_changes(self, records: Sequence[RawRecord]) -> Sequence[SchemaChange]:
        """What a sample of these records holds that the schema does not know."""
        if not records:
            return ()
        self._drift = self._drift or DriftDetector(self.name, self.stream.schema)  # late, because making it takes time
        return self._drift.sample(records)

    def end(self, error: ConnectorError | None, ledger: Ledger, account_answers: Callable[[], bool]) -> Event:
        """What is told at its end.

        Args:
            error: That it ended with.
            ledger: Its account.
            account_answers: Whether another endpoint of the account answers. If none does, nothing is known about this one.
        """
        if error is None:
            return StreamCompleted(self.name, ledger)
        lacks = self.stream.optional and not self.resumes
        if lacks and isinstance(error, UnavailableError) and error.by_api and account_answers():
            return StreamUnavailable(self.name, error, ledger)
        return StreamFailed(self.name, error, ledger)


class _Reading(Observer):
    """Tasks being read from the same pages: fetches for them, and counts."""

    def __init__(self, tasks: Sequence[Task], shared: _Shared) -> None:
        self._members = [_Member(task) for task in tasks]
        self._bounds = tasks[0].bounds
        self._shared = shared
        self._channel = shared.channel
        self._client = shared.client
        self._clock = shared.clock
        self._fetch = ConcurrentFetcher[object, object](self._get, shared.limit, shared.channel.stopped)
        self._lock = threading.Lock()
        self._ahead: float | None = None  # the clock that the first request went by; None afterwards
        self._sent = 0
        self._reset_at = 0.0

    def read(self) -> None:
        """Read the tasks to their ends, and tell about it."""
        began = self._clock.monotonic()
        self._members = self._loaded(began)
        error = _failure(self._members[0].name, self._read_in_turn) if self._members else None
        self._fetch.close()
        for member in self._members:
            self._end(member, error, began)

    def _read_in_turn(self) -> None:
        """Read once the gate lets it. A reader that it turns away has not started."""
        self._shared.gate.enter()
        for member in self._members:
            self._channel.put(StreamStarted(member.name))
        error = _failure(self._members[0].name, self._read_pages)
        self._shared.gate.leave(error)
        if error:
            raise error

    def _loaded(self, began: float) -> list[_Member]:
        """The members whose states can be read; those of the others end here."""
        loaded = []
        for member in self._members:
            error = _failure(member.name, member.load_position)
            if error is None:
                loaded.append(member)
            else:
                self._channel.put(StreamStarted(member.name))
                self._end(member, error, began)
        return loaded

    def _read_pages(self) -> None:
        for batches in self._batches():
            for member, batch in zip(self._members, batches, strict=True):
                for event in member.take(batch, self._requests(member)):
                    self._channel.put(event)
        for member in self._members:
            if not member.ledger.balanced:
                what = f"the account of its records does not balance: {member.ledger}"
                raise DataError(f"{member.name}: {what}. Please report this.")

    def _batches(self) -> Iterator[Sequence[Batch[Any]]]:
        """Each page, as a batch for each member; begun again where the first answer corrects the clock."""
        try:
            yield from self._batches_by(self._client.time.ahead)
        except _ClockCorrected:
            if warning := self._client.time.warning():
                self._channel.put(Note("WARN", warning))
            yield from self._batches_by(self._client.time.ahead)

    def _batches_by(self, ahead: float) -> Iterator[Sequence[Batch[Any]]]:
        """The same, where the machine's clock is so many seconds ahead of Zendesk's."""
        self._ahead = ahead
        bounds = replace(self._bounds, now=self._bounds.now - ahead)
        source = self._members[0].stream.source
        return source.read(self._fetch, [member.position for member in self._members], bounds)

    def _end(self, member: _Member, error: ConnectorError | None, began: float) -> None:
        """Tell that a member has ended."""
        ledger = replace(member.ledger, requests=self._requests(member), seconds=self._clock.monotonic() - began)
        self._channel.put(member.end(error, ledger, self._client.account_answers))

    def _requests(self, member: _Member) -> int:
        """The requests sent, which are those of the first; the others needed none."""
        return self._sent if member is self._members[0] else 0

    def _get(self, request: Request[T], decode: Decode) -> T:
        # The first request goes alone. After it the reader cannot begin again: its records would come twice.
        ahead, self._ahead = self._ahead, None
        try:
            return self._client.get(request, self, decode)
        finally:
            if ahead not in {None, self._client.time.ahead}:
                raise _ClockCorrected from None

    def sent(self) -> None:
        """Count a request."""
        with self._lock:
            self._sent += 1

    def answered(self, *, accepted: bool) -> None:
        """Let the other readers begin once the account has accepted the token."""
        if accepted:
            self._shared.gate.open()

    def waited(self, wait: Wait) -> None:
        """Report a wait."""
        if wait.reason:
            return self._channel.put(Note("WARN", wait.reason))
        reset_at = self._clock.now() + wait.seconds
        if wait.seconds >= SHORTEST_REPORTED_WAIT_SECONDS and reset_at > self._reset_at + REPORT_AGAIN_SECONDS:
            self._reset_at = reset_at  # or each request of the stream would say the same
            self._channel.put(RateLimited(self._members[0].name, reset_at))
        return None


def _text(cursor: object) -> str | None:
    return None if cursor is None else str(cursor)


def _failure(name: str, call: Callable[[], None]) -> ConnectorError | None:
    """The error that a call for a stream ends with."""
    try:
        call()
    except Stopped:
        raise
    except ConnectorError as expected:
        return expected
    except Exception as unexpected:  # noqa: BLE001  whatever it is, the user is told and the other streams go on
        error = DataError(f"{name}: unexpected {type(unexpected).__name__}. Please report this.")
        error.__cause__ = unexpected
        return error
    return None


def _grouped(tasks: Iterable[Task]) -> deque[Sequence[Task]]:
    """The tasks, those together that are read from the same pages."""
    groups: dict[object, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task.stream.source, []).append(task)
    return deque(groups.values())


def _work(pending: deque[Sequence[Task]], shared: _Shared) -> None:
    """Read one after another until none is left."""
    with suppress(Stopped, IndexError):
        while True:
            _Reading(pending.popleft(), shared).read()
