"""Metrics of a run, in the form that Prometheus reads. docs/schedule.md lists them, with rules for alerts.

Each is a gauge: a run replaces the values of the run before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from zendesk_chat._version import __version__
from zendesk_chat.errors import ConnectorError
from zendesk_chat.load.file.stored import open_stored
from zendesk_chat.load.report import State

if TYPE_CHECKING:
    from zendesk_chat.load.destination import Destination
    from zendesk_chat.load.outcome import Outcome

BUILD_INFO: Final = "zendesk_chat_build_info"
SUCCESS: Final = "zendesk_chat_last_success_timestamp_seconds"
STREAM_SUCCESS: Final = "zendesk_chat_stream_last_success_timestamp_seconds"
METRICS: Final = {  # the help of each
    BUILD_INFO: "Version of zendesk-chat in the last run; always 1.",
    "zendesk_chat_account_info": "Subdomain and destination of the account; always 1.",
    "zendesk_chat_last_run_timestamp_seconds": "When the last run of sync ended, in seconds since 1970.",
    SUCCESS: "When a run last completed all of its streams, in seconds since 1970; absent if none has.",
    "zendesk_chat_last_run_duration_seconds": "Duration of the last run.",
    "zendesk_chat_last_run_exit_code": "Exit code of the last run: 0 if all of its streams are complete.",
    "zendesk_chat_last_run_requests": "Requests that the last run sent, retries included.",
    "zendesk_chat_last_run_saved_records": "Records that the last run saved.",
    "zendesk_chat_file_bytes": "Size of the DuckDB file after the last run.",
    STREAM_SUCCESS: "When the stream was last complete, in seconds since 1970; absent if it never was.",
    "zendesk_chat_stream_state": "State of the stream in the last run: 1 for the state that it is in, 0 for the others.",
    "zendesk_chat_stream_received_records": "Records that the last run received from Zendesk.",
    "zendesk_chat_stream_loaded_records": "Records that the last run loaded: received, and not skipped.",
    "zendesk_chat_stream_skipped_records": "Records that the last run skipped, because unchanged or outside the range.",
    "zendesk_chat_stream_requests": "Requests that the last run sent for the stream, retries included.",
    "zendesk_chat_stream_duration_seconds": "How long the last run read the stream.",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class History:
    """When runs succeeded, in seconds since 1970.

    Attributes:
        success_at: When a run last completed all of its streams; None if none has.
        streams: When each stream was last complete; absent if it never was.
    """

    success_at: float | None = None
    streams: Mapping[str, float] = field(default_factory=dict)


def measure(
    outcomes: Iterable[Outcome], exit_code: Callable[[int], int], earlier: Iterable[Sample], also: Collection[str] = ()
) -> Iterator[Sample]:
    """Yield the metrics of runs that have ended.

    Args:
        outcomes: One for each account.
        exit_code: Turns the exit code of an interrupted account into that of the signal.
        earlier: The previous content of the file: for the last success of accounts whose destination does not store it.
        also: Accounts that did not run now; their previous metrics are kept.
    """
    known = tuple(earlier)
    for outcome in outcomes:
        account, destination = outcome.account, outcome.destination
        yield Sample(BUILD_INFO, {"account": account, "version": __version__}, 1)
        history = _history_in_file(destination) or _history_in(known, account)
        code = exit_code(outcome.exit_code) if outcome.interrupted else outcome.exit_code
        for name, value in _of_run(outcome, code, history):
            yield Sample(f"zendesk_chat_{name}", {"account": account}, value)
        described = {"subdomain": outcome.subdomain, "destination": destination.shown, "schema": destination.schema or ""}
        yield Sample("zendesk_chat_account_info", {"account": account} | described, 1)
        yield from _of_streams(outcome, history)
    yield from (sample for sample in known if sample.labels.get("account") in also)


def _of_run(outcome: Outcome, code: int, history: History) -> Iterator[tuple[str, float]]:
    report, path = outcome.report, outcome.destination.path
    success_at = outcome.ended_at if outcome.exit_code == 0 else history.success_at
    yield "last_run_timestamp_seconds", outcome.ended_at
    if success_at is not None:
        yield "last_success_timestamp_seconds", success_at
    yield "last_run_duration_seconds", outcome.seconds
    yield "last_run_exit_code", code
    yield "last_run_requests", sum(stream.stats.requests for stream in report.streams) if report else 0
    yield "last_run_saved_records", report.saved if report else 0
    if path and Path(path).is_file():
        yield "file_bytes", Path(path).stat().st_size


def _of_streams(outcome: Outcome, history: History) -> Iterator[Sample]:
    complete_at = dict(history.streams)
    for stream in outcome.report.streams if outcome.report else ():
        labels, stats = {"account": outcome.account, "stream": stream.name}, stream.stats
        for state in get_args(State):
            yield Sample("zendesk_chat_stream_state", labels | {"state": state}, int(state == stream.state))
        yield Sample("zendesk_chat_stream_received_records", labels, stats.received)
        yield Sample("zendesk_chat_stream_loaded_records", labels, stats.emitted)
        yield Sample("zendesk_chat_stream_skipped_records", labels, stats.skipped)
        yield Sample("zendesk_chat_stream_requests", labels, stats.requests)
        yield Sample("zendesk_chat_stream_duration_seconds", labels, stats.seconds)
        if stream.state == "complete":
            complete_at[stream.name] = outcome.ended_at
    for name, at in sorted(complete_at.items()):
        yield Sample(STREAM_SUCCESS, {"account": outcome.account, "stream": name}, at)


def _history_in_file(destination: Destination) -> History | None:
    """Return the earlier runs that a DuckDB file records; None if it cannot be read, or the destination is not a file."""
    if destination.path is None or not Path(destination.path).is_file():
        return None
    try:
        with open_stored(destination.path, destination.schema or "main") as stored:
            runs, streams = stored.table("_sync_runs"), stored.table("_sync_streams")
            succeeded = stored.rows(f"SELECT max(epoch(ended_at)) FROM {runs} WHERE result = 'complete'")
            complete = stored.rows(f"SELECT stream, epoch(completed_at) FROM {streams} WHERE completed_at IS NOT NULL")
    except ConnectorError:
        return None
    return History(succeeded[0][0], dict(complete))


def _history_in(samples: Iterable[Sample], account: str) -> History:
    own = [sample for sample in samples if sample.labels.get("account") == account]
    successes = [sample.value for sample in own if sample.name == SUCCESS]
    streams = {sample.labels["stream"]: sample.value for sample in own if sample.name == STREAM_SUCCESS}
    return History(successes[0] if successes else None, streams)
