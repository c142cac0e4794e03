"""Filters become accounts and whole seconds, and never cut off a record that a query needs."""

from __future__ import annotations

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

from zendesk_chat.spark.bounds import Limits, is_empty, limits_of, time_column
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
