"""Records in every shape that the API is known to send: valid, without a report of unknown types, and loaded without a rest."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from jsonschema import Draft7Validator

from zendesk_chat.engine.drift import DriftDetector
from zendesk_chat.request import Request
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.stream import Bounds, RawRecord
from zendesk_chat.tables.arrow import RecordReader
from zendesk_chat.tables.strict import StrictReader
from zendesk_chat.tables.table import EXTRA, UNPARSED, StreamTable

NOW: Final = 1_780_000_000

VISITOR: Final = {"id": "7.v1", "name": "Vi", "email": "vi@example.com", "phone": "", "notes": ""}
SESSION: Final = {
    "id": "250101.7.s1",
    "browser": "Firefox",
    "platform": "Linux",
    "user_agent": "Mozilla/5.0",
    "ip": "2001:db8::1",
    "city": "Lima",
    "region": "Lima",
    "country_code": "PE",
    "country_name": "Peru",
    "start_date": "2025-01-01T00:00:00+00:00Z",
    "end_date": "2014-01-01T00:00:00Z",
}
COUNTS: Final = {
    "count": {"visitor": 2, "agent": 1, "total": 3},
    "response_time": {"first": None, "avg": 9.25, "max": 11},
}


def event(index: int, kind: str, second: int = 1, **fields: Any) -> dict[str, Any]:
    """Something in a chat, at a whole second."""
    common = {"index": index, "type": kind, "timestamp": f"2025-01-01T09:00:{second:02}Z", "name": "Vi", "channel": "#c"}
    return common | fields


HISTORY: Final = [
    event(0, "chat.memberjoin", department_id=None, department_name=None),
    event(1, "chat.msg", msg="hello", msg_id="17", options="", sender_type="Visitor", source="web"),
    event(2, "chat.msg", msg="anyone?", msg_id=18, options="", sender_type="Visitor"),
    event(3, "chat.memberjoin", agent_id="9001", nick="agent:9001"),
    event(4, "chat.transfer.department", 2, department_id=72, department_name="Billing", prev_department_id="71"),
    event(5, "chat.msg", 3, msg="hi", sender_type="Agent", agent_id=9001),
    event(6, "chat.tag", 4, tags=[], new_tags=["order"]),
    event(7, "chat.rating", 5, rating="none", new_rating="good"),
    event(8, "chat.comment", 5, comment=None, new_comment="thanks"),
    event(9, "chat.file", 6, attachment={"name": "a.pdf", "size": 10, "type": "document", "mime_type": "application/pdf"}),
    event(10, "chat.memberleave", 7, reason="user_action_user_has_disconnected"),
]


def engagement(key: str, **fields: Any) -> dict[str, Any]:
    common = {"id": key, "started_by": "visitor", "agent_name": "Ana", "assigned": False, "accepted": True, "rating": None}
    more = {"skills_requested": [], "skills_fulfilled": False, "timestamp": "2025-01-01T09:00:03Z", **COUNTS}
    return common | more | fields


CHAT: Final = {
    "id": "2501.7.A",
    "type": "chat",
    "timestamp": "2025-01-01T09:00:01Z",
    "end_timestamp": "2025-01-01T09:00:07Z",
    "update_timestamp": "2025-01-01T09:00:08Z",
    "started_by": "visitor",
    "visitor": VISITOR | {"banned": False, "external_id": None},
    "session": SESSION,
    "webpath": [
        {"timestamp": "2025-01-01T08:59:00Z", "from": "", "to": "https://shop.example.com/", "title": "Shop"},
        ["2025-01-01T08:59:30Z", "https://shop.example.com/", "https://shop.example.com/cart", None],
        [1_735_722_000, "https://shop.example.com/x"],
    ],
    "history": HISTORY,
    "agent_ids": ["9001", 9002],
    "agent_names": ["Ana", "Bo"],
    "department_id": 72,
    "department_name": "Billing",
    **COUNTS,
    "duration": 6,
    "missed": False,
    "dropped": False,
    "abandon_time": None,
    "proactive": False,
    "triggered": False,
    "triggered_response": None,
    "unread": 0,
    "deleted": False,
    "rating": "good",
    "comment": None,
    "tags": ["order"],
    "referrer_search_engine": "",
    "referrer_search_terms": "",
    "skills_requested": [],
    "skills_fulfilled": False,
    "zendesk_ticket_id": 83,
    "conversions": [
        {
            "id": "k1",
            "timestamp": "2025-01-03T09:00:00Z",
            "goal_id": 31,
            "goal_name": "Bought",
            "attribution": {"agent_id": "9001", "agent_name": "Ana", "department_id": "72", "department_name": "Billing"},
        }
    ],
    "engagements": [
        engagement("e1", agent_id="9001", department_id=71, duration=1.5),
        engagement("e2", agent_id=9002, department_id="72", duration=4, rating="good", started_by="transfer"),
    ],
    "message": None,
}
OFFLINE: Final = {
    "id": "2501.7.B",
    "type": "offline_msg",
    "timestamp": "2025-01-02T00:00:00Z",
    "update_timestamp": "2025-01-02T00:00:00Z",
    "visitor": VISITOR | {"external_id": 12},
    "session": SESSION | {"ip": "203.0.299.7"},
    "department_id": "71",
    "department_name": None,
    "message": "Hello?",
    "unread": True,
    "zendesk_ticket_id": None,
}

SHAPES: Final[dict[str, list[dict[str, Any]]]] = {
    "accounts": [
        {"account_key": "k", "status": "active", "create_date": "2025-01-01T00:00:00Z", "plan": {"max_agents": 5, "goals": 5}},
        {
            "account_key": "k",
            "plan": {"max_agents": "unlimited", "price": 0.0, "goals": "unlimited", "widget_customization": "full"},
        },
        {"account_key": "k", "billing": {"email": "billing@example.com", "company": "", "postal_code": ""}},
    ],
    "agents": [
        {"id": 1, "first_name": "A", "enabled": True, "departments": [], "roles": {"owner": True, "administrator": True}},
        {"id": 2, "enabled": 1, "enabled_departments": [], "role_id": 3, "scope": "all", "create_date": "2025-01-01T00:00:00Z"},
        {"id": 3, "enabled": False, "last_login": None, "skills": [44], "departments": [71, 72], "login_count": 0},
    ],
    "agent_events": [
        {"id": "x.1", "account_id": 2, "agent_id": 3, "field_name": "status", "previous_value": "online", "value": "away"},
        {"id": "x.2", "timestamp": "2025-01-01T09:00:00.140101Z", "field_name": "engagements", "previous_value": 0, "value": 1},
    ],
    "agent_routing_settings": [
        {"agent_id": 1, "chat_limit": {"enabled": True, "limit": 3}, "skills": [44]},
        {"agent_id": 2, "chat_limit": {"enabled": 0, "limit": "unlimited"}},
        {"agent_id": 3, "chat_limit": 20},
    ],
    "agent_timeline": [
        {"agent_id": 3, "engagement_count": 0, "start_time": "2025-01-01T04:08:32.301292Z", "status": "away", "duration": 4.25}
    ],
    "bans": [
        {"id": 1, "type": "ip_address", "ip_address": "203.0.113.9", "reason": "Spammer", "created_at": "2025-01-01T00:00:00Z"},
        {"id": 2, "type": "visitor", "visitor_id": "7.v2", "visitor_name": "Visitor 2", "reason": ""},
        {"id": 3, "type": "I", "ip_address": "203.0.113.8", "created_at": None},
    ],
    "chats": [CHAT, OFFLINE, {"id": "2501.7.C"}],
    "conversions": [
        {
            "id": "k1",
            "timestamp": "2025-01-03T09:00:00Z",
            "goal_id": 31,
            "attribution": {"agent_id": 9001, "department_id": 72},
        },
        {"id": "k2", "timestamp": "2025-01-03T09:00:00Z", "attribution": {"agent_id": "9001", "department_id": "72"}},
    ],
    "department_events": [
        {
            "id": "d1",
            "department_id": 71,
            "timestamp": "2025-01-01T00:00:00Z",
            "value": {"chat_enabled": 1},
            "previous_value": {},
        },
        {"id": "d2", "department_id": 71, "value": None, "previous_value": None},
        {"id": "d3", "department_id": 71, "value": "online", "previous_value": 5},
        {"id": "d4", "department_id": 71, "value": True, "previous_value": "offline"},
    ],
    "departments": [
        {
            "id": 71,
            "name": "Orders",
            "enabled": True,
            "members": [1],
            "settings": {"chat_enabled": True, "support_group_id": 71},
        },
        {"id": 72, "name": None, "members": None, "settings": {}, "description": None, "enabled": 0},
    ],
    "goals": [
        {
            "id": 31,
            "enabled": 1,
            "attribution_model": "first_touch",
            "attribution_period": 15,
            "settings": {"conditions": [{"operator": "equals", "type": "url", "value": "https://shop.example.com/"}]},
        }
    ],
    "roles": [{"id": 3, "enabled": True, "members_count": 0, "permissions": {"edit_chat_tags": False, "manage_bans": "none"}}],
    "routing_settings": [
        {
            "routing_mode": "assigned",
            "chat_limit": {"enabled": False, "limit": 3, "limit_type": "account", "allow_agent_override": False},
            "skill_routing": {"enabled": True, "max_wait_time": 300},
            "reassignment": {"enabled": True, "timeout": 120},
            "auto_idle": {"enabled": False, "reassignments_before_idle": 20, "new_status": "away"},
            "auto_accept": {"enabled": False},
        },
        {"chat_limit": 0},
    ],
    "shortcuts": [
        {"id": "bye", "name": "bye", "message": "Thanks", "options": "Yes/No", "scope": "all", "tags": ["end"]},
        {"name": "help", "message": "Can I help?", "options": "", "tags": []},
        {"id": 5, "name": "five", "departments": [71], "agents": [1]},
    ],
    "skills": [{"id": 44, "name": "spanish", "members": [1], "description": "", "enabled": True}],
    "triggers": [
        {
            "id": 61,
            "enabled": True,
            "definition": {
                "event": "chat_message",
                "condition": [
                    "and",
                    ["eq", "@message", "agent"],
                    ["not", ["hasTag", "x"]],
                    ["stillOnSite", 60],
                    ["eq", "@a", False],
                ],
                "actions": [["setDepartment", 71], ["sendMessageToVisitor", "Shop", "a", "b"], ["setTriggered", True]],
                "version": 1,
                "editor": "advanced",
            },
        }
    ],
}
ONE_RECORD: Final = ("accounts", "routing_settings")
DERIVED: Final = [name for name, stream in STREAMS.items() if stream.extractor]
TEXT_WITH_NUMBERS: Final = {"chats": ("department_id", ["72", "71", None]), "shortcuts": ("id", ["bye", "help", "5"])}


class Answers:
    """Gives a stream its records, each of a stream of one record in an answer of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.left = [[row] for row in SHAPES[name]] if name in ONE_RECORD else [SHAPES[name]]
        if name == "agent_events":
            self.left.insert(0, [])  # the first answer shows the unit of its times
        self.started: list[tuple[Request[Any], object]] = []

    def __call__(self, request: Request[Any]) -> Any:
        rows = self.left.pop(0) if self.left else []
        match self.name:
            case "accounts":
                body: object = rows[0]
            case "bans":
                body = {"ip_address": rows[:1], "visitor": rows[1:]}
            case "routing_settings":
                body = {"data": rows[0]}
            case name if request.path.startswith("incremental/"):
                body = {name: rows, "count": len(rows), "end_time": NOW}
            case _:
                body = rows
        return request.decode(json.dumps(body).encode())

    def start(self, request: Request[Any], tag: object) -> None:
        self.started.append((request, tag))

    def finished(self) -> tuple[Any, Any]:
        request, tag = self.started.pop()
        return tag, self(request)

    def free_slots(self) -> int:
        return 0


def records_of(name: str) -> list[RawRecord]:
    """The records as the stream emits them."""
    stream = STREAMS[name]
    if stream.extractor:
        return list(stream.extractor.extract(records_of("chats")).records)
    fetch, runs = Answers(name), len(SHAPES[name]) if name in ONE_RECORD else 1
    return [
        record
        for _ in range(runs)
        for batch in stream.source.read(fetch, [None], Bounds(0, NOW))
        for record in batch[0].records
    ]


def test_every_stream_has_known_shapes() -> None:
    assert {*SHAPES, *DERIVED} == set(STREAMS)


@pytest.mark.parametrize("name", STREAMS)
def test_known_shapes_are_valid_and_no_news(name: str) -> None:
    records = records_of(name)
    assert len(records) >= len(SHAPES.get(name, [1]))
    for record in records:
        assert list(Draft7Validator(STREAMS[name].schema.to_json()).iter_errors(json.loads(record))) == []
    assert DriftDetector(name, STREAMS[name].schema).observe(records) == []


@pytest.mark.parametrize("name", STREAMS)
def test_known_shapes_are_loaded_the_fast_way_and_without_a_rest(name: str) -> None:
    table, records = StreamTable.of(STREAMS[name]), records_of(name)
    assert all(row is not None for row in StrictReader.of(table).read(records))
    rows = RecordReader(table).read(records)
    assert set(rows.column(EXTRA).to_pylist()) == set(rows.column(UNPARSED).to_pylist()) == {None}
    for key in table.primary_key:
        assert None not in rows.column(key).to_pylist()
    if name in TEXT_WITH_NUMBERS:
        column, values = TEXT_WITH_NUMBERS[name]
        assert rows.column(column).to_pylist() == values


def test_ids_that_are_numbers_or_text_have_one_type_in_derived_streams() -> None:
    engagements = list(map(json.loads, records_of("chat_engagements")))
    assert [(one["agent_id"], one["department_id"]) for one in engagements] == [("9001", 71), ("9002", 72)]
    (transfer,) = (one for one in map(json.loads, records_of("chat_events")) if one["type"] == "chat.transfer.department")
    assert (transfer["department_id"], transfer["prev_department_id"]) == (72, 71)
    assert not any("as_sent" in one for one in engagements)
