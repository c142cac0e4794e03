"""Reads the figures of a report from a DuckDB file. Every figure has the definition of a view: see ``analytics/views.sql``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from zendesk_chat.analytics.in_memory import VIEWS, create_in_memory
from zendesk_chat.load.failures import explained
from zendesk_chat.load.file.opening import allow_all_memory
from zendesk_chat.load.file.stored import Stored
from zendesk_chat.load.status import FileStatus, read_status
from zendesk_chat.report.figures import Figures, HourOfWeek, Point, Ratings, Totals
from zendesk_chat.report.period import Period, Range, choose_period
from zendesk_chat.report.rankings import read_agents, read_goals, read_groups

_USED: Final = frozenset(
    {
        "agent_hours",
        "chat_facts",
        "chats_by_agent",
        "chats_by_country",
        "chats_by_tag",
        "conversion_facts",
        "engagement_facts",
        "response_times_by_agent",
        "satisfaction_by_agent",
        "satisfaction_by_day",
    }
)
"""The views that define the figures, or whose existence shows that the file has the necessary tables."""
_MONTHS: Final = 12
_SETTINGS: Final = "RESET threads; SET preserve_insertion_order = false; SET temp_directory = ''"  # no record is written
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_RESPONSES: Final = """
    count(first_response_seconds) AS answered,
    round(quantile_cont(first_response_seconds, 0.5), 1) AS first_response_seconds_p50,
    round(quantile_cont(first_response_seconds, 0.9), 1) AS first_response_seconds_p90
"""


@dataclass(frozen=True, slots=True)
class Measures:
    """The views of an open file, and which of them could be created."""

    stored: Stored
    views: frozenset[str]


def read_figures(stored: Stored, days: int, time_zone: str | None, now: float) -> Figures:
    """Read the figures of the last ``days`` days.

    Args:
        stored: The open file.
        days: The length of the period.
        time_zone: Instead of the stored one.
        now: The time, in seconds since 1970.

    Raises:
        DestinationError: The file cannot be read.
    """
    status = read_status(stored, now)
    zone = time_zone or status.time_zone
    with explained(f"reading {stored.path}"):
        allow_all_memory(stored.connection)
        stored.connection.execute(_SETTINGS)
        views = create_in_memory(stored.connection, stored.schema, zone, _USED)
    measures = Measures(stored, views)
    period = _period(measures, status, days, zone, now)
    has_chats = "chat_facts" in views
    return Figures(
        period=period,
        now=_totals(measures, period.now),
        before=_totals(measures, period.before),
        trend=tuple(_trend(measures, period)) if has_chats else (),
        hours=tuple(_hours(measures, period.now)) if has_chats else (),
        satisfaction=tuple(_satisfaction(measures, period)) if has_chats else (),
        departments=read_groups(stored, "department", period.now) if has_chats else None,
        agents=read_agents(stored, views, period.now) if {"chats_by_agent", "agent_hours"} & views else None,
        tags=read_groups(stored, "tag", period.now) if "chats_by_tag" in views else None,
        countries=read_groups(stored, "country", period.now) if "chats_by_country" in views else None,
        goals=read_goals(stored, period.now) if "conversion_facts" in views else None,
        has_chats=has_chats,
        has_agent_hours="agent_hours" in views,
        unreadable=_unreadable(measures),
        status=status,
    )


def _period(measures: Measures, status: FileStatus, days: int, zone: str, now: float) -> Period:
    stored = measures.stored
    completed = next((stream.completed_at for stream in status.streams if stream.stream == "chats"), None)
    sql = "SELECT CAST(timezone($1, to_timestamp($2)) AS DATE), CAST(timezone($1, to_timestamp($3)) AS DATE)"
    ((synced, today),) = stored.rows(sql, [zone, completed, now])
    if "chat_facts" not in measures.views:
        return choose_period(days, zone, synced, (), today)
    active = stored.rows(
        f"SELECT DISTINCT day FROM {VIEWS}.chat_facts WHERE type = 'chat' AND day BETWEEN '0001-01-01' AND $1 ORDER BY day",
        [synced or today],
    )
    return choose_period(days, zone, synced, [day for (day,) in active], today)


def _totals(measures: Measures, days: Range) -> Totals:
    found: dict[str, object] = {}
    if "chat_facts" in measures.views:
        sql = f"""
            SELECT
                count(*) AS chats,
                count(*) FILTER (is_missed) AS missed,
                {VIEWS}._share(missed, chats) AS missed_share,
                {_RESPONSES},
                count(*) FILTER (rating = 'good') AS good,
                count(*) FILTER (rating = 'bad') AS bad,
                {VIEWS}._share(good, good + bad) AS good_share,
                (SELECT count(*) FROM {VIEWS}.chat_facts WHERE type = 'offline_msg' AND day BETWEEN $1 AND $2)
                    AS offline_messages
            FROM {VIEWS}.chat_facts
            WHERE type = 'chat' AND day BETWEEN $1 AND $2
        """
        found |= measures.stored.dicts(sql, [days.start, days.end])[0]
    if "conversion_facts" in measures.views:
        sql = f"SELECT count(*) AS conversions FROM {VIEWS}.conversion_facts WHERE day BETWEEN $1 AND $2"
        found |= measures.stored.dicts(sql, [days.start, days.end])[0]
    return Totals(**found)  # type: ignore[arg-type]  # the query names its columns after the fields


def _trend(measures: Measures, period: Period) -> Iterator[Point]:
    """Yield each step of the period, also those without chats. The first and the last one may be shorter."""
    has_conversions = "conversion_facts" in measures.views
    conversions = f"{VIEWS}.conversion_facts" if has_conversions else "(SELECT NULL::DATE AS day WHERE false)"
    sql = f"""
        WITH step AS (
            SELECT DISTINCT greatest(CAST(date_trunc($3, CAST(day AS DATE)) AS DATE), $1) AS start
            FROM generate_series(CAST($1 AS TIMESTAMP), CAST($2 AS TIMESTAMP), INTERVAL 1 DAY) AS days(day)
        ),
        chat AS (
            SELECT greatest(CAST(date_trunc($3, day) AS DATE), $1) AS start, * FROM {VIEWS}.chat_facts
            WHERE day BETWEEN $1 AND $2
        ),
        conversion AS (
            SELECT greatest(CAST(date_trunc($3, day) AS DATE), $1) AS start, count(*) AS conversions FROM {conversions}
            WHERE day BETWEEN $1 AND $2
            GROUP BY ALL
        )
        SELECT
            start,
            count(*) FILTER (type = 'chat') AS chats,
            coalesce(any_value(conversions), 0) AS conversions,
            count(*) FILTER (type = 'chat' AND is_missed) AS missed,
            {VIEWS}._share(missed, chats) AS missed_share,
            count(*) FILTER (type = 'offline_msg') AS offline_messages,
            count(first_response_seconds) FILTER (type = 'chat') AS answered,
            round(quantile_cont(first_response_seconds, 0.5) FILTER (type = 'chat'), 1) AS first_response_seconds_p50,
            round(quantile_cont(first_response_seconds, 0.9) FILTER (type = 'chat'), 1) AS first_response_seconds_p90
        FROM step LEFT JOIN chat USING (start) LEFT JOIN conversion USING (start)
        GROUP BY start
        ORDER BY start
    """
    for row in measures.stored.dicts(sql, [period.now.start, period.now.end, period.step]):
        yield Point(**row)


def _hours(measures: Measures, days: Range) -> Iterator[HourOfWeek]:
    sql = f"""
        SELECT CAST(weekday AS VARCHAR), hour, count(*), count(*) FILTER (is_missed)
        FROM {VIEWS}.chat_facts
        WHERE type = 'chat' AND day BETWEEN $1 AND $2
        GROUP BY weekday, hour
        ORDER BY weekday, hour
    """
    for name, hour, chats, missed in measures.stored.rows(sql, [days.start, days.end]):
        weekday = _WEEKDAYS.index(name)
        count = days.weekdays[weekday]
        yield HourOfWeek(weekday, hour, chats, missed, count, round(chats / count, 4))


def _satisfaction(measures: Measures, period: Period) -> Iterator[Ratings]:
    """Yield the months of the last year that have ratings, until the end of the period."""
    end = period.now.end
    month = end.year * 12 + end.month - _MONTHS  # months since the year 0, counted from 0
    sql = f"""
        SELECT
            {VIEWS}._month_of(day) AS month,
            CAST(sum(good) AS BIGINT) AS good,
            CAST(sum(bad) AS BIGINT) AS bad,
            {VIEWS}._share(sum(good), sum(good + bad)) AS good_share
        FROM {VIEWS}.satisfaction_by_day
        WHERE day BETWEEN $1 AND $2
        GROUP BY month
        HAVING sum(good + bad) > 0
        ORDER BY month
    """
    for row in measures.stored.dicts(sql, [date(month // 12, month % 12 + 1, 1), end]):
        yield Ratings(**row, is_partial=not period.covers_month(row["month"]))


def _unreadable(measures: Measures) -> int:
    if "chat_facts" not in measures.views:
        return 0
    ((chats,),) = measures.stored.rows(f"SELECT count(*) FROM {VIEWS}.chat_facts WHERE type = 'chat' AND day IS NULL")
    return int(chats)
