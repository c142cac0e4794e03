"""The ``status`` command: when an account was last loaded into a DuckDB file, and how complete each stream is."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

import msgspec

from zendesk_chat.clock import Clock
from zendesk_chat.errors import ConfigError, ConnectorError, ExitCode
from zendesk_chat.load.console import PlainConsole, say
from zendesk_chat.load.database import find_database
from zendesk_chat.load.file.stored import Stored, open_stored, stored_file
from zendesk_chat.load.status_report import print_status

_SECOND_US: Final = 1_000_000
_ALL_NAMED: Final = 3  # from more streams on, all of them are counted instead of named
GOOD: Final = ("complete", "not available")


@dataclass(frozen=True, slots=True)
class RunStatus:
    """One run of ``sync``. Times are seconds since 1970.

    Attributes:
        ended_at: When it ended; None if the run was killed.
        version: The version of the program.
        result: ``complete``, ``incomplete`` or ``interrupted``.
    """

    run: int
    started_at: float
    ended_at: float | None
    seconds: float | None
    version: str
    result: str
    exit_code: int | None


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """One stream in the file.

    Attributes:
        rows: The rows in its table; None if there is no table.
        completed_at: When a run last completed it, in seconds since 1970; None for never.
        age_seconds: The time since then.
        redacted: Whether its rows are redacted: ``yes``, ``no``, or ``partly`` if some were loaded with other rules, or
            without; None if there is no table.
        reached: The last cursor that was read. Once the stream is complete, every record before it is in the table.
        run: The last run that read it; None if unknown.
        result: Its result in that run.
        error: Why it is not complete.
    """

    stream: str
    rows: int | None
    completed_at: float | None
    age_seconds: float | None
    redacted: str | None
    reached: str | None
    run: int | None
    result: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class FileStatus:
    """What a file contains of one account.

    Attributes:
        last_run: The last run; None if no run has started.
        streams: The streams that ``sync`` has loaded or tried to load.
    """

    file: str
    schema: str
    subdomain: str
    account_key: str | None
    time_zone: str
    last_run: RunStatus | None
    streams: tuple[StreamStatus, ...]

    @property
    def of_last_run(self) -> tuple[StreamStatus, ...]:
        """The streams that the last run read."""
        return tuple(stream for stream in self.streams if self.last_run and stream.run == self.last_run.run)

    def problems(self, max_age_seconds: float | None = None) -> list[str]:
        """Return a sentence for each problem: the last run, its streams, and those completed too long ago."""
        return list(self._problems(max_age_seconds))

    def _problems(self, max_age_seconds: float | None) -> Iterator[str]:
        if self.last_run is None:
            yield "No run has started yet. Run `sync`."
            return
        streams = self.of_last_run
        failed = [stream.stream for stream in streams if stream.result not in GOOD]
        if failed:
            yield f"The last run did not complete {_named(failed)}. Run `sync` again."
        elif self.last_run.result != "complete":
            yield f"The last run was {self.last_run.result}. Run `sync` again to resume."
        if max_age_seconds is not None:
            ages = {stream.stream: stream.age_seconds for stream in streams if stream.result != "not available"}
            old = [name for name, age in ages.items() if age is None or age > max_age_seconds]
            if old:
                named = f"all {len(old)} streams" if len(old) == len(ages) > _ALL_NAMED else _named(old)
                yield f"Last completed too long ago: {named}. Run `sync`."


def run_status(options: argparse.Namespace, clock: Clock) -> int:
    """Print the status of a file. Returns the exit code: 1 if something is not complete, or older than ``--max-age``."""
    try:
        database = find_database(options, os.environ)
        with open_stored(stored_file(database.file, "status"), database.schema) as stored:
            status = read_status(stored, clock.now())
    except ConnectorError as error:
        say(PlainConsole(stderr=True), f"error: {error}")
        return ExitCode.USAGE if isinstance(error, ConfigError) else ExitCode.INCOMPLETE
    problems = status.problems(options.max_age)
    if options.json:
        sys.stdout.write(to_json(status, problems).decode())
    else:
        print_status(status, problems, PlainConsole())
    return ExitCode.INCOMPLETE if problems else ExitCode.COMPLETE


def read_status(stored: Stored, now: float) -> FileStatus:
    """Read what a file contains of one account. ``now`` is in seconds since 1970."""
    account = stored.dicts(f"SELECT subdomain, account_key, time_zone FROM {stored.table('_sync_account')}")
    found = account[0] if account else {"subdomain": "", "account_key": None, "time_zone": "UTC"}
    return FileStatus(
        file=stored.path,
        schema=stored.schema,
        **found,
        last_run=_last_run(stored),
        streams=tuple(_streams(stored, now)),
    )


def to_json(status: FileStatus, problems: list[str]) -> bytes:
    """Return the status as JSON; docs/status-and-verify.md describes it."""
    content = {"complete": not problems, "problems": problems, **asdict(status)}
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


def _last_run(stored: Stored) -> RunStatus | None:
    """Return the last run. A run without an end was killed: a run locks the file, and this program could open it."""
    found = stored.dicts(f"""
        SELECT run, epoch_us(started_at) AS started_at, epoch_us(ended_at) AS ended_at, version, result, exit_code
        FROM {stored.table("_sync_runs")} ORDER BY run DESC LIMIT 1
    """)
    if not found:
        return None
    run = found[0]
    started, ended = run["started_at"] / _SECOND_US, _seconds(run["ended_at"])
    return RunStatus(
        run=run["run"],
        started_at=started,
        ended_at=ended,
        seconds=None if ended is None else ended - started,
        version=run["version"],
        result="interrupted" if ended is None else run["result"],
        exit_code=run["exit_code"],
    )


def _streams(stored: Stored, now: float) -> Iterator[StreamStatus]:
    found = stored.dicts(f"""
        SELECT stream, epoch_us(completed_at) AS completed_at, run, result, error, reached,
            redaction <> '' AS redacted
        FROM {stored.table("_sync_streams")}
        FULL JOIN (
            FROM {stored.table("_sync_run_streams")} QUALIFY row_number() OVER (PARTITION BY stream ORDER BY run DESC) = 1
        ) USING (stream)
        ORDER BY stream
    """)
    rows = stored.counts([stream["stream"] for stream in found])
    outdated = _with_outdated_rows(stored)
    for stream in found:
        completed = _seconds(stream["completed_at"])
        yield StreamStatus(
            stream=stream["stream"],
            rows=rows.get(stream["stream"]),
            completed_at=completed,
            redacted=_redacted(stream["redacted"], stream["stream"] in outdated) if stream["stream"] in rows else None,
            age_seconds=None if completed is None else max(0.0, now - completed),
            reached=stream["reached"],
            run=stream["run"],
            result=stream["result"],
            error=stream["error"],
        )


def _with_outdated_rows(stored: Stored) -> set[str]:
    """Return the streams with rows that were loaded with other redaction rules; none if the user dropped their table."""
    if not stored.counts(["_sync_outdated"]):
        return set()
    return {name for (name,) in stored.rows(f"SELECT DISTINCT stream FROM {stored.table('_sync_outdated')}")}


def _redacted(by_latest_rules: bool | None, has_others: bool) -> str:  # noqa: FBT001  two facts, in this order
    return "partly" if has_others else "yes" if by_latest_rules else "no"


def _seconds(micros: int | None) -> float | None:
    return None if micros is None else micros / _SECOND_US


def _named(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
