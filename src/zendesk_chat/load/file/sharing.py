"""DuckDB files that several accounts of one command load at the same time, each into a schema of its own.

DuckDB opens a file once in a process. So the first account opens it, the others get connections of their own to the same
database, and the last one closes it. Transactions follow each other: two at a time could not both change DuckDB's catalog, and
a checkpoint waits until there is none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import duckdb

from zendesk_chat.clock import Clock
from zendesk_chat.load.destination import real_path
from zendesk_chat.load.file.opening import DATABASE, open_file


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file, open for one account.

    Attributes:
        connection: The account's own.
        writing: Hold it during a transaction.
    """

    connection: duckdb.DuckDBPyConnection
    writing: threading.Lock


class _Entry:
    """One file: who uses it, and what closes it."""

    def __init__(self) -> None:
        self.writing = threading.Lock()
        self._changing = threading.Lock()  # held while the file is opened or closed
        self._closing = ExitStack()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._users = 0
        self._failures: list[Exception] = []

    def enter(self, opening: AbstractContextManager[duckdb.DuckDBPyConnection]) -> duckdb.DuckDBPyConnection:
        """Return a connection of the caller's own. If an opening fails meanwhile, it fails for the caller too."""
        known = len(self._failures)
        with self._changing:
            if self._connection is None:
                if len(self._failures) > known:  # the caller would only wait as long once more
                    raise self._failures[-1]
                try:
                    self._connection = self._closing.enter_context(opening)
                except Exception as error:
                    self._failures.append(error)
                    raise
            connection = self._connection.cursor()
            self._users += 1
            return connection

    def leave(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the file if nobody else uses it. Raises DestinationError, but not in place of the caller's error."""
        with self._changing:
            self._users -= 1
            if not self._users:
                self._connection = None
                self._closing.__exit__(kind, error, trace)


class SharedFiles:
    """The files that a command has open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[Path, _Entry] = {}

    @contextmanager
    def open(
        self, path: str, clock: Clock, wait_seconds: float = 0.0, on_wait: Callable[[str], object] = lambda _message: None
    ) -> Iterator[SharedFile]:
        """Open a file to write into it, or share it with another thread that has. The arguments are those of ``open_file``.

        Raises:
            DestinationError: The file cannot be opened or written.
            Stopped: The clock was stopped during the wait.
        """
        with self._lock:
            entry = self._entries.setdefault(real_path(path), _Entry())
        connection = entry.enter(open_file(path, clock, wait_seconds, on_wait))
        with ExitStack() as leaving:
            leaving.push(entry.leave)
            leaving.enter_context(closing(connection))
            connection.execute(f"USE {DATABASE}.main")
            yield SharedFile(connection, entry.writing)
