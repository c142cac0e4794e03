"""Where the lines of a log go. A line that cannot be written never ends the command."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from zendesk_chat.load.console import say

if TYPE_CHECKING:
    from rich.console import Console

_STYLES: Final = {logging.WARNING: "yellow", logging.ERROR: "red"}


class TerminalHandler(logging.Handler):
    """Prints lines on a terminal, above the animated progress."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Print a line."""
        with suppress(RuntimeError, OSError):  # a signal handler prints while the code that it interrupted does
            say(self._console, self.format(record), _STYLES.get(record.levelno, ""))


class ErrorOutputHandler(logging.StreamHandler):  # type: ignore[type-arg]  # its class takes no argument at run time
    """Writes lines to standard error."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  the name in logging
        """Ignore a failed write."""
