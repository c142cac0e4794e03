"""Hours and days are those of the clock: counted minute by minute, and where summer time begins and ends."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.loaded_account import existing_views
from tests.support.view_answers import answer
from zendesk_chat.analytics.views import create_views


def test_a_day_has_as_many_hours_as_the_clock_gives_it() -> None:
    with duckdb.connect() as database:
        database.execute(
            "CREATE TABLE agent_timeline (agent_id BIGINT, status VARCHAR, start_time TIMESTAMPTZ, duration DOUBLE)"
        )
        database.execute("INSERT INTO agent_timeline VALUES (1, 'online', '2026-03-28T23:00:00Z', 86400)")
        assert create_views(database) == []
        assert existing_views(database) == ["agent_names", "department_names", "agent_spans", "agent_time", "agent_hours"]
        database.execute("SET VARIABLE time_zone = 'Europe/Berlin'")
        assert answer(database, "agent_time", "day, hours") == [(date(2026, 3, 29), 23), (date(2026, 3, 30), 1)]


MIDNIGHTS = [  # zone, the beginning of two days there, and their hours
    ("Atlantic/Azores", "2026-10-24T00:00:00Z", [(24, 24), (25, 25)]),  # the clock goes back from 1 to 0
    ("America/Havana", "2026-03-07T05:00:00Z", [(7, 24), (8, 23)]),  # on from 0 to 1: there is no midnight
    ("Asia/Beirut", "2026-10-23T21:00:00Z", [(24, 25), (25, 24)]),  # back from 0 to 23
]


@pytest.mark.parametrize("hours", [1, 49])
@pytest.mark.parametrize(("zone", "start", "days"), MIDNIGHTS)
def test_a_day_begins_at_its_first_microsecond(zone: str, start: str, days: list[tuple[int, int]], hours: int) -> None:
    with duckdb.connect() as database:
        database.execute(
            "CREATE TABLE agent_timeline (agent_id BIGINT, status VARCHAR, start_time TIMESTAMPTZ, duration DOUBLE)"
        )
        for hour in range(0, sum(length for _, length in days), hours):
            begin = datetime.fromisoformat(start) + timedelta(hours=hour)
            length = min(hours, sum(length for _, length in days) - hour) * 3600
            database.execute("INSERT INTO agent_timeline VALUES (1, 'online', $1, $2)", [begin, length])
        create_views(database)
        database.execute(f"SET VARIABLE time_zone = '{zone}'")
        assert answer(database, "agent_time", "day(day), hours") == days


status_spans = st.tuples(st.integers(0, 60 * 30), st.integers(-5, 60 * 26), st.sampled_from(["online", "away"]))


@settings(max_examples=10, deadline=None)
@given(
    st.lists(status_spans, max_size=8), st.sampled_from([datetime(2026, 3, 14, tzinfo=UTC), datetime(1969, 12, 31, tzinfo=UTC)])
)
def test_hours_and_concurrency_are_those_of_the_minutes_counted_one_by_one(
    status_spans: list[tuple[int, int, str]], begin: datetime
) -> None:
    with duckdb.connect() as database:
        database.execute(
            "CREATE TABLE agent_timeline (agent_id BIGINT, status VARCHAR, start_time TIMESTAMPTZ, duration DOUBLE)"
        )
        database.execute(
            "CREATE SCHEMA analytics; CREATE TABLE spans (type VARCHAR, started_at TIMESTAMPTZ, ended_at TIMESTAMPTZ)"
        )
        for start, length, status in status_spans:
            row = [begin + timedelta(minutes=start), begin + timedelta(minutes=start + length)]
            database.execute("INSERT INTO agent_timeline VALUES (1, $1, $2, $3)", [status, row[0], length * 60])
            database.execute("INSERT INTO spans VALUES ('chat', $1, $2)", row)
        database.execute("CREATE TABLE analytics.chat_facts AS FROM spans")
        assert len(create_views(database)) == 1
        hours = answer(database, "agent_time", f"activity, (day - DATE '{begin:%Y-%m-%d}'), hours * 60")
        at_once = answer(database, "concurrent_chats", "epoch(hour_start) // 3600, peak, average * 60")
    minutes = [(minute, status) for start, length, status in status_spans for minute in range(start, start + length)]
    days = Counter((status, minute // 1440) for minute, status in set(minutes))
    assert hours == sorted((*key, pytest.approx(count)) for key, count in days.items())
    open_at = Counter(minute for minute, _ in minutes)
    first = int(begin.timestamp()) // 3600
    assert at_once == [
        (
            first + hour,
            max(open_at[minute] for minute in range(hour * 60, hour * 60 + 60)),
            pytest.approx(sum(open_at[minute] for minute in range(hour * 60, hour * 60 + 60))),
        )
        for hour in sorted({minute // 60 for minute in open_at})
    ]
