"""Time, and whether the run should stop. Tests replace it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

POLL_SECONDS: Final = 0.2  # how often a wait for something else checks whether the run should stop


class Stopped(Exception):  # noqa: N818   not an error: the run was asked to stop
    """Raised by a wait in a run that should stop."""


class Clock(Protocol):
    """The source of time for everything here."""

    @property
    def stopped(self) -> bool:
        """Whether the run should stop."""

    def now(self) -> float:
        """Return the seconds since 1970-01-01 UTC."""

    def monotonic(self) -> float:
        """Return the seconds since some fixed time. They never decrease."""

    def sleep(self, seconds: float) -> None:
        """Wait. Raises Stopped as soon as the run should stop."""

    def check(self) -> None:
        """Raise Stopped if the run should stop."""

    def stop(self) -> None:
        """Stop the run: every wait ends at once with Stopped."""


class SystemClock:
    """The machine's own time."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._children: list[SystemClock] = []
        self.on_interrupt: Callable[[], object] = lambda: None  # called by a signal handler, so that the user sees a reaction
        self.on_kill: Callable[[], object] = lambda: None  # called before the process exits although the command is not done

    @property
    def stopped(self) -> bool:
        """Whether the run should stop."""
        return self._stopped.is_set()

    def now(self) -> float:
        """Return the seconds since 1970-01-01 UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Return the seconds since some fixed time."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait. Raises Stopped as soon as the run should stop."""
        if self._stopped.wait(seconds):
            raise Stopped

    def check(self) -> None:
        """Raise Stopped if the run should stop."""
        if self._stopped.is_set():
            raise Stopped

    def stop(self) -> None:
        """Stop the run: every wait ends at once with Stopped."""
        self._stopped.set()
        for child in self._children:
            child.stop()

    def child(self) -> SystemClock:
        """Return a clock for one of several runs: it stops with this one, and this one does not stop with it."""
        child = SystemClock()
        self._children.append(child)
        if self.stopped:  # a signal may have come in between
            child.stop()
        return child

    def kill(self) -> None:
        """Announce that the process exits although the command is not done."""
        self.on_kill()

    def interrupt(self) -> None:
        """Stop the run before it is complete, and report that once."""
        running = not self.stopped
        self.stop()
        if running:
            self.on_interrupt()
