"""Requests of one reader side by side, in threads of their own, where the API is slow enough for that to pay."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeVar

from source_zendesk_chat.api.transport import Response
from source_zendesk_chat.clock import Stopped
from source_zendesk_chat.streams.stream import Fetch

T = TypeVar("T")
AT_ONCE: Final = 16
MOST_BYTES: Final = 48 * 2**20  # that the answers of one reader may take up, those under way included
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


class Lanes:
    """How many calls of all readers together are under way.

    Args:
        room: How many requests the quota has room for at the moment.
    """

    def __init__(self, room: Callable[[], int]) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._busy = 0

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


class _Room:
    """The room that a call takes up in memory from unpacking its answer on."""

    def __init__(self, room: threading.Semaphore, stopped: threading.Event) -> None:
        self._room = room
        self._stopped = stopped
        self._taken = 0

    def take(self) -> None:
        """Wait for it."""
        while not self._room.acquire(timeout=POLL_SECONDS):
            if self._stopped.is_set():
                raise Stopped
        self._taken += 1

    def give_back(self) -> None:
        """Let another call have it."""
        while self._taken:
            self._taken -= 1
            self._room.release()


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
        self._ended: queue.SimpleQueue[tuple[object, BaseException | None, _Room]] = queue.SimpleQueue()
        self._took: deque[float] = deque(maxlen=FEW)
        self._busy = 0
        self._packed_bytes = self._unpacked_bytes = 0  # of the largest answer
        self._alone = False  # whether the operating system has refused a thread

    def __call__(self, path: str, params: Mapping[str, str | int], decode: Callable[[bytes], T], *, patient: bool = True) -> T:
        """Return the decoded body."""
        return self._get(path, params, lambda answer: decode(answer.body), patient=patient, took=self._took.append)

    def start(self, call: Callable[[Fetch], object]) -> None:
        """Begin a call in the background, or make it here where the operating system allows no more threads."""
        self._lanes.enter()
        self._busy += 1
        room = _Room(self._unpacked, self._stopped)
        try:
            threading.Thread(target=self._run, args=(call, self._fetch_into(room), room), name="request", daemon=True).start()
        except RuntimeError:
            self._alone = True
            self._run(call, self, room)  # without waiting for room, which only this thread could make

    def finished(self) -> Any:  # noqa: ANN401  whatever the call returns
        """Wait for the next call to end, and return its result or raise its error."""
        while not self._stopped.is_set():
            try:
                result, error, room = self._ended.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            room.give_back()
            self._busy -= 1
            if error is not None:
                raise error
            return result
        raise Stopped

    def spare(self) -> int:
        """How many more calls it pays to start now."""
        took = tuple(self._took)
        slow = min(took, default=0) >= SLOW_SECONDS and sum(took) >= SURE_SECONDS
        return min(self._lanes.free(), self._fitting()) if slow and not self._alone else 0

    def _fitting(self) -> int:
        """How many more answers fit in memory, if each were as large as the largest so far."""
        unpacked = 2 * PAGES_UNPACKED * self._unpacked_bytes  # as text, and cut into records
        return max(0, (MOST_BYTES - unpacked) // max(1, self._packed_bytes) - self._busy)

    def _run(self, call: Callable[[Fetch], object], fetch: Fetch, room: _Room) -> None:
        result, error = None, None
        try:
            result = call(fetch)
        except BaseException as caught:  # noqa: BLE001  it is raised where the result is waited for
            error = caught
        self._lanes.leave()
        self._ended.put((result, error, room))

    def _fetch_into(self, room: _Room) -> Fetch:
        """A ``Fetch`` that unpacks an answer only where there is room for it, and holds on to the room if it can be used."""

        def fetch(path: str, params: Mapping[str, str | int], decode: Callable[[bytes], T], *, patient: bool = True) -> T:
            def decode_in_room(answer: Response) -> T:
                room.take()
                try:
                    body = answer.body
                    self._packed_bytes = max(self._packed_bytes, len(answer.content))
                    self._unpacked_bytes = max(self._unpacked_bytes, len(body))
                    return decode(body)
                except BaseException:
                    room.give_back()
                    raise

            return self._get(path, params, decode_in_room, patient=patient, took=self._took.append)

        return fetch
