"""Time, as a value that tests replace."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Protocol


class Stopped(Exception):  # noqa: N818  it reports no error: the run was asked to end
    """Raised by a wait in a run that is to end."""


class Clock(Protocol):
    """Where everything here gets its time from."""

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed time; never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait. Raises Stopped when the run is to end."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's own time.

    Attributes:
        stopped: Once set, every wait ends at once with Stopped.
    """

    stopped: threading.Event = field(default_factory=threading.Event)

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some fixed time."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, or raise Stopped as soon as the run is to end."""
        if self.stopped.wait(seconds):
            raise Stopped
