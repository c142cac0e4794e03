"""Progress of a running load on standard error: bars on a terminal, log lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

from rich.progress import Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.progress_bar import ProgressBar
from rich.text import Text

from zendesk_chat.engine.events import (
    Event,
    Note,
    PageRead,
    RateLimited,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    StreamUnavailable,
)
from zendesk_chat.load.console import say
from zendesk_chat.load.loading import Observe, Saved

if TYPE_CHECKING:
    from rich.console import Console

Ending: TypeAlias = StreamCompleted | StreamFailed | StreamUnavailable

_WIDE: Final = 120  # the width from which a terminal shows all columns
_BAR_WIDTH: Final = 24
_SHORT_BAR_WIDTH: Final = 8
_STATES: Final[dict[type[Ending], str]] = {
    StreamCompleted: "complete",
    StreamFailed: "failed",
    StreamUnavailable: "not available",
}
_STYLES: Final = {"complete": "green", "failed": "red", "not available": "yellow"}
_LINE_SECONDS: Final = 5.0  # between two log lines about records


@contextmanager
def show_progress(
    console: Console, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
) -> Iterator[Observe]:
    """Yield an observer for ``load_events`` that shows the progress.

    Args:
        console: The console of standard error. A terminal shows bars, anything else lines.
        now: Seconds since 1970, as in ``RateLimited.reset_at``.
        monotonic: Seconds.
    """
    if not console.is_terminal:
        yield _Lines(console, now, monotonic)
        return
    with Progress(*_columns(now, wide=console.width >= _WIDE), console=console, transient=True) as progress:
        yield _Bars(progress)


def wait_seconds(reset_at: float, now: float) -> int:
    """Return the seconds until then, rounded; never negative."""
    return max(0, round(reset_at - now))


def ending(event: Ending) -> str:
    """Describe how a stream ended. The report prints the reasons, each once for all streams that it concerns."""
    stats = event.stats
    counts = f"{stats.emitted:,} records, {stats.requests:,} requests, {stats.seconds:.1f} s"
    match event:
        case StreamCompleted():
            return f"complete: {counts}"
        case StreamFailed():
            return f"failed after {counts}"
        case StreamUnavailable():
            return "not available"


def _columns(now: Callable[[], float], *, wide: bool) -> list[ProgressColumn]:
    """Return the columns that fit on the terminal, so that each stream has one line."""
    name, status = TextColumn("{task.description}", markup=False), _StatusColumn(now)
    if wide:
        requests = TextColumn("{task.fields[requests]:>7,} requests")
        return [name, _ReadColumn(_BAR_WIDTH), _RecordsColumn(), _SpeedColumn(), requests, status]
    return [name, _ReadColumn(_SHORT_BAR_WIDTH), _RecordsColumn(), status]


class _Lines:
    """Prints a line at each stream's start and end, and at most one every few seconds about its records."""

    def __init__(self, console: Console, now: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._console = console
        self._now = now
        self._monotonic = monotonic
        self._records: dict[str, int] = {}
        self._printed_at: dict[str, float] = {}
        self._remarks = _Remarks()

    def __call__(self, event: Event | Saved) -> None:
        line = self._line(event)
        if line is not None:
            say(self._console, line)

    def _line(self, event: Event | Saved) -> str | None:
        match event:
            case StreamStarted():
                self._printed_at[event.stream] = self._monotonic()
                return f"{event.stream}: started"
            case PageRead():
                return self._page(event)
            case RateLimited():
                return f"{event.stream}: waits {wait_seconds(event.reset_at, self._now())} s for the rate limit"
            case StreamFailed() if event.stream not in self._printed_at:
                return None  # it never started
            case StreamCompleted() | StreamFailed() | StreamUnavailable():
                return f"{event.stream}: {ending(event)}"
            case _:
                return self._remarks.line(event)

    def _page(self, event: PageRead) -> str | None:
        self._records[event.stream] = self._records.get(event.stream, 0) + len(event.records)
        if self._monotonic() - self._printed_at[event.stream] < _LINE_SECONDS:
            return None
        self._printed_at[event.stream] = self._monotonic()
        return f"{event.stream}: {self._records[event.stream]:,} records"


class _Bars:
    """Shows one line for each stream, and remarks above them."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        self._remarks = _Remarks()

    def __call__(self, event: Event | Saved) -> None:
        match event:
            case StreamStarted():
                task = self._progress.add_task(event.stream, total=None, requests=0, status="reading", reset_at=None, read=None)
                self._tasks[event.stream] = task
            case PageRead():
                self._page(self._tasks[event.stream], event)
            case RateLimited():
                self._progress.update(self._tasks[event.stream], reset_at=event.reset_at)
            case StreamFailed() if event.stream not in self._tasks:
                pass  # it never started
            case StreamCompleted() | StreamFailed() | StreamUnavailable():
                self._end(self._tasks[event.stream], event)
            case _:
                self._remark(event)

    def _page(self, task: TaskID, page: PageRead) -> None:
        requests = self._progress.tasks[task].fields["requests"] + 1
        self._progress.update(task, advance=len(page.records), requests=requests, reset_at=None, read=page.progress)

    def _end(self, task: TaskID, event: Ending) -> None:
        stats = event.stats
        status = _STATES[type(event)]
        self._progress.update(
            task,
            total=stats.emitted,
            completed=stats.emitted,
            requests=stats.requests,
            status=status,
            reset_at=None,
            read=1.0 if status == "complete" else self._progress.tasks[task].fields["read"] or 0.0,
        )

    def _remark(self, event: Event | Saved) -> None:
        remark = self._remarks.line(event)
        if remark is not None:
            say(self._progress.console, remark)


class _ReadColumn(ProgressColumn):
    """A bar of the share of the stream that is read; it pulses if the share is unknown."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self._width = width

    def render(self, task: Task) -> ProgressBar:
        read = task.fields["read"]
        return ProgressBar(total=1.0, completed=read or 0.0, width=self._width, pulse=read is None)


class _RecordsColumn(ProgressColumn):
    """Records so far."""

    def render(self, task: Task) -> Text:
        return Text(f"{int(task.completed):>12,} records", no_wrap=True)


class _SpeedColumn(ProgressColumn):
    """Records a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.finished_speed or task.speed or 0:>8,.0f}/s", no_wrap=True)


class _StatusColumn(ProgressColumn):
    """The state of the stream, with a countdown while it waits for the rate limit."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._now = now

    def render(self, task: Task) -> Text:
        reset_at = task.fields["reset_at"]
        if reset_at is not None:
            return Text(f"rate limit, {wait_seconds(reset_at, self._now())} s left", style="yellow")
        status = task.fields["status"]
        return Text(status, style=_STYLES.get(status, ""))


class _Remarks:
    """Lines about the run. Several streams may have the same fault; it is reported once."""

    def __init__(self) -> None:
        self._notes: set[str] = set()

    def line(self, event: Event | Saved) -> str | None:
        """Return a line, or None for an event without one."""
        match event:
            case Saved(records) if records:
                return f"{records:,} records saved"
            case Note("INFO" | "WARN" as level, message) if message not in self._notes:
                self._notes.add(message)
                return f"{level}: {message}"
            case _:
                return None
