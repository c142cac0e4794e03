"""Filters become accounts and whole seconds, and never cut off a record that a query needs."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from pyspark.sql.datasource import (
    EqualTo,
    Filter,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    IsNotNull,
    LessThan,
    LessThanOrEqual,
    Not,
    StringStartsWith,
)

from tests.spark.accounts import Accounts
from zendesk_chat.spark.accounts import find_accounts
from zendesk_chat.spark.bounds import Limits, is_empty, limits_of, time_column
from zendesk_chat.spark.options import parse_options
from zendesk_chat.spark.partition import AccountPartition, read_partition
from zendesk_chat.spark.schema import schema_of
from zendesk_chat.streams.registry import STREAMS

TIME = ("update_timestamp",)
SECOND = datetime(2026, 1, 1, tzinfo=UTC)
HALF = datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
AT = int(SECOND.timestamp())


@pytest.mark.parametrize(
    ("one", "limits"),
    [
        (GreaterThan(TIME, SECOND), Limits(start=AT)),
        (GreaterThanOrEqual(TIME, HALF), Limits(start=AT)),
        (LessThan(TIME, SECOND), Limits(end=AT)),
        (LessThan(TIME, HALF), Limits(end=AT + 1)),
        (LessThanOrEqual(TIME, SECOND), Limits(end=AT + 1)),
        (EqualTo(TIME, HALF), Limits(start=AT, end=AT + 1)),
        (EqualTo(TIME, SECOND.replace(tzinfo=None)), Limits()),
        (EqualTo(("account",), "a"), Limits(frozenset("a"))),
        (In(("account",), ("a", "b")), Limits(frozenset("ab"))),
        (Not(EqualTo(("account",), "a")), Limits()),
        (IsNotNull(TIME), Limits()),
        (StringStartsWith(("account",), "a"), Limits()),
        (GreaterThan(("timestamp",), SECOND), Limits()),
    ],
)
def test_a_filter_limits_what_is_read(one: Filter, limits: Limits) -> None:
    assert limits_of([one], STREAMS["chats"]) == limits


def test_all_filters_hold() -> None:
    filters = [GreaterThan(TIME, SECOND), LessThan(TIME, SECOND), In(("account",), ("a", "b")), EqualTo(("account",), "c")]
    limits = limits_of(filters, STREAMS["chats"])
    assert limits == Limits(frozenset(), AT, AT)
    assert is_empty(limits)


def test_only_streams_in_the_order_of_a_column_are_read_in_parts() -> None:
    columns = {name: column for name, stream in STREAMS.items() if (column := time_column(stream))}
    assert columns == {
        "agent_events": "timestamp",
        "agent_timeline": "start_time",
        "chats": "update_timestamp",
        "chat_conversions": "chat_update_timestamp",
        "chat_engagements": "chat_update_timestamp",
        "chat_events": "chat_update_timestamp",
        "chat_webpaths": "chat_update_timestamp",
    }


def test_limits_narrow_the_period_that_the_executor_finds(accounts: Accounts) -> None:
    given = {"accounts": accounts.path, "stream": "chats", "only": "a1", "quota_folder": str(accounts.folder / "quota")}
    (account,) = found = find_accounts(parse_options(given), time.time())
    schema = schema_of(found)

    def times(limits: Limits) -> list[int]:
        batches = read_partition(AccountPartition(account.config, limits=limits), schema)
        return sorted(int(row["update_timestamp"].timestamp()) for batch in batches for row in batch.to_pylist())

    everything = times(Limits())
    start, end = everything[40], everything[80]
    assert len(everything) == 120
    assert times(Limits(end=end)) == [time for time in everything if time < end]
    accounts.write(a1=f"start_date = {datetime.fromtimestamp(start, UTC).isoformat()}")  # later than on the driver
    assert times(Limits(start=everything[10], end=end)) == [time for time in everything if start <= time < end]
    assert times(Limits(start=end)) == [time for time in everything if time >= end]
    assert times(Limits(start=2**40)) == times(Limits(end=start)) == []
    assert times(Limits(start=start, end=2**40)) == [time for time in everything if time >= start]
