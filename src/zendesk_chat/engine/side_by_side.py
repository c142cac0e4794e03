"""Requests of one reader side by side, in threads of their own, where the API is slow enough for that to pay."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from zendesk_chat.api.body import MAX_BODY_BYTES, TooLargeError
from zendesk_chat.api.transport import Response
from zendesk_chat.clock import Stopped
from zendesk_chat.streams.stream import Fetch

T = TypeVar("T")
AT_ONCE: Final = 16
MOST_BYTES: Final = 48 * 2**20  # that the answers of one reader may take up, those under way included
MOST_UNPACKED_BYTES: Final = 128 * 2**20  # of all readers together; a larger answer is unpacked while there is no other
PAGES_UNPACKED: Final = 2  # of a reader and not taken back yet; the other answers wait as they came, a tenth as large
POLL_SECONDS: Final = 0.2
SLOW_SECONDS: Final = 0.25  # an answer that comes sooner is as fast as the quota of 200 requests a minute in the long run
SURE_SECONDS: Final = 1.0  # so long must the last few answers have taken together, or one slow moment would count for much
FEW: Final = 4


class Get(Protocol):
    """A ``Fetch`` whose answer is not unpacked yet, and that says how long it took."""

    def __call__(
        self,
        path: str,
        params: Mapping[str, str | int],
        decode: Callable[[Response], T],
        *,
        patient: bool,
        took: Callable[[float], None],
    ) -> T:
        """Return the decoded answer; ``took`` is told the seconds from sending the request to having it."""
        ...


class Memory:
    """The bytes of unpacked answers that all readers together hold.

    Whoever waits is served in the order of asking, so that a large answer gets its turn. A call gives back what it holds before
    it waits, so there is no deadlock.
    """

    def __init__(self, most: int = MOST_UNPACKED_BYTES) -> None:
        self._most = most
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._taken = 0

    def take(self, size: int, stopped: threading.Event) -> None:
        """Wait until there is room for so many bytes, or until nobody holds any. Raises Stopped."""
        turn = object()
        with self._changed:
            self._waiting.append(turn)
            try:
                while self._waiting[0] is not turn or (self._taken and self._taken + size > self._most):
                    if stopped.is_set():
                        raise Stopped
                    self._changed.wait(POLL_SECONDS)
                self._taken += size
            finally:
                self._waiting.remove(turn)
                self._changed.notify_all()

    def take_at_once(self, size: int) -> None:
        """Take it though there may be no room."""
        with self._changed:
            self._taken += size

    def give_back(self, size: int) -> None:
        """Let others have it."""
        with self._changed:
            self._taken -= size
            self._changed.notify_all()


class Lanes:
    """How many calls of all readers together are under way, and the memory that they share.

    Args:
        room: How many requests the quota has room for at the moment.
    """

    def __init__(self, room: Callable[[], int]) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._busy = 0
        self.memory = Memory()

    def free(self) -> int:
        """How many more calls could begin now and send their requests at once."""
        return max(0, min(AT_ONCE - self._busy, self._room()))

    def enter(self) -> None:
        """A call begins."""
        with self._lock:
            self._busy += 1

    def leave(self) -> None:
        """A call has ended."""
        with self._lock:
            self._busy -= 1


class _Held:
    """The memory that an unpacked answer takes up.

    Args:
        memory: Shared by all readers.
        stopped: Ends every wait.
    """

    def __init__(self, memory: Memory, stopped: threading.Event) -> None:
        self._memory = memory
        self._stopped = stopped
        self._size = 0

    def unpack(self, answer: Response, *, wait: bool = True) -> bytes:
        """The body of an answer, once there is room for it. One that is larger than it says is started again with more room."""
        size = answer.size
        while True:
            self._take(size, wait=wait)
            try:
                return answer.body_within(size)
            except TooLargeError:
                self.give_back()
                if size > MAX_BODY_BYTES:
                    raise
                size *= 2
            except BaseException:
                self.give_back()
                raise

    def _take(self, size: int, *, wait: bool) -> None:
        if wait:
            self._memory.take(size, self._stopped)
        else:
            self._memory.take_at_once(size)
        self._size = size

    def give_back(self) -> None:
        """Let another answer have it."""
        size, self._size = self._size, 0
        self._memory.give_back(size)


class _Room:
    """Where an answer of one reader is unpacked: there is room for few at a time."""

    def __init__(self, room: threading.Semaphore, stopped: threading.Event) -> None:
        self._room = room
        self._stopped = stopped
        self._taken = False

    def take(self) -> None:
        """Wait for it, unless the call has it from an answer that it asked for again."""
        while not self._taken and not self._room.acquire(timeout=POLL_SECONDS):
            if self._stopped.is_set():
                raise Stopped
        self._taken = True

    def give_back(self) -> None:
        """Let another call have it."""
        if self._taken:
            self._taken = False
            self._room.release()


@dataclass(slots=True)
class _Call:
    """A call in the background, and what it came to."""

    room: _Room
    held: _Held
    result: object = None
    error: BaseException | None = None


class SideBySide:
    """The ``Fetcher`` of one reader.

    Args:
        get: Makes one request.
        lanes: Shared by all readers.
        stopped: Ends every wait.
    """

    def __init__(self, get: Get, lanes: Lanes, stopped: threading.Event) -> None:
        self._get = get
        self._lanes = lanes
        self._stopped = stopped
        self._unpacked = threading.Semaphore(PAGES_UNPACKED)
        self._ended: queue.SimpleQueue[_Call] = queue.SimpleQueue()
        self._held = _Held(lanes.memory, stopped)  # by what the reader works on
        self._closed = False
        self._took: deque[float] = deque(maxlen=FEW)
        self._busy = 0
        self._packed_bytes = self._unpacked_bytes = 0  # of the largest answer
        self._alone = False  # whether the operating system has refused a thread

    def __call__(self, path: str, params: Mapping[str, str | int], decode: Callable[[bytes], T], *, patient: bool = True) -> T:
        """Return the decoded body. The reader MUST be done with the last one."""

        def decode_held(answer: Response) -> T:
            self._held.give_back()
            # Other answers of this reader may hold the room, and be taken back only after this one.
            return decode(self._held.unpack(answer, wait=not self._busy))

        return self._get(path, params, decode_held, patient=patient, took=self._took.append)

    def start(self, call: Callable[[Fetch], object]) -> None:
        """Begin a call in the background, or make it here where the operating system allows no more threads."""
        self._lanes.enter()
        self._busy += 1
        ended = _Call(_Room(self._unpacked, self._stopped), _Held(self._lanes.memory, self._stopped))
        try:
            threading.Thread(target=self._run, args=(call, self._fetch_into(ended), ended), name="request", daemon=True).start()
        except RuntimeError:
            self._alone = True
            self._run(call, self, ended)  # without waiting for room, which only this thread could make

    def finished(self) -> Any:  # noqa: ANN401  whatever the call returns
        """Wait for the next call to end, and return its result or raise its error. The reader MUST be done with the last."""
        self._held.give_back()
        while not self._stopped.is_set():
            try:
                ended = self._ended.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            ended.room.give_back()
            self._held = ended.held
            self._busy -= 1
            if ended.error is not None:
                raise ended.error
            return ended.result
        raise Stopped

    def close(self) -> None:
        """Give back all memory. To be called when the reader has ended, however it did."""
        self._closed = True
        self._held.give_back()
        self._give_back_ended()

    def spare(self) -> int:
        """How many more calls it pays to start now."""
        took = tuple(self._took)
        slow = min(took, default=0) >= SLOW_SECONDS and sum(took) >= SURE_SECONDS
        return min(self._lanes.free(), self._fitting()) if slow and not self._alone else 0

    def _fitting(self) -> int:
        """How many more answers fit in memory, if each were as large as the largest so far."""
        unpacked = 2 * PAGES_UNPACKED * self._unpacked_bytes  # as text, and cut into records
        return max(0, (MOST_BYTES - unpacked) // max(1, self._packed_bytes) - self._busy)

    def _run(self, call: Callable[[Fetch], object], fetch: Fetch, ended: _Call) -> None:
        try:
            ended.result = call(fetch)
        except BaseException as caught:  # noqa: BLE001  it is raised where the result is waited for
            ended.error = caught
        self._lanes.leave()
        self._ended.put(ended)
        if self._closed:
            self._give_back_ended()

    def _give_back_ended(self) -> None:
        """Give back what calls hold that nobody waits for any more."""
        with suppress(queue.Empty):
            while True:
                ended = self._ended.get_nowait()
                ended.held.give_back()
                ended.room.give_back()

    def _fetch_into(self, into: _Call) -> Fetch:
        """A ``Fetch`` that unpacks an answer only where there is room for it, and holds on to the room if it can be used."""

        def fetch(path: str, params: Mapping[str, str | int], decode: Callable[[bytes], T], *, patient: bool = True) -> T:
            def decode_in_room(answer: Response) -> T:
                into.held.give_back()  # of an answer that the call asks for again; it would wait for itself
                into.room.take()
                try:
                    body = into.held.unpack(answer)
                    self._packed_bytes = max(self._packed_bytes, len(answer.content))
                    self._unpacked_bytes = max(self._unpacked_bytes, len(body))
                    return decode(body)
                except BaseException:
                    into.held.give_back()
                    into.room.give_back()
                    raise

            return self._get(path, params, decode_in_room, patient=patient, took=self._took.append)

        return fetch
