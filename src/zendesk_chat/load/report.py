"""The summary of a load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from rich.table import Table
from rich.text import Text

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

_STYLES: Final[dict[State, str]] = {"complete": "green", "failed": "red", "interrupted": "red", "not available": "yellow"}
_DRIFTS_SHOWN: Final = 500
_NAMES_SHOWN: Final = 3
_ANY_WIDTH: Final = 1_000


@dataclass(frozen=True, slots=True)
class StreamReport:
    """The result of one stream.

    Attributes:
        name: Name of the stream.
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
        streams: The streams, in the order of their tables.
        drifts: Differences between the records and their schemas.
        required: Names of the streams that the user named: it is an error if the account lacks one.
    """

    streams: tuple[StreamReport, ...]
    drifts: tuple[SchemaChange, ...] = ()
    required: frozenset[str] = frozenset()

    @property
    def complete(self) -> bool:
        """Whether every stream was read to its end, except those that the account lacks and that are not required."""
        return not self._incomplete()

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the run."""
        incomplete = self._incomplete()
        return exit_code(stream.error for stream in incomplete if stream.error) if incomplete else ExitCode.COMPLETE

    def _incomplete(self) -> list[StreamReport]:
        return [
            stream
            for stream in self.streams
            if stream.state != "complete" and not (stream.state == "not available" and stream.name not in self.required)
        ]


def print_report(report: LoadReport, console: Console) -> None:
    """Print the table of streams, the schema differences, and why streams failed or are missing.

    If all streams failed for the same reason before they read a page, print that reason only.
    """
    if reason := _reason_of_all(report):
        say(console, f"error: {reason}")
        return
    print_complete(_streams(report), console)
    if report.drifts:
        order = {stream.name: index for index, stream in enumerate(report.streams)}
        _print_drifts(sorted(report.drifts, key=lambda drift: order.get(drift.stream, len(order))), console)
    reasons = _reasons(report)
    for state, style in (("not available", "yellow"), ("failed", "")):
        for (of, message), names in reasons.items():
            if of == state:
                say(console, f"{named(names)}: {message}", style)


def named(names: Sequence[str]) -> str:
    """Name some streams, and count the rest: ``agents, bans, chats and 18 more``."""
    if len(names) <= _NAMES_SHOWN + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMES_SHOWN])} and {len(names) - _NAMES_SHOWN} more"


def _reason_of_all(report: LoadReport) -> str | None:
    """Return why every stream failed before it read a page, if the reason is the same for all."""
    reasons = {str(stream.error) for stream in report.streams if stream.state == "failed" and not stream.stats.pages}
    all_failed = all(stream.state == "failed" and not stream.stats.pages for stream in report.streams)
    return reasons.pop() if all_failed and len(reasons) == 1 else None


def _reasons(report: LoadReport) -> dict[tuple[State, str], list[str]]:
    """Return each message once, with the streams that it concerns."""
    reasons: dict[tuple[State, str], list[str]] = {}
    for stream in report.streams:
        if stream.error is not None:
            reasons.setdefault((stream.state, str(stream.error)), []).append(stream.name)
    return reasons


def print_complete(table: Table, console: Console) -> None:
    """Print a table without truncation: a narrow terminal gets narrow gaps between columns, and then wraps lines."""
    unlimited = console.options.update(max_width=_ANY_WIDTH)
    table.collapse_padding = console.is_terminal and console.measure(table, options=unlimited).maximum > console.width
    table.width = console.measure(table, options=unlimited).maximum
    console.print(table, crop=False)


def _streams(report: LoadReport) -> Table:
    table = Table("stream", box=None, pad_edge=False, header_style="bold")
    for title in ("records", "received", "skipped", "requests", "seconds"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for stream in report.streams:
        stats = stream.stats
        table.add_row(
            stream.name,
            f"{stats.emitted:,}",
            f"{stats.received:,}",
            f"{stats.skipped:,}",
            f"{stats.requests:,}",
            f"{stats.seconds:.1f}",
            Text(stream.state, style=_STYLES[stream.state]),
        )
    return table


def _print_drifts(drifts: Sequence[SchemaChange], console: Console) -> None:
    table = Table("stream", "field", "expected", "found", box=None, pad_edge=False, header_style="bold", title_justify="left")
    for drift in drifts[:_DRIFTS_SHOWN]:
        table.add_row(drift.stream, Text(printable(drift.path)), " or ".join(drift.known) or "(new field)", drift.found)
    console.print("\nSchema differences (data loaded unchanged):", style="yellow")
    print_complete(table, console)
    if len(drifts) > _DRIFTS_SHOWN:
        console.print(f"and {len(drifts) - _DRIFTS_SHOWN:,} more", highlight=False)
