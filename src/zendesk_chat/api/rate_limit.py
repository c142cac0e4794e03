"""One rate limiter for all requests of a process. It slows down when the API responds with 429.

Until the first 429, a minute's requests may start immediately. A 429 means that another client uses the same quota, or that
the API allows only smaller bursts. From then on, requests start evenly spaced. Bursts do not come back: an even pace at the
limit is as fast, and a server that allows only small bursts would refuse each of them.

Example: the limit is 200 a minute, so 200 requests may start at once. On a 429, the pace becomes 0.7 x 200 = 140 a minute: one
request every 61 / 140 = 0.44 s. Each minute without a 429 adds 0.1 x 200 = 20.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from zendesk_chat.api.retry import ThrottlingEpisode
from zendesk_chat.api.shared_quota import SharedQuota
from zendesk_chat.clock import Clock

WINDOW_SECONDS: Final = 61.0  # a minute, plus a margin for requests that overtake each other on the way
SLOWER: Final = 0.7  # factor for the pace when a throttling episode begins
FASTER: Final = 0.1  # what each minute without a 429 adds to it, as a share of the limit
SLOWEST_PER_MINUTE: Final = 12.0
EARLY_SECONDS: Final = 0.001  # a wait may end this much early, because clocks round
LATE_SECONDS: Final = 0.15  # a thread that wakes up this late keeps its start time, and does not delay those behind it


@dataclass(eq=False, slots=True)
class _Start:
    """A request: its planned start, and later its actual one."""

    time: float = inf


class RateLimiter:
    """Lets at most ``per_minute`` requests start in any minute, none during a pause, and fewer after the API refused some.

    Each waiting thread sleeps until its own start time, and sleeps again only if there was a pause or a slower pace meanwhile.
    All times are seconds of the clock's ``monotonic``. With ``shared``, the requests of other processes count too.
    """

    def __init__(self, per_minute: int, clock: Clock, shared: SharedQuota | None = None) -> None:
        self._limit = per_minute
        self._clock = clock
        self._shared = shared
        self._lock = threading.Lock()
        self._starts: deque[float] = deque(maxlen=per_minute)
        self._waiting: list[_Start] = []
        self._paused_until = 0.0
        self._pace: float | None = None  # requests per minute after the last 429; None before the first
        self._refused_at = -inf
        self._episode_began = -inf
        self._refusals = 0

    def acquire(self, on_wait: Callable[[float], None], sleep: Callable[[float], None] | None = None) -> float:
        """Wait until one request may start. Return its start time, for ``passed`` or ``refused`` when the response arrives.

        Args:
            on_wait: Called with the seconds of each wait before it begins.
            sleep: Waits; default: the clock does. Pass it if several runs share this limiter and each ends its own waits.
        """
        start = _Start()
        try:
            while (seconds := self._take(start)) is not None:
                on_wait(seconds)
                (sleep or self._clock.sleep)(seconds)
        finally:
            with self._lock:
                if start in self._waiting:
                    self._waiting.remove(start)
        return start.time

    def free_slots(self) -> int:
        """Return how many requests could start now without waiting."""
        with self._lock:
            now = self._clock.monotonic()
            planned = self._planned(now)
            if self._earliest(planned, now) > now + EARLY_SECONDS:
                return 0
            if self._pace is not None:
                return 1 if self._shared is None else min(1, self._shared.free_slots(WINDOW_SECONDS))
            free = self._limit - sum(start > now + EARLY_SECONDS - WINDOW_SECONDS for start in planned)
            return free if self._shared is None else min(free, self._shared.free_slots(WINDOW_SECONDS))

    def pause(self, seconds: float) -> None:
        """Let no request start for this many seconds, as the API asked."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock.monotonic() + seconds)
            if self._shared is not None:
                self._shared.pause(seconds)

    def passed(self, started_at: float) -> None:
        """Record a response other than 429. It ends a throttling episode, unless the request started before the episode."""
        with self._lock:
            if started_at > self._refused_at:
                self._refusals = 0

    def refused(self, started_at: float) -> ThrottlingEpisode:
        """Record a 429, and slow down if it begins a throttling episode.

        Two kinds of 429 do not slow down further: those of requests that were already in flight at the last 429, and later
        ones in the same episode, before a request has passed at the new pace.
        """
        with self._lock:
            now = self._clock.monotonic()
            counts = started_at > self._refused_at
            if counts:
                self._pace = self._pace_at(now)
                if not self._refusals:
                    self._pace, self._episode_began = slower(self._pace, self._limit), now
                self._refusals += 1
                self._refused_at = now
            return ThrottlingEpisode(counts=counts, refusals=max(1, self._refusals), seconds=now - self._episode_began)

    def _take(self, start: _Start) -> float | None:
        """Start now and return None, or queue and return the seconds until the start time."""
        with self._lock:
            now = self._clock.monotonic()
            waited = start in self._waiting
            if waited:
                self._waiting.remove(start)
            planned = self._planned(now)
            earliest = self._earliest(self._starts if waited else planned, now)  # no request overtakes those that wait
            if earliest > now + EARLY_SECONDS:
                start.time = max(earliest, self._earliest(planned, now))
            elif (seconds := self._shared.start(WINDOW_SECONDS) if self._shared else 0.0) > 0:
                start.time = now + seconds
            else:
                self._starts.append(now if self._pace is None else max(earliest, now - LATE_SECONDS))
                start.time = now
                return None
            self._waiting.append(start)
            return start.time - now

    def _planned(self, now: float) -> list[float]:
        """Return past and planned starts. A start time that was missed, or that falls in a pause, is free again."""
        valid_from = max(now - LATE_SECONDS, self._paused_until)
        return [*self._starts, *sorted(start.time for start in self._waiting if start.time >= valid_from)]

    def _earliest(self, starts: Sequence[float], now: float) -> float:
        gap = 0.0 if self._pace is None else WINDOW_SECONDS / self._pace_at(now)
        return max(self._paused_until, next_start(starts, self._limit, gap))

    def _pace_at(self, now: float) -> float:
        """Return the pace in requests per minute, as recovered since the last 429 and the pause after it."""
        if self._pace is None:
            return self._limit
        return recovered(self._pace, self._limit, now - max(self._refused_at, self._paused_until))


def next_start(starts: Sequence[float], limit: int, gap: float) -> float:
    """Return the earliest time for one more request: at most ``limit`` in a window, ``gap`` seconds after the last one."""
    window_opens = starts[-limit] + WINDOW_SECONDS if len(starts) >= limit else -inf
    return max(window_opens, starts[-1] + gap) if gap and starts else window_opens


def slower(pace: float, limit: int) -> float:
    """Return the pace after a throttling episode began. Paces and limits are requests per minute."""
    return max(pace * SLOWER, min(limit, SLOWEST_PER_MINUTE))


def recovered(pace: float, limit: int, seconds: float) -> float:
    """Return the pace after this many seconds without a 429."""
    return min(limit, pace + limit * FASTER * max(0.0, seconds) / 60)
