"""What a load did, stream by stream."""

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

    from zendesk_chat.engine.events import Ledger, SchemaChange
    from zendesk_chat.errors import ConnectorError

State: TypeAlias = Literal["complete", "failed", "interrupted", "not available"]

_STYLES: Final[dict[State, str]] = {"complete": "green", "failed": "red", "interrupted": "red", "not available": "yellow"}
_DRIFTS_SHOWN: Final = 500
_NAMES_SHOWN: Final = 3
_ANY_WIDTH: Final = 1_000


@dataclass(frozen=True, slots=True)
class StreamReport:
    """One stream's run.

    Attributes:
        name: Of the stream.
        state: ``interrupted`` when the events ended without saying how the stream ended.
        error: Why it failed, or why the account lacks it.
    """

    name: str
    state: State
    ledger: Ledger
    error: ConnectorError | None = None


@dataclass(frozen=True, slots=True)
class LoadReport:
    """A whole run.

    Attributes:
        streams: In the order of their tables.
        drifts: Where records were not as their schema says.
        required: Names of the streams that the account may not lack.
    """

    streams: tuple[StreamReport, ...]
    drifts: tuple[SchemaChange, ...] = ()
    required: frozenset[str] = frozenset()

    @property
    def complete(self) -> bool:
        """Whether every stream was read to its end, but for those that the account lacks and nobody asked for by name."""
        return not self._incomplete()

    @property
    def exit_code(self) -> ExitCode:
        """What a scheduler is told."""
        incomplete = self._incomplete()
        return exit_code(stream.error for stream in incomplete if stream.error) if incomplete else ExitCode.COMPLETE

    def _incomplete(self) -> list[StreamReport]:
        return [
            stream
            for stream in self.streams
            if stream.state != "complete" and not (stream.state == "not available" and stream.name not in self.required)
        ]


def print_report(report: LoadReport, console: Console) -> None:
    """Print the table of streams, what drifted, and at the end why some streams have nothing.

    A run that failed before it read anything has one reason and no table.
    """
    if reason := _reason_of_all(report):
        say(console, f"error: {reason}")
        return
    print_whole(_streams(report), console)
    if report.drifts:
        places = {stream.name: place for place, stream in enumerate(report.streams)}
        _print_drifts(sorted(report.drifts, key=lambda drift: places.get(drift.stream, len(places))), console)
    reasons = _reasons(report)
    for (state, message), names in sorted(reasons.items(), key=lambda reason: reason[0][0] != "not available"):
        say(console, f"{named(names)}: {message}", "yellow" if state == "not available" else "")


def named(names: Sequence[str]) -> str:
    """Name some streams, and count the rest: ``agents, bans, chats and 18 more``."""
    if len(names) <= _NAMES_SHOWN + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMES_SHOWN])} and {len(names) - _NAMES_SHOWN} more"


def _reason_of_all(report: LoadReport) -> str | None:
    """The reason that every stream failed for before it had a page, if there is one for all."""
    reasons = {str(stream.error) for stream in report.streams if stream.state == "failed" and not stream.ledger.pages}
    all_failed = all(stream.state == "failed" and not stream.ledger.pages for stream in report.streams)
    return reasons.pop() if all_failed and len(reasons) == 1 else None


def _reasons(report: LoadReport) -> dict[tuple[State, str], list[str]]:
    """Each message once, with the streams that it holds for."""
    reasons: dict[tuple[State, str], list[str]] = {}
    for stream in report.streams:
        if stream.error is not None:
            reasons.setdefault((stream.state, str(stream.error)), []).append(stream.name)
    return reasons


def print_whole(table: Table, console: Console) -> None:
    """Print a table with nothing cut off: columns move together on a narrow terminal, lines run on where that is not enough."""
    anywhere = console.options.update(max_width=_ANY_WIDTH)
    table.collapse_padding = console.is_terminal and console.measure(table, options=anywhere).maximum > console.width
    table.width = console.measure(table, options=anywhere).maximum
    console.print(table, crop=False)


def _streams(report: LoadReport) -> Table:
    table = Table("stream", box=None, pad_edge=False, header_style="bold")
    for title in ("records", "received", "skipped", "requests", "seconds"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for stream in report.streams:
        ledger = stream.ledger
        table.add_row(
            stream.name,
            f"{ledger.emitted:,}",
            f"{ledger.received:,}",
            f"{ledger.unchanged + ledger.outside:,}",
            f"{ledger.requests:,}",
            f"{ledger.seconds:.1f}",
            Text(stream.state, style=_STYLES[stream.state]),
        )
    return table


def _print_drifts(drifts: Sequence[SchemaChange], console: Console) -> None:
    table = Table("stream", "field", "expected", "found", box=None, pad_edge=False, header_style="bold", title_justify="left")
    for drift in drifts[:_DRIFTS_SHOWN]:
        table.add_row(drift.stream, Text(printable(drift.path)), " or ".join(drift.known) or "(new field)", drift.found)
    console.print("\nSchema differences (data loaded unchanged):", style="yellow")
    print_whole(table, console)
    if len(drifts) > _DRIFTS_SHOWN:
        console.print(f"and {len(drifts) - _DRIFTS_SHOWN:,} more", highlight=False)
