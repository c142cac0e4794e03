"""One account in one task: its rows as Arrow batches."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa
from pyspark.sql.datasource import InputPartition
from pyspark.sql.types import StructType

from zendesk_chat.config import parse_subdomain
from zendesk_chat.errors import ConnectorError
from zendesk_chat.library.account import Account, Period
from zendesk_chat.library.arrow import ArrowBatch, to_arrow
from zendesk_chat.library.reading import StreamsFailedError, read_several
from zendesk_chat.library.states import ends_at
from zendesk_chat.spark.accounts import AccountConfig
from zendesk_chat.spark.bounds import Limits, is_empty
from zendesk_chat.spark.log import log_to_stderr
from zendesk_chat.spark.quota import quota_file
from zendesk_chat.spark.schema import aligned, arrow_columns
from zendesk_chat.streams.positions import ExportPosition
from zendesk_chat.streams.records import SECOND_US
from zendesk_chat.streams.stream import StateBlob, Stream
from zendesk_chat.tables.spool import Spool
from zendesk_chat.tables.table import StreamTable

_PREFIX: Final = "zendesk-chat-spark-"


@dataclass(frozen=True)  # without slots: the base class has none
class AccountPartition(InputPartition):
    """What one task reads. It is sent to an executor, and contains no secret.

    Attributes:
        limits: What the query needs at most. They narrow the period of the account, which the executor finds: its files may be
            newer than those of the driver.
        state: Where to resume; None to begin at the start date.
        until: The state up to which to read; None to read until now. It was found with the settings that the driver had then,
            so it determines the period: the start date may have changed since.
        required: Whether the account is known to have the stream.
    """

    config: AccountConfig
    limits: Limits = field(default_factory=Limits)
    state: StateBlob | None = None
    until: StateBlob | None = None
    required: bool = False


def read_partition(partition: AccountPartition, schema: StructType) -> Iterator[pa.RecordBatch]:
    """Yield the rows of an account. Each key comes once: of a record that changed during the read, the latest version.

    The rows wait on disk until all of them are read, among the files that Spark itself keeps there. With the option
    ``parents``, they begin with a row for each chat that was read.
    """
    log_to_stderr()
    name, options = partition.config.name, partition.config.options
    lookback = None if partition.until is None else 0  # `until` is before the lookback that applied when it was found
    account, columns = open_account(partition.config, lookback=lookback), arrow_columns(schema)
    table = StreamTable.of(account.catalog.streams[options.stream])
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=_local_dir(), ignore_cleanup_errors=True) as folder:
        spool = Spool(Path(folder) / "rows.parquet", table)
        with closing(_pages(account, partition)) as pages:
            for page in pages:
                spool.append(page.table, page.parents)
        rows = spool.rows()
        if options.parents == "true" and rows.parents is not None:
            yield from aligned(rows.parents, name, columns).to_batches()
        for part in rows.batches:
            yield from aligned(part, name, columns).to_batches()


def open_account(config: AccountConfig, *, timeout: int | None = None, lookback: int | None = None) -> Account:
    """Return an account with the secrets of this machine. Raises ConfigError.

    Args:
        config: Where its settings are.
        timeout: In seconds, instead of the account's.
        lookback: In minutes, instead of the account's.
    """
    values = _with_name(config)
    quota = quota_file(config.options, parse_subdomain(str(values["subdomain"])))
    return Account(config=values, quota=quota, request_timeout_seconds=timeout, lookback_minutes=lookback)


def _pages(account: Account, partition: AccountPartition) -> Generator[ArrowBatch, None, None]:
    """Yield the pages of the stream; none if the account lacks it, which the log reports."""
    stream = account.catalog.streams[partition.config.options.stream]
    period = _narrowed(account.period(), partition.limits)
    if partition.until is not None:
        stream, period = ends_at(stream, partition.until), _period_until(stream, partition.until, account.period())
    if period is None:
        return
    try:
        yield from to_arrow(account, read_several(account, [(stream, partition.state)], period, required=partition.required))
    except StreamsFailedError as failed:
        error = failed.errors[stream.name]
        error.add_note(f"The account is {partition.config.name}.")
        raise error from error.__cause__  # without the error of several streams as its context


def _narrowed(period: Period, limits: Limits) -> Period | None:
    """Return the part of a period within limits; None if there is none."""
    both = Limits(start=period.start, end=period.end).within(limits)
    if is_empty(both):
        return None
    return Period(min(both.start or 0, int(time.time())), both.end)  # a start in the future would be refused


def _period_until(stream: Stream, until: StateBlob, period: Period) -> Period:
    """Return the period for a read up to a state: it begins at the start date that applied when the state was found."""
    position = stream.load_state(until)
    start = position.complete_from if isinstance(position, ExportPosition) else None
    return Period(period.start if start is None else start // SECOND_US, None)


def _with_name(config: AccountConfig) -> Mapping[str, object]:
    """Return the configuration of an account. Errors name the account."""
    try:
        return config()
    except ConnectorError as error:
        error.add_note(f"The account is {config.name}.")
        raise


def _local_dir() -> str | None:
    """Return a directory that Spark removes even if this process is killed; None if there is none."""
    return next((name for name in os.environ.get("SPARK_LOCAL_DIRS", "").split(",") if Path(name).is_dir()), None)
