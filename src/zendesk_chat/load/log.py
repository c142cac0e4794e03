"""The log of a command: short lines on a terminal, dated lines elsewhere, or JSON; optionally in a file too."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from zendesk_chat.clock import Clock, SystemClock
from zendesk_chat.errors import ConfigError, ConnectorError, ExitCode, exit_code, one_line
from zendesk_chat.load.advice import for_people
from zendesk_chat.load.console import PlainConsole, error_console
from zendesk_chat.load.log_format import DatedLines, JsonLines, ShortLines
from zendesk_chat.load.log_handlers import ErrorOutputHandler, TerminalHandler

if TYPE_CHECKING:
    from rich.console import Console

    from zendesk_chat.load.progress import RunProgress

STREAM: Final = 15
"""The level of events of one stream: logged as JSON, but too detailed for people."""

SUMMARY: Final = "summary"
"""The event of the result, which the command also prints on standard output."""

DRAWN: Final = frozenset({"run_started", "progress", "retrying", "account_ended"})
"""Events that an animated progress shows."""

_KILLED: Final = "Ended without saving the latest records. Records saved earlier are kept. Run the same command to resume."
_SHOW_CURSOR: Final = "\x1b[?25h"
_ERROR_OUTPUT: Final = 2  # its file descriptor


@dataclass(frozen=True, slots=True)
class Log:
    """Where a command reports what happens. A message never contains a secret or a record.

    Attributes:
        terminal: Where progress may be animated; None if it must not be.
        account: Named on each line, if there are several.
        quiet: Whether to print no result either.
        on_start: Called with the progress of a run when it starts, to show it with that of other accounts.
    """

    logger: logging.Logger
    clock: Clock
    terminal: Console | None = None
    account: str = ""
    quiet: bool = False
    on_start: Callable[[RunProgress], object] = lambda _progress: None

    def of(self, account: str, on_start: Callable[[RunProgress], object] = lambda _progress: None) -> Log:
        """Return the log of one of several accounts. It animates nothing: ``on_start`` gets the progress."""
        return replace(self, account=account, terminal=None, on_start=on_start)

    @property
    def detailed(self) -> bool:
        """Whether details are logged."""
        return self.logger.isEnabledFor(logging.DEBUG)

    def detail(self, message: str, event: str, **fields: object) -> None:
        """Log a detail, for ``--verbose``."""
        self.write(logging.DEBUG, message, event, **fields)

    def note(self, message: str, event: str, **fields: object) -> None:
        """Log an ordinary event."""
        self.write(logging.INFO, message, event, **fields)

    def caution(self, message: str, event: str = "warning", **fields: object) -> None:
        """Log a warning. The command continues."""
        self.write(logging.WARNING, message, event, **fields)

    def fail(self, message: str, event: str = "error", **fields: object) -> None:
        """Log why the command, or a part of it, failed, and what to do."""
        self.write(logging.ERROR, for_people(message), event, **fields)

    def write(self, level: int, message: str, event: str, **fields: object) -> None:
        """Log a message, with the name of the event and its fields for machines."""
        if self.logger.isEnabledFor(level):
            self.logger.handle(self._record(level, message, event, fields))

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Within the block, do not print events that an animated progress shows on the terminal."""
        handler, without = self.logger.handlers[0], _without(DRAWN)
        handler.addFilter(without)
        try:
            yield
        finally:
            handler.removeFilter(without)

    def close_file(self) -> None:
        """Write no more lines to the log file."""
        for handler in self.logger.handlers[1:]:
            self.logger.removeHandler(handler)
            handler.close()

    def print_result(self, show: Callable[[Console], object]) -> None:
        """Print the result of a load on standard output, unless the log is quiet.

        What was loaded is saved by then. So the exit code stays that of the load if nobody can read the result.
        """
        if self.quiet:
            return
        try:
            show(PlainConsole())
            sys.stdout.flush()
        except BrokenPipeError:  # nobody reads on, as after `| head -1`
            pass
        except OSError as error:
            self.caution(f"The result could not be written to standard output: {error.strerror}. The load is not affected.")

    def last_words(self, message: str) -> None:
        """Write a last warning without locks and buffers, because the main thread may be stuck while it holds them."""
        record = self._record(logging.WARNING, message, "killed", {})
        line = self.logger.handlers[0].format(record) + "\n"
        with suppress(OSError):
            os.write(_ERROR_OUTPUT, ((_SHOW_CURSOR + "\n" if self.terminal else "") + line).encode())

    def _record(self, level: int, message: str, event: str, fields: dict[str, object]) -> logging.LogRecord:
        extra = {"event": event, "account": self.account, "fields": fields}
        record = self.logger.makeRecord(self.logger.name, level, "", 0, message, (), None, extra=extra)
        record.created = self.clock.now()
        return record


def run_logged(options: argparse.Namespace, clock: SystemClock, command: Callable[[Log], int]) -> int:
    """Run a command with the log that its options describe, and return its exit code.

    An error that ends the command is logged, and determines the exit code.
    """
    log = open_log(options, clock)
    clock.on_kill = partial(log.last_words, _KILLED)
    try:
        _add_file(log, options)
    except ConfigError as error:
        log.fail(str(error), kind=type(error).__name__)
        return ExitCode.USAGE
    try:
        return command(log)
    except ConnectorError as error:
        log.fail(str(error), kind=type(error).__name__)
        return exit_code([error])
    except BrokenPipeError:  # nobody reads standard output
        raise
    except Exception as unexpected:  # noqa: BLE001  a user sees a message, never a traceback
        log.fail(one_line(unexpected), kind=type(unexpected).__name__)
        return ExitCode.INCOMPLETE
    finally:
        for handler in log.logger.handlers:
            with suppress(OSError):  # a full disk, already reported
                handler.close()


def open_log(options: argparse.Namespace, clock: Clock) -> Log:
    """Return the log on standard error that the options describe."""
    console = error_console()
    as_json, level = options.log_format == "json", _level(options)
    terminal = console.is_terminal and not as_json
    animated = terminal and not (console.is_dumb_terminal or options.quiet or options.verbose)
    handler = TerminalHandler(console) if terminal else ErrorOutputHandler(sys.stderr)
    handler.setFormatter(ShortLines() if terminal else _formatter(options))
    handler.setLevel(logging.WARNING if options.quiet else level)
    if _is_one_output() and not (as_json or options.quiet):
        handler.addFilter(_without({SUMMARY}))
    logger = logging.Logger("zendesk_chat.command", level)  # noqa: LOG001  of this command, and not of the process
    logger.addHandler(handler)
    return Log(logger, clock, console if animated else None, quiet=options.quiet)


def _add_file(log: Log, options: argparse.Namespace) -> None:
    if options.log_file is None:
        return
    from zendesk_chat.load.log_file import LogFileHandler  # noqa: PLC0415  few need it
    from zendesk_chat.load.named_files import files_before_reading, require_own_files, written_files  # noqa: PLC0415  as above

    require_own_files(written_files(options), files_before_reading(options, os.environ))
    handler = LogFileHandler(options.log_file, log.caution)
    handler.setFormatter(_formatter(options))
    log.logger.addHandler(handler)


def _formatter(options: argparse.Namespace) -> logging.Formatter:
    return JsonLines() if options.log_format == "json" else DatedLines()


def _without(events: Collection[str]) -> Callable[[logging.LogRecord], bool]:
    return lambda record: getattr(record, "event", "") not in events


def _level(options: argparse.Namespace) -> int:
    if options.verbose:
        return logging.DEBUG
    return STREAM if options.log_format == "json" else logging.INFO


def _is_one_output() -> bool:
    """Return whether standard output and error are the same terminal or file, so that the result needs no second line."""
    try:
        return os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except (OSError, ValueError):  # they were replaced
        return False
