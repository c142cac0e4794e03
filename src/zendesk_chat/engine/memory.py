"""The memory of decompressed responses, shared by all readers of a run."""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

from zendesk_chat.api.body import MAX_BODY_BYTES, TooLargeError
from zendesk_chat.api.transport import Response
from zendesk_chat.clock import POLL_SECONDS, Clock

MAX_DECOMPRESSED_BYTES: Final = 128 * 2**20  # of all readers; a larger response waits until there is no other


class Memory:
    """The bytes of decompressed responses that all readers together hold.

    It serves waiting threads in order, so that a large response gets its turn. A reader releases what it holds before it waits,
    so there is no deadlock.
    """

    def __init__(self, limit: int = MAX_DECOMPRESSED_BYTES) -> None:
        self._limit = limit
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._taken = 0

    def take(self, size: int, clock: Clock, *, wait: bool = True) -> None:
        """Wait until this many bytes are free, or no other response holds any; or just take them. Raises Stopped."""
        turn = object()
        with self._changed:
            self._waiting.append(turn)
            try:
                while wait and (self._waiting[0] is not turn or (self._taken and self._taken + size > self._limit)):
                    clock.check()
                    self._changed.wait(POLL_SECONDS)
                self._taken += size
            finally:
                self._waiting.remove(turn)
                self._changed.notify_all()

    def give_back(self, size: int) -> None:
        """Release this many bytes for other responses."""
        with self._changed:
            self._taken -= size
            self._changed.notify_all()


class HeldMemory:
    """The memory that one decompressed response takes up."""

    def __init__(self, memory: Memory, clock: Clock) -> None:
        self._memory = memory
        self._clock = clock
        self._size = 0

    def decompress(self, answer: Response, *, wait: bool = True) -> bytes:
        """Return the body of a response as soon as there is memory for it.

        The size that a response states may be too small. Then this starts again with twice the memory.
        """
        size = answer.size
        while True:
            self._memory.take(size, self._clock, wait=wait)
            self._size = size
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

    def give_back(self) -> None:
        """Release it for another response."""
        size, self._size = self._size, 0
        self._memory.give_back(size)
