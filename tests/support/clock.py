"""A clock on which waits take no time."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

from zendesk_chat.clock import Stopped, SystemClock

NOW = 1_795_000_000.0


class FakeClock(SystemClock):
    """A clock that is still, and that a wait moves forward at once.

    Attributes:
        time: Seconds since 1970 of a clock that is not running.
        waits: The seconds of each wait of a clock that is not running, without the waits for nothing.
    """

    def __init__(
        self,
        time: float = NOW,
        *,
        running: bool = False,
        skipped: threading.local | SimpleNamespace | None = None,
        in_turns: bool = False,
        late: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """A clock of one of three kinds.

        Args:
            time: Where a clock that is not running begins.
            running: The machine's time passes too.
            skipped: Where a running clock keeps the seconds that waits skipped: by default, only the thread that waited
                sees them pass. Clocks that share a ``SimpleNamespace`` show them to all threads.
            in_turns: One of the threads of `run` runs at a time; when all wait, time moves to the first that is due.
            late: Gives the seconds that a thread in turns wakes too late.
        """
        super().__init__()
        self.time = time
        self.waits: list[float] = []
        self._lock = threading.Lock()
        self._skipped = (skipped or threading.local()) if running else None
        self._in_turns = in_turns
        self._late = late
        self._sleepers: list[tuple[float, int, threading.Semaphore]] = []
        self._order = itertools.count()
        self._errors: list[BaseException] = []

    def now(self) -> float:
        return self.time if self._skipped is None else super().now()

    def monotonic(self) -> float:
        return self.time - NOW if self._skipped is None else time.monotonic() + getattr(self._skipped, "seconds", 0.0)

    def sleep(self, seconds: float) -> None:
        self.check()
        if self._skipped is not None:
            self._skipped.seconds = getattr(self._skipped, "seconds", 0.0) + seconds
            super().sleep(min(seconds, 0.001))
        elif self._in_turns:
            gate = self._gate(seconds + self._late())
            self._wake_next()
            gate.acquire()
            self.check()
        else:
            with self._lock:
                if seconds:
                    self.waits.append(seconds)
                self.time += seconds

    def run(self, *works: Callable[[], object]) -> None:
        """Do all works, each in a thread that takes turns, and raise the first error of any but Stopped."""
        threads = [threading.Thread(target=self._work, args=(work, self._gate(0))) for work in works]
        for thread in threads:
            thread.start()
        self._wake_next()
        for thread in threads:
            thread.join()
        for error in self._errors:
            raise error

    def _gate(self, seconds: float) -> threading.Semaphore:
        gate = threading.Semaphore(0)
        heapq.heappush(self._sleepers, (self.time + seconds, next(self._order), gate))
        return gate

    def _wake_next(self) -> None:
        if self._sleepers:
            self.time, _, gate = heapq.heappop(self._sleepers)
            gate.release()

    def _work(self, work: Callable[[], object], gate: threading.Semaphore) -> None:
        gate.acquire()
        try:
            work()
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001  raised by run()
            self._errors.append(error)
        finally:
            self._wake_next()
