"""Streams read batch by batch: the engine's events as an iterator."""

from __future__ import annotations

import json
import logging
import threading
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
from zendesk_chat.engine.run import SETTLE_SECONDS, Task, run
from zendesk_chat.errors import ConnectorError, StateError
from zendesk_chat.library.account import Account, logger
from zendesk_chat.library.catalog import chosen, find_stream
from zendesk_chat.printable import printable
from zendesk_chat.streams.stream import StateBlob

LEVELS: Final = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARN": logging.WARNING}


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one page, and the state from which to resume once they are stored.

    Attributes:
        stream: Whose.
        records: Each a JSON object as UTF-8 on one line, as the API sent it. There may be none.
        state: JSON; give it to a later read to get only what is new or changed since. Always empty for a stream without a
            cursor, which each read reads whole.
        progress: How much of the stream is read, from 0 to 1; None where there is no telling.
        parents: Chats of which ``records`` are all that there is, in a stream that is cut out of chats. Whoever stores records
            deletes first what is stored with these values in the stream's ``parent_field``: an edited chat may have lost some.
    """

    stream: str
    records: Sequence[bytes] = field(repr=False)
    state: dict[str, Any] = field(repr=False)
    progress: float | None
    parents: Sequence[str] = field(default=(), repr=False)

    def to_dicts(self) -> list[dict[str, Any]]:
        """The records decoded."""
        return [json.loads(record) for record in self.records]


class StreamsFailedError(ConnectorError):
    """Some of several streams stopped early; the others are whole.

    Attributes:
        errors: Why, by the stream's name.
    """

    def __init__(self, errors: Mapping[str, ConnectorError]) -> None:
        super().__init__(" ".join(f"{name}: {error}" for name, error in errors.items()))
        self.errors = dict(errors)


def read(account: Account, stream: str, state: StateBlob | None = None) -> Generator[Batch, None, None]:
    """Read a stream.

    A record that changes while it is read comes twice, the newer one later; so upsert by the stream's key, and see
    ``Batch.parents``. Of ``visitors``, keep the one with the higher ``last_chat_timestamp``. Close the generator
    to end early (leaving a loop over it does): its threads end with the answer they wait for.

    Args:
        account: Where from.
        stream: Its name.
        state: The state of the last batch that was stored; without it, everything since the account's ``start_date`` is read.

    Raises:
        ConfigError: There is no such stream, or the state is none (a StateError).
        ConnectorError: What ended the stream early, typed by what recovers from it. Raised after the batches before it. An
            UnavailableError where the account lacks the stream.
    """
    return _read_one(account, find_stream(account, stream).name, _checked(stream, state))


def read_all(
    account: Account, streams: Iterable[str] | None = None, states: Mapping[str, StateBlob | None] | None = None
) -> Generator[Batch, None, None]:
    """Read several streams side by side; each batch says whose it is.

    Args:
        account: Where from.
        streams: Their names; by default all that the account has. What it lacks is told to the log.
        states: The state of each stream to resume from.

    Raises:
        ConfigError: There is no such stream, or a state is none.
        StreamsFailedError: Some streams ended early, or are named and the account lacks them. Raised after all others are read.
    """
    names = [stream.name for stream in chosen(account, streams)]
    checked = {name: _checked(name, (states or {}).get(name)) for name in names}
    return read_several(account, checked, required=streams is not None)


def read_several(account: Account, states: Mapping[str, StateBlob | None], *, required: bool) -> Generator[Batch, None, None]:
    """Read streams from their states; ``required`` says whether it is an error that the account lacks one."""
    failures: dict[str, ConnectorError] = {}
    yield from _batches(account, states, failures, required=required)
    if failures:
        raise StreamsFailedError(failures)


def _read_one(account: Account, stream: str, state: StateBlob | None) -> Generator[Batch, None, None]:
    failures: dict[str, ConnectorError] = {}
    yield from _batches(account, {stream: state}, failures, required=True)
    if failures:
        raise failures[stream]


def _batches(
    account: Account, states: Mapping[str, StateBlob | None], failures: dict[str, ConnectorError], *, required: bool
) -> Generator[Batch, None, None]:
    """Read streams from their states to their ends, and note why one ended early or, where it is required, is not there."""
    stopped = threading.Event()
    clock = SystemClock(stopped)
    client = account.client(clock)
    bounds = account.bounds(clock.now())
    tasks = [Task(account.catalog.streams[name], state, bounds) for name, state in states.items()]
    try:
        for event in run(tasks, lambda _save: client, clock, stopped):
            if isinstance(event, PageRead):
                yield Batch(event.stream, event.records, dict(event.state), event.progress, event.parents)
            elif isinstance(event, StreamFailed) or (required and isinstance(event, StreamUnavailable)):
                failures[event.stream] = event.error
            else:
                _log(event)
    finally:
        stopped.set()
        client.settle(SETTLE_SECONDS)  # tokens that are being renewed would be lost


def _log(event: Event) -> None:
    match event:
        case Note(level, message):
            logger.log(LEVELS[level], "%s", printable(message))
        case RateLimited(stream, reset_at):
            logger.info("%s waits for the quota of requests until %.0f (seconds since 1970).", stream, reset_at)
        case StreamCompleted(stream, ledger):
            logger.info("%s: %s", stream, ledger)
        case StreamUnavailable(stream, error):
            logger.warning("%s is not available and is skipped: %s", stream, error)
        case SchemaChange():
            logger.warning("%s", event)
        case _:
            pass


def _checked(stream: str, state: object) -> StateBlob | None:
    if state is not None and not isinstance(state, Mapping):
        raise StateError(f"The state of {stream} must be a dictionary, as in a batch's `state`.")
    return state
