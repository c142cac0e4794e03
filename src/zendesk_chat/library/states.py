"""States of streams that have times: of a read that ends now or at a time, and as the end of another read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Final

from zendesk_chat.api.client import Observer
from zendesk_chat.clock import SystemClock
from zendesk_chat.config import parse_date
from zendesk_chat.engine.threads import SETTLE_SECONDS
from zendesk_chat.errors import ConfigError, StateError
from zendesk_chat.library.account import Account
from zendesk_chat.library.arguments import iso
from zendesk_chat.streams.exports.export import Export
from zendesk_chat.streams.exports.replay import Replay
from zendesk_chat.streams.exports.times import RunTimes
from zendesk_chat.streams.positions import ExportPosition
from zendesk_chat.streams.records import SECOND_US
from zendesk_chat.streams.stream import Bounds, StateBlob, Stream

UNTIL: Final = "Pass the state of a batch of this stream, or that of latest_state."


def state_at(account: Account, stream: str, time: str | date) -> dict[str, object]:
    """Return the state of a read that ended at a UTC time. A read from this state has what changed since.

    Raises:
        ConfigError: There is no such stream, it is a list, which has no times, or the time is malformed.
    """
    (found,) = account.catalog.select([stream])
    _export_of(found)
    return _state(account, found, parse_date(iso(time, "time"), "time"))


def latest_state(account: Account, stream: str) -> dict[str, object]:
    """Return the state of a read that ends now, without reading: it sends one small request, to learn Zendesk's time.

    It ends ``lookback_minutes`` ago, because records may become visible late. So a read ``until`` this state has every record
    that ever will be there, and two such states with a read between them divide the records without a gap or an overlap.
    It is never before the account's start date, or after its end date.

    Raises:
        ConfigError: There is no such stream, or it is a list, which has no times.
        ConnectorError: The request failed. UnavailableError means that the account lacks the stream.
    """
    (found,) = account.catalog.select([stream])
    _export_of(found)
    _, now = ask(account, found)
    end = account.parsed.end
    settled = RunTimes.of(Bounds(account.parsed.start, now, account.parsed.lookback), SECOND_US).overlap_from // SECOND_US
    return _state(account, found, settled if end is None else min(settled, end))


def ask(account: Account, stream: Stream) -> tuple[object, float]:
    """Send the smallest request for a stream. Return its response, and Zendesk's time in seconds since 1970.

    Raises:
        ConnectorError: The request failed.
    """
    clock = SystemClock()
    client = account.client(clock)
    bounds = Bounds(account.parsed.start, clock.now(), account.parsed.lookback)
    try:
        return client.get(stream.source.probe(bounds), Observer()), client.time.now()
    finally:
        clock.stop()
        client.settle(SETTLE_SECONDS)


def ends_at(stream: Stream, state: StateBlob) -> Stream:
    """Return the stream as it is read up to a state.

    Raises:
        ConfigError: It is a list, or the state is malformed or empty.
    """
    export = _export_of(stream)
    try:
        position = stream.load_state(checked(stream.name, state) or {})
    except StateError as error:  # it advises to reset the state, which is for the start of a read
        raise StateError(f"until: this is not a state of {stream.name}. {UNTIL}", stream=stream.name) from error
    if not isinstance(position, ExportPosition):
        raise StateError(f"until: the state is empty. {UNTIL}", stream=stream.name)
    return replace(stream, source=Replay(export, position))


def checked(stream: str, state: object) -> StateBlob | None:
    """Return a state that a caller passed. Raises StateError if it cannot be one."""
    if state is not None and not isinstance(state, Mapping):
        raise StateError(f"The state of {stream} must be a dictionary, as in a batch's `state`.", stream=stream)
    return state


def _state(account: Account, stream: Stream, time: int) -> dict[str, object]:
    start = account.parsed.start
    until = max(time, start) * SECOND_US
    return dict(stream.dump_state(ExportPosition(until, complete_until=until, complete_from=start * SECOND_US)))


def _export_of(stream: Stream) -> Export:
    if isinstance(stream.source, Export):
        return stream.source
    raise ConfigError(f"{stream.name} is a list: the API has only its current records, without times. Read it completely.")
