"""Zendesk's time, learned from its responses."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from zendesk_chat.clock import Clock

NEGLIGIBLE_SECONDS: Final = 10.0  # the readers leave a margin of 30 seconds for clocks that differ
WARNING_SECONDS: Final = 60.0
SHOWN_AS_HOURS: Final = 120  # minutes
SHOWN_AS_DAYS: Final = 48 * 60  # minutes
EARLIEST: Final = datetime(2026, 1, 1, tzinfo=UTC).timestamp()  # this program did not exist before
YEAR_SECONDS: Final = 366 * 86_400


class ServerClock:
    """A server's time: this machine's time, corrected by the ``Date`` of the server's first response.

    Requests use it because the API decides by its own clock whether a ``start_time`` is too recent, and when a record becomes
    visible.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known = False
        self._ahead = 0.0

    @property
    def ahead(self) -> float:
        """Seconds by which the machine's clock is ahead of the server's; 0 if unknown or negligible."""
        return self._ahead

    @property
    def stopped(self) -> bool:
        """Whether the run should stop."""
        return self._clock.stopped

    def now(self) -> float:
        """Return the seconds since 1970-01-01 UTC, by the server's clock."""
        return self._clock.now() - self._ahead

    def monotonic(self) -> float:
        """Return the seconds since some fixed time."""
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait. Raises Stopped as soon as the run should stop."""
        self._clock.sleep(seconds)

    def check(self) -> None:
        """Raise Stopped if the run should stop."""
        self._clock.check()

    def stop(self) -> None:
        """Stop the run."""
        self._clock.stop()

    def learn(self, date: str, seconds: float) -> None:
        """Learn the server's time from a response that has just arrived. Only the first one with a date counts.

        Args:
            date: Its ``Date`` header, which has whole seconds; "" if there is none.
            seconds: How long the request took. The server wrote the date in this time; the smallest difference counts.
                Example: a request takes 2 s, and a response dated 12:00:00 arrives at 12:15:01. The server wrote it between
                12:14:59 and 12:15:01 by this machine's clock, and between 12:00:00 and 12:00:01 by its own. So the machine
                is 898 to 901 seconds ahead; 898 counts.
        """
        date_time, now = parse_http_date(date), self._clock.now()
        # A server that is years away is wrong itself, unless this machine has no clock and shows a time before EARLIEST.
        if date_time is None or date_time < EARLIEST or (abs(date_time - now) > YEAR_SECONDS and now >= EARLIEST):
            return
        with self._lock:
            if self._known:
                return
            self._known = True
            highest = now - date_time
            ahead = max(min(highest, 0.0), highest - seconds - 1)
            self._ahead = ahead if abs(ahead) >= NEGLIGIBLE_SECONDS else 0.0

    def warning(self) -> str | None:
        """Return the warning about the machine's clock, or None if it is accurate enough."""
        if abs(self._ahead) < WARNING_SECONDS:
            return None
        minutes, where = round(abs(self._ahead) / 60), "ahead of" if self._ahead > 0 else "behind"
        if minutes >= SHOWN_AS_DAYS:
            much = f"{minutes / 60 / 24:.0f} days"
        elif minutes >= SHOWN_AS_HOURS:
            much = f"{minutes / 60:.0f} hours"
        else:
            much = f"{minutes} minutes" if minutes > 1 else "a minute"
        return (
            f"This machine's clock is {much} {where} Zendesk's. The sync uses Zendesk's time. Set the machine's clock, for "
            "example with NTP."
        )


def parse_http_date(date: str) -> float | None:
    """Return an HTTP date as seconds since 1970, or None if it is not one."""
    try:
        date_time: datetime = parsedate_to_datetime(date)
        return (date_time if date_time.tzinfo else date_time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
