"""Opens a DuckDB file, for a run or for reading."""

from __future__ import annotations

import glob
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final, TypeAlias

import duckdb

from zendesk_chat.clock import Clock
from zendesk_chat.errors import DestinationError
from zendesk_chat.load.failures import explained
from zendesk_chat.tables.sql import UncertainCommitError, literal, rows_of

Setting: TypeAlias = str | bool | int
"""A value of a setting of DuckDB."""

MEMORY_LIMIT: Final = "64MB"  # anything beyond it goes to disk, beside the file
DATABASE: Final = "zendesk_chat_file"
"""The file's name in SQL in this program. Another program derives a name from the file."""

_SETTINGS: Final[Mapping[str, Setting]] = {
    "memory_limit": MEMORY_LIMIT,
    "threads": 1,  # with several threads, inserting a few megabytes takes a third more CPU time, and no less time
    "storage_compatibility_version": "v1.2.0",  # for new files: the first version that reads zstd-compressed strings
    "autoinstall_known_extensions": False,  # nothing is downloaded
    "enable_external_file_cache": False,  # no file is read twice
}
_WRITING: Final[Mapping[str, Setting]] = {
    "force_compression": "zstd",  # strings take a third of the space and half of the time of DuckDB's own choice
    "checkpoint_threshold": "16MB",
}
# A row group of the default size, 122,880 chats, exceeds the memory limit, and each added row would rewrite it.
_ATTACH: Final = f"ATTACH {{}} AS {DATABASE} (TYPE duckdb, ROW_GROUP_SIZE 8192)"
_UNFINISHED: Final = ".new-"  # between the path of a file and a random name, while it is created
_ATTACH_READ_ONLY: Final = f"ATTACH {{}} AS {DATABASE} (TYPE duckdb, READ_ONLY)"
_LOCKED: Final = "could not set lock"
_HOLDER: Final = re.compile(r"lock is held in (?P<program>.+?) \(PID (?P<process>\d+)\)")
_USED: Final = re.compile(r"/[\d.]+ \w+ used\)")  # could not allocate block of size 19.0 MiB (46.5 MiB/61.0 MiB used)
_SHORTEST_BYTES: Final = 3 * 4096  # the headers of a file of DuckDB
_POLL_SECONDS: Final = 0.5


@contextmanager
def open_file(
    path: str, clock: Clock, wait_seconds: float = 0.0, on_wait: Callable[[str], object] = lambda _message: None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file for writing; create it if it does not exist. No other program can open it meanwhile.

    Args:
        path: Path of the file.
        clock: Measures the wait, and ends it when it is stopped.
        wait_seconds: How long to wait while another program has the file open.
        on_wait: Called with a sentence before the wait begins.

    Raises:
        DestinationError: The file cannot be opened or written.
        Stopped: The clock was stopped during the wait.
    """
    temporary = Path(f"{path}.tmp")  # DuckDB's own, beside its log
    is_new = not os.path.lexists(path)
    with closing(_connect({"temp_directory": str(temporary)})) as connection:
        with explained(f"opening {path}"):
            _attach_when_free(connection, path, clock, wait_seconds, on_wait)
        try:
            _clear(temporary)  # the file is locked now, so only a killed run can have left it
            _clear_unfinished(path)
            for name, value in _WRITING.items():
                connection.execute(f"SET {name} = {literal(str(value))}")
            yield connection
        except BaseException:
            with suppress(duckdb.Error, OSError):  # the first error is reported
                _detach(connection, path, is_new=is_new)
            raise
        else:
            with explained(f"closing {path}"):
                _detach(connection, path, is_new=is_new)
        finally:
            _clear(temporary)


def _detach(connection: duckdb.DuckDBPyConnection, path: str, *, is_new: bool) -> None:
    """Close the file. If it is new and empty, remove it first: no other program can open it before that."""
    if is_new and not rows_of(connection, "SELECT 1 FROM duckdb_tables() LIMIT 1"):
        Path(path).unlink()
    connection.execute(f"USE memory.main; DETACH {DATABASE}")


def _remove_fragment(path: str, *, is_new: bool) -> None:
    """Remove a new file that could not be created completely, for example because the disk is full."""
    with suppress(OSError):
        if is_new and Path(path).stat().st_size < _SHORTEST_BYTES:
            Path(path).unlink()


@contextmanager
def open_read_only(path: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an existing file for reading.

    Raises:
        DestinationError: There is no such file, it is not a DuckDB file, or a run has it open.
    """
    with closing(_connect({})) as connection:
        with explained(f"reading {path}"):
            try:
                _attach(connection, _ATTACH_READ_ONLY, path)
            except duckdb.IOException as error:
                if _LOCKED not in str(error).lower():
                    raise
                raise DestinationError(f"{path} is open in {_holder(str(error))}. Try again when it has finished.") from None
        yield connection


def lacks_memory(error: duckdb.Error) -> bool:
    """Return whether DuckDB failed because it reached its memory limit, so that the transaction can be repeated."""
    if isinstance(error, UncertainCommitError):
        return False
    return isinstance(error, duckdb.OutOfMemoryException) or bool(_USED.search(str(error)))


def allow_all_memory(connection: duckdb.DuckDBPyConnection) -> None:
    """Let DuckDB use most of the machine's memory from now on."""
    connection.execute("RESET memory_limit")


def _connect(settings: Mapping[str, Setting]) -> duckdb.DuckDBPyConnection:
    # duckdb.connect(path) would guess the type of the file, and download an extension for a SQLite file.
    connection = duckdb.connect(config={**_SETTINGS, **settings})
    connection.execute("SET TimeZone = 'UTC'")  # instead of the machine's; DuckDB 1 refuses this setting while it starts
    return connection


def _create(connection: duckdb.DuckDBPyConnection, path: str) -> None:
    """Create an empty file in one step. If the process is killed, either there is no file, or it is complete.

    If that is impossible, for example because the file system has no links, DuckDB creates the file when it is attached.
    """
    unfinished = f"{path}{_UNFINISHED}{secrets.token_hex(4)}"
    try:
        _attach(connection, _ATTACH, unfinished)
        connection.execute(f"USE memory.main; DETACH {DATABASE}")
        os.link(unfinished, path)  # unlike a move, it never replaces a file that another program has created meanwhile
    except (duckdb.Error, OSError):
        return
    finally:
        with suppress(OSError):
            Path(unfinished).unlink()


def _attach(connection: duckdb.DuckDBPyConnection, attach: str, path: str) -> None:
    connection.execute(attach.format(literal(path)))
    connection.execute(f"USE {DATABASE}.main")


def _attach_when_free(
    connection: duckdb.DuckDBPyConnection, path: str, clock: Clock, wait_seconds: float, on_wait: Callable[[str], object]
) -> None:
    until = clock.monotonic() + wait_seconds
    waiting, is_new = False, not os.path.lexists(path)
    if is_new:
        _create(connection, path)
    while True:
        try:
            return _attach(connection, _ATTACH, path)
        except duckdb.IOException as error:
            if _LOCKED not in str(error).lower():
                _remove_fragment(path, is_new=is_new)
                raise
            is_new = False  # another program is creating it
            holder = _holder(str(error))
            if clock.monotonic() >= until:
                raise DestinationError(_is_open(path, holder, wait_seconds)) from None
        if not waiting:
            waiting = True
            on_wait(f"{path} is open in {holder}; waiting up to {wait_seconds:,.0f} s")
        clock.sleep(_POLL_SECONDS)


def _holder(message: str) -> str:
    found = _HOLDER.search(message)
    return f"{Path(found['program']).name} (process {found['process']})" if found else "another program"


def _is_open(path: str, holder: str, waited_seconds: float) -> str:
    if waited_seconds:
        return f"{path} is still open in {holder} after {waited_seconds:,.0f} s. Close it there and try again."
    return f"{path} is open in {holder}. Close it there and try again, or add --wait SECONDS."


def _clear_unfinished(path: str) -> None:
    """Remove empty files that killed runs left. Another run that is creating one finds that the file exists now."""
    file = Path(path)
    for left in file.parent.glob(f"{glob.escape(file.name)}{_UNFINISHED}*"):
        with suppress(OSError):
            left.unlink()


def _clear(temporary: Path) -> None:
    """Remove what DuckDB moved out of memory. It may contain records."""
    with suppress(OSError):
        for left in temporary.glob("duckdb_temp_*"):
            left.unlink()
        temporary.rmdir()
