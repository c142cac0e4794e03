"""What a load did, stream by stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from source_zendesk_chat.engine.events import Ledger
    from source_zendesk_chat.errors import ConnectorError


@dataclass(frozen=True, slots=True)
class StreamReport:
    """One stream's run.

    Attributes:
        name: Of the stream.
        state: ``unfinished`` when the events ended without saying how the stream ended.
        error: Why it failed.
    """

    name: str
    state: Literal["complete", "failed", "unfinished"]
    ledger: Ledger
    error: ConnectorError | None = None


@dataclass(frozen=True, slots=True)
class LoadReport:
    """A whole run, streams in the order of their tables."""

    streams: tuple[StreamReport, ...]

    @property
    def complete(self) -> bool:
        """Whether every stream was read to its end."""
        return all(stream.state == "complete" for stream in self.streams)


def print_report(report: LoadReport, console: Console) -> None:
    """Print the table of streams, and under it why some failed; without colour where the console has none."""
    table = Table("stream", box=None, pad_edge=False, header_style="bold")
    for title in ("records", "received", "left out", "requests", "seconds"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for stream in report.streams:
        ledger = stream.ledger
        style = "green" if stream.state == "complete" else "red"
        table.add_row(
            stream.name,
            f"{ledger.emitted:,}",
            f"{ledger.received:,}",
            f"{ledger.unchanged + ledger.outside:,}",
            f"{ledger.requests:,}",
            f"{ledger.seconds:.1f}",
            Text(stream.state, style=style),
        )
    console.print(table)
    for stream in report.streams:
        if stream.error is not None:
            console.print(f"{stream.name}: {stream.error}", markup=False, highlight=False, soft_wrap=True)
