"""Times in a run of an export: which ones it requests, and how it writes them. In microseconds since 1970 throughout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zendesk_chat.streams.records import SECOND_US
from zendesk_chat.streams.stream import Bounds

RECENT_US: Final = 330 * SECOND_US  # "start_time" must be older than five minutes, plus half a minute for clocks that differ


@dataclass(frozen=True, slots=True)
class RunTimes:
    """The times that matter to a run.

    Attributes:
        now: When the run began.
        latest: The latest ``start_time`` that the API accepts.
        overlap_from: Records from this time on are remembered, and the next run reads them again.
        start: The first time that a new sync reads.
        end: The first time not to read; None to read everything.
        unit: Microseconds in one unit of ``start_time``.
    """

    now: int
    latest: int
    overlap_from: int
    start: int = 0
    end: int | None = None
    unit: int = SECOND_US

    @classmethod
    def of(cls, bounds: Bounds, unit: int) -> RunTimes:
        """Return the times of a run whose unit has this many microseconds."""
        now = int(bounds.now * SECOND_US)
        overlap = max(bounds.lookback * SECOND_US, RECENT_US + 60 * SECOND_US)
        end = None if bounds.end is None else bounds.end * SECOND_US
        return cls(now, floor(now - RECENT_US, unit), floor(now - overlap, unit), bounds.start * SECOND_US, end, unit)

    def floor(self, time: int) -> int:
        """Round a time down to its unit."""
        return floor(time, self.unit)

    def wants(self, time: int) -> bool:
        """Return whether a time is before the end of the requested range."""
        return self.end is None or time < self.end

    def limited(self, time: int) -> int:
        """Return a time, or the end of the requested range if that is earlier."""
        return time if self.end is None else min(time, self.end)


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """How a run requests records from a time on, as far as it has learned what the API understands.

    Attributes:
        unit: Microseconds in one unit of ``start_time``.
        inclusive: Whether the response is known to include the records at ``start_time`` itself.
        fraction: Whether ``start_time``, in seconds, is written with a fraction.
    """

    unit: int
    inclusive: bool
    fraction: bool = False

    def written(self, time: int) -> str | int:
        """Return a time as a ``start_time``."""
        return f"{time // SECOND_US}.{time % SECOND_US:06}" if self.fraction else time // self.unit

    def first_asked(self, time: int) -> int:
        """Return the time to request so that the response includes all records since a time.

        In whole seconds, the response to ``start_time=10`` includes all records since 10.5 s. If it may lack the records at
        ``start_time`` itself, the response to ``start_time=9`` includes them.
        """
        step = 1 if self.fraction else self.unit
        first = floor(time, step)
        return first if self.inclusive else max(0, first - step)


def floor(time: int, unit: int) -> int:
    """Round a time down to its unit."""
    return time - time % unit
