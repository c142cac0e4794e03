"""The views answer what they say, of a small account whose answers are worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime

import duckdb

from tests.support.view_answers import APRIL, D13, D14, D15, MARCH, answer, epoch, hour


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
