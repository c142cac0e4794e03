"""Progress of a running load on standard error: bars on a terminal, log lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

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
from zendesk_chat.load.report import STATES, STYLES, Ending
from zendesk_chat.wording import counted, duration

if TYPE_CHECKING:
    from rich.console import Console

    from zendesk_chat.engine.stats import SyncStats

_WIDE: Final = 120  # the width from which a terminal shows all columns
_LINE_SECONDS: Final = 5.0  # between two log lines about records


@contextmanager
def show_progress(
    console: Console, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
) -> Iterator[Observe]:
    """Yield an observer for ``load_events`` that shows the progress: as bars on a terminal, else as lines."""
    if not console.is_terminal:
        yield _Lines(console, now, monotonic)
        return
    with Progress(*_columns(now, wide=console.width >= _WIDE), console=console, transient=True) as progress:
        yield _Bars(progress)


def announce_stop(console: Console) -> None:
    """Print that the run is ending. A signal handler calls this, so nothing here waits for the code that it interrupted."""
    with suppress(RuntimeError):  # it interrupted that code while it wrote to the same file
        say(console, "Stopping; saving ...")


class _Lines:
    """Prints a line at each stream's start and end, and at most one every few seconds about its records."""

    def __init__(self, console: Console, now: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._console = console
        self._now = now
        self._monotonic = monotonic
        self._printed_at: dict[str, float] = {}
        self._remarks = _Remarks(console)

    def __call__(self, event: Event | Saved) -> None:
        match event:
            case StreamStarted(stream):
                self._printed_at[stream] = self._monotonic()
                self._say(stream, "started")
            case PageRead(stream):
                if self._monotonic() - self._printed_at[stream] >= _LINE_SECONDS:
                    self._printed_at[stream] = self._monotonic()
                    self._say(stream, counted(event.stats.emitted, "record"))
            case RateLimited(stream, reset_at):
                self._say(stream, f"waits {_wait_seconds(reset_at, self._now())} s for the rate limit")
            case StreamCompleted(stream, stats):
                self._say(stream, f"complete: {_counts(stats)}")
            case StreamFailed(stream) if stream in self._printed_at:  # else it never started
                self._say(stream, f"failed after {_counts(event.stats)}")
            case StreamUnavailable(stream):
                self._say(stream, "not available")
            case _:
                self._remarks.show(event)

    def _say(self, stream: str, what: str) -> None:
        say(self._console, f"{stream}: {what}")


class _Bars:
    """Shows one line for each stream, and remarks above them."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        self._remarks = _Remarks(progress.console)

    def __call__(self, event: Event | Saved) -> None:
        match event:
            case StreamStarted(stream):
                task = self._progress.add_task(stream, total=None, requests=0, status="reading", reset_at=None, read=None)
                self._tasks[stream] = task
            case PageRead(stream):
                task = self._tasks[stream]
                records, requests = event.stats.emitted, event.stats.requests
                self._progress.update(task, completed=records, requests=requests, reset_at=None, read=event.progress)
            case RateLimited(stream, reset_at):
                self._progress.update(self._tasks[stream], reset_at=reset_at)
            case StreamCompleted() | StreamFailed() | StreamUnavailable():
                if event.stream in self._tasks:  # else it never started
                    self._end(self._tasks[event.stream], event)
            case _:
                self._remarks.show(event)

    def _end(self, task: TaskID, event: Ending) -> None:
        read = 1.0 if isinstance(event, StreamCompleted) else self._progress.tasks[task].fields["read"] or 0.0
        count, requests = event.stats.emitted, event.stats.requests
        status = STATES[type(event)]
        self._progress.update(task, total=count, completed=count, requests=requests, status=status, reset_at=None, read=read)


class _Remarks:
    """Prints lines about the run. Several streams may have the same fault; it is reported once."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._notes: set[str] = set()

    def show(self, event: Event | Saved) -> None:
        match event:
            case Saved(records) if records:
                say(self._console, f"{counted(records, 'record')} saved")
            case Note("INFO" | "WARN" as level, message) if message not in self._notes:
                self._notes.add(message)
                say(self._console, f"{level}: {message}")
            case _:
                pass


def _wait_seconds(reset_at: float, now: float) -> int:
    return max(0, round(reset_at - now))


def _counts(stats: SyncStats) -> str:
    return f"{counted(stats.emitted, 'record')}, {counted(stats.requests, 'request')}, {duration(stats.seconds)}"


def _columns(now: Callable[[], float], *, wide: bool) -> list[ProgressColumn]:
    """Return the columns that fit on the terminal, so that each stream has one line."""
    name, status = TextColumn("{task.description}", markup=False), _StatusColumn(now)
    records = TextColumn("{task.completed:>12,.0f} records")
    if wide:
        requests = TextColumn("{task.fields[requests]:>7,} requests")
        return [name, _ReadColumn(24), records, _SpeedColumn(), requests, status]
    return [name, _ReadColumn(8), records, status]


class _ReadColumn(ProgressColumn):
    """A bar of the share of the stream that is read; it pulses if the share is unknown."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self._width = width

    def render(self, task: Task) -> ProgressBar:
        read = task.fields["read"]
        return ProgressBar(total=1.0, completed=read or 0.0, width=self._width, pulse=read is None)


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
            return Text(f"rate limit, {_wait_seconds(reset_at, self._now())} s left", style="yellow")
        return Text(task.fields["status"], style=STYLES.get(task.fields["status"], ""))
