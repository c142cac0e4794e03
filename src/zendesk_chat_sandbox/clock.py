"""The sandbox's own idea of now: real time, or a moment that stands still until a test moves it."""

import time
from datetime import UTC, datetime

Moment = float | int | str | datetime


def to_epoch(moment: Moment) -> float:
    """Convert epoch seconds, an ISO string or a datetime to epoch seconds. Without a time zone it is UTC.

    Raises:
        ValueError: the string is no ISO timestamp.
    """
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, datetime):
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).timestamp()
    return float(moment)


class SandboxClock:
    """A clock that can be moved.

    Without ``now`` it follows real time. With ``now`` it stands at that moment and moves only by `advance` and `set`,
    unless ``ticking`` lets real time pass on top.
    """

    def __init__(self, now: Moment | None = None, *, ticking: bool = False) -> None:
        self._ticking = ticking or now is None
        self._offset = 0.0
        if now is not None:
            self.set(now)

    def time(self) -> float:
        """Return now in epoch seconds."""
        return (time.time() + self._offset) if self._ticking else self._offset

    def seconds(self) -> int:
        """Return now in whole epoch seconds."""
        return int(self.time())

    def advance(self, seconds: float) -> None:
        """Move the clock, forwards or (negative) backwards."""
        self._offset += seconds

    def set(self, now: Moment) -> None:
        """Put the clock to a moment."""
        self._offset = to_epoch(now) - (time.time() if self._ticking else 0.0)
