"""Streams read in batches: the engine's events as an iterator."""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
from zendesk_chat.errors import ConnectorError, StateError
from zendesk_chat.library.account import Account, logger
from zendesk_chat.library.catalog import chosen
from zendesk_chat.printable import printable
from zendesk_chat.streams.stream import StateBlob

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


def read(account: Account, stream: str, state: StateBlob | None = None) -> Generator[Batch, None, None]:
    """Read a stream.

    A record that changes during the read arrives twice, the newer version later. So upsert by the stream's key, and see
    ``Batch.parents``. Of two records in ``visitors``, keep the one with the later ``last_chat_timestamp``. To stop early, leave
    the loop or close the generator: its threads end when the current requests have ended.

    ``state`` is the state of the last batch that you stored. Without it, the read starts at the account's ``start_date``.

    Raises:
        ConfigError: There is no such stream, or the state is malformed (StateError).
        ConnectorError: The stream failed. The type shows what recovers. Batches yielded before it remain valid.
            UnavailableError means that the account lacks the stream.
    """
    (found,) = account.catalog.select([stream])
    return _read_one(account, found.name, _checked(stream, state))


def read_all(
    account: Account, streams: Iterable[str] | None = None, states: Mapping[str, StateBlob | None] | None = None
) -> Generator[Batch, None, None]:
    """Read several streams in parallel. Each batch has the name of its stream.

    Args:
        account: The account to read.
        streams: Their names. Default: all streams that the account has; the log reports those that it lacks.
        states: The state from which each stream resumes.

    Raises:
        ConfigError: There is no such stream, or a state is malformed.
        StreamsFailedError: Some streams failed, or the account lacks a stream that you named. Raised after all other streams
            are read.
    """
    names = [stream.name for stream in chosen(account, streams)]
    checked = {name: _checked(name, (states or {}).get(name)) for name in names}
    return read_several(account, checked, required=streams is not None)


def read_several(account: Account, states: Mapping[str, StateBlob | None], *, required: bool) -> Generator[Batch, None, None]:
    """Read streams from their states. With ``required``, a stream that the account lacks is an error."""
    failures: dict[str, ConnectorError] = {}
    clock = SystemClock()
    client = account.client(clock)
    bounds = account.bounds(clock.now())
    tasks = [Task(account.catalog.streams[name], state, bounds) for name, state in states.items()]
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


def _read_one(account: Account, stream: str, state: StateBlob | None) -> Generator[Batch, None, None]:
    try:
        yield from read_several(account, {stream: state}, required=True)
    except StreamsFailedError as failed:
        error = failed.errors[stream]
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


def _checked(stream: str, state: object) -> StateBlob | None:
    if state is not None and not isinstance(state, Mapping):
        raise StateError(f"The state of {stream} must be a dictionary, as in a batch's `state`.", stream=stream)
    return state
