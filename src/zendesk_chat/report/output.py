"""Where a report may be written: never over a file that is something else."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from zendesk_chat.errors import ConfigError

STDOUT: Final = "-"
_OF_DATABASES: Final = frozenset({".duckdb", ".db", ".wal"})
_PAGE: Final = b"<!doctype html"
_BOM: Final = b"\xef\xbb\xbf"
_START: Final = 1024  # bytes in which a page shows that it is one


def check_output(where: str, database: str, options: argparse.Namespace) -> None:
    """Reject an output that would overwrite the wrong thing, before anything is read. A pipe or a device takes any report.

    Raises:
        ConfigError: The report cannot be written there.
    """
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
    if not _OF_DATABASES.isdisjoint({output.suffix.lower(), output.resolve().suffix.lower()}):
        raise ConfigError(f"-o {output} has the name of a database. Name an HTML file, such as {output.with_suffix('.html')}.")
    if output.is_file() and not _is_page(output):
        raise ConfigError(f"-o {output} exists and is not an HTML page. Name another file, or remove this one first.")


def _is_page(file: Path) -> bool:
    """Return whether a file is an HTML page or empty."""
    try:
        with file.open("rb") as opened:
            start = opened.read(_START)
    except OSError:
        return False
    return not start or start.removeprefix(_BOM).lstrip().lower().startswith(_PAGE)
