"""The data source that Spark finds under the name ``zendesk_chat``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from msgspec.structs import replace
from pyspark.sql import SparkSession
from pyspark.sql.datasource import DataSource
from pyspark.sql.types import StructType

from zendesk_chat.library.account import logger
from zendesk_chat.spark.accounts import find_accounts
from zendesk_chat.spark.batch import BatchReader, FilteringReader
from zendesk_chat.spark.interpreter import other_python
from zendesk_chat.spark.log import log_to_stderr
from zendesk_chat.spark.options import Options, parse_options, require_batch
from zendesk_chat.spark.schema import require_columns, schema_of
from zendesk_chat.spark.streaming import StreamReader

_PUSHDOWN: Final = "spark.sql.python.filterPushdown.enabled"


class ZendeskChatDataSource(DataSource):
    """A stream of one or several accounts. ``register`` makes it known to a session."""

    batch_reader: type[BatchReader] = BatchReader

    @classmethod
    def name(cls) -> str:
        """The name of the format."""
        return "zendesk_chat"

    def schema(self) -> StructType:
        """Return the columns of the stream. Raises ConfigError if the options are not valid."""
        log_to_stderr()
        return schema_of(find_accounts(self._parsed(), time.time()))

    def reader(self, schema: StructType) -> BatchReader:
        """Return the reader of a batch query."""
        require_batch(self.options)
        accounts = find_accounts(self._parsed(), time.time())
        require_columns(schema, schema_of(accounts))
        return self.batch_reader(accounts, schema)

    def streamReader(self, schema: StructType) -> StreamReader:  # noqa: N802  the name is Spark's
        """Return the reader of a streaming query. Spark calls this in the process that plans the query."""
        log_to_stderr()
        options = self._parsed()
        require_columns(schema, schema_of(find_accounts(options, time.time())))
        return StreamReader(options, schema)

    def _parsed(self) -> Options:
        """Return the options. A relative path starts in the driver's directory, which executors do not have."""
        options = parse_options(self.options)
        paths = {name: getattr(options, name) for name in ("accounts", "token_file", "quota_folder")}
        absolute = {name: str(Path(path).expanduser().absolute()) for name, path in paths.items() if path is not None}
        return replace(options, **absolute)


class FilteringDataSource(ZendeskChatDataSource):
    """The same for sessions that push filters down."""

    batch_reader = FilteringReader


def register(spark: SparkSession, *, push_filters: bool | None = None) -> None:
    """Make ``spark.read.format("zendesk_chat")`` known to a session.

    Args:
        spark: The session.
        push_filters: Whether a query reads only the accounts and the time in its ``WHERE``. **Spark then keeps the filters of
            a query for later queries on the same DataFrame or view**, so load a DataFrame for each query. True switches on
            ``spark.sql.python.filterPushdown.enabled`` in the session, which other data sources in Python may use too. None
            follows this setting, which is off by default.
    """
    if push_filters is None:
        push_filters = str(spark.conf.get(_PUSHDOWN, "false")).lower() == "true"
    log_to_stderr()
    if push_filters:
        spark.conf.set(_PUSHDOWN, "true")
        logger.warning(
            "Filters are pushed down. Spark keeps the filters of a query for later queries on the same DataFrame or view, "
            "which lack rows. Call load() for each query, and use no view in several queries."
        )
    if warning := other_python():
        logger.warning("%s", warning)
    spark.dataSource.register(FilteringDataSource if push_filters else ZendeskChatDataSource)
