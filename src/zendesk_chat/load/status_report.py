"""Prints what ``status`` read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from zendesk_chat.load.advice import for_people
from zendesk_chat.load.console import say
from zendesk_chat.load.report import STYLES, about_streams, plain_table, print_complete
from zendesk_chat.wording import duration

if TYPE_CHECKING:
    from zendesk_chat.load.status import FileStatus, StreamStatus

_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "min"))
_ERROR_LENGTH: Final = 500


def print_status(status: FileStatus, problems: Sequence[str], console: Console) -> None:
    """Print the account, the last run, a table of streams, and the problems."""
    key = f" (account key {status.account_key})" if status.account_key else ""
    say(console, f"account    {status.subdomain}{key}, time zone {status.time_zone}")
    say(console, f"last run   {_run_age_in_words(status)}")
    if status.streams:
        console.print()
        print_complete(_table(status), console)
    reasons: dict[str, list[str]] = {}
    for stream in status.streams:
        if stream.error and stream.result != "complete":
            reasons.setdefault(stream.error, []).append(stream.stream)
    if reasons or problems:
        console.print()
    for reason, names in reasons.items():
        say(console, about_streams(names, for_people(reason)[:_ERROR_LENGTH]), "yellow")
    for problem in problems:
        say(console, problem, "red")


def age_in_words(seconds: float) -> str:
    """Return an age in its two largest units: ``41 s``, ``3 min``, ``2 h 5 min``, ``3 d 4 h``."""
    for index, (unit, name) in enumerate(_UNITS):
        if seconds >= unit:
            smaller = _UNITS[index + 1 :][:1]
            rest = [f"{int(seconds % unit) // size} {word}" for size, word in smaller if seconds % unit >= size]
            return " ".join([f"{int(seconds) // unit} {name}", *rest])
    return f"{seconds:.0f} s"


def utc(seconds: float) -> str:
    """Return a time, in seconds since 1970, as ``2026-03-14 09:21:01 UTC``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _run_age_in_words(status: FileStatus) -> str:
    run = status.last_run
    if run is None:
        return "none"
    length = "" if run.seconds is None else f", {duration(run.seconds)}"
    return f"{run.result}, started {utc(run.started_at)}{length}, version {run.version}"


def _table(status: FileStatus) -> Table:
    table = plain_table(["stream"], ["rows", "complete", "age"])
    is_redacted = any(stream.redacted in {"yes", "partly"} for stream in status.streams)
    if is_redacted:
        table.add_column("redacted", no_wrap=True)
    table.add_column("reached", no_wrap=True)
    table.add_column("last run", no_wrap=True)
    of_last_run = {stream.stream for stream in status.of_last_run}
    for stream in status.streams:
        table.add_row(
            Text(stream.stream),
            "" if stream.rows is None else f"{stream.rows:,}",
            "never" if stream.completed_at is None else utc(stream.completed_at).removesuffix(" UTC"),
            "" if stream.age_seconds is None else age_in_words(stream.age_seconds),
            *([stream.redacted or ""] if is_redacted else []),
            Text(stream.reached or ""),
            _result(stream, is_last=stream.stream in of_last_run),
        )
    return table


def _result(stream: StreamStatus, *, is_last: bool) -> Text:
    if stream.result is None:
        return Text()
    if not is_last:
        return Text(f"(earlier: {stream.result})")
    return Text(stream.result, style=STYLES.get(stream.result, ""))
