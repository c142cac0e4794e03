"""Requests of one reader in background threads, if the API is slow enough for that to pay off."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeVar

from zendesk_chat.api.client import Decode
from zendesk_chat.api.transport import Response
from zendesk_chat.clock import POLL_SECONDS, Clock, Stopped
from zendesk_chat.engine.memory import HeldMemory, Memory
from zendesk_chat.errors import ConnectorError
from zendesk_chat.request import Request

T = TypeVar("T")
Tag = TypeVar("Tag")
Page = TypeVar("Page")
MAX_CONCURRENT: Final = 16
MAX_BYTES: Final = 48 * 2**20  # of one reader's responses, including those in flight
MAX_DECOMPRESSED: Final = 2  # responses that the reader has not taken yet; the others wait compressed, a tenth as large
SLOW_SECONDS: Final = 0.25  # a faster response keeps up with the quota of 200 requests a minute anyway
SURE_SECONDS: Final = 1.0  # the last few responses must have taken this long together; one slow response is not enough
LAST_ANSWERS: Final = 4


class Get(Protocol):
    """Makes one request. ``decode`` is called with the compressed response."""

    def __call__(self, request: Request[T], decode: Decode) -> T:
        """Return the decoded response."""


class ConcurrencyLimit:
    """How many requests of all readers are in flight, and the memory that they share.

    ``quota`` returns how many requests the API's quota allows now.
    """

    def __init__(self, quota: Callable[[], int], memory: Memory | None = None) -> None:
        self._quota = quota
        self._lock = threading.Lock()
        self._busy = 0
        self.memory = memory or Memory()

    def free_slots(self) -> int:
        """Return how many more requests could be sent immediately."""
        return max(0, min(MAX_CONCURRENT - self._busy, self._quota()))

    def count(self, begun: int) -> None:
        """Count a request that starts (1) or has ended (-1)."""
        with self._lock:
            self._busy += begun


class _Statistics:
    """How long a reader's last responses took, and how large its largest one was."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=LAST_ANSWERS)
        self._compressed_bytes = self._decompressed_bytes = 0

    def add_seconds(self, answer: Response) -> None:
        self._seconds.append(answer.seconds)

    def add_size(self, answer: Response, body: bytes) -> None:
        self._compressed_bytes = max(self._compressed_bytes, len(answer.content))
        self._decompressed_bytes = max(self._decompressed_bytes, len(body))

    @property
    def slow(self) -> bool:
        """Whether responses take so long that concurrent requests pay off."""
        seconds = tuple(self._seconds)
        return min(seconds, default=0) >= SLOW_SECONDS and sum(seconds) >= SURE_SECONDS

    def fitting(self, started: int) -> int:
        """Return how many responses fit in memory besides those of started requests, if all are as large as the largest."""
        decompressed = 2 * MAX_DECOMPRESSED * self._decompressed_bytes  # the body, and the records copied from it
        return max(0, (MAX_BYTES - decompressed) // max(1, self._compressed_bytes) - started)


@dataclass(eq=False, slots=True)
class _Started(Generic[Tag, Page]):
    """A request in the background. Its response holds memory and a slot until the reader takes it."""

    request: Request[Page]
    tag: Tag
    held: HeldMemory
    slots: threading.Semaphore
    statistics: _Statistics
    clock: Clock
    has_slot: bool = False
    page: Page = field(init=False)
    error: BaseException | None = None

    def decode(self, request: Request[T], answer: Response) -> T:
        """Decode a response as soon as there are a slot and memory for it."""
        self.statistics.add_seconds(answer)
        while not self.slots.acquire(timeout=POLL_SECONDS):
            self.clock.check()
        self.has_slot = True
        try:
            body = self.held.decompress(answer)
            self.statistics.add_size(answer, body)
            return request.decode(body)
        except BaseException:
            self.give_back()  # the request may be retried after a long wait
            raise

    def give_back(self) -> None:
        """Release the memory and the slot for other responses."""
        self.held.give_back()
        self.leave_slot()

    def leave_slot(self) -> None:
        """Release the slot for another response of this reader."""
        if self.has_slot:
            self.has_slot = False
            self.slots.release()


class ConcurrentFetcher(Generic[Tag, Page]):
    """The ``Fetcher`` of one reader. All readers share the limit."""

    def __init__(self, get: Get, limit: ConcurrencyLimit, clock: Clock) -> None:
        self._get = get
        self._limit = limit
        self._clock = clock
        self._statistics = _Statistics()
        self._slots = threading.Semaphore(MAX_DECOMPRESSED)
        self._ended: queue.SimpleQueue[_Started[Tag, Page]] = queue.SimpleQueue()
        self._held = HeldMemory(limit.memory, clock)  # of the page that the reader works on
        self._started = 0
        self._closed = False
        self._thread_refused = False

    def __call__(self, request: Request[T]) -> T:
        """Return the decoded body. The reader MUST be done with the previous one."""
        return self._get(request, self._decode)

    def start(self, request: Request[Page], tag: Tag) -> None:
        """Start a request in the background, or make it here if the operating system allows no more threads."""
        self._limit.count(1)
        self._started += 1
        held = HeldMemory(self._limit.memory, self._clock)
        started = _Started(request, tag, held, self._slots, self._statistics, self._clock)
        try:
            threading.Thread(target=self._make, args=(started, started.decode), name="request", daemon=True).start()
        except RuntimeError:
            self._thread_refused = True
            self._make(started, self._decode)  # without waiting for a slot, which only this thread could free

    def finished(self) -> tuple[Tag, Page | ConnectorError]:
        """Wait for the next request to end. The reader MUST be done with the previous page."""
        self._held.give_back()
        while not self._clock.stopped:
            try:
                ended = self._ended.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            ended.leave_slot()
            self._held = ended.held
            self._started -= 1
            if ended.error is None:
                return ended.tag, ended.page
            if isinstance(ended.error, ConnectorError):  # the reader may have a fallback
                return ended.tag, ended.error
            raise ended.error
        raise Stopped

    def close(self) -> None:
        """Release all memory. Call it when the reader has ended, for whatever reason."""
        self._closed = True
        self._held.give_back()
        self._give_back_ended()

    def free_slots(self) -> int:
        """Return how many more requests are worth starting now."""
        if self._thread_refused or not self._statistics.slow:
            return 0
        return min(self._limit.free_slots(), self._statistics.fitting(self._started))

    def _decode(self, request: Request[T], answer: Response) -> T:
        """Decode a response that the reader waits for."""
        self._statistics.add_seconds(answer)
        self._held.give_back()
        # It does not wait while other responses of this reader may hold the memory: the reader takes them only after this one.
        return request.decode(self._held.decompress(answer, wait=not self._started))

    def _make(self, started: _Started[Tag, Page], decode: Decode) -> None:
        """Make a request, and store its result."""
        try:
            started.page = self._get(started.request, decode)
        except BaseException as error:  # noqa: BLE001  the reader's thread gets it
            started.error = error
        self._limit.count(-1)
        self._ended.put(started)
        if self._closed:
            self._give_back_ended()

    def _give_back_ended(self) -> None:
        """Release what requests hold that nobody waits for any more."""
        with suppress(queue.Empty):
            while True:
                self._ended.get_nowait().give_back()
