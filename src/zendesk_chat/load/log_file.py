"""The file of a log."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zendesk_chat.errors import ConfigError
from zendesk_chat.file_kinds import blocking_kind
from zendesk_chat.load.destination import SUFFIXES

if TYPE_CHECKING:
    from io import TextIOWrapper

_OWNER_ONLY: Final = 0o600
_CHECKED_BYTES: Final = 4096  # a database has a null byte among the first ones


class LogFileHandler(WatchedFileHandler):
    """Appends lines to a file that only its owner may read. If it is moved, as by logrotate, or removed, a new one is created.

    Args:
        path: As the user wrote it.
        on_failure: Called with a sentence the first time that a line cannot be written.

    Raises:
        ConfigError: The file cannot be opened, or is not a text file.
    """

    def __init__(self, path: str, on_failure: Callable[[str], object]) -> None:
        self._path = path
        self._on_failure = on_failure
        self._has_failed = False
        _check(path)
        try:
            super().__init__(path)
        except OSError as error:
            raise ConfigError(
                f"--log-file {path}: {_reason(error)}. Choose a file that you can write, in a directory that exists."
            ) from None

    def emit(self, record: logging.LogRecord) -> None:
        """Append a line."""
        try:
            super().emit(record)
        except OSError as error:
            self._fail(error)

    def handleError(self, _record: logging.LogRecord) -> None:  # noqa: N802  the name in logging
        """Report that lines are lost."""
        self._fail(sys.exception())

    def _open(self) -> TextIOWrapper:
        opener = partial(os.open, mode=_OWNER_ONLY)
        return open(self.baseFilename, "a", encoding="utf-8", errors="backslashreplace", opener=opener)

    def _fail(self, error: BaseException | None) -> None:
        if not self._has_failed:
            self._has_failed = True
            self._on_failure(f"--log-file {self._path}: {_reason(error)}. The command continues without it.")


def _check(path: str) -> None:
    """Check that appending lines to a file spoils nothing. Raises ConfigError."""
    if kind := blocking_kind(path):
        raise ConfigError(f"--log-file {path}: this is {kind}. Name a regular file.")
    if path.lower().endswith(SUFFIXES):
        raise ConfigError(f"--log-file {path}: this is the name of a database. Name a text file, such as sync.log.")
    with suppress(OSError):  # opening it reports this
        if Path(path).is_file() and b"\0" in _beginning(path):
            raise ConfigError(f"--log-file {path}: this is not a text file, so no line is added to it. Name another file.")


def _beginning(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(_CHECKED_BYTES)


def _reason(error: BaseException | None) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
