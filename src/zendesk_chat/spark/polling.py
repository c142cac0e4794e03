"""Asks accounts how far their records can be read now. An account that fails does not affect the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from zendesk_chat.api.client import Observer
from zendesk_chat.clock import SystemClock
from zendesk_chat.engine.threads import SETTLE_SECONDS
from zendesk_chat.errors import ConnectorError
from zendesk_chat.library.account import Account, logger
from zendesk_chat.library.states import latest_state, state_at
from zendesk_chat.spark.accounts import SparkAccount
from zendesk_chat.spark.partition import open_account
from zendesk_chat.streams.exports.export import Export, ExportPage
from zendesk_chat.streams.positions import ExportPosition
from zendesk_chat.streams.records import SECOND_US
from zendesk_chat.streams.stream import Bounds, StateBlob, Stream

MOST_THREADS: Final = 16
_DAY_US: Final = 86_400 * SECOND_US
_READ_AT: Final = "read_at"
"""The key of a list's state: it has no times, so that each read is complete."""


@dataclass(frozen=True, slots=True)
class Latest:
    """The state of an account's stream that can be reached now."""

    account: Account
    stream: Stream
    state: StateBlob

    def after(self, start: StateBlob | None, days: int | None) -> StateBlob:
        """Return the state up to which to read from ``start`` on, at most this many days later; never an earlier one.

        Raises:
            ConnectorError: The account was not read yet, and its first record cannot be found.
        """
        if not isinstance(self.stream.source, Export):
            return self.state
        begun, latest = None if start is None else self._micros(start), self._micros(self.state)
        if start is not None and begun is not None and latest <= begun:
            return start
        if days is None or not self.stream.source.ordered:
            return self.state
        begun = self._first_micros(self.stream.source) if begun is None else begun
        if begun is None or begun + days * _DAY_US >= latest:
            return self.state
        return state_at(self.account, self.stream.name, datetime.fromtimestamp((begun + days * _DAY_US) // SECOND_US, UTC))

    def _micros(self, state: StateBlob) -> int:
        position = self.stream.load_state(state)
        return position.complete_until if isinstance(position, ExportPosition) else 0

    def _first_micros(self, export: Export) -> int | None:
        """Return the time of the first record since the start date; None if there is none."""
        page = _probe(self.account, self.stream)
        rows = [export.row(raw) for raw in page.rows] if isinstance(page, ExportPage) else []
        times = [row.time for row in rows if row is not None and row.time is not None]
        return max(min(times), self.account.parsed.start * SECOND_US) if times else None


def poll(accounts: Sequence[SparkAccount], now: float) -> Mapping[str, Latest]:
    """Return the latest state of each account that responds. The log reports the others. ``now`` is in seconds since 1970.

    Raises:
        ConnectorError: No account responds.
    """
    with ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="poll") as threads:
        results = list(threads.map(partial(_attempt, now), accounts))
    found = {account.name: one for account, one in zip(accounts, results, strict=True) if isinstance(one, Latest)}
    errors = {account.name: one for account, one in zip(accounts, results, strict=True) if isinstance(one, ConnectorError)}
    if not found:
        name, error = next(iter(errors.items()))
        error.add_note(f"The account is {name}.")
        raise error
    for name, error in errors.items():
        logger.warning("%s is not read this time: %s", name, error)
    return found


def _attempt(now: float, account: SparkAccount) -> Latest | ConnectorError:
    try:
        opened = open_account(account.config)
        stream = opened.catalog.streams[account.stream.name]
        if isinstance(stream.source, Export):
            return Latest(opened, stream, latest_state(opened, stream.name))
        _probe(opened, stream)
        return Latest(opened, stream, {_READ_AT: datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")})
    except ConnectorError as error:
        return error


def _probe(account: Account, stream: Stream) -> object:
    """Return the response of the smallest request for a stream, which has its first record."""
    clock = SystemClock()
    client = account.client(clock)
    bounds = Bounds(account.parsed.start, clock.now(), account.parsed.lookback)
    try:
        return client.get(stream.source.probe(bounds), Observer())
    finally:
        clock.stop()
        client.settle(SETTLE_SECONDS)
