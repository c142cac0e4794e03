"""One limiter for all requests of a process, which learns from being refused.

Until the first 429 it lets a whole minute's requests out as fast as they come. A 429 means that the minute is shared with
somebody or that the API counts with a smaller burst, so from then on requests go out evenly spaced at a learned pace. Bursts do
not come back: with work to do an even pace at the limit is as fast, and a server with a small burst would refuse each of them.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final

from zendesk_chat.api.retry import Spell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from zendesk_chat.clock import Clock

WINDOW_SECONDS: Final = 61.0  # a minute, and a margin for requests that overtake each other on the way
SLOWER: Final = 0.7  # the pace after a spell of 429 begins, as a share of the one before
FASTER: Final = 0.1  # what each minute without a 429 adds to it, as a share of the limit
SLOWEST_PER_MINUTE: Final = 12.0
EARLY_SECONDS: Final = 0.001  # a wait may end so much early, because clocks round
LATE_SECONDS: Final = 0.15  # a thread that wakes so much late still has its moment, and does not delay those behind it


@dataclass(eq=False, slots=True)
class _Place:
    """A request's place in line; ``moment`` is when it may start, and in the end when it did."""

    moment: float = inf


class RateLimiter:
    """Lets at most ``per_minute`` requests start in any minute, none while the API asked to wait, fewer once it refused some.

    Each waiting thread has a moment of its own and sleeps until then; it sleeps again only if a pause or a slower pace came
    between. All moments are seconds of the clock's ``monotonic``.
    """

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._limit = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._starts: deque[float] = deque(maxlen=per_minute)
        self._line: list[_Place] = []
        self._paused_until = 0.0
        self._pace: float | None = None  # requests per minute after the last 429; None before the first
        self._refused_at = -inf
        self._spell_began = -inf
        self._in_a_row = 0

    def acquire(self, on_wait: Callable[[float], None], sleep: Callable[[float], None] | None = None) -> float:
        """Take the right to start one request, waiting for it as long as needed.

        Args:
            on_wait: Called with the seconds of each wait before it.
            sleep: Waits, where several runs share this limiter and each ends its own waits; else the limiter's clock does.

        Returns:
            The moment the request was let out, which ``passed`` and ``refused`` are told with the answer.
        """
        place = _Place()
        try:
            while (seconds := self._take(place)) is not None:
                on_wait(seconds)
                (sleep or self._clock.sleep)(seconds)
        finally:
            self._leave(place)
        return place.moment

    def free_slots(self) -> int:
        """How many requests could start now without waiting."""
        with self._lock:
            now = self._clock.monotonic()
            planned = self._planned(now)
            if self._earliest(planned, now) > now + EARLY_SECONDS:
                return 0
            if self._pace is not None:
                return 1
            return self._limit - sum(start > now + EARLY_SECONDS - WINDOW_SECONDS for start in planned)

    def pause(self, seconds: float) -> None:
        """Hold every request back for some time, because the API said so."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock.monotonic() + seconds)

    def passed(self, let_out: float) -> None:
        """Learn that the API answered a request: a spell of 429 is over, unless the request is older."""
        with self._lock:
            if let_out > self._refused_at:
                self._in_a_row = 0

    def refused(self, let_out: float) -> Spell:
        """Learn of a 429, and slow down if it begins a spell.

        A request that was already under way at the last 429 says nothing new. Neither do those that only find the spell still
        going on: the pace is judged by what happens once requests pass again.
        """
        with self._lock:
            now = self._clock.monotonic()
            news = let_out > self._refused_at
            if news:
                self._pace = self._pace_at(now)
                if not self._in_a_row:
                    self._pace, self._spell_began = slower(self._pace, self._limit), now
                self._in_a_row += 1
                self._refused_at = now
            return Spell(news=news, refusals=max(1, self._in_a_row), seconds=now - self._spell_began)

    def _take(self, place: _Place) -> float | None:
        """Start now and return None, or take a place in line and return the seconds until its moment."""
        with self._lock:
            now = self._clock.monotonic()
            waited = place in self._line
            if waited:
                self._line.remove(place)
            planned = self._planned(now)
            earliest = self._earliest(self._starts if waited else planned, now)  # nobody overtakes those in line
            if earliest > now + EARLY_SECONDS:
                place.moment = max(earliest, self._earliest(planned, now))
                self._line.append(place)
                return place.moment - now
            self._starts.append(now if self._pace is None else max(earliest, now - LATE_SECONDS))
            place.moment = now
            return None

    def _leave(self, place: _Place) -> None:
        with self._lock:
            if place in self._line:
                self._line.remove(place)

    def _planned(self, now: float) -> list[float]:
        """Past starts and the moments of those in line; one that was missed, or that a pause overtook, is free again."""
        valid_from = max(now - LATE_SECONDS, self._paused_until)
        return [*self._starts, *sorted(place.moment for place in self._line if place.moment >= valid_from)]

    def _earliest(self, starts: Sequence[float], now: float) -> float:
        gap = 0.0 if self._pace is None else WINDOW_SECONDS / self._pace_at(now)
        return max(self._paused_until, next_start(starts, self._limit, gap))

    def _pace_at(self, now: float) -> float:
        """Requests per minute, as far as the pace has recovered since the last 429 and the pause after it."""
        if self._pace is None:
            return self._limit
        return recovered(self._pace, self._limit, now - max(self._refused_at, self._paused_until))


def next_start(starts: Sequence[float], limit: int, gap: float) -> float:
    """The earliest moment for one more request: at most ``limit`` in a window, and ``gap`` seconds after the last, if any."""
    window_opens = starts[-limit] + WINDOW_SECONDS if len(starts) >= limit else -inf
    return max(window_opens, starts[-1] + gap) if gap and starts else window_opens


def slower(pace: float, limit: int) -> float:
    """The pace after a spell of 429 began; paces and limits are requests per minute."""
    return max(pace * SLOWER, min(limit, SLOWEST_PER_MINUTE))


def recovered(pace: float, limit: int, seconds: float) -> float:
    """The pace after so many seconds without a 429."""
    return min(limit, pace + limit * FASTER * max(0.0, seconds) / 60)
