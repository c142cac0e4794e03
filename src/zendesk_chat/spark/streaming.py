"""Streaming reads: each micro-batch reads every account between two states, so that Spark can repeat it exactly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import pyarrow as pa
from pyspark.sql.datasource import DataSourceStreamReader, InputPartition
from pyspark.sql.streaming.datasource import ReadAllAvailable, ReadLimit, ReadMaxRows, SupportsTriggerAvailableNow
from pyspark.sql.types import StructType

from zendesk_chat.errors import ConfigError, ConnectorError
from zendesk_chat.library.account import logger
from zendesk_chat.spark.accounts import SparkAccount, find_accounts
from zendesk_chat.spark.offsets import Offset, parse_offset
from zendesk_chat.spark.options import Options
from zendesk_chat.spark.partition import AccountPartition, read_partition
from zendesk_chat.spark.polling import LackingError, Latest, error_of_accounts, poll, warn
from zendesk_chat.streams.exports.export import Export
from zendesk_chat.streams.stream import StateBlob


class StreamReader(DataSourceStreamReader, SupportsTriggerAvailableNow):
    """Plans micro-batches on the driver, and reads their partitions on executors.

    Args:
        options: Valid options.
        schema: The columns to return.
        now: Returns the time of this machine, in seconds since 1970.
    """

    def __init__(self, options: Options, schema: StructType, now: Callable[[], float] = time.time) -> None:
        self._options = options
        self._schema = schema
        self._now = now
        self._polled_at: float | None = None
        self._latest: dict[str, Latest] = {}
        self._failed: dict[str, ConnectorError] = {}
        self._too_late: set[str] = set()  # accounts whose state is reported to be too late
        self._is_last = False  # whether the query ends at what was found first

    def __getstate__(self) -> dict[str, object]:
        """Return what executors need: not the accounts that the driver has opened."""
        return {**self.__dict__, "_latest": {}, "_failed": {}, "_polled_at": None}

    def initialOffset(self) -> dict[str, object]:  # noqa: N802  the name is Spark's
        """Return the offset of a new query: every account begins at its start date."""
        return Offset(self._options.stream, {}).to_json()

    def getDefaultReadLimit(self) -> ReadLimit:  # noqa: N802  the name is Spark's
        """Return a limit if ``days_per_batch`` is set. Spark has none in days, so the number of rows means nothing."""
        return ReadAllAvailable() if self._options.days_per_batch is None else ReadMaxRows(1)

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802  the name is Spark's
        """Find what the query reads before it ends."""
        self._poll()
        self._is_last = True

    def latestOffset(self, start: dict[str, object], limit: ReadLimit) -> dict[str, object]:  # noqa: N802  the name is Spark's
        """Return how far the next micro-batch reads.

        Raises:
            ConnectorError: The query ends at what was found first, all of that is read, and there are accounts that failed.
        """
        if not self._is_last and self._is_due():
            self._poll()
        days = None if isinstance(limit, ReadAllAvailable) else self._options.days_per_batch
        begun = parse_offset(start, self._options.stream).states
        states = {**begun, **self._ends(begun, days)}
        failed = {name: error for name, error in self._failed.items() if name in begun or not isinstance(error, LackingError)}
        if self._is_last and states == begun and failed:
            raise error_of_accounts(failed, len(self._latest))
        return Offset(self._options.stream, states).to_json()

    def reportLatestOffset(self) -> dict[str, object]:  # noqa: N802  the name is Spark's
        """Return what ``lastProgress`` shows: the latest state of each account, and the accounts that are not read now."""
        latest = {name: latest.state for name, latest in self._latest.items()}
        failed = {name: str(error) for name, error in self._failed.items()}
        return {**Offset(self._options.stream, latest).to_json(), "failed": failed}

    def partitions(self, start: dict[str, object], end: dict[str, object]) -> Sequence[InputPartition]:
        """Return a partition for each account with another state at the end."""
        begun, ended = (parse_offset(offset, self._options.stream).states for offset in (start, end))
        moved = {name: state for name, state in ended.items() if begun.get(name) != state}
        if not moved:
            return []
        known = {account.name: account for account in find_accounts(self._options, self._now())}
        if missing := [name for name in moved if name not in known]:
            raise ConfigError(
                f"The micro-batch that the checkpoint repeats has the account {missing[0]}, which is not read any more. Add it "
                "again until the micro-batch is complete."
            )
        return [_partition(known[name], begun.get(name), state) for name, state in moved.items()]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Read a partition, on an executor."""
        return read_partition(partition, self._schema) if isinstance(partition, AccountPartition) else iter(())

    def _is_due(self) -> bool:
        """Return whether it is time to ask the accounts again; also after the machine's clock was set back."""
        return self._polled_at is None or not 0 <= self._now() - self._polled_at < self._options.poll_seconds

    def _poll(self) -> None:
        """Ask all accounts. Their file is read again, so that it may have new ones."""
        now = self._now()
        found = poll(find_accounts(self._options, now), now)
        self._latest = {name: one for name, one in found.items() if isinstance(one, Latest)}
        self._failed = {name: one for name, one in found.items() if isinstance(one, ConnectorError)}
        self._polled_at = now

    def _ends(self, begun: Mapping[str, StateBlob], days: int | None) -> dict[str, StateBlob]:
        """Return where the next read of each account ends. Accounts for which that cannot be found wait for the next poll."""
        ends = {}
        for name, latest in list(self._latest.items()):
            start = begun.get(name)
            self._warn_if_too_late(name, latest, start)
            try:
                ends[name] = latest.after(start, days)
            except ConnectorError as error:
                warn(name, error)
                self._failed[name] = error
                del self._latest[name]
        return ends

    def _warn_if_too_late(self, name: str, latest: Latest, start: StateBlob | None) -> None:
        """Report once that the state of an account is later than Zendesk's time allows."""
        if start is not None and name not in self._too_late and (warning := latest.too_late(start)):
            self._too_late.add(name)
            logger.warning("%s: %s", name, warning)


def _partition(account: SparkAccount, start: StateBlob | None, end: StateBlob) -> AccountPartition:
    """Return what to read between two states; all of a list."""
    if not isinstance(account.stream.source, Export):
        return AccountPartition(account.config, required=True)
    return AccountPartition(account.config, state=start, until=end, required=True)
