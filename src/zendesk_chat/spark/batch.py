"""Batch reads: one partition for each account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
from pyspark.sql.datasource import DataSourceReader, Filter, InputPartition
from pyspark.sql.types import StructType

from zendesk_chat.spark.accounts import SparkAccount
from zendesk_chat.spark.bounds import Limits, is_empty, limits_of
from zendesk_chat.spark.partition import AccountPartition, read_partition


class BatchReader(DataSourceReader):
    """Reads a stream of several accounts completely."""

    def __init__(self, accounts: list[SparkAccount], schema: StructType) -> None:
        self._accounts = accounts
        self._schema = schema
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
        if is_empty(Limits(start=account.parsed.start, end=account.parsed.end).within(self._limits)):
            return None
        return AccountPartition(account.config, limits=self._limits)


class FilteringReader(BatchReader):
    """Reads only the accounts and the time that the filters of a query need. Spark refuses it unless it may push filters."""

    def pushFilters(self, filters: list[Filter]) -> Iterable[Filter]:  # noqa: N802  the name is Spark's
        """Note what the query needs, and return all filters, so that Spark applies them too."""
        self._limits = limits_of(filters, self._accounts[0].stream)
        return filters
