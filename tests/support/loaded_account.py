"""A small account, written by hand, of which every measure can be worked out in one's head."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from zendesk_chat.analytics.definitions import views_schema
from zendesk_chat.analytics.views import create_views
from zendesk_chat.json_schema import Schema
from zendesk_chat.load.file.tables import make_table
from zendesk_chat.tables.arrow import RecordReader
from zendesk_chat.tables.sql import quoted
from zendesk_chat.tables.table import StreamTable

KEYS = {"agents": "id", "departments": "id", "agent_timeline": "id", "chats": "id", "conversions": "id"}
CURSORS = {"agent_timeline": "start_time", "chats": "update_timestamp", "conversions": "timestamp"}
NUMBER, TEXT = {"type": ["null", "integer"]}, {"type": ["null", "string"]}
TIME = {"type": ["null", "string"], "format": "date-time"}
CONVERSIONS = {"id": TEXT, "timestamp": TIME, "goal_id": NUMBER, "goal_name": TEXT, "attribution": {"type": ["null", "object"]}}
VIEWS = [
    "agent_names",
    "department_names",
    "chat_facts",
    "engagement_facts",
    "conversion_reports",
    "conversion_facts",
    "chats_by_day",
    "chats_by_department",
    "chats_by_agent",
    "chats_by_hour",
    "chats_by_tag",
    "chats_by_country",
    "visitor_facts",
    "repeat_visitors",
    "response_times_by_day",
    "response_times_by_department",
    "response_times_by_agent",
    "missed_by_day",
    "missed_by_department",
    "satisfaction_by_day",
    "satisfaction_by_department",
    "satisfaction_by_agent",
    "concurrent_chats",
    "concurrent_chats_by_agent",
    "agent_spans",
    "agent_time",
    "agent_hours",
    "conversions_by_agent",
    "conversions_by_goal",
    "transcript",
]


def table(name: str) -> StreamTable:
    path = files("zendesk_chat.streams.schemas") / f"{name}.json"
    schema = {"properties": CONVERSIONS} if name == "conversions" else json.loads(path.read_text("utf-8"))
    return StreamTable(name, (KEYS[name],), CURSORS.get(name), Schema.parse(schema))


def chat(name: str, start: str, end: str | None = None, **fields: Any) -> dict[str, Any]:
    record: dict[str, Any] = {
        "id": name,
        "type": "chat",
        "timestamp": start,
        "end_timestamp": end,
        "update_timestamp": "2026-04-03T00:00:00Z",
        "started_by": "visitor",
        "visitor": {"id": f"v-{name}", "name": f"Visitor {name}"},
        "agent_ids": [],
        "agent_names": [],
        "department_id": 1,
        "department_name": "Orders",
        "missed": False,
        "dropped": False,
        "abandon_time": None,
        "rating": None,
        "comment": None,
        "deleted": False,
        "conversions": [],
        "engagements": [],
        "history": [],
    }
    return record | fields


def engagement(number: int, agent: str, name: str, start: str, seconds: float, **fields: Any) -> dict[str, Any]:
    record: dict[str, Any] = {
        "id": f"e{number}",
        "agent_id": agent,
        "agent_name": name,
        "department_id": 1,
        "accepted": True,
        "timestamp": start,
        "duration": seconds,
        "rating": None,
        "comment": None,
    }
    return record | fields


def country(code: str, name: str) -> dict[str, Any]:
    return {"country_code": code, "country_name": name}


def first(seconds: float | None) -> dict[str, Any]:
    return {"first": seconds, "avg": seconds, "max": seconds}


def message(text: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"type": "chat.msg", "timestamp": "2026-03-14T09:01:00.500000Z", "name": name, "msg": text} | fields


def conversion(name: str, time: str, goal: int = 500, goal_name: str = "Checkout", **attribution: Any) -> dict[str, Any]:
    return {"id": name, "timestamp": time, "goal_id": goal, "goal_name": goal_name, "attribution": attribution}


K1 = conversion("k1", "2026-04-02T08:00:00Z", agent_id=11, department_id=2, chat_timestamp="2026-04-01T00:00:00Z")
CHATS = [
    chat(
        "c1",
        "2026-03-14T09:00:00Z",
        "2026-03-14T09:20:00Z",
        session=country("PT", "Portugal"),
        tags=["vip", "refund", "vip", None],
        zendesk_ticket_id=31004,
        agent_ids=["11"],
        agent_names=["Anna"],
        duration=1200,
        response_time=first(20),
        rating="good",
        comment="Fast",
        engagements=[
            engagement(1, "11", "Anna", "2026-03-14T09:00:00Z", 1200, response_time=first(20), rating="good", comment="Fast")
        ],
        history=[
            {"type": "chat.memberjoin", "timestamp": "2026-03-14T09:00:00.000000Z", "name": "Visitor c1"},
            message("Where is it?", "Visitor c1"),
            message("On its way.", "Anna"),
            message("How are we doing?", "Customer Service"),
            {"type": "chat.file", "timestamp": "soon", "name": "Visitor c1", "attachment": {"name": "parcel.png", "size": 1}},
        ],
    ),
    chat(
        "c2",
        "2026-03-14T09:10:00Z",
        "2026-03-14T09:40:00Z",
        visitor={"id": "v-c1", "name": "Visitor c1"},
        session=country("PT", "Portugal"),
        tags=["refund"],
        agent_ids=["11", "12"],
        agent_names=["Anna", "Bo"],
        duration=1800,
        response_time=first(40),
        rating="bad",
        engagements=[
            engagement(1, "11", "Anna", "2026-03-14T09:10:00Z", 600, response_time=first(40)),
            engagement(2, "12", "Bo", "2026-03-14T09:20:00Z", 1200, response_time=first(5), rating="bad", comment=""),
            engagement(3, "11", "Anna", "2026-03-14T09:35:00Z", 300, response_time=first(None)),
        ],
        history=[
            message("Can I help?", "Customer Service", sender_type="Trigger", nick="trigger"),
            message("Yes", "Bo", sender_type="Visitor", nick="visitor"),
            message("Hello", "Bo", sender_type="Agent", nick="agent:12", agent_id="12"),
        ],
    ),
    chat(
        "c3",
        "2026-03-14T09:30:00Z",
        "2026-03-14T09:32:00Z",
        session=country("de", "Germany"),
        tags=[],
        department_id=2,
        department_name="Billing",
        duration=120,
        missed=True,
        dropped=True,
        abandon_time=120,
    ),
    chat(
        "c4",
        "2026-03-13T23:50:00Z",
        "2026-03-14T00:20:00Z",
        agent_ids=["13"],
        agent_names=["Cy"],
        started_by="trigger",
        department_id=None,
        department_name=None,
        duration=1800,
        response_time=first(60),
        comment=" ",
        engagements=None,
    ),
    chat(
        "c5",
        "2026-03-14T12:00:00Z",
        "2026-03-14T11:59:00Z",
        session=country("", ""),
        agent_ids=["12", "11"],
        agent_names=["Bo", "Anna"],
        started_by="agent",
        duration=600,
        response_time=first(None),
        engagements=[
            engagement(1, "11", "Anna", "2026-03-14T12:00:00Z", 60, accepted=False, response_time=None),
            engagement(2, "12", "Bo", "2026-03-14T12:00:00Z", 600),
        ],
    ),
    chat(
        "c6",
        "2026-03-14T09:00:00Z",
        "2026-03-14T10:00:00Z",
        deleted=True,
        visitor={"id": "v-c1"},
        session=country("PT", "Portugal"),
        tags=["refund"],
        rating="good",
        agent_ids=["11"],
        agent_names=["Anna"],
        duration=3600,
        response_time=first(1),
        engagements=[engagement(1, "11", "Anna", "2026-03-14T09:00:00Z", 3600, response_time=first(1), rating="good")],
        conversions=[conversion("k3", "2026-03-14T10:00:00Z", agent_id=11)],
        history=[message("Forget it", "Visitor c6")],
    ),
    chat(
        "c7",
        "whenever",
        None,
        session=country("DE", ""),
        tags=["late"],
        department_id=2,
        department_name="Billing",
        missed=True,
        abandon_time=0,
    ),
    chat(
        "c8",
        "2026-04-01T00:00:00Z",
        "2026-04-01T00:00:00Z",
        visitor={"id": "v-c1"},
        session={"country_name": "Atlantis"},
        agent_ids=["11", "13"],
        agent_names=["Anna", "Cy"],
        department_id=2,
        department_name="Invoices",
        duration=0,
        response_time=first(None),
        rating="good",
        conversions=[K1],
    ),
    {
        "id": "o1",
        "type": "offline_msg",
        "timestamp": "2026-03-14T22:30:00Z",
        "update_timestamp": "2026-04-03T00:00:00Z",
        "department_id": 2,
        "department_name": "Billing",
        "visitor": {"name": "Jo"},
        "tags": ["refund"],
        "message": "Call me",
        "deleted": False,
    },
]


def span(agent: int, start: str, seconds: float, status: str | None = "online") -> dict[str, Any]:
    return {"id": f"{agent}|{start}", "agent_id": agent, "start_time": start, "status": status, "duration": seconds}


RECORDS: dict[str, list[dict[str, Any]]] = {
    "agents": [{"id": 11, "display_name": "Ana"}, {"id": 12, "display_name": "Bo"}],
    "departments": [{"id": 1, "name": "Orders"}, {"id": 2, "name": "Billing"}],
    "agent_timeline": [
        span(11, "2026-03-13T22:00:00.000000Z", 4 * 3600),
        span(11, "2026-03-14T01:00:00.000000Z", 2 * 3600),
        span(11, "2026-03-14T01:30:00.000000Z", 60),
        span(11, "2026-03-14T05:00:00.000000Z", -5),
        span(11, "2026-03-14T06:00:00.000000Z", 3600, None),
        span(11, "2026-03-14T09:00:00.000000Z", 1800, "away"),
        span(12, "2026-03-14T23:00:00.000000Z", 3600, "invisible"),
        span(14, "2026-03-14T12:00:00.000000Z", 3600, "offline"),
    ],
    "chats": CHATS,
    "conversions": [
        conversion("k1", "2026-04-02T08:00:00Z", agent_id=11, chat_id="c8", chat_timestamp="2026-04-01T00:00:00Z"),
        conversion("k2", "2026-03-15T08:00:00Z", agent_id=11, chat_id="c1", chat_timestamp="2026-03-14T09:00:00Z"),
        conversion("k3", "2026-03-14T10:00:00Z", agent_id=11, chat_id="c6", chat_timestamp="2026-03-14T09:00:00Z"),
        conversion("k4", "2026-03-20T08:00:00Z", 501, "Trial"),
    ],
}


def open_file(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a file as the default database, in the format that DuckDB 1.2 reads."""
    connection = duckdb.connect()
    connection.execute(f"ATTACH '{path}' AS file (STORAGE_VERSION 'v1.2.0'); USE file")
    return connection


def create_tables(connection: duckdb.DuckDBPyConnection, *names: str, schema: str = "main") -> None:
    """Create the tables of these streams of the account, of all if none is named."""
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    for name in names or RECORDS:
        stream = table(name)
        make_table(connection, schema, name, stream)
        rows = RecordReader(stream).read([json.dumps(record).encode() for record in RECORDS[name]])
        connection.execute(f"INSERT INTO {quoted(schema)}.{name} FROM rows")
        assert rows.num_rows == len(RECORDS[name])


def load_account(path: Path, *names: str) -> list[str]:
    """Create a file with these streams of the account, with all if none is named, and the views; returns their names."""
    with open_file(path) as connection:
        create_tables(connection, *names)
        assert create_views(connection) == []
        return existing_views(connection)


def existing_views(connection: duckdb.DuckDBPyConnection, schema: str = "main") -> list[str]:
    """Return the names of the views over the tables of a schema, in the order of ``VIEWS``."""
    rows = connection.execute(
        "SELECT view_name FROM duckdb_views() WHERE database_name = current_database() AND schema_name = $1",
        [views_schema(schema)],
    ).fetchall()
    names = {name for (name,) in rows}
    return [view for view in VIEWS if view in names]
