"""Streams read in batches: the engine's events as an iterator."""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from zendesk_chat.clock import SystemClock
from zendesk_chat.engine.events import (
    Event,
    Note,
    PageRead,
    RateLimited,
    SchemaChange,
    StreamCompleted,
    StreamFailed,
    StreamUnavailable,
)
from zendesk_chat.engine.run import Rotations, Task, run
from zendesk_chat.engine.threads import SETTLE_SECONDS
from zendesk_chat.errors import ConnectorError
from zendesk_chat.library.account import Account, Period, logger
from zendesk_chat.library.catalog import chosen
from zendesk_chat.library.states import checked, ends_at
from zendesk_chat.printable import printable
from zendesk_chat.streams.stream import Bounds, StateBlob, Stream

_LEVELS: Final = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARN": logging.WARNING}


@dataclass(frozen=True, slots=True)
class Batch:
    """The records of one page, and the state from which to resume once they are stored.

    Attributes:
        records: JSON objects as UTF-8, each on one line, as the API sent them. May be empty.
        state: JSON. Pass it to a later read to get only what is new or changed. It is always empty for a stream without a
            cursor, which every read reads completely.
        progress: The share of the stream that is read, from 0 to 1; None if unknown.
        parents: In a stream that is extracted from chats, the chats whose records are all in ``records``. Before you store
            them, delete the stored records with these values in the stream's ``parent_field``: an edited chat may have fewer.
            In ``visitors``, which has no such field, all chats of the page.
    """

    stream: str
    records: Sequence[bytes] = field(repr=False)
    state: dict[str, object] = field(repr=False)
    progress: float | None
    parents: Sequence[str] = field(default=(), repr=False)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Decode the records."""
        return [json.loads(record) for record in self.records]


class StreamsFailedError(ConnectorError):
    """Some of several streams failed. The others are complete.

    Attributes:
        errors: The error of each stream that failed, by its name.
    """

    def __init__(self, errors: Mapping[str, ConnectorError]) -> None:
        super().__init__(" ".join(f"{name}: {error}" for name, error in errors.items()))
        self.errors = dict(errors)


def read(
    account: Account,
    stream: str,
    state: StateBlob | None = None,
    *,
    start_date: str | date | None = None,
    end_date: str | date | None = None,
    until: StateBlob | None = None,
) -> Generator[Batch, None, None]:
    """Read a stream.

    A record that changes during the read arrives twice, the newer version later. So upsert by the stream's key, and see
    ``Batch.parents``. Of two records in ``visitors``, keep the one with the later ``last_chat_timestamp``. To stop early, leave
    the loop or close the generator: its threads end when the current requests have ended.

    Args:
        account: The account to read.
        stream: The name of the stream.
        state: The state of the last batch that you stored. Without it, the read starts at the start date.
        start_date: For this read, instead of the account's.
        end_date: For this read, instead of the account's. It is excluded.
        until: A later state of the stream, from ``Batch.state``, ``latest_state`` or ``state_at``. The read has what changed
            between the two states, each time that you repeat it, except for records that changed again after ``until``. The
            last batch has the state ``until``, or an earlier one if ``until`` has records of the last five minutes.

    Raises:
        ConfigError: There is no such stream, a state is malformed (StateError), or ``until`` is of a list, which has no times.
        ConnectorError: The stream failed. The type shows what recovers. Batches yielded before it remain valid.
            UnavailableError means that the account lacks the stream.
    """
    (found,) = account.catalog.select([stream])
    if until is not None:
        found = ends_at(found, until)
    return _read_one(account, found, checked(stream, state), account.period(start_date, end_date))


def read_all(
    account: Account,
    streams: Iterable[str] | None = None,
    states: Mapping[str, StateBlob | None] | None = None,
    *,
    start_date: str | date | None = None,
    end_date: str | date | None = None,
) -> Generator[Batch, None, None]:
    """Read several streams in parallel. Each batch has the name of its stream.

    Args:
        account: The account to read.
        streams: Their names. Default: all streams that the account has; the log reports those that it lacks.
        states: The state from which each stream resumes.
        start_date: For this read, instead of the account's.
        end_date: For this read, instead of the account's. It is excluded.

    Raises:
        ConfigError: There is no such stream, or a state is malformed.
        StreamsFailedError: Some streams failed, or the account lacks a stream that you named. Raised after all other streams
            are read.
    """
    found = chosen(account, streams)
    positions = [(stream, checked(stream.name, (states or {}).get(stream.name))) for stream in found]
    return read_several(account, positions, account.period(start_date, end_date), required=streams is not None)


def read_several(
    account: Account, streams: Sequence[tuple[Stream, StateBlob | None]], period: Period, *, required: bool
) -> Generator[Batch, None, None]:
    """Read streams from their states. With ``required``, a stream that the account lacks is an error."""
    failures: dict[str, ConnectorError] = {}
    clock = SystemClock()
    client = account.client(clock)
    bounds = Bounds(period.start, clock.now(), account.parsed.lookback, end=period.end)
    tasks = [Task(stream, state, bounds) for stream, state in streams]
    try:
        for event in run(tasks, client, Rotations(clock), clock):
            if isinstance(event, PageRead):
                yield Batch(event.stream, event.records, dict(event.state), event.progress, event.parents)
            elif isinstance(event, StreamFailed) or (required and isinstance(event, StreamUnavailable)):
                failures[event.stream] = event.error
            else:
                _log(event)
    finally:
        clock.stop()
        client.settle(SETTLE_SECONDS)  # otherwise tokens that are being renewed would be lost
    if failures:
        raise StreamsFailedError(failures)


def _read_one(account: Account, stream: Stream, state: StateBlob | None, period: Period) -> Generator[Batch, None, None]:
    try:
        yield from read_several(account, [(stream, state)], period, required=True)
    except StreamsFailedError as failed:
        error = failed.errors[stream.name]
        raise error from error.__cause__  # without the error of several streams as its context


def _log(event: Event) -> None:
    match event:
        case Note(level, message):
            logger.log(_LEVELS[level], "%s", printable(message))
        case RateLimited(stream, reset_at):
            logger.info("%s waits for the request quota until %.0f (seconds since 1970).", stream, reset_at)
        case StreamCompleted(stream, stats):
            logger.info("%s: %s", stream, stats)
        case StreamUnavailable(stream, error):
            logger.warning("%s is not available and is skipped: %s", stream, error)
        case SchemaChange():
            logger.warning("%s", event)
        case _:
            pass
