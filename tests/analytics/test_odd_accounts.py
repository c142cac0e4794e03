"""The views stay right where tables, columns, names and values are not as expected."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.loaded_account import VIEWS, create_tables, existing_views, load_account
from tests.support.view_answers import APRIL, D13, D14, answer, hour
from zendesk_chat.analytics.views import create_views

pytestmark = pytest.mark.unmeasured  # many queries or complete syncs

FROM_CHATS = [view for view in VIEWS if view not in ("agent_spans", "agent_time", "agent_hours")]


def test_chats_alone_are_enough_for_what_is_in_them(tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    assert load_account(path, "chats") == FROM_CHATS
    with duckdb.connect(str(path)) as database:
        assert answer(database, "chats_by_agent", "DISTINCT agent") == [("(none)",), ("Anna",), ("Bo",), ("Cy",)]
        assert answer(database, "chats_by_department", "DISTINCT department") == [("(none)",), ("Invoices",), ("Orders",)]
        assert answer(database, "conversion_facts", "conversion_id, chat_id") == [("k1", "c8")]
        assert answer(database, "satisfaction_by_day") == [(D14, 1, 1, 0.5, 1), (APRIL, 1, 0, 1, 0)]


def test_conversions_alone() -> None:
    with duckdb.connect() as database:
        database.execute(
            "CREATE TABLE conversions (id TEXT, timestamp TIMESTAMPTZ, goal_id TEXT, goal_name TEXT, attribution JSON)"
        )
        assert create_views(database) == []
        assert existing_views(database)[2:] == ["conversion_reports", "conversion_facts", "conversions_by_goal"]
        database.execute("""INSERT INTO conversions VALUES ('k', '2026-03-14', 'x', '', '{"agent_id": "4f"}')""")
        assert answer(database, "conversions_by_goal") == [(D14, "x", "x", 1, 0)]


def recreated(database: duckdb.DuckDBPyConnection) -> list[str]:
    assert create_views(database) == []
    return existing_views(database)


def copied(account: Path, path: Path) -> duckdb.DuckDBPyConnection:
    path.write_bytes(account.read_bytes())
    return duckdb.connect(str(path))


def test_tables_without_rows(account: Path, tmp_path: Path) -> None:
    with copied(account, tmp_path / "empty.duckdb") as database:
        for table in ("agents", "departments", "agent_timeline", "chats", "conversions"):
            database.execute(f"DELETE FROM {table}")
        assert recreated(database) == VIEWS
        assert [view for view in VIEWS if answer(database, view)] == []


def test_who_is_no_longer_there_has_the_last_name_seen_and_one_row(account: Path, tmp_path: Path) -> None:
    with copied(account, tmp_path / "gone.duckdb") as database:
        database.execute("DELETE FROM agents; UPDATE departments SET name = '' WHERE id = 2")
        database.execute("UPDATE chats SET engagements = replace(engagements, 'Anna', 'Annie') WHERE id = 'c2'")
        database.execute("""UPDATE chats SET agent_names = '["Annie", "Cyril"]' WHERE id = 'c8'""")
        assert answer(database, "agent_names") == [("11", "Annie"), ("12", "Bo"), ("13", "Cyril")]
        assert answer(database, "department_names") == [("1", "Orders"), ("2", "Invoices")]
        assert answer(database, "chats_by_agent", "day, agent, chats")[:3] == [
            (D13, "Cyril", 1),
            (D14, "(none)", 1),
            (D14, "Annie", 2),
        ]
        assert answer(database, "conversions_by_agent")[-2] == (APRIL, "13", "Cyril", 1, 0, 0, 0)
        assert answer(database, "conversions_by_agent")[-3] == (APRIL, "11", "Annie", 1, 1, 1, 1)
        assert answer(database, "chats_by_department", "DISTINCT department") == [("(none)",), ("Invoices",), ("Orders",)]


def test_of_two_versions_of_a_conversion_the_one_in_its_chat_counts(account: Path, tmp_path: Path) -> None:
    with copied(account, tmp_path / "credited.duckdb") as database:
        for agent in (12, 9):
            attribution = f'{{"agent_id": {agent}, "chat_id": "c8", "chat_timestamp": "2026-04-01T00:00:00Z"}}'
            database.execute("UPDATE conversions SET attribution = $1, goal_id = 501 WHERE id = 'k1'", [attribution])
            assert ("k1", "500", "Ana") in answer(database, "conversion_facts", "conversion_id, goal_id, agent")
        database.execute("UPDATE conversions SET goal_id = 500, goal_name = 'Paid' WHERE id = 'k1'")
        database.execute("UPDATE conversions SET goal_name = NULL WHERE id = 'k2'")
        assert answer(database, "conversions_by_goal", "DISTINCT goal_id, goal") == [("500", "Paid"), ("501", "Trial")]


def test_times_inside_of_chats_are_utc_where_they_name_no_zone(account: Path, tmp_path: Path) -> None:
    with copied(account, tmp_path / "zone.duckdb") as database:
        before = answer(database, "engagement_facts", "chat_id, engagement_id, epoch(started_at)")
        database.execute("SET TimeZone = 'America/New_York'")
        database.execute("UPDATE chats SET engagements = replace(engagements, ':00Z', ':00')")
        assert answer(database, "engagement_facts", "chat_id, engagement_id, epoch(started_at)") == before


def test_an_end_that_cannot_be_is_no_end(account: Path, tmp_path: Path) -> None:
    with copied(account, tmp_path / "ends.duckdb") as database:
        before = [answer(database, view) for view in ("concurrent_chats", "concurrent_chats_by_agent", "agent_time")]
        database.execute("UPDATE chats SET end_timestamp = '9999-12-31T23:59:59Z' WHERE id IN ('c1', 'c2', 'c4')")
        assert [answer(database, view) for view in ("concurrent_chats", "concurrent_chats_by_agent", "agent_time")] == before


def test_strings_that_are_dropped_take_no_measure_along(account: Path, tmp_path: Path) -> None:
    with copied(account, tmp_path / "dropped.duckdb") as database:
        untouched = {
            view: answer(database, view) for view in VIEWS if view.startswith(("chats_by_d", "missed", "chats_by_hour"))
        }
        for column in ("comment", "visitor", "agent_names", "department_name", "session", "tags", "zendesk_ticket_id"):
            database.execute(f"ALTER TABLE chats DROP COLUMN {column}")
        without = {"chats_by_tag", "chats_by_country", "visitor_facts", "repeat_visitors"}
        assert recreated(database) == [view for view in VIEWS if view not in without]
        columns = "DISTINCT visitor_id, country_code, country, tags, ticket_id"
        assert answer(database, "chat_facts", columns) == [(None, None, "(none)", [], None)]
        assert {view: answer(database, view) for view in untouched} == untouched
        assert answer(database, "satisfaction_by_day", "day, good, bad, comments") == [(D14, 1, 1, 0), (APRIL, 1, 0, 0)]
        assert answer(database, "transcript", "chat_id, position, name, message")[-1] == ("o1", 0, None, "Call me")
        database.execute("ALTER TABLE chats DROP COLUMN message")
        assert not without & set(recreated(database))
        assert answer(database, "transcript", "DISTINCT chat_id") == [("c1",), ("c2",)]


def test_hashed_identifiers_and_missing_columns(account: Path, tmp_path: Path) -> None:
    hashed = "substr(md5({0}::VARCHAR), 1, 8)"
    with copied(account, tmp_path / "redacted.duckdb") as database:
        before = answer(database, "chats_by_department", "day, department, chats")
        for table, column in (("departments", "id"), ("chats", "department_id"), ("agent_timeline", "agent_id")):
            database.execute(
                f"CREATE OR REPLACE TABLE {table} AS SELECT * REPLACE ({hashed.format(column)} AS {column}) FROM {table}"
            )
        assert recreated(database) == VIEWS
        assert answer(database, "chats_by_department", "day, department, chats") == before
        assert len({agent for (agent,) in answer(database, "agent_spans", "agent_id") if len(agent) == 8}) == 3
        database.execute("ALTER TABLE chats DROP COLUMN history; ALTER TABLE chats DROP COLUMN engagements")
        database.execute("ALTER TABLE agent_timeline ALTER duration TYPE VARCHAR")
        left = recreated(database)
        assert {"chats_by_day", "missed_by_department", "conversions_by_goal"} <= set(left)
        assert not {"transcript", "engagement_facts", "chats_by_agent", "satisfaction_by_agent"} & set(left)
        for view in left:
            answer(database, view)


def test_drifted_json_is_not_an_error(account: Path, tmp_path: Path) -> None:
    odd = ["null", "{}", '"text"', "7", "[null]", "[7]", '[{"agent_id": {"a": 1}, "duration": "x", "timestamp": 5}]', '[["a"]]']
    with copied(account, tmp_path / "odd.duckdb") as database:
        columns = (
            "engagements",
            "history",
            "conversions",
            "agent_ids",
            "agent_names",
            "response_time",
            "visitor",
            "session",
            "tags",
        )
        for text in odd:
            database.execute(f"UPDATE chats SET {', '.join(f'{column} = $1' for column in columns)}", [text])
            for view in VIEWS:
                answer(database, view)
            assert answer(database, "chats_by_day", "sum(chats)") == [(7,)]


def test_odd_times_and_negative_lengths_change_no_other_measure(account: Path, tmp_path: Path) -> None:
    odd = [  # start, end, duration, first response
        ("1969-12-31T23:30:00Z", "1970-01-01T00:30:00Z", 3600, 60),
        ("9999-12-31T23:00:00Z", "9999-12-31T23:30:00Z", 1800, 10),
        ("2026-05-01T10:00:00Z", "2026-05-01T09:00:00Z", -3600, -5),
        ("2026-05-01T10:00:00Z", None, 7200, 20),
        (None, "2026-05-01T09:00:00Z", 1e12, 1e12),
    ]
    with copied(account, tmp_path / "odd.duckdb") as database:
        database.execute("DELETE FROM chats")
        for number, (start, end, duration, first) in enumerate(odd):
            row = {"id": f"x{number}", "start": start, "end": end, "duration": duration, "first": f'{{"first": {first}}}'}
            database.execute(
                "INSERT INTO chats (id, type, timestamp, end_timestamp, duration, response_time) "
                "VALUES ($id, 'chat', $start, $end, $duration, $first)",
                row,
            )
        assert answer(database, "chats_by_hour", "month, weekday, hour, chats") == [
            (date(1969, 12, 1), "Wednesday", 23, 1),
            (date(2026, 5, 1), "Friday", 10, 2),
            (date(9999, 12, 1), "Friday", 23, 1),
            (None, None, None, 1),
        ]
        columns = "day, answered, first_response_seconds_avg, duration_seconds_avg"
        assert answer(database, "response_times_by_day", columns) == [
            (date(1969, 12, 31), 1, 60, 3600),
            (date(2026, 5, 1), 1, 20, 7200),
            (date(9999, 12, 31), 1, 10, 1800),
        ]
        assert answer(database, "concurrent_chats") == [
            (hour("1969-12-31T23"), 1, 0.5),
            (hour("1970-01-01T00"), 1, 0.5),
            (hour("2026-05-01T10"), 1, 1),
            (hour("2026-05-01T11"), 1, 1),
            (hour("9999-12-31T23"), 1, 0.5),
        ]
        for view in VIEWS:
            answer(database, view)


def test_namesakes_are_two(account: Path, tmp_path: Path) -> None:
    with copied(account, tmp_path / "namesakes.duckdb") as database:
        database.execute("UPDATE agents SET display_name = 'Ana'; UPDATE departments SET name = 'Orders'")
        for view in ("chats_by_agent", "response_times_by_agent", "satisfaction_by_agent", "concurrent_chats_by_agent"):
            assert {("11", "Ana"), ("12", "Ana")} <= set(answer(database, view, "DISTINCT agent_id, agent"))
        assert [row[1:] for row in answer(database, "chats_by_agent", "day, agent_id, agent, chats")[1:3]] == [
            ("11", "Ana", 2),
            ("12", "Ana", 2),
        ]
        assert answer(database, "chats_by_department", "day, department_id, department, chats")[1:3] == [
            (D14, "1", "Orders", 3),
            (D14, "2", "Orders", 1),
        ]


@pytest.fixture(scope="module")
def in_memory() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as database:
        create_tables(database, "chats")
        assert create_views(database) == []
        yield database


CHATS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "", None]),  # visitor
        st.one_of(st.none(), st.integers(-40, 40)),  # start: half days from 1970
        st.sampled_from([True, False, None]),  # deleted
        st.lists(st.sampled_from(["x", "y", "(none)"]), max_size=3),
    ),
    max_size=12,
)


@settings(max_examples=15, deadline=None)
@given(CHATS)
def test_tags_and_repeat_visitors_are_those_counted_one_by_one(
    in_memory: duckdb.DuckDBPyConnection, chats: list[tuple[str | None, int | None, bool | None, list[str]]]
) -> None:
    begin = datetime(1970, 1, 1, tzinfo=UTC)
    in_memory.execute("DELETE FROM chats")
    for number, (visitor, start, deleted, tags) in enumerate(chats):
        in_memory.execute(
            "INSERT INTO chats (id, timestamp, deleted, visitor, tags) VALUES ($1, $2, $3, $4, $5)",
            [
                f"{number:02}",
                None if start is None else begin + timedelta(hours=12 * start),
                deleted,
                json.dumps({"id": visitor}),
                json.dumps(tags),
            ],
        )
    tags_by_chats = answer(in_memory, "chats_by_tag", "tag, sum(chats) OVER (PARTITION BY tag)")
    repeat = answer(in_memory, "repeat_visitors", "sum(visitors), sum(chats), sum(repeat_chats), sum(repeat_chats_7_days)")
    visitors = answer(in_memory, "visitor_facts", "visitor_id, chats")
    kept = [(visitor or None, start, tags) for visitor, start, deleted, tags in chats if not deleted]
    counted = Counter(tag for _, _, tags in kept for tag in set(tags) or {"(none)"})
    assert set(tags_by_chats) == set(counted.items())
    assert visitors == sorted(Counter(visitor for visitor, _, _ in kept if visitor).items())
    again = week = 0
    for visitor in {visitor for visitor, _, _ in kept if visitor}:
        starts = sorted(start for one, start, _ in kept if one == visitor and start is not None)
        again += max(len(starts) - 1, 0)
        week += sum(later - earlier <= 14 for earlier, later in pairwise(starts))
    months = {(visitor, month_of(start)) for visitor, start, _ in kept if visitor}
    assert repeat == ([(len(months), len(kept), again, week)] if kept else [(None, None, None, None)])


def month_of(start: int | None) -> str | None:
    return None if start is None else (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=12 * start)).strftime("%Y-%m")
