"""Batch reads: one partition for each account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

import pyarrow as pa
from pyspark.sql.datasource import DataSourceReader, Filter, InputPartition
from pyspark.sql.types import StructType

from zendesk_chat.spark.accounts import SparkAccount
from zendesk_chat.spark.bounds import Limits, is_empty, limits_of
from zendesk_chat.spark.partition import AccountPartition, read_partition

_DAY_SECONDS: Final = 86_400


class BatchReader(DataSourceReader):
    """Reads a stream of several accounts completely."""

    def __init__(self, accounts: list[SparkAccount], schema: StructType, now: float) -> None:
        self._accounts = accounts
        self._schema = schema
        self._now = int(now)
        self._limits = Limits()

    def partitions(self) -> list[InputPartition]:
        """Return a partition for each account that the query needs."""
        needed: list[InputPartition] = [partition for account in self._accounts if (partition := self._partition(account))]
        return needed or [InputPartition(None)]  # Spark wants at least one

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Read a partition, on an executor."""
        return read_partition(partition, self._schema) if isinstance(partition, AccountPartition) else iter(())

    def _partition(self, account: SparkAccount) -> AccountPartition | None:
        if self._limits.accounts is not None and account.name not in self._limits.accounts:
            return None
        limits = Limits(start=account.parsed.start, end=account.parsed.end).within(self._limits)
        if is_empty(limits):
            return None
        # Without filters, the dates are those that the executor finds: its files may be newer, or not on the driver.
        start = None if self._limits.start is None or limits.start is None else min(limits.start, self._now)
        end = None if self._limits.end is None or limits.end is None else min(limits.end, self._now + _DAY_SECONDS)
        return AccountPartition(account.config, start_date=_iso(start), end_date=_iso(end))


class FilteringReader(BatchReader):
    """Reads only the accounts and the time that the filters of a query need. Spark refuses it unless it may push filters."""

    def pushFilters(self, filters: list[Filter]) -> Iterable[Filter]:  # noqa: N802  the name is Spark's
        """Note what the query needs, and return all filters, so that Spark applies them too."""
        self._limits = limits_of(filters, self._accounts[0].stream)
        return filters


def _iso(seconds: int | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
