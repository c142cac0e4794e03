"""A temporary directory for records that wait. A later sync removes the one of a sync that was killed."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zendesk_chat.load.warehouse.file_lock import FileLock

if TYPE_CHECKING:
    from zendesk_chat.clock import Clock

PREFIX: Final = "zendesk-chat-sync-"
LOCK: Final = "lock"
YOUNG_SECONDS: Final = 60
"""A directory that changed more recently may be of a sync that has not locked it yet."""


@contextmanager
def working_directory(clock: Clock) -> Iterator[Path]:
    """Create a directory that is removed when the block ends. Remove those of killed syncs of this user."""
    _remove_abandoned(Path(tempfile.gettempdir()), clock.now())
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as name:
        lock = FileLock(Path(name) / LOCK)
        lock.acquire()
        try:
            yield Path(name)
        finally:
            lock.release()


def _remove_abandoned(parent: Path, now: float) -> None:
    for directory in parent.glob(f"{PREFIX}*"):
        with suppress(OSError, sqlite3.Error):  # of another user, or removed meanwhile
            path = directory / LOCK
            if not path.exists() or now - directory.stat().st_mtime < YOUNG_SECONDS:
                continue
            lock = FileLock(path)
            if lock.acquire():
                lock.release()
                shutil.rmtree(directory)
