"""A lock on this machine, in a file that exists only while the lock is taken."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path


class FileLock:
    """An exclusive transaction in an empty file. The operating system ends it if the process is killed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def acquire(self) -> bool:
        """Take the lock, unless another process has it."""
        connection = sqlite3.connect(self._path, timeout=0, isolation_level=None)
        opened = self._path.stat()
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            connection.close()
            if "locked" in str(error):
                return False
            raise
        if not _is_same(self._path, opened):  # the process that had the lock has removed the file
            connection.close()
            return False
        self._connection = connection
        return True

    def check(self) -> None:
        """Do nothing: only the end of this process takes it away."""

    def release(self) -> None:
        """Remove the file, and release the lock."""
        if self._connection is not None:
            with suppress(OSError):  # Windows removes no open file
                self._path.unlink()
            self._connection.close()


def _is_same(path: Path, status: os.stat_result) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), status)
    return False
