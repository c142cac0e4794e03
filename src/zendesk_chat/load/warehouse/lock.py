"""Keeps a second sync out of a schema while one loads into it: two would double rows, because they share a staging schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import dlt

from zendesk_chat.clock import Clock
from zendesk_chat.errors import DestinationError
from zendesk_chat.load.warehouse.kinds import Kind

_POLL_SECONDS: Final = 0.5


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
        """Check before a transaction that no other sync can have started. Raises an error of the destination otherwise."""


class NoLock:
    """For a destination that cannot lock."""

    def check(self) -> None:
        """Do nothing."""


def location(kind: Kind, dataset: str, name: str) -> str:
    """Return what messages call the tables of one account: a schema of a destination, a folder, or an SQLite file."""
    if kind.table_format is not None:
        return f"{name.rstrip('/')}/{dataset}"
    return name if kind.name == "sqlite" else f"the {'database' if kind.in_url else 'schema'} {dataset} of {name}"


@contextmanager
def locked(kind: Kind, pipeline: dlt.Pipeline, name: str, waiting: Waiting) -> Iterator[Lock]:
    """Keep other syncs out of the pipeline's schema while the block runs.

    Raises:
        DestinationError: Another sync loads into it, longer than ``waiting`` permits.
    """
    where = location(kind, pipeline.dataset_name, name)
    match kind.lock:
        case "advisory":
            from zendesk_chat.load.warehouse.postgres_lock import advisory_lock

            with advisory_lock(pipeline, where, waiting) as lock:
                yield lock
        case "named":
            from zendesk_chat.load.warehouse.mysql import named_lock

            with named_lock(pipeline, where, waiting) as lock:
                yield lock
        case "file":
            from zendesk_chat.load.warehouse.sqlite import file_lock

            with file_lock(pipeline, where, waiting) as lock:
                yield lock
        case "catalog":
            from zendesk_chat.load.warehouse.ducklake import catalog_lock

            with catalog_lock(pipeline, where, waiting) as lock:
                yield lock
        case "folder":
            from zendesk_chat.load.warehouse.lake_opening import locked_folder

            with locked_folder(pipeline, where, waiting) as lock:
                yield lock
        case "rows":
            from zendesk_chat.load.warehouse.row_lock import row_lock

            with row_lock(pipeline, where, waiting) as lock:
                yield lock
