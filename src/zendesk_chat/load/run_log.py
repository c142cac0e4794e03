"""The log of a load: a line of progress every few seconds, each event for machines, and each problem once."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from zendesk_chat._version import __version__
from zendesk_chat.engine.events import (
    Answered,
    Event,
    Note,
    RateLimited,
    Retrying,
    SchemaChange,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    StreamUnavailable,
)
from zendesk_chat.errors import UnavailableError
from zendesk_chat.load.loading import Observe, Saved
from zendesk_chat.load.log import STREAM, SUMMARY, Log
from zendesk_chat.load.progress import RunProgress
from zendesk_chat.load.report import STATES, LoadReport, about_streams, named, result_line
from zendesk_chat.wording import about, counted, duration, roughly

if TYPE_CHECKING:
    from zendesk_chat.engine.stats import SyncStats

SHORTEST_PAUSE_SECONDS: Final = 5.0
LONGEST_PAUSE_SECONDS: Final = 60.0
_PAUSE_SHARE: Final = 1 / 20  # of the time since the run started, to keep the log of a long run short
LONG_SECONDS: Final = 60.0  # a stream that takes this long gets its own line
_LEVELS: Final = {"INFO": logging.INFO, "WARN": logging.WARNING}


@contextmanager
def show_progress(log: Log, streams: Sequence[str]) -> Iterator[Observe]:
    """Yield an observer for ``load_events`` that shows how far these streams are, on a terminal and in the log."""
    progress = RunProgress.of(streams, log.clock.monotonic)
    log.on_start(progress)
    if log.terminal is None:
        yield RunLog(log, progress)
        return
    from zendesk_chat.load.progress_table import animated  # noqa: PLC0415  of no use elsewhere

    with log.drawing(), animated(log.terminal, progress, log.clock.now):
        yield RunLog(log, progress)


class RunLog:
    """Logs the events of a run. A person gets a line every few seconds, and a machine each event of a stream."""

    def __init__(self, log: Log, progress: RunProgress) -> None:
        self._log = log
        self._progress = progress
        self._warned: set[str] = set()
        self._retry_logged_at = -LONGEST_PAUSE_SECONDS  # seconds since the run started, like all times here
        self._line_due_at = SHORTEST_PAUSE_SECONDS

    def __call__(self, event: Event | Saved) -> None:
        """Log an event."""
        self._progress.observe(event)
        self._log_event(event)
        if self._progress.seconds >= self._line_due_at:
            self._line_due_at = self._progress.seconds + self._pause_seconds
            self._log_progress()

    @property
    def _pause_seconds(self) -> float:
        return min(max(self._progress.seconds * _PAUSE_SHARE, SHORTEST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)

    def _log_event(self, event: Event | Saved) -> None:
        match event:
            case Retrying():
                self._log_retry(event)
            case Note():
                self._log_note(event)
            case StreamCompleted() | StreamFailed() | StreamUnavailable():
                self._log_end(event)
            case Saved(records) if records:
                self._log.write(STREAM, f"{counted(records, 'record')} saved", "saved", records=records)
            case StreamStarted(stream):
                self._log.write(STREAM, f"{stream}: started", "stream_started", stream=stream)
            case RateLimited(stream, reset_at):
                wait = max(0, round(reset_at - self._log.clock.now()))
                what = f"{stream}: waiting {wait} s for the rate limit"
                self._log.write(STREAM, what, "rate_limit", stream=stream, wait_seconds=wait)
            case SchemaChange():
                found = {"field": event.path, "expected": list(event.known), "found": event.found}
                self._log.write(STREAM, str(event), "schema_change", stream=event.stream, **found)

    def _log_note(self, note: Note) -> None:
        """Log a note. If several streams have the same problem, it is reported once."""
        if isinstance(note, Answered):
            fields = {"path": note.path, "status": note.status, "seconds": round(note.seconds, 3)}
            self._log.detail(note.message, "request", stream=note.stream, **fields)
        elif note.level == "DEBUG":
            self._log.detail(note.message, "note")
        elif note.message not in self._warned:
            self._warned.add(note.message)
            self._log.write(_LEVELS[note.level], note.message, "note" if note.level == "INFO" else "warning")

    def _log_retry(self, event: Retrying) -> None:
        """Log a failed request. While many fail, a person gets a line only every few seconds."""
        due = self._progress.seconds >= self._retry_logged_at + self._pause_seconds
        if due:
            self._retry_logged_at = self._progress.seconds
        wait = max(0.0, round(event.retry_at - self._log.clock.now(), 1))
        self._log.write(logging.INFO if due else STREAM, event.message, "retrying", stream=event.stream, wait_seconds=wait)

    def _log_end(self, event: StreamCompleted | StreamFailed | StreamUnavailable) -> None:
        """Log the end of a stream: for a person only if it took long, and not for streams derived from its pages."""
        stats, state = event.stats, STATES[type(event)]
        fields = counts(stats)
        if not isinstance(event, StreamCompleted):
            fields |= {"error": str(event.error), "kind": type(event.error).__name__}
        level = logging.INFO if stats.seconds >= LONG_SECONDS and stats.requests else STREAM
        message = f"{event.stream}: {state}, {counted(stats.emitted, 'record')} in {duration(stats.seconds)}"
        self._log.write(level, message, f"stream_{state.replace(' ', '_')}", stream=event.stream, **fields)

    def _log_progress(self) -> None:
        progress, slowest, left = self._progress, self._progress.slowest, self._progress.seconds_left
        fields: dict[str, object] = {
            "read": progress.read,
            "saved": progress.saved,
            "seconds": round(progress.seconds, 1),
            "seconds_left": None if left is None else round(left),
            "streams_ended": progress.ended,
            "streams": len(progress.streams),
        }
        if slowest:
            fields |= {"stream": slowest.name, "share": round(slowest.share or 0.0, 3)}
        self._log.note(progress_line(progress, self._log.clock.now()), "progress", **fields)


def progress_line(progress: RunProgress, now: float) -> str:
    """Return the progress of a run in one line.

    ``52,000 records read, 48,000 saved; chats: 12,400 of about 31,000 (41%); about 2 min left``
    """
    parts = [f"{counted(progress.read, 'record')} read, {progress.saved:,} saved"]
    slowest, left = progress.slowest, progress.seconds_left
    if slowest is not None:
        of = f" of about {about(slowest.total)}" if slowest.total else ""
        parts.append(f"{slowest.name}: {slowest.stats.emitted:,}{of} ({slowest.share or 0.0:.0%})")
    elif progress.reading:
        parts.append(f"reading {named([stream.name for stream in progress.reading])}")
    waiting = [stream.paused_until - now for stream in progress.reading if not stream.retries]
    if (wait := round(max(waiting, default=0.0))) > 0:
        parts.append(f"waiting {wait} s for the rate limit")
    if left is not None:
        parts.append(f"about {roughly(left)} left")
    return "; ".join(parts)


def log_settings(log: Log, origins: Mapping[str, str]) -> None:
    """Log the versions, and where each setting comes from; never their values, because some are secret.

    Args:
        log: The log of the command.
        origins: By the name of each setting, such as ``ZENDESK_CHAT_SUBDOMAIN in .env`` for ``subdomain``.
    """
    python = ".".join(map(str, sys.version_info[:3]))
    log.detail(f"zendesk-chat {__version__}, Python {python}, {sys.platform}", "versions", version=__version__, python=python)
    listed = "; ".join(f"{name}: {origin}" for name, origin in origins.items())
    log.detail(f"Settings: {listed}", "settings", settings=dict(origins))


def log_start(log: Log, account: str, destination: str, streams: Sequence[str]) -> None:
    """Log what is loaded, and where to."""
    message = f"Loading {account} into {destination}: {counted(len(streams), 'stream')}"
    log.note(message, "run_started", subdomain=account, destination=destination, streams=list(streams), version=__version__)


def log_errors(report: LoadReport, log: Log) -> None:
    """Log why streams failed, each reason once with all streams that it concerns."""
    for reason, failed in report.failures.items():
        names, error = [stream.name for stream in failed], failed[0].error
        is_of_account = report.is_one_failure and not isinstance(error, UnavailableError)
        message = reason if is_of_account else about_streams(names, reason)
        log.fail(message, streams=names, kind=type(error).__name__)


def log_summary(report: LoadReport, log: Log) -> None:
    """Log the result of the run in one line. If all streams failed for one reason, people see only that reason."""
    level = logging.WARNING if report.result == "interrupted" else STREAM if report.is_one_failure else logging.INFO
    log.write(
        level,
        result_line(report),
        SUMMARY,
        result=report.result,
        exit_code=int(report.exit_code),
        records=report.saved,
        seconds=round(report.seconds, 3),
        destination=str(report.destination),
        streams=streams_of(report),
    )


def streams_of(report: LoadReport) -> dict[str, dict[str, object]]:
    """Return the state and the counts of each stream as fields."""
    return {stream.name: {"state": stream.state, **counts(stream.stats)} for stream in report.streams}


def counts(stats: SyncStats) -> dict[str, object]:
    """Return the counts of a stream as fields."""
    return {
        "records": stats.emitted,
        "received": stats.received,
        "skipped": stats.skipped,
        "requests": stats.requests,
        "seconds": round(stats.seconds, 3),
    }
