"""The memory that decompressed answers take up, shared by all readers of a run."""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

from zendesk_chat.api.body import MAX_BODY_BYTES, TooLargeError
from zendesk_chat.api.transport import Response
from zendesk_chat.clock import POLL_SECONDS, Clock

MAX_DECOMPRESSED_BYTES: Final = 128 * 2**20  # of all readers together; a larger answer waits until there is no other


class Memory:
    """The bytes of decompressed answers that all readers together hold.

    It serves waiting threads in their order, so that a large answer gets its turn. A reader gives back what it holds before it
    waits, so there is no deadlock.
    """

    def __init__(self, limit: int = MAX_DECOMPRESSED_BYTES) -> None:
        self._limit = limit
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._taken = 0

    def take(self, size: int, clock: Clock, *, wait: bool = True) -> None:
        """Wait until there are so many bytes left, or until no other answer holds any; or just take them. Raises Stopped."""
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
        """Let other answers have so many bytes."""
        with self._changed:
            self._taken -= size
            self._changed.notify_all()


class HeldMemory:
    """The memory that one decompressed answer takes up."""

    def __init__(self, memory: Memory, clock: Clock) -> None:
        self._memory = memory
        self._clock = clock
        self._size = 0

    def decompress(self, answer: Response, *, wait: bool = True) -> bytes:
        """Return the body of an answer as soon as there is memory for it.

        The size that an answer states may be too small. Then this begins again with twice as much memory.
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
        """Let another answer have it."""
        size, self._size = self._size, 0
        self._memory.give_back(size)
