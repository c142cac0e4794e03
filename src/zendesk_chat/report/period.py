"""The days that a report covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, TypeAlias

from zendesk_chat.report.arguments import MAX_DAYS

Step: TypeAlias = Literal["day", "week", "month"]

WEEK: Final = 7  # days
_DAILY: Final = 100  # bars that fit beside each other
_WEEKLY: Final = WEEK * _DAILY
_EARLIEST: Final = date(1, 1, 1) + timedelta(days=2 * MAX_DAYS)
_WEEKEND: Final = timedelta(days=3)  # days without a chat at the start of the data, for a weekend with a holiday


@dataclass(frozen=True, slots=True)
class Range:
    """Days from ``start`` to ``end``, both included."""

    start: date
    end: date

    @property
    def weekdays(self) -> tuple[int, ...]:
        """How many Mondays, Tuesdays and so on these days have."""
        weeks, rest = divmod((self.end - self.start).days + 1, WEEK)
        return tuple(weeks + ((weekday - self.start.weekday()) % WEEK < rest) for weekday in range(WEEK))


@dataclass(frozen=True, slots=True)
class Period:
    """The days of a report, in a time zone.

    Attributes:
        days: How many days it has.
        now: The days that the report covers.
        before: As many days before them.
        time_zone: Of the days.
        synced: The day of the last complete sync of chats; None if there was none.
        first_chat: The day of the first chat in the file; None if it has none until the last sync.
        last_chat: Likewise the day of the last one.
    """

    days: int
    now: Range
    before: Range
    time_zone: str
    synced: date | None
    first_chat: date | None
    last_chat: date | None

    @property
    def step(self) -> Step:
        """The length of a step in the charts over time."""
        return "day" if self.days <= _DAILY else "week" if self.days <= _WEEKLY else "month"

    @property
    def is_comparable(self) -> bool:
        """Whether the data cover the period before: they start with it, apart from a long weekend."""
        return self.first_chat is not None and self.first_chat <= self.before.start + _WEEKEND

    @property
    def is_old(self) -> bool:
        """Whether the period ends with the last chat, because there are none in the days until the last sync."""
        return self.synced is not None and self.now.end < self.synced - timedelta(days=1)

    @property
    def ends_early(self) -> bool:
        """Whether the last day of the period was not over at the last sync."""
        return self.synced is None or self.now.end >= self.synced

    def covers_month(self, first: date) -> bool:
        """Whether the data cover a month up to the end of the period, give or take a long weekend at their start."""
        following = (first + timedelta(days=31)).replace(day=1)
        is_over = self.now.end + timedelta(days=0 if self.ends_early else 1) >= following
        return is_over and self.first_chat is not None and self.first_chat <= first + _WEEKEND


def choose_period(days: int, time_zone: str, synced: date | None, active: Sequence[date], today: date) -> Period:
    """Choose the days of a report: they end with the last day that was over at the last complete sync.

    If there are no chats in them, or there was no complete sync, they end with the day of the last chat.

    >>> choose_period(7, "UTC", date(2026, 3, 17), [date(2026, 3, 14), date(2026, 3, 17)], date(2026, 3, 20)).now
    Range(start=datetime.date(2026, 3, 10), end=datetime.date(2026, 3, 16))

    Args:
        days: How many.
        time_zone: Of the days.
        synced: The day of the last complete sync of chats; None if there was none.
        active: The days with chats until then, in order.
        today: The day for a file without chats and without a complete sync.
    """
    end = (synced or today) - timedelta(days=1)
    if active and (synced is None or not any(end - timedelta(days=days) < day <= end for day in active)):
        end = active[-1]
    end = max(end, _EARLIEST)
    start = end - timedelta(days=days - 1)
    before = Range(start - timedelta(days=days), start - timedelta(days=1))
    first, last = (active[0], active[-1]) if active else (None, None)
    return Period(days, Range(start, end), before, time_zone, synced, first, last)
