"""The sandbox's clock: real time, or a fixed time that a test moves."""

import time
from datetime import UTC, datetime

Timestamp = float | int | str | datetime


def to_epoch(timestamp: Timestamp) -> float:
    """Convert epoch seconds, an ISO string or a datetime to epoch seconds. Without a time zone it is UTC.

    Raises:
        ValueError: the string is no ISO timestamp.
    """
    if isinstance(timestamp, str):
        timestamp = datetime.fromisoformat(timestamp)
    if isinstance(timestamp, datetime):
        return (timestamp.replace(tzinfo=UTC) if timestamp.tzinfo is None else timestamp).timestamp()
    return float(timestamp)


class SandboxClock:
    """A clock that can be moved.

    Without ``now`` it follows real time. With ``now`` it starts at that time and moves only by `advance` and `set`,
    unless ``ticking`` lets real time pass on top.
    """

    def __init__(self, now: Timestamp | None = None, *, ticking: bool = False) -> None:
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

    def set(self, now: Timestamp) -> None:
        """Set the clock."""
        self._offset = to_epoch(now) - (time.time() if self._ticking else 0.0)
