"""Timestamps as the API writes them: UTC, ``Z``, whole seconds for chats and microseconds for spans and events."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

SECOND_US: Final = 1_000_000
DAY_SECONDS: Final = 86_400
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_DOUBLE_OFFSET: Final = re.compile(r"[+-]\d\d:?\d\dZ$")


@lru_cache(maxsize=4096)
def _day(days: int) -> str:
    return (_EPOCH + timedelta(days=days)).strftime("%Y-%m-%d")


@lru_cache(maxsize=16_384)
def _minute(minutes: int) -> str:
    days, minute = divmod(minutes, DAY_SECONDS // 60)
    return f"{_day(days)}T{minute // 60:02d}:{minute % 60:02d}:"


def iso_seconds(seconds: int) -> str:
    """Format epoch seconds, e.g. ``2026-03-14T09:21:01Z``."""
    minutes, second = divmod(seconds, 60)
    return f"{_minute(minutes)}{second:02d}Z"


def iso_micros(micros: int) -> str:
    """Format epoch microseconds, always with six digits, e.g. ``2026-03-14T08:59:32.301292Z``."""
    seconds, fraction = divmod(micros, SECOND_US)
    return f"{iso_seconds(seconds)[:-1]}.{fraction:06d}Z"


def parse_micros(text: str) -> int:
    """Read an ISO timestamp (also the malformed ``...+00:00Z`` that old rows carry) as epoch microseconds.

    Raises:
        ValueError: the text is no timestamp.
    """
    if _DOUBLE_OFFSET.search(text):
        text = text[:-1]
    timestamp = datetime.fromisoformat(text)
    if timestamp.tzinfo is None:
        timestamp = timestamp.replace(tzinfo=UTC)
    return (timestamp - _EPOCH) // _MICROSECOND


def parse_seconds(text: str) -> int:
    """Read an ISO timestamp as whole epoch seconds.

    Raises:
        ValueError: the text is no timestamp.
    """
    return parse_micros(text) // SECOND_US
