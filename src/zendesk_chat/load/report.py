"""The summary of a load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from rich.table import Table
from rich.text import Text

from zendesk_chat.engine.events import StreamCompleted, StreamFailed, StreamUnavailable
from zendesk_chat.errors import ExitCode, exit_code
from zendesk_chat.load.console import say
from zendesk_chat.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from zendesk_chat.engine.events import SchemaChange
    from zendesk_chat.engine.stats import SyncStats
    from zendesk_chat.errors import ConnectorError

State: TypeAlias = Literal["complete", "failed", "interrupted", "not available"]
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
        required: Names of the streams that the user named: it is an error if the account lacks one.
    """

    streams: tuple[StreamReport, ...]
    drifts: tuple[SchemaChange, ...] = ()
    required: frozenset[str] = frozenset()
    saved: int = 0
    seconds: float = 0.0
    destination: str = ""

    @property
    def result(self) -> str:
        """``complete``, ``interrupted`` or ``incomplete``."""
        if any(stream.state == "interrupted" for stream in self.streams):
            return "interrupted"
        return "complete" if self.exit_code is ExitCode.COMPLETE else "incomplete"

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the run, which is complete if every stream is, or is neither available nor required."""
        incomplete = [
            stream
            for stream in self.streams
            if stream.state != "complete" and not (stream.state == "not available" and stream.name not in self.required)
        ]
        return exit_code(stream.error for stream in incomplete if stream.error) if incomplete else ExitCode.COMPLETE


def print_report(report: LoadReport, console: Console) -> None:
    """Print the table of streams, the schema differences, and why streams failed or are missing.

    If all streams failed for the same reason before they read a page, print that reason only.
    """
    reasons: dict[tuple[State, str], list[str]] = {}
    for stream in report.streams:
        if stream.error is not None:
            reasons.setdefault((stream.state, str(stream.error)), []).append(stream.name)
    if len(reasons) == 1 and all(stream.state == "failed" and not stream.stats.pages for stream in report.streams):
        ((_, reason),) = reasons
        say(console, f"error: {reason}")
        return
    print_complete(_streams(report), console)
    if report.drifts:
        order = {stream.name: index for index, stream in enumerate(report.streams)}
        _print_drifts(sorted(report.drifts, key=lambda drift: order.get(drift.stream, len(order))), console)
    for state, style in (("not available", "yellow"), ("failed", "")):
        for (of, message), names in reasons.items():
            if of == state:
                say(console, f"{_named(names)}: {message}", style)


def _named(names: Sequence[str]) -> str:
    """Name some streams, and count the rest: ``agents, bans, chats and 18 more``."""
    if len(names) <= _NAMES_SHOWN + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMES_SHOWN])} and {len(names) - _NAMES_SHOWN} more"


def plain_table(left: Sequence[str], right: Sequence[str] = ()) -> Table:
    """Return a table without lines, with columns of text and then of numbers, which are aligned to the right."""
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


def _print_drifts(drifts: Sequence[SchemaChange], console: Console) -> None:
    table = plain_table(["stream", "field", "expected", "found"])
    for drift in drifts[:_DRIFTS_SHOWN]:
        table.add_row(drift.stream, Text(printable(drift.path)), " or ".join(drift.known) or "(new field)", drift.found)
    console.print("\nSchema differences (nothing is lost: see the columns _extra and _unparsed):", style="yellow")
    print_complete(table, console)
    if len(drifts) > _DRIFTS_SHOWN:
        console.print(f"and {len(drifts) - _DRIFTS_SHOWN:,} more", highlight=False)
