"""The ``destinations`` command: lists where `sync` can load to, and what each destination guarantees. It needs no account."""

from __future__ import annotations

import argparse
import difflib
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from zendesk_chat.errors import ExitCode
from zendesk_chat.load.warehouse.address import example_of
from zendesk_chat.load.warehouse.drivers import STORAGE_SECRETS, install_command, missing_modules, secrets_of
from zendesk_chat.load.warehouse.guarantees import DUCKDB_FILE, Guarantees, guarantees_of
from zendesk_chat.load.warehouse.kinds import KINDS, SCHEMES, STORAGES, Kind, kind_of
from zendesk_chat.printable import LONGEST_NAME, printable

DUCKDB: Final = Kind("duckdb", "DuckDB file", ("duckdb",), "duckdb", (), ("duckdb",), "chats.duckdb", dataset="main")
NAMES: Final = (DUCKDB.name, *(kind.name for kind in KINDS), *sorted(SCHEMES - {kind.name for kind in KINDS}))
"""What the command accepts: names of destinations, and schemes of URLs."""
_BY_TITLE: Final = {kind.title.lower(): kind.name for kind in (DUCKDB, *KINDS)}
_HEADER: Final = ("destination", "URL", "driver", "guarantees")
_NOTES: Final = "\nTo show everything about one of them, run: zendesk-chat destinations NAME, such as postgres.\n"
_WIDTH: Final = 100


def run_destinations(options: argparse.Namespace) -> int:
    """Print all destinations, or everything about one. Returns the exit code."""
    name = (options.name or "").lower()
    name = _BY_TITLE.get(name, name)
    if options.name is not None and name not in NAMES:
        sys.stderr.write(f"error: {_unknown(options.name)}\n")
        return ExitCode.USAGE
    chosen = [DUCKDB, *KINDS] if options.name is None else [_kind(name)]
    if options.json:
        content = [_described(kind, name) for kind in chosen]
        encoded = msgspec.json.encode(content if options.name is None else content[0])
        sys.stdout.write(msgspec.json.format(encoded, indent=2).decode() + "\n")
    elif options.name is None:
        sys.stdout.writelines(f"{line}\n" for line in _table(chosen))
        sys.stdout.write(_NOTES)
    else:
        sys.stdout.writelines(f"{line}\n" for line in _details(chosen[0], name))
    return ExitCode.COMPLETE


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name.lower().partition(":")[0], NAMES, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"There is no destination {printable(name, LONGEST_NAME)}.{hint} To list them, run: zendesk-chat destinations"


def _kind(name: str) -> Kind:
    """Return the kind with this name, or the one of a URL with this scheme."""
    return next((kind for kind in (DUCKDB, *KINDS) if kind.name == name), None) or kind_of(name)


def guarantees(kind: Kind) -> Guarantees:
    """Return what a destination guarantees, the DuckDB file included."""
    return DUCKDB_FILE if kind is DUCKDB else guarantees_of(kind)


def _table(kinds: Sequence[Kind]) -> Iterator[str]:
    rows = [_HEADER]
    for kind in kinds:
        driver = f"missing: zendesk-chat[{','.join(kind.extras)}]" if missing_modules(kind) else "installed"
        url = kind.example if kind.table_format else kind.example.partition("?")[0]
        rows.append((kind.title, url, driver, guarantees(kind).summary))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER) - 1)]
    for row in rows:
        yield "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])


def _details(kind: Kind, name: str) -> Iterator[str]:
    scheme = name if name in kind.schemes else kind.schemes[0]
    yield kind.title
    yield ""
    state = "not installed" if missing_modules(kind, scheme) else "installed"
    yield f"  URL      {_example(kind, scheme)}"
    yield f"  driver   {state}"
    yield f"  install  {install_command(kind, scheme)}"
    yield f"  schema   {'the one in the URL' if kind.in_url else f'{kind.dataset}, or --schema NAME'}"
    yield f"  tested   {_tested(kind)}"
    yield from _section("guarantees", _sentences(guarantees(kind)))
    yield from _section("passwords and keys, if the URL has none", list(_secrets(kind, name)))
    yield from _section("notes", kind.notes)
    yield from _section("example", [f"zendesk-chat sync --to '{_example(kind, scheme)}'"])


def _example(kind: Kind, scheme: str) -> str:
    if kind is DUCKDB or kind.schemes[0] == scheme:
        return kind.example
    example = example_of(scheme)
    return f"{example}?format={kind.table_format}" if kind.table_format not in (None, "parquet") else example


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield f"{title}:"
        for line in lines:
            yield from textwrap.wrap(line, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False)


def _sentences(found: Guarantees) -> list[str]:
    return [found.rows, found.reading, found.killed, f"--full-refresh: {found.full_refresh}", found.two_syncs]


def _secrets(kind: Kind, name: str) -> Iterator[str]:
    if kind.table_format and STORAGES.get(name, "") not in STORAGE_SECRETS:  # any storage
        for storage, secrets in STORAGE_SECRETS.items():
            yield f"{storage}://: {'; '.join(secrets)}"
    else:
        yield from secrets_of(kind, name)


def _tested(kind: Kind) -> str:
    if kind is DUCKDB:
        return "DuckDB 1.2 and later"
    return kind.tested or "SQL only: the project has no such account or server"


def _described(kind: Kind, name: str) -> dict[str, object]:
    """Return a destination for scripts."""
    scheme = name if name in kind.schemes else ""
    return {
        "name": kind.name,
        "title": kind.title,
        "schemes": list(kind.schemes),
        "url": _example(kind, scheme or kind.schemes[0]),
        "installed": not missing_modules(kind, scheme),
        "install": install_command(kind, scheme),
        "schema": kind.dataset,
        "guarantees": guarantees(kind),
        "secrets": list(_secrets(kind, name)),
        "tested": _tested(kind),
        "notes": list(kind.notes),
    }
