"""The summary of a load."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
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
_COUNTS: Final[dict[str, Callable[[SyncStats], str]]] = {
    "records": lambda stats: f"{stats.emitted:,}",
    "received": lambda stats: f"{stats.received:,}",
    "skipped": lambda stats: f"{stats.skipped:,}",
    "requests": lambda stats: f"{stats.requests:,}",
    "seconds": lambda stats: f"{stats.seconds:.1f}",
}
_FEWER_COUNTS: Final = {title: _COUNTS[title] for title in ("records", "skipped", "seconds")}
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
        saved: Records in all committed transactions. An unchanged list that was not written does not count.
        seconds: Duration of the run.
        destination: A DuckDB file, or the name of another destination: ``the database support on 127.0.0.1``.
        schema: Where the tables are in a DuckDB file.
        interrupted: Whether the run ended before it had started every stream.
        warnings: What the user should know about the destination.
    """

    streams: tuple[StreamReport, ...]
    drifts: tuple[SchemaChange, ...] = ()
    required: frozenset[str] = frozenset()
    saved: int = 0
    seconds: float = 0.0
    destination: Path | str = "the destination"
    schema: str = "main"
    interrupted: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def incomplete(self) -> tuple[StreamReport, ...]:
        """The streams that make the run incomplete: neither complete, nor missing in the account and not required."""
        return tuple(
            stream
            for stream in self.streams
            if stream.state != "complete" and not (stream.state == "not available" and stream.name not in self.required)
        )

    @property
    def failures(self) -> dict[str, list[StreamReport]]:
        """The streams that make the run incomplete by an error, by its message."""
        return _by_reason(self.incomplete)

    @property
    def lacking(self) -> dict[str, list[StreamReport]]:
        """The streams that the account lacks, which is no failure, by the reason."""
        incomplete = self.incomplete
        return _by_reason(stream for stream in self.streams if stream.state == "not available" and stream not in incomplete)

    @property
    def is_one_failure(self) -> bool:
        """Whether all streams failed for one reason before they read a page, so that nothing else is worth a line."""
        return len(self.failures) == 1 and all(stream.state == "failed" and not stream.stats.pages for stream in self.streams)

    @property
    def result(self) -> Result:
        """How the run ended. It is interrupted if its events ended before every stream did, even if one did not start."""
        if self.interrupted or any(stream.state == "interrupted" for stream in self.streams):
            return "interrupted"
        return "incomplete" if self.incomplete else "complete"

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the run. A signal has a different code."""
        if self.result == "complete":
            return ExitCode.COMPLETE
        return exit_code(stream.error for stream in self.incomplete if stream.error)


def print_report(report: LoadReport, console: Console) -> None:
    """Print the table of streams, the schema differences, the streams that the account lacks, and the result in one line.

    Print nothing if all streams failed for one reason, which is logged.
    """
    if report.is_one_failure:
        return
    if report.streams:
        _print_streams(report, console)
    if report.drifts:
        _print_drifts(report, console)
    for reason, streams in report.lacking.items():
        say(console, about_streams([stream.name for stream in streams], reason), "yellow")
    say(console, result_line(report))


def result_line(report: LoadReport) -> str:
    """Return the result in one line, with what to do next."""
    if report.result == "interrupted":
        return f"Interrupted: {counted(report.saved, 'record')} saved in {report.destination}. Run the same command to resume."
    if report.result == "incomplete":
        first = "Fix the problems reported above, then run" if report.exit_code == ExitCode.ACTION_NEEDED else "Run"
        names = named([stream.name for stream in report.incomplete])
        return f"Incomplete: {names}. {_saved(report)} {first} the same command again to load the rest."
    if not isinstance(report.destination, Path):
        return _saved(report)
    schema = "" if report.schema == "main" else f" --schema {shlex.quote(report.schema)}"
    return f"{_saved(report)} Next: {program()} status {shlex.quote(str(report.destination))}{schema}"


def program() -> str:
    """Return the command as the user typed it, if that was a path such as ``.venv/bin/zendesk-chat``; else its name."""
    typed = sys.argv[0]
    is_relative = Path(typed).stem == "zendesk-chat" and not Path(typed).is_absolute() and Path(typed).parent != Path()
    return shlex.quote(typed) if is_relative else "zendesk-chat"


def about_streams(names: Sequence[str], reason: str) -> str:
    """Return a reason after the streams that it concerns. It may already name one of them, as in ``goals: HTTP 500``."""
    for name in names:
        reason = reason.removeprefix(f"{name}: ")
    return f"{named(names)}: {reason}"


def named(names: Sequence[str]) -> str:
    """Name some streams, and count the rest: ``agents, bans, chats and 18 more``."""
    if len(names) <= _NAMES_SHOWN + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMES_SHOWN])} and {len(names) - _NAMES_SHOWN} more"


def _saved(report: LoadReport) -> str:
    took, where = duration(report.seconds), str(report.destination)
    if isinstance(report.destination, Path) and report.destination.exists():
        where += f" ({size(report.destination.stat().st_size)})"
    if report.saved:
        return f"{counted(report.saved, 'record')} in {took}, saved in {where}."
    if report.streams and all(stream.state == "not available" for stream in report.streams):
        return f"No records in {took}: the account has none of these streams."
    return f"No new records in {took}; {where} is up to date."


def _by_reason(streams: Iterable[StreamReport]) -> dict[str, list[StreamReport]]:
    """Return the streams that have an error, by its message."""
    reasons: dict[str, list[StreamReport]] = {}
    for stream in streams:
        if stream.error is not None:
            reasons.setdefault(str(stream.error), []).append(stream)
    return reasons


def plain_table(left: Sequence[str], right: Sequence[str] = ()) -> Table:
    """Return a table without lines, with columns of text and then of numbers, which are aligned to the right."""
    from rich.table import Table  # noqa: PLC0415  an interrupted run may have no table to print

    table = Table(*left, box=None, pad_edge=False, header_style="bold")
    for title in right:
        table.add_column(title, justify="right", no_wrap=True)
    return table


def print_complete(table: Table, console: Console, optional: Sequence[str] = ()) -> None:
    """Print a table without truncation.

    A narrow terminal gets narrow gaps between columns, then no ``optional`` columns, the first one first, and then wraps lines.
    """
    for title in optional:
        table.collapse_padding = True
        if not console.is_terminal or width_of(table, console) <= console.width:
            break
        table = _without(table, title)
    table.collapse_padding = console.is_terminal and width_of(table, console) > console.width
    table.width = width_of(table, console)
    console.print(table, crop=False)


def _without(table: Table, title: str) -> Table:
    """Return a copy of a plain table without a column."""
    kept = [column for column in table.columns if column.header != title]
    copy = plain_table(())
    for column in kept:
        copy.add_column(column.header, justify=column.justify, no_wrap=column.no_wrap)
    for cells in zip(*(column.cells for column in kept), strict=True):
        copy.add_row(*cells)
    return copy


def width_of(table: Table, console: Console) -> int:
    """Return the width of a table that is printed without truncation."""
    return console.measure(table, options=console.options.update(max_width=1_000)).maximum


def _print_streams(report: LoadReport, console: Console) -> None:
    """Print the table of streams. On a narrow terminal it has only the most important columns."""
    table = _table(report, _COUNTS)
    table.collapse_padding = True
    counts = _FEWER_COUNTS if console.is_terminal and width_of(table, console) > console.width else _COUNTS
    print_complete(_table(report, counts), console)


def _table(report: LoadReport, counts: Mapping[str, Callable[[SyncStats], str]]) -> Table:
    table = plain_table(["stream"], list(counts))
    table.add_column("state", no_wrap=True)
    for stream in report.streams:
        cells = (count(stream.stats) for count in counts.values())
        table.add_row(stream.name, *cells, Text(stream.state, style=STYLES[stream.state]))
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
