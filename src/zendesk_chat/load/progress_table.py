"""The progress of a load on a terminal: a line for each stream, in the order of the summary, and one for the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from zendesk_chat.load.report import STYLES
from zendesk_chat.printable import printable
from zendesk_chat.wording import about, counted, duration, roughly

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

    from zendesk_chat.load.progress import RunProgress, StreamProgress

_MEDIUM: Final = 80  # columns from which estimated totals fit
_WIDE: Final = 100  # columns from which bars and requests fit
_BAR_WIDTH: Final = 12
_COUNT_WIDTH: Final = len("100,000 of about 300,000")
_LINES_OF_RUN: Final = 2  # its own line, and the cursor's
_REFRESHES_PER_SECOND: Final = 4


@contextmanager
def animated(console: Console, progress: RunProgress, now: Callable[[], float]) -> Iterator[None]:
    """Show the progress at the bottom of the terminal for as long as the block lasts, and then remove it."""
    table = ProgressTable(progress, now)
    with Live(table, console=console, transient=True, refresh_per_second=_REFRESHES_PER_SECOND):
        yield


@dataclass(frozen=True, slots=True)
class ProgressTable:
    """What the terminal shows now. It fits into 60 columns, and shows more in 80 and in 100.

    Attributes:
        now: Returns seconds since 1970.
    """

    progress: RunProgress
    now: Callable[[], float]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the lines."""
        width, trouble = options.max_width, printable(self.progress.trouble)
        table = _grid(width)
        for stream in self._shown(console.height - _LINES_OF_RUN - ceil(len(trouble) / width)):
            table.add_row(*self._cells(stream, width))
        yield table
        yield Text(self._line(width), style="bold", no_wrap=True, overflow="ellipsis")
        if trouble:
            yield Text(trouble, style="yellow")

    def _shown(self, lines: int) -> list[StreamProgress]:
        """Return the streams for so many lines. If they do not fit, streams that are complete or waiting are skipped first."""
        shown = list(self.progress.streams.values())
        for phase in ("complete", "waiting"):
            if len(shown) > lines:
                shown = [stream for stream in shown if stream.phase != phase]
        return shown[: max(1, lines)]

    def _cells(self, stream: StreamProgress, width: int) -> Iterator[RenderableType]:
        share = 1.0 if stream.phase == "complete" else stream.share
        percent = "" if share is None else f"{share:.0%}"
        count = "" if stream.phase == "waiting" else f"{stream.stats.emitted:,}"
        if width >= _MEDIUM and stream.total:
            count += f" of about {about(stream.total)}"
        yield Text(stream.name)
        if width >= _WIDE:
            yield ProgressBar(total=1.0, completed=share or 0.0, width=_BAR_WIDTH)
        yield Text(percent)
        yield Text(count)
        if width >= _WIDE:
            yield Text(counted(stream.stats.requests, "request") if stream.stats.requests else "")
        yield self._status(stream)

    def _status(self, stream: StreamProgress) -> Text:
        pause = stream.paused_until - self.now()
        if stream.phase == "reading" and pause > 0:
            return Text(f"{'retry in' if stream.retries else 'rate limit'} {ceil(pause)} s", style="yellow")
        left = stream.seconds_left(self.progress.monotonic()) if stream.stats.requests else None
        shown = stream.phase if left is None else f"{roughly(left)} left"
        return Text(shown, style=STYLES.get(stream.phase, ""))

    def _line(self, width: int) -> str:
        """Return the line of the run: what is read and saved, the time since its start, and the time that is left."""
        progress, left = self.progress, self.progress.seconds_left
        if width < _MEDIUM:
            rest = "" if left is None else f", {roughly(left)} left"
            return f"{progress.read:,} read, {progress.saved:,} saved, {duration(progress.seconds)}{rest}"
        streams = f"{progress.ended} of {len(progress.streams)} streams, " if width >= _WIDE else ""
        rest = "" if left is None else f", about {roughly(left)} left"
        return f"{streams}{progress.read:,} records read, {progress.saved:,} saved, {duration(progress.seconds)} elapsed{rest}"


def _grid(width: int) -> Table:
    """Return a table with columns of fixed widths, so that nothing moves while numbers grow."""
    grid = Table.grid(padding=(0, 2 if width >= _MEDIUM else 1))
    grid.add_column(no_wrap=True)
    if width >= _WIDE:
        grid.add_column(width=_BAR_WIDTH)
    grid.add_column(no_wrap=True, justify="right", min_width=len("100%"))
    medium = width >= _MEDIUM
    grid.add_column(no_wrap=True, justify="left" if medium else "right", min_width=_COUNT_WIDTH if medium else 0)
    if width >= _WIDE:
        grid.add_column(no_wrap=True, justify="right", min_width=len("100 requests"))
    grid.add_column(no_wrap=True)
    return grid
