"""When people write to the simulated account: working hours, weekends, a season and some growth.

The account works in Lisbon, whose winter time is UTC; hours here are hours of UTC.
"""

from itertools import accumulate
from math import cos, pi
from random import Random
from typing import Final

from zendesk_chat_sandbox.timestamps import DAY_SECONDS

HOUR_SECONDS: Final = 3_600
_MOST_DAYS: Final = 400
_LEAST_DAYS: Final = 90
_CHATS_A_DAY: Final = 67
"""A smaller account has a shorter history rather than a few chats a day."""
_HOURS: Final = (
    9, 6, 4, 3, 3, 4, 9, 25, 62, 96, 118, 112, 88, 92, 108, 104, 92, 76, 58, 46, 40, 32, 22, 14,
)  # fmt: skip
_WEEKDAYS: Final = (1.22, 1.1, 1.02, 1.0, 0.92, 0.42, 0.3)
"""From Monday to Sunday."""
_EPOCH_WEEKDAY: Final = 3  # 1970-01-01 was a Thursday
_GROWTH: Final = 0.35
_SEASON: Final = 0.18
_SEASON_PEAK_DAY: Final = 335
_YEAR_DAYS: Final = 365.25
_NOISE: Final = 0.12
_LATE_SHARE: Final = 0.06


def history_days(chats: int) -> int:
    """Return over how many days the history of so many chats goes back."""
    return min(_MOST_DAYS, max(_LEAST_DAYS, chats // _CHATS_A_DAY))


def weekday_of(day: int) -> int:
    """Return the weekday of a day since 1970: 0 for Monday, 6 for Sunday."""
    return (day + _EPOCH_WEEKDAY) % 7


def arrival_times(random: Random, count: int, now: int) -> list[int]:
    """Return the epoch seconds, ascending and before ``now``, at which so many visitors start to write."""
    if not count:
        return []
    days = history_days(count)
    first = now // DAY_SECONDS - days + 1
    hours = range(first * 24, now // HOUR_SECONDS + 1)
    busy = {day: _busyness(random, day, (day - first) / days) for day in range(first, now // DAY_SECONDS + 1)}
    weights = [busy[hour // 24] * _HOURS[hour % 24] for hour in hours]
    weights[-1] *= (now % HOUR_SECONDS + 1) / HOUR_SECONDS
    chosen = random.choices(hours, cum_weights=list(accumulate(weights)), k=count)
    return sorted(min(now - 1, hour * HOUR_SECONDS + int(random.random() * HOUR_SECONDS)) for hour in chosen)


def _busyness(random: Random, day: int, progress: float) -> float:
    """Return how busy a day is; ``progress`` goes from 0 at the start of the history to 1 at its end."""
    season = 1 + _SEASON * cos(2 * pi * (day % _YEAR_DAYS - _SEASON_PEAK_DAY) / _YEAR_DAYS)
    return _WEEKDAYS[weekday_of(day)] * season * (1 + _GROWTH * progress) * random.uniform(1 - _NOISE, 1 + _NOISE)


def late_update(random: Random, end: int, now: int) -> int:
    """Return when a chat was last touched: mostly minutes after it ended, at times weeks; never after ``now``."""
    delay = random.randint(5, 600) if random.random() > _LATE_SHARE else random.randint(3_600, 30 * DAY_SECONDS)
    return max(end, min(end + delay, now - 1))
