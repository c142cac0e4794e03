"""Asks accounts how far their records can be read now. An account that fails does not affect the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from zendesk_chat.clock import SystemClock
from zendesk_chat.errors import ConnectorError, UnavailableError
from zendesk_chat.library.account import Account, logger
from zendesk_chat.library.states import ask, latest_state
from zendesk_chat.spark.accounts import SparkAccount
from zendesk_chat.spark.offsets import READ_AT
from zendesk_chat.spark.partition import open_account
from zendesk_chat.streams.exports.export import Export, ExportPage
from zendesk_chat.streams.positions import ExportPosition
from zendesk_chat.streams.records import SECOND_US, iso_seconds
from zendesk_chat.streams.stream import StateBlob, Stream

MOST_THREADS: Final = 16
LONGEST_TIMEOUT_SECONDS: Final = 10
"""A poll sends small requests, which Zendesk answers at once. An account that hangs must not delay the others for minutes."""

_DAY_US: Final = 86_400 * SECOND_US
_CLOCKS_DIFFER_US: Final = 120 * SECOND_US


@dataclass(frozen=True, slots=True)
class Latest:
    """The state of an account's stream that can be reached now."""

    account: Account
    stream: Stream
    state: StateBlob

    def after(self, start: StateBlob | None, days: int | None) -> StateBlob:
        """Return the state up to which to read from ``start`` on, at most this many days later; never an earlier one.

        If the account's start date is earlier than that of ``start``, so is that of the state, and a read between the two has
        the records since then.

        Raises:
            ConnectorError: The account was not read yet, and its first record cannot be found.
        """
        latest = self._position(self.state)
        begun = None if start is None else self._position(start)
        if latest is None or latest.complete_from is None:
            return self.state
        if begun is None or start is None:
            return self._dump(self._at_most(days, None, latest.complete_until), latest.complete_from)
        since = latest.complete_from if begun.complete_from is None else min(begun.complete_from, latest.complete_from)
        if latest.complete_until > begun.complete_until:
            return self._dump(self._at_most(days, begun.complete_until, latest.complete_until), since)
        is_moved = begun.complete_from is not None and since < begun.complete_from
        return self.stream.dump_state(replace(begun, complete_from=since)) if is_moved else start

    def too_late(self, state: StateBlob) -> str | None:
        """Return a warning if a state is later than Zendesk's time allows, so that records until then will not be read."""
        begun, latest = self._position(state), self._position(self.state)
        if begun is None or latest is None or self._has_ended(latest):
            return None
        if begun.complete_until <= latest.complete_until + _CLOCKS_DIFFER_US:
            return None
        stored, reached = iso_seconds(begun.complete_until), iso_seconds(latest.complete_until)
        return (
            f"The checkpoint is at {stored}, but by Zendesk's time only records before {reached} are complete. If you have not "
            "raised lookback_minutes, Zendesk's time was wrong at an earlier poll: then read the records between these times "
            "with a batch query, once they are over."
        )

    def _has_ended(self, latest: ExportPosition) -> bool:
        end = self.account.parsed.end
        return end is not None and latest.complete_until >= end * SECOND_US

    def _position(self, state: StateBlob) -> ExportPosition | None:
        """Return the position of a state; None for a list, which has no times."""
        position = self.stream.load_state(state) if isinstance(self.stream.source, Export) else None
        return position if isinstance(position, ExportPosition) else None

    def _dump(self, until: int, since: int) -> StateBlob:
        return self.stream.dump_state(ExportPosition(until, complete_until=until, complete_from=since))

    def _at_most(self, days: int | None, begun: int | None, latest: int) -> int:
        """Return where a read ends that begins at a time, or at the first record."""
        export = self.stream.source
        if days is None or not isinstance(export, Export) or not export.ordered:
            return latest
        begun = self._first_micros(export) if begun is None else begun
        return latest if begun is None else min(latest, (begun + days * _DAY_US) // SECOND_US * SECOND_US)

    def _first_micros(self, export: Export) -> int | None:
        """Return the time of the first record since the start date; None if there is none."""
        page, _ = ask(self.account, self.stream)
        rows = [export.row(raw) for raw in page.rows] if isinstance(page, ExportPage) else []
        times = [row.time for row in rows if row is not None and row.time is not None]
        return max(min(times), self.account.parsed.start * SECOND_US) if times else None


def poll(accounts: Sequence[SparkAccount], now: float) -> Mapping[str, Latest | ConnectorError]:
    """Return the latest state of each account, or why there is none. ``now`` is in seconds since 1970."""
    with ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="poll") as threads:
        results = list(threads.map(partial(_attempt, now), accounts))
    for account, result in zip(accounts, results, strict=True):
        if isinstance(result, ConnectorError):
            warn(account.name, result)
    return {account.name: result for account, result in zip(accounts, results, strict=True)}


def warn(account: str, error: ConnectorError) -> None:
    """Report that an account is not read."""
    logger.warning("%s is not read this time: %s", account, error)


def error_of_accounts(failed: Mapping[str, ConnectorError], read: int) -> ConnectorError:
    """Return the error of a query that has read the other accounts, whose number is ``read``."""
    accounts = " ".join(f"{name}: {error}" for name, error in failed.items())
    others = "The others are complete. " if read else ""
    return ConnectorError(f"Accounts that were not read: {len(failed)} of {len(failed) + read}. {others}{accounts}")


class LackingError(UnavailableError):
    """The account works, but its plan or role lacks this optional stream."""


def _attempt(now: float, account: SparkAccount) -> Latest | ConnectorError:
    try:
        opened = open_account(account.config, timeout=int(min(account.parsed.timeout, LONGEST_TIMEOUT_SECONDS)))
        return _latest(opened, opened.catalog.streams[account.stream.name], now)
    except ConnectorError as error:
        return error


def _latest(account: Account, stream: Stream, now: float) -> Latest:
    try:
        if isinstance(stream.source, Export):
            return Latest(account, stream, latest_state(account, stream.name))
        ask(account, stream)
    except UnavailableError as error:
        if stream.optional and error.by_api and account.client(SystemClock()).account_answers():
            raise LackingError(str(error), status=error.status, stream=stream.name) from error
        raise
    return Latest(account, stream, {READ_AT: datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")})
