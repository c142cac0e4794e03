"""Filters that shorten a read: the accounts and the times that a query asks for."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql.datasource import EqualTo, Filter, GreaterThan, GreaterThanOrEqual, In, LessThan, LessThanOrEqual

from zendesk_chat.spark.schema import ACCOUNT
from zendesk_chat.streams.exports.export import Export
from zendesk_chat.streams.stream import Stream


@dataclass(frozen=True, slots=True)
class Limits:
    """What a query needs at most. Spark applies all filters again, so it may get more than that.

    Attributes:
        accounts: The names of the accounts; None for all.
        start: The first second, since 1970; None for no limit.
        end: The first second that is not needed; None for no limit.
    """

    accounts: frozenset[str] | None = None
    start: int | None = None
    end: int | None = None

    def within(self, other: Limits) -> Limits:
        """Return what meets both limits."""
        starts = [start for start in (self.start, other.start) if start is not None]
        ends = [end for end in (self.end, other.end) if end is not None]
        both = [accounts for accounts in (self.accounts, other.accounts) if accounts is not None]
        accounts = frozenset.intersection(*both) if both else None
        return Limits(accounts, max(starts, default=None), min(ends, default=None))


def limits_of(filters: Iterable[Filter], stream: Stream) -> Limits:
    """Return the limits that these filters set. All filters must hold; unknown ones set no limit."""
    column = time_column(stream)
    limits = Limits()
    for one in filters:
        limits = limits.within(_limit(one, column))
    return limits


def time_column(stream: Stream) -> str | None:
    """Return the column whose order is that of the API, so that its range can be read alone; None if there is none.

    A visitor's row comes from its latest chat, so a read of a part may return another row than a complete read.
    """
    ordered = isinstance(stream.source, Export) and stream.source.ordered
    return stream.cursor_field if ordered and stream.latest_by is None else None


def _limit(one: Filter, column: str | None) -> Limits:
    match one:
        case EqualTo((name,), value) if name == ACCOUNT and isinstance(value, str):
            return Limits(frozenset([value]))
        case In((name,), values) if name == ACCOUNT:
            return Limits(frozenset(value for value in values if isinstance(value, str)))
        case (
            EqualTo((name,), datetime() as time)
            | GreaterThan((name,), datetime() as time)
            | GreaterThanOrEqual((name,), datetime() as time)
            | LessThan((name,), datetime() as time)
            | LessThanOrEqual((name,), datetime() as time)
        ) if name == column:
            return _time_limit(one, time)
    return Limits()


def _time_limit(one: Filter, time: datetime) -> Limits:
    """Return the seconds in which a comparison with a time can be true."""
    if time.tzinfo is None:  # a time of no zone: Spark compares it itself
        return Limits()
    seconds = time.timestamp()
    start, end = math.floor(seconds), math.floor(seconds) + 1
    match one:
        case GreaterThan() | GreaterThanOrEqual():
            return Limits(start=start)
        case LessThan():
            return Limits(end=math.ceil(seconds))
        case LessThanOrEqual():
            return Limits(end=end)
    return Limits(start=start, end=end)


def is_empty(limits: Limits) -> bool:
    """Return whether no time meets the limits."""
    return limits.start is not None and limits.end is not None and limits.start >= limits.end
