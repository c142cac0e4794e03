"""The summary of a load."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from rich.text import Text

from zendesk_chat.engine.events import StreamCompleted, StreamFailed, StreamUnavailable
from zendesk_chat.errors import ExitCode, exit_code
from zendesk_chat.load.console import say
from zendesk_chat.printable import printable
from zendesk_chat.wording import counted, duration, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from zendesk_chat.engine.events import SchemaChange
    from zendesk_chat.engine.stats import SyncStats
    from zendesk_chat.errors import ConnectorError

State: TypeAlias = Literal["complete", "failed", "interrupted", "not available"]
Result: TypeAlias = Literal["complete", "incomplete", "interrupted"]
Ending: TypeAlias = StreamCompleted | StreamFailed | StreamUnavailable

STATES: Final[dict[type[Ending], State]] = {
    StreamCompleted: "complete",
    StreamFailed: "failed",
    StreamUnavailable: "not available",
}
STYLES: Final = {"complete": "green", "failed": "red", "interrupted": "red", "not available": "yellow"}
_DRIFTS_SHOWN: Final = 500
_NAMES_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class StreamReport:
    """The result of one stream.

    Attributes:
        state: ``interrupted`` if the events ended before the stream did.
        error: Why the stream failed, or why the account lacks it.
    """

    name: str
    state: State
    stats: SyncStats
    error: ConnectorError | None = None


@dataclass(frozen=True, slots=True)
class LoadReport:
    """The result of a run.

    Attributes:
        streams: In the order of their tables.
        drifts: Schema differences.
        required: Names of the streams that the user named: it is an error if the account lacks one.
        saved: Records in all committed transactions. A list that is the same as before counts nothing if it was not written.
        seconds: Duration of the run.
        destination: A DuckDB file, or the name of another destination: ``the postgres database``.
        schema: Where the tables are in a DuckDB file.
        interrupted: Whether the run ended before it had started every stream.
    """

    streams: tuple[StreamReport, ...]
    drifts: tuple[SchemaChange, ...] = ()
    required: frozenset[str] = frozenset()
    saved: int = 0
    seconds: float = 0.0
    destination: Path | str = "the destination"
    schema: str = "main"
    interrupted: bool = False

    @property
    def incomplete(self) -> tuple[StreamReport, ...]:
        """The streams that make the run incomplete: neither complete, nor missing in the account and not required."""
        return tuple(
            stream
            for stream in self.streams
            if stream.state != "complete" and not (stream.state == "not available" and stream.name not in self.required)
        )

    @property
    def result(self) -> Result:
        """How the run ended. It is interrupted if its events ended before every stream did, also if one did not start."""
        if self.interrupted or any(stream.state == "interrupted" for stream in self.streams):
            return "interrupted"
        return "incomplete" if self.incomplete else "complete"

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the run. A signal that interrupted it has a code of its own, which is not this one."""
        if self.result == "complete":
            return ExitCode.COMPLETE
        return exit_code(stream.error for stream in self.incomplete if stream.error)


def print_report(report: LoadReport, console: Console) -> None:
    """Print the table of streams, the schema differences, why streams failed or are missing, and the result in one line.

    If all streams failed for the same reason before they read a page, print that reason only.
    """
    reasons = _reasons(report)
    if len(reasons) == 1 and all(stream.state == "failed" and not stream.stats.pages for stream in report.streams):
        ((_, reason),) = reasons
        say(console, f"error: {reason}")
        return
    if report.streams:
        print_complete(_streams(report), console)
    if report.drifts:
        _print_drifts(report, console)
    for state, style in (("not available", "yellow"), ("failed", "")):
        for (of, message), names in reasons.items():
            if of == state:
                say(console, f"{_named(names)}: {message}", style)
    say(console, _result(report))


def _reasons(report: LoadReport) -> dict[tuple[State, str], list[str]]:
    """Return the streams that failed or are missing for the same reason, by state and reason."""
    reasons: dict[tuple[State, str], list[str]] = {}
    for stream in report.streams:
        if stream.error is not None:
            reasons.setdefault((stream.state, str(stream.error)), []).append(stream.name)
    return reasons


def _result(report: LoadReport) -> str:
    """Return the result in one line, with what to do next."""
    if report.result == "interrupted":
        return f"Interrupted: {counted(report.saved, 'record')} saved in {report.destination}. Run the same command to resume."
    if report.result == "incomplete":
        first = "Fix what is reported above, then run" if report.exit_code == ExitCode.ACTION_NEEDED else "Run"
        names = _named([stream.name for stream in report.incomplete])
        return f"Incomplete: {names}. {_saved(report)} {first} the same command again to load the rest."
    if not isinstance(report.destination, Path):
        return _saved(report)
    schema = "" if report.schema == "main" else f" --schema {shlex.quote(report.schema)}"
    return f"{_saved(report)} Next: zendesk-chat status {shlex.quote(str(report.destination))}{schema}"


def _saved(report: LoadReport) -> str:
    took, where = duration(report.seconds), str(report.destination)
    if isinstance(report.destination, Path) and report.destination.exists():
        where += f" ({size(report.destination.stat().st_size)})"
    if not report.saved:
        return f"No new records in {took}; {where} holds the same as before."
    return f"{counted(report.saved, 'record')} in {took}, saved in {where}."


def _named(names: Sequence[str]) -> str:
    """Name some streams, and count the rest: ``agents, bans, chats and 18 more``."""
    if len(names) <= _NAMES_SHOWN + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMES_SHOWN])} and {len(names) - _NAMES_SHOWN} more"


def plain_table(left: Sequence[str], right: Sequence[str] = ()) -> Table:
    """Return a table without lines, with columns of text and then of numbers, which are aligned to the right."""
    from rich.table import Table  # noqa: PLC0415  an interrupted run may have no table to print

    table = Table(*left, box=None, pad_edge=False, header_style="bold")
    for title in right:
        table.add_column(title, justify="right", no_wrap=True)
    return table


def print_complete(table: Table, console: Console) -> None:
    """Print a table without truncation: a narrow terminal gets narrow gaps between columns, and then wraps lines."""
    unlimited = console.options.update(max_width=1_000)
    table.collapse_padding = console.is_terminal and console.measure(table, options=unlimited).maximum > console.width
    table.width = console.measure(table, options=unlimited).maximum
    console.print(table, crop=False)


def _streams(report: LoadReport) -> Table:
    table = plain_table(["stream"], ["records", "received", "skipped", "requests", "seconds"])
    table.add_column("state", no_wrap=True)
    for stream in report.streams:
        stats = stream.stats
        counts = (f"{count:,}" for count in (stats.emitted, stats.received, stats.skipped, stats.requests))
        table.add_row(stream.name, *counts, f"{stats.seconds:.1f}", Text(stream.state, style=STYLES[stream.state]))
    return table


def _print_drifts(report: LoadReport, console: Console) -> None:
    order = {stream.name: index for index, stream in enumerate(report.streams)}
    drifts = sorted(report.drifts, key=lambda drift: order.get(drift.stream, len(order)))
    table = plain_table(["stream", "field", "expected", "found"])
    for drift in drifts[:_DRIFTS_SHOWN]:
        table.add_row(drift.stream, Text(printable(drift.path)), " or ".join(drift.known) or "(new field)", drift.found)
    console.print("\nSchema differences (nothing is lost: see the columns _extra and _unparsed):", style="yellow")
    print_complete(table, console)
    if len(drifts) > _DRIFTS_SHOWN:
        console.print(f"and {len(drifts) - _DRIFTS_SHOWN:,} more", highlight=False)
