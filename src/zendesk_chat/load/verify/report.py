"""Prints what ``verify`` found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from zendesk_chat.errors import ExitCode
from zendesk_chat.load.console import say
from zendesk_chat.load.report import plain_table, print_complete
from zendesk_chat.load.verify.results import State, StreamResult, Verification
from zendesk_chat.wording import counted, duration

_STYLES: Final[Mapping[State, str]] = {
    "same": "green",
    "same keys": "yellow",
    "repaired": "green",
    "different": "red",
    "failed": "red",
    "not available": "yellow",
    "not compared": "",
}


def print_verification(found: Verification, console: Console) -> None:
    """Print a table of streams, the fields and keys that differ, and a conclusion."""
    until = f", complete until {found.complete_until}" if found.complete_until else ""
    say(
        console,
        f"{found.subdomain} compared with {found.file}{until}: {counted(found.requests, 'request')}, {duration(found.seconds)}",
    )
    console.print()
    print_complete(_table(found), console)
    console.print()
    for stream in found.streams:
        for line in _details(stream):
            say(console, f"{stream.stream}: {line}", _STYLES[stream.state])
    for sentence in found.sentences:
        say(console, sentence)
    if found.repaired:
        rows = ", ".join(f"{records:,} of {name}" for name, records in found.repaired.items() if records)
        say(console, f"Repaired: {rows}.", "green")
    say(console, *conclusion(found))


def conclusion(found: Verification) -> tuple[str, str]:
    """Return the result in one sentence, and its style."""
    if found.differs and not found.repaired:
        return "There are differences. To repair the file, add --repair.", "red"
    if found.differs:
        return "Differences remain.", "red"
    if found.exit_code != ExitCode.COMPLETE:
        return "Not everything could be compared.", "red"
    return ("No difference remains." if found.repaired else "No difference was found."), "green"


def _table(found: Verification) -> Table:
    table = plain_table(["stream"], ["rows", "checked", "missing", "extra", "different", "newer"])
    table.add_column("result", no_wrap=True)
    for stream in found.streams:
        compared = stream.state in ("same", "same keys", "different", "repaired")
        counts = (stream.checked, stream.missing, stream.extra, stream.different, stream.newer)
        numbers = [f"{count:,}" if compared else "" for count in counts]
        table.add_row(stream.stream, f"{stream.rows:,}", *numbers, Text(stream.state, style=_STYLES[stream.state]))
    return table


def _details(stream: StreamResult) -> list[str]:
    lines = [stream.reason] if stream.state in ("failed", "not available") else []
    if stream.fields:
        lines.append("different fields: " + ", ".join(f"{name} ({count:,})" for name, count in stream.fields.items()))
    for kind, keys in stream.keys.items():
        more = {"missing": stream.missing, "extra": stream.extra, "different": stream.different}[kind] - len(keys)
        lines.append(f"{kind}: {', '.join(map(str, keys))}" + (f" and {more:,} more" if more else ""))
    return lines
