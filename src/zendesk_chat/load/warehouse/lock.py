"""Keeps a second sync out of a schema while one loads into it: two would double rows, because they share a staging schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import dlt

from zendesk_chat.clock import Clock
from zendesk_chat.errors import DestinationError
from zendesk_chat.load.warehouse.kinds import Kind
from zendesk_chat.load.warehouse.location import location

_POLL_SECONDS: Final = 0.5
KEPT_SECONDS: Final = 60.0
"""How often a lock is checked while records arrive. A full refresh may read for hours before it writes."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long to wait for another sync.

    Attributes:
        on_wait: Called with a message when waiting begins.
    """

    clock: Clock
    seconds: float
    on_wait: Callable[[str], object]

    def until(self, acquired: Callable[[], bool], where: str) -> None:
        """Call ``acquired`` until it returns True. Raises DestinationError if the time is over."""
        if acquired():
            return
        if self.seconds:
            self.on_wait(f"Another sync is loading into {where}; waiting up to {self.seconds:g} s")
        end = self.clock.monotonic() + self.seconds
        while self.clock.monotonic() < end:
            self.clock.sleep(min(_POLL_SECONDS, self.seconds))
            if acquired():
                return
        more = f" after {self.seconds:g} s" if self.seconds else ""
        raise DestinationError(
            f"Another sync is{' still' if more else ''} loading into {where}{more}. Try again when it has ended, or add "
            "--wait SECONDS."
        )


class Lock(Protocol):
    """A lock that this run has."""

    def check(self) -> None:
        """Check that no other sync can have started, and keep the lock. Raises an error of the destination otherwise."""


class KeptLock:
    """A lock that is checked from time to time, also while a run writes nothing."""

    def __init__(self, lock: Lock, clock: Clock) -> None:
        self._lock = lock
        self._clock = clock
        self._checked_at = clock.monotonic()

    def check(self) -> None:
        """Check the lock before a transaction."""
        self._lock.check()
        self._checked_at = self._clock.monotonic()

    def keep(self) -> None:
        """Check the lock if the last check was a while ago."""
        if self._clock.monotonic() - self._checked_at >= KEPT_SECONDS:
            self.check()


@contextmanager
def locked(kind: Kind, pipeline: dlt.Pipeline, name: str, waiting: Waiting) -> Iterator[KeptLock]:
    """Keep other syncs out of the pipeline's schema while the block runs.

    Raises:
        DestinationError: Another sync loads into it, longer than ``waiting`` permits.
    """
    lock_of = _lock_of(kind)
    with lock_of(pipeline, location(kind, pipeline.dataset_name, name), waiting) as lock:
        yield KeptLock(lock, waiting.clock)


def _lock_of(kind: Kind) -> Callable[[dlt.Pipeline, str, Waiting], AbstractContextManager[Lock]]:
    match kind.lock:
        case "advisory":
            from zendesk_chat.load.warehouse.postgres_lock import advisory_lock

            return advisory_lock
        case "named":
            from zendesk_chat.load.warehouse.mysql import named_lock

            return named_lock
        case "file":
            from zendesk_chat.load.warehouse.sqlite import file_lock

            return file_lock
        case "catalog":
            from zendesk_chat.load.warehouse.ducklake import catalog_lock

            return catalog_lock
        case "folder":
            from zendesk_chat.load.warehouse.lake_opening import locked_folder

            return locked_folder
        case "rows":
            from zendesk_chat.load.warehouse.row_lock import row_lock

            return row_lock
