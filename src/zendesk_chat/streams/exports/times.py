"""Times in a run of an export: which it asks for, and how it writes them. Microseconds since 1970 throughout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zendesk_chat.streams.records import SECOND_US
from zendesk_chat.streams.stream import Bounds

RECENT_US: Final = 330 * SECOND_US  # "start_time" must be older than five minutes; and half a minute for clocks that differ


@dataclass(frozen=True, slots=True)
class RunTimes:
    """The times that matter to a run.

    Attributes:
        now: When it began.
        latest: The latest ``start_time`` that the API accepts.
        overlap_from: Records from here on are remembered, and the next run reads them again.
        start: The first time that a new sync reads.
        end: The first time not to read; None for all.
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
        """Return the times of a run that asks in a unit of so many microseconds."""
        now = int(bounds.now * SECOND_US)
        overlap = max(bounds.lookback * SECOND_US, RECENT_US + 60 * SECOND_US)
        end = None if bounds.end is None else bounds.end * SECOND_US
        return cls(now, floor(now - RECENT_US, unit), floor(now - overlap, unit), bounds.start * SECOND_US, end, unit)

    def floor(self, time: int) -> int:
        """Round a time down to its unit."""
        return floor(time, self.unit)

    def wants(self, time: int) -> bool:
        """Whether a time is before the end of what is wanted."""
        return self.end is None or time < self.end

    def limited(self, time: int) -> int:
        """Return a time, or the end of what is wanted if that comes first."""
        return time if self.end is None else min(time, self.end)


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """How a run asks for records from a time on, as far as it has learned what the API understands.

    Attributes:
        unit: Microseconds in one unit of ``start_time``.
        inclusive: Whether the records at ``start_time`` itself are known to be in the answer.
        fraction: Whether ``start_time``, in seconds, is written with a fraction.
    """

    unit: int
    inclusive: bool
    fraction: bool = False

    def written(self, time: int) -> str | int:
        """Return a time as a ``start_time``."""
        return f"{time // SECOND_US}.{time % SECOND_US:06}" if self.fraction else time // self.unit

    def first_asked(self, time: int) -> int:
        """Return the time to ask from so that all records since a time are in the answer.

        In whole seconds, all since 10.5 s are in the answer to ``start_time=10``, or, where the answer may lack the
        records at ``start_time`` itself, to ``start_time=9``.
        """
        step = 1 if self.fraction else self.unit
        first = floor(time, step)
        return first if self.inclusive else max(0, first - step)


def floor(time: int, unit: int) -> int:
    """Round a time down to its unit."""
    return time - time % unit
