"""The request quota of an account that several processes of a machine share, in a file.

Each process keeps its own pace after a 429 (``rate_limit``). What they share is how many requests started in the last minute,
and the pause that the API asked for.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from zendesk_chat.api.retry import MAX_RETRY_AFTER_SECONDS
from zendesk_chat.clock import Clock
from zendesk_chat.errors import ConfigError
from zendesk_chat.printable import printable

BUSY_SECONDS: Final = 30.0  # a transaction takes less than a millisecond
_OTHERS: Final = "SELECT 1 FROM sqlite_master WHERE name NOT IN ('starts', 'pauses')"
_LATEST: Final = "SELECT time FROM starts ORDER BY time DESC LIMIT 1 OFFSET ?"


class SharedQuota:
    """The starts of requests and the pauses of all processes that use a file. Times are seconds since 1970.

    The file is an SQLite database, so that a process that is killed releases its lock. Each call opens the file, because a
    process that forks may not use a connection of its parent.

    Args:
        path: The file. It is created if it does not exist.
        per_minute: The number of requests that may start in any window.
        clock: The clock of the machine: all processes have the same ``now``.

    Raises:
        ConfigError: The file cannot be used.
    """

    def __init__(self, path: str | os.PathLike[str], per_minute: int, clock: Clock) -> None:
        self._path = Path(path)
        self._limit = per_minute
        self._clock = clock
        if self._path.exists() and not self._path.is_file():
            raise ConfigError(f"quota: {printable(str(self._path))} is not a regular file. Name another file.")
        with self._transaction() as connection:
            if connection.execute(_OTHERS).fetchone():
                raise ConfigError(f"quota: {printable(str(self._path))} is another database. Name another file.")

    def start(self, window_seconds: float) -> float:
        """Start a request now and return 0, or return the seconds until one may start."""
        with self._transaction() as connection:
            wait = self._wait(connection, window_seconds)
            if wait <= 0:
                connection.execute("INSERT INTO starts VALUES (?)", (self._clock.now(),))
            return max(0.0, wait)

    def free_slots(self, window_seconds: float) -> int:
        """Return how many requests could start now."""
        with self._transaction() as connection:
            if self._wait(connection, window_seconds) > 0:
                return 0
            (started,) = connection.execute("SELECT count(*) FROM starts").fetchone()
            return self._limit - int(started)

    def pause(self, seconds: float) -> None:
        """Let no process start a request for this many seconds."""
        with self._transaction() as connection:
            connection.execute("INSERT INTO pauses VALUES (?)", (self._clock.now() + seconds,))

    def _wait(self, connection: sqlite3.Connection, window_seconds: float) -> float:
        """Forget what is over, and return the seconds until a request may start."""
        now = self._clock.now()
        # A start in the future, or a pause that is too long, is from before the machine's clock was set back.
        connection.execute("DELETE FROM starts WHERE time <= ? OR time > ?", (now - window_seconds, now))
        connection.execute("DELETE FROM pauses WHERE until <= ? OR until > ?", (now, now + MAX_RETRY_AFTER_SECONDS))
        (paused_until,) = connection.execute("SELECT max(until) FROM pauses").fetchone()
        oldest = connection.execute(_LATEST, (self._limit - 1,)).fetchone()  # of as many starts as a window allows
        window_opens = oldest[0] + window_seconds if oldest else now
        return float(max(window_opens, paused_until or now) - now)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Run statements while no other process uses the file."""
        try:
            with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous = OFF")  # after a power failure, a new minute has begun
                connection.execute("BEGIN IMMEDIATE")  # closing the connection undoes what is not committed
                connection.execute("CREATE TABLE IF NOT EXISTS starts (time REAL NOT NULL)")
                connection.execute("CREATE TABLE IF NOT EXISTS pauses (until REAL NOT NULL)")
                yield connection
                connection.execute("COMMIT")
        except (sqlite3.Error, ValueError) as error:  # ValueError: a null character in the path
            raise ConfigError(f"quota: {printable(str(self._path))} cannot be used: {error}. Name another file.") from error
