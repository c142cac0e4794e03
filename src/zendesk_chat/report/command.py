"""The ``report`` command: an HTML page about the chats in a DuckDB file."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import webbrowser
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Final

import msgspec

from zendesk_chat.analytics.time_zones import check_time_zone
from zendesk_chat.clock import Clock
from zendesk_chat.errors import ConfigError, ConnectorError, DestinationError, ExitCode
from zendesk_chat.load.console import PlainConsole, say
from zendesk_chat.load.database import Database, find_database
from zendesk_chat.load.file.stored import open_stored, stored_file
from zendesk_chat.report.arguments import REPORT
from zendesk_chat.report.figures import Figures
from zendesk_chat.report.formats import long_range
from zendesk_chat.report.reading import read_figures
from zendesk_chat.report.rendering import render
from zendesk_chat.wording import counted, size

STDOUT: Final = "-"


def run_report(options: argparse.Namespace, clock: Clock) -> int:
    """Write the report of a file, or one for each account. Returns the exit code."""
    if options.accounts is not None:
        from zendesk_chat.report.accounts import report_accounts  # noqa: PLC0415  most reports are about one account

        return report_accounts(options, clock)
    if options.only is not None:
        say(PlainConsole(stderr=True), "error: --only chooses accounts of a file. Name that file with --accounts.")
        return ExitCode.USAGE
    try:
        database = find_database(options, os.environ)
    except ConfigError as error:
        say(PlainConsole(stderr=True), f"error: {error}")
        return ExitCode.USAGE
    return report_on(database, options.output or REPORT, options, clock)


def report_on(database: Database, output: str, options: argparse.Namespace, clock: Clock, prefix: str = "") -> int:
    """Write the report of a database. Returns the exit code. An error message starts with the prefix."""
    try:
        path = stored_file(database.file, "report")
        _check_output(output, path, options)
        zone = check_time_zone(options.time_zone) if options.time_zone else None
        now = clock.now()
        with open_stored(path, database.schema) as stored:
            figures = read_figures(stored, options.days, zone, now)
        if options.json:
            sys.stdout.write(to_json(figures).decode())
        elif output == STDOUT:
            sys.stdout.write(render(figures, now))
        else:
            _write(Path(output), figures, now, show=options.open)
    except ConnectorError as error:
        say(PlainConsole(stderr=True), f"error: {prefix}{error}")
        return ExitCode.USAGE if isinstance(error, ConfigError) else ExitCode.INCOMPLETE
    return ExitCode.COMPLETE


def to_json(figures: Figures) -> bytes:
    """Return the figures as JSON; docs/report.md describes them."""
    return msgspec.json.format(msgspec.json.encode(asdict(figures)), indent=2) + b"\n"


def _check_output(where: str, database: str, options: argparse.Namespace) -> None:
    """Reject an output that would overwrite the wrong thing, before anything is read."""
    output = Path(where)
    if options.open and (options.json or where == STDOUT):
        raise ConfigError("--open needs a file, so it cannot be combined with --json or -o -.")
    if options.json or where == STDOUT:
        return
    if output.is_dir():
        raise ConfigError(f"-o {output} is a directory. Name a file in it, such as {output / 'report.html'}.")
    if not output.parent.is_dir():
        raise ConfigError(f"-o {output}: the directory {output.parent} does not exist.")
    if output.exists() and output.samefile(database):
        raise ConfigError(f"-o {output} is the database itself. Name another file for the report.")


def _write(output: Path, figures: Figures, now: float, *, show: bool) -> None:
    page = render(figures, now).encode()
    try:
        write_atomically(output, page)
    except OSError as error:
        raise DestinationError(f"{output} cannot be written: {error.strerror}. Name another file with -o.") from None
    period = figures.period
    where = f"{counted(figures.now.chats, 'chat')}, {long_range(period.now)} ({period.time_zone})"
    say(PlainConsole(), f"{output}: {where}, {size(len(page))}")
    if show and not webbrowser.open(output.resolve().as_uri()):
        say(PlainConsole(stderr=True), f"warning: No browser was found. Open {output} in a browser.")


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file at once: a reader sees the old one or the new one. A link stays a link; a device or a pipe gets the bytes.

    Raises:
        OSError: It cannot be written. The old file is unchanged.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        target.write_bytes(content)
        return
    number, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _umask() -> int:
    """Return the umask. The only way to read it is to set it."""
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
