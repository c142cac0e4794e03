"""One limiter for all requests of a process."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from source_zendesk_chat.clock import Clock

WINDOW_SECONDS: Final = 61.0  # a minute, and a margin for requests that overtake each other on the way


class RateLimiter:
    """Lets at most ``per_minute`` requests start in any minute, and none while the API asked to wait."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._started: deque[float] = deque()
        self._paused_until = 0.0

    def acquire(self, on_wait: Callable[[float], None]) -> None:
        """Take the right to start one request, waiting for it as long as needed.

        Args:
            on_wait: Called with the seconds of each wait before it.
        """
        while (seconds := self._take()) > 0:
            on_wait(seconds)
            self._clock.sleep(seconds)

    def pause(self, seconds: float) -> None:
        """Hold every request back for some time, because the API said so."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock.monotonic() + seconds)

    def _take(self) -> float:
        """Take a place now and return 0, or return the seconds until one may be free."""
        with self._lock:
            now = self._clock.monotonic()
            if now < self._paused_until:
                return self._paused_until - now
            while self._started and self._started[0] <= now - WINDOW_SECONDS:
                self._started.popleft()
            if len(self._started) >= self._per_minute:
                return self._started[0] + WINDOW_SECONDS - now
            self._started.append(now)
            return 0.0
