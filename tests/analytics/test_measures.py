"""The views answer what they say, of a small account whose answers are worked out by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.loaded_account import VIEWS, existing_views, load_account
from zendesk_chat.analytics.views import create_views

D13, D14, D15 = date(2026, 3, 13), date(2026, 3, 14), date(2026, 3, 15)
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
FROM_CHATS = [view for view in VIEWS if view not in ("agent_spans", "agent_time", "agent_hours")]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("views") / "acme.duckdb"
    assert load_account(path) == VIEWS
    return path


@pytest.fixture
def database(account: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(account), read_only=True) as connection:
        yield connection


def rounded(row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(round(value, 4) if isinstance(value, float) else value for value in row)


def answer(database: duckdb.DuckDBPyConnection, view: str, columns: str = "*") -> list[tuple[Any, ...]]:
    return [rounded(row) for row in database.execute(f"SELECT {columns} FROM analytics.{view} ORDER BY ALL").fetchall()]


def epoch(text: str) -> float:
    return datetime.fromisoformat(f"{text}:00+00:00").timestamp()


def hour(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00:00")


def test_chats_by_day(database: duckdb.DuckDBPyConnection) -> None:
    assert answer(database, "chats_by_day") == [
        (D13, 1, 0, 0, 0, 1),
        (D14, 4, 1, 3, 1, 0),
        (APRIL, 1, 0, 1, 0, 0),
        (None, 1, 0, 1, 0, 0),
    ]


def test_chats_by_department(database: duckdb.DuckDBPyConnection) -> None:
    assert answer(database, "chats_by_department") == [
        (D13, None, "(none)", 1, 0),
        (D14, "1", "Orders", 3, 0),
        (D14, "2", "Billing", 1, 1),
        (APRIL, "2", "Billing", 1, 0),
        (None, "2", "Billing", 1, 0),
    ]


def test_chats_by_agent(database: duckdb.DuckDBPyConnection) -> None:
    assert answer(database, "chats_by_agent") == [
        (D13, "13", "Cy", 1, 1),
        (D14, "11", "Ana", 2, 3),
        (D14, "12", "Bo", 2, 2),
        (D14, None, "(none)", 1, 0),
        (APRIL, "11", "Ana", 1, 1),
        (APRIL, "13", "Cy", 1, 1),
        (None, None, "(none)", 1, 0),
    ]


def test_chats_by_hour_of_the_week(database: duckdb.DuckDBPyConnection) -> None:
    assert answer(database, "chats_by_hour") == [
        (MARCH, "Friday", 23, 1, 0, 0, 0, 60),
        (MARCH, "Saturday", 9, 3, 0, 1, 0.3333, 30),
        (MARCH, "Saturday", 12, 1, 0, 0, 0, None),
        (MARCH, "Saturday", 22, 0, 1, 0, None, None),
        (APRIL, "Wednesday", 0, 1, 0, 0, 0, None),
        (None, None, None, 1, 0, 1, 1, None),
    ]


def test_chats_by_tag(database: duckdb.DuckDBPyConnection) -> None:
    assert answer(database, "chats_by_tag") == [
        (MARCH, "(none)", 3, 0.6, 1, 0.3333, 1, 60, 0, 0, None),
        (MARCH, "refund", 2, 0.4, 0, 0, 2, 30, 1, 1, 0.5),
        (MARCH, "vip", 1, 0.2, 0, 0, 1, 20, 1, 0, 1),
        (APRIL, "(none)", 1, 1, 0, 0, 0, None, 1, 0, 1),
        (None, "late", 1, 1, 1, 1, 0, None, 0, 0, None),
    ]


def test_chats_by_country(database: duckdb.DuckDBPyConnection) -> None:
    assert answer(database, "chats_by_country") == [
        (MARCH, "DE", "Germany", 1, 0.2, 1, 1, 0, None, 0, 0, None),
        (MARCH, "PT", "Portugal", 2, 0.4, 0, 0, 2, 30, 1, 1, 0.5),
        (MARCH, None, "(none)", 2, 0.4, 0, 0, 1, 60, 0, 0, None),
        (APRIL, None, "Atlantis", 1, 1, 0, 0, 0, None, 1, 0, 1),
        (None, "DE", "DE", 1, 1, 1, 1, 0, None, 0, 0, None),
    ]


def test_repeat_visitors(database: duckdb.DuckDBPyConnection) -> None:
    columns = "visitor_id, chats, missed, good, bad, epoch(first_chat_at), epoch(last_chat_at)"
    assert answer(database, "visitor_facts", columns) == [
        ("v-c1", 3, 0, 2, 1, epoch("2026-03-14T09:00"), epoch("2026-04-01T00:00")),
        ("v-c3", 1, 1, 0, 0, epoch("2026-03-14T09:30"), epoch("2026-03-14T09:30")),
        ("v-c4", 1, 0, 0, 0, epoch("2026-03-13T23:50"), epoch("2026-03-13T23:50")),
        ("v-c5", 1, 0, 0, 0, epoch("2026-03-14T12:00"), epoch("2026-03-14T12:00")),
        ("v-c7", 1, 1, 0, 0, None, None),
    ]
    assert answer(database, "repeat_visitors") == [
        (MARCH, 4, 1, 0.25, 5, 1, 0.2, 1, 0.2),
        (APRIL, 1, 1, 1, 1, 1, 1, 0, 0),
        (None, 1, 0, 0, 1, 0, 0, 0, 0),
    ]


def test_what_chat_facts_say_of_visitors(database: duckdb.DuckDBPyConnection) -> None:
    columns = "chat_id, visitor_id, country_code, country, tags, ticket_id, weekday, hour"
    assert answer(database, "chat_facts", columns) == [
        ("c1", "v-c1", "PT", "Portugal", ["refund", "vip"], "31004", "Saturday", 9),
        ("c2", "v-c1", "PT", "Portugal", ["refund"], None, "Saturday", 9),
        ("c3", "v-c3", "DE", "Germany", [], None, "Saturday", 9),
        ("c4", "v-c4", None, "(none)", [], None, "Friday", 23),
        ("c5", "v-c5", None, "(none)", [], None, "Saturday", 12),
        ("c7", "v-c7", "DE", "DE", ["late"], None, None, None),
        ("c8", "v-c1", None, "Atlantis", [], None, "Wednesday", 0),
        ("o1", None, None, "(none)", ["refund"], None, "Saturday", 22),
    ]


def test_response_times(database: duckdb.DuckDBPyConnection) -> None:
    two_chats = (2, 30, 30, 38, 39, 1500, 1500, 1740, 1770)
    one_chat = (1, 60, 60, 60, 60, 1800, 1800, 1800, 1800)
    assert answer(database, "response_times_by_day") == [(D13, *one_chat), (D14, *two_chats)]
    assert answer(database, "response_times_by_department") == [
        (MARCH, "1", "Orders", *two_chats),
        (MARCH, None, "(none)", *one_chat),
    ]
    assert answer(database, "response_times_by_agent") == [
        (MARCH, "11", "Ana", 2, 30, 30, 38, 39, 900, 900, 1140, 1170),
        (MARCH, "12", "Bo", 1, 5, 5, 5, 5, 1200, 1200, 1200, 1200),
        (MARCH, "13", "Cy", *one_chat),
    ]


def test_missed_dropped_and_abandoned(database: duckdb.DuckDBPyConnection) -> None:
    none = (1, 0, 0, 0, 0, 0, 0, None)
    assert answer(database, "missed_by_day") == [
        (D13, *none),
        (D14, 4, 1, 1, 1, 0.25, 0.25, 0.25, 120),
        (APRIL, *none),
        (None, 1, 1, 0, 0, 1, 0, 0, None),
    ]
    assert answer(database, "missed_by_department") == [
        (D13, None, "(none)", *none),
        (D14, "1", "Orders", 3, 0, 0, 0, 0, 0, 0, None),
        (D14, "2", "Billing", 1, 1, 1, 1, 1, 1, 1, 120),
        (APRIL, "2", "Billing", *none),
        (None, "2", "Billing", 1, 1, 0, 0, 1, 0, 0, None),
    ]


def test_satisfaction(database: duckdb.DuckDBPyConnection) -> None:
    assert answer(database, "satisfaction_by_day") == [(D14, 1, 1, 0.5, 1), (APRIL, 1, 0, 1, 0)]
    assert answer(database, "satisfaction_by_department") == [
        (D14, "1", "Orders", 1, 1, 0.5, 1),
        (APRIL, "2", "Billing", 1, 0, 1, 0),
    ]
    assert answer(database, "satisfaction_by_agent") == [(D14, "11", "Ana", 1, 0, 1, 1), (D14, "12", "Bo", 0, 1, 0, 0)]


def test_concurrent_chats(database: duckdb.DuckDBPyConnection) -> None:
    late, night, nine, noon = (hour(text) for text in ("2026-03-13T23", "2026-03-14T00", "2026-03-14T09", "2026-03-14T12"))
    assert answer(database, "concurrent_chats") == [
        (late, 1, 0.1667),
        (night, 1, 0.3333),
        (nine, 2, 0.8667),
        (noon, 1, 0.1667),
    ]
    assert answer(database, "concurrent_chats_by_agent") == [
        (late, "13", "Cy", 1, 0.1667),
        (night, "13", "Cy", 1, 0.3333),
        (nine, "11", "Ana", 2, 0.5833),
        (nine, "12", "Bo", 1, 0.3333),
        (noon, "12", "Bo", 1, 0.1667),
    ]


def test_agent_time(database: duckdb.DuckDBPyConnection) -> None:
    assert answer(database, "agent_time") == [
        (D13, "11", "Ana", "online", 2),
        (D13, "13", "Cy", "chatting", 0.1667),
        (D14, "11", "Ana", "(none)", 1),
        (D14, "11", "Ana", "away", 0.5),
        (D14, "11", "Ana", "chatting", 0.4167),
        (D14, "11", "Ana", "online", 3),
        (D14, "12", "Bo", "chatting", 0.5),
        (D14, "12", "Bo", "invisible", 1),
        (D14, "13", "Cy", "chatting", 0.3333),
        (D14, "14", "14", "offline", 1),
    ]
    assert answer(database, "agent_hours")[2:4] == [
        (D14, "11", "Ana", 3, 0.5, 0, 0.4167, 0.1389),
        (D14, "12", "Bo", 0, 0, 1, 0.5, None),
    ]


def test_conversions(database: duckdb.DuckDBPyConnection) -> None:
    assert answer(database, "conversion_facts", "conversion_id, day, goal, agent, chat_id") == [
        ("k1", date(2026, 4, 2), "Checkout", "Ana", "c8"),
        ("k2", D15, "Checkout", "Ana", "c1"),
        ("k4", date(2026, 3, 20), "Trial", "(none)", None),
    ]
    assert answer(database, "conversions_by_goal") == [
        (D15, "500", "Checkout", 1, 1),
        (date(2026, 3, 20), "501", "Trial", 1, 0),
        (date(2026, 4, 2), "500", "Checkout", 1, 1),
    ]
    assert answer(database, "conversions_by_agent") == [
        (MARCH, "11", "Ana", 2, 1, 1, 0.5),
        (MARCH, "12", "Bo", 2, 0, 0, 0),
        (MARCH, "13", "Cy", 1, 0, 0, 0),
        (APRIL, "11", "Ana", 1, 1, 1, 1),
        (APRIL, "13", "Cy", 1, 0, 0, 0),
        (None, None, "(none)", 0, 1, 0, None),
    ]


def test_transcript(database: duckdb.DuckDBPyConnection) -> None:
    assert answer(database, "transcript", "chat_id, position, sender, name, type, message") == [
        ("c1", 1, "visitor", "Visitor c1", "chat.msg", "Where is it?"),
        ("c1", 2, "agent", "Anna", "chat.msg", "On its way."),
        ("c1", 3, "other", "Customer Service", "chat.msg", "How are we doing?"),
        ("c1", 4, "visitor", "Visitor c1", "chat.file", "parcel.png"),
        ("c2", 0, "trigger", "Customer Service", "chat.msg", "Can I help?"),
        ("c2", 1, "visitor", "Bo", "chat.msg", "Yes"),
        ("c2", 2, "agent", "Bo", "chat.msg", "Hello"),
        ("o1", 0, "visitor", "Jo", "offline_msg", "Call me"),
    ]
    sent = database.execute("SELECT position, epoch_us(sent_at) FROM analytics.transcript WHERE chat_id = 'c1' ORDER BY ALL")
    sent_us = int(datetime(2026, 3, 14, 9, 1, tzinfo=UTC).timestamp() * 1e6) + 500_000
    assert sent.fetchall() == [(1, sent_us), (2, sent_us), (3, sent_us), (4, None)]


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
