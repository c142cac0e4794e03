"""The schemas describe what the API answers: complete, nullable, open, and strict where it matters."""

import copy
import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

import pytest
from jsonschema import Draft7Validator, FormatChecker

from zendesk_chat.streams.registry import STREAMS

Json = dict[str, Any]
Path = tuple[str | int, ...]

SCHEMAS: Final = files("zendesk_chat.streams.schemas")
NAMES: Final = sorted(file.name.removesuffix(".json") for file in SCHEMAS.iterdir() if file.name.endswith(".json"))

ALLOWED_KEYWORDS: Final = {
    "$schema",
    "type",
    "properties",
    "items",
    "format",
    "airbyte_type",
    "description",
    "additionalProperties",
}
# Trigger definitions are expressions of any depth; nothing below these can be declared.
FREE_FORM: Final = {
    ("triggers", "definition.condition"),
    ("triggers", "definition.condition[]"),
    ("triggers", "definition.actions"),
    ("triggers", "definition.actions[]"),
    # What fits in no field, by its path.
    *((stream, "as_sent") for stream in ("chat_conversions", "chat_engagements", "chat_events", "chat_webpaths", "visitors")),
}


def _conversion() -> Json:
    return {
        "id": "2405.4410.cv7",
        "timestamp": "2024-05-06T11:00:00Z",
        "goal_id": 31,
        "goal_name": "Signed up",
        "attribution": {
            "agent_id": 9001,
            "agent_name": "Mira",
            "department_id": 71,
            "department_name": "Sales",
            "chat_id": "2405.4410.Tq1",
            "chat_timestamp": "2024-05-06T10:00:00Z",
        },
    }


def _event(kind: str, **more: Any) -> Json:
    common = {
        "type": kind,
        "timestamp": "2024-05-06T10:00:01.250000Z",
        "name": "Visitor 12",
        "channel": "#chat:4410-v12",
    }
    return common | more


SESSION: Final[Json] = {
    "id": "240506.4410.s1",
    "browser": "Safari",
    "platform": "macOS",
    "user_agent": "Mozilla/5.0",
    "ip": "192.0.2.7",
    "city": "Porto",
    "region": "Norte",
    "country_code": "PT",
    "country_name": "Portugal",
    "start_date": "2024-05-06T09:55:00Z",
    "end_date": "2024-05-06T10:20:00Z",
}

CHAT: Final[Json] = {
    "id": "2405.4410.Tq1",
    "type": "chat",
    "timestamp": "2024-05-06T10:00:00Z",
    "end_timestamp": "2024-05-06T10:20:00Z",
    "update_timestamp": "2024-05-07T08:00:00Z",
    "started_by": "visitor",
    "visitor": {
        "id": "4410.v12",
        "name": "Visitor 12",
        "email": "v12@example.com",
        "phone": "",
        "notes": "",
        "banned": False,
        "external_id": "crm-12",
    },
    "session": SESSION,
    "webpath": [
        {"timestamp": "2024-05-06T09:55:00Z", "from": "", "to": "https://example.com/plans", "title": "Plans"},
    ],
    "agent_ids": ["9001"],
    "agent_names": ["Mira"],
    "department_id": 71,
    "department_name": "Sales",
    "count": {"total": 5, "visitor": 3, "agent": 2},
    "response_time": {"first": 12, "avg": 14.5, "max": 17},
    "duration": 1200,
    "missed": False,
    "dropped": False,
    "abandon_time": 3.5,
    "proactive": False,
    "triggered": True,
    "triggered_response": True,
    "unread": False,
    "deleted": False,
    "rating": "good",
    "comment": "Quick",
    "tags": ["plans"],
    "referrer_search_engine": "",
    "referrer_search_terms": "",
    "skills_requested": [44],
    "skills_fulfilled": True,
    "zendesk_ticket_id": 501,
    "conversions": [_conversion()],
    "engagements": [
        {
            "id": "2405.4410.Tq1e1",
            "started_by": "visitor",
            "agent_id": "9001",
            "agent_name": "Mira",
            "agent_full_name": "Mira Sample",
            "department_id": 71,
            "assigned": True,
            "accepted": True,
            "rating": "good",
            "comment": "Quick",
            "skills_requested": ["french"],
            "skills_fulfilled": True,
            "timestamp": "2024-05-06T10:00:05Z",
            "duration": 1180.25,
            "response_time": {"first": 12, "avg": 14.5, "max": 17},
            "count": {"total": 5, "visitor": 3, "agent": 2},
        },
    ],
    "history": [
        _event("chat.memberjoin", department_id=None, department_name=None, index=0, nick="visitor:12"),
        _event("chat.msg", msg="Hello", msg_id="1714989601", options="Yes/No", sender_type="Visitor", source="web"),
        _event("chat.tag", tags=["plans"], new_tags=["plans", "vip"]),
        _event("chat.rating", rating="bad", new_rating="good"),
        _event("chat.comment", comment="Slow", new_comment="Quick"),
        _event(
            "chat.file",
            attachment={
                "name": "plan.pdf",
                "size": 2048,
                "type": "file",
                "mime_type": "application/pdf",
                "url": "https://example.com/plan.pdf",
                "deleted": False,
            },
        ),
        _event("chat.transfer", department_id=71, department_name="Sales", prev_department_id=72, agent_id="9001"),
        _event("chat.conversion", conversion=_conversion()),
        _event("chat.skills", skills_name=["french"]),
        _event("chat.memberleave", reason="disconnect_user"),
    ],
}

OFFLINE_MESSAGE: Final[Json] = {
    "id": "2405.4410.Tq2",
    "type": "offline_msg",
    "timestamp": "2024-05-08T22:00:00Z",
    "update_timestamp": "2024-05-08T22:00:00Z",
    "message": "Please call me back",
    "url": "https://example.zendesk.com/api/v2/chat/chats/2405.4410.Tq2",
    "unread": True,
    "deleted": False,
    "tags": [],
    "webpath": [],
    "department_id": None,
    "department_name": None,
    "zendesk_ticket_id": None,
    "visitor": {"id": "4410.v13", "name": "Kim", "email": "", "phone": "+15550100", "notes": ""},
    "session": SESSION | {"start_date": "2017-04-24T12:45:32+00:00Z"},
}

OF_THE_API: Final[dict[str, list[Json]]] = {
    "accounts": [
        {
            "account_key": "sampleKey01",
            "status": "active",
            "create_date": "2019-02-03T04:05:06Z",
            "plan": {
                "name": "team",
                "price": 19.5,
                "short_desc": "For teams",
                "long_desc": "For teams that chat",
                "max_agents": 3,
                "max_departments": 2,
                "max_concurrent_chats": "unlimited",
                "max_history_search_days": "30",
                "max_basic_triggers": 2,
                "max_advanced_triggers": "unlimited",
                "goals": 2,
                "widget_customization": "basic",
                "analytics": True,
                "agent_leaderboard": False,
                "agent_reports": False,
                "chat_reports": True,
                "daily_reports": True,
                "email_reports": False,
                "file_upload": True,
                "high_load": False,
                "integrations": True,
                "ip_restriction": False,
                "monitoring": False,
                "operating_hours": True,
                "rest_api": True,
                "sla": False,
                "support": True,
                "unbranding": False,
            },
            "billing": {
                "company": "Sample Ltd",
                "first_name": "Mira",
                "last_name": "Sample",
                "email": "pay@example.com",
                "phone": "+15550199",
                "address1": "2 Sample Road",
                "address2": "",
                "city": "Porto",
                "state": "",
                "postal_code": "4000",
                "country_code": "PT",
                "additional_info": "",
                "cycle": 12,
            },
        },
    ],
    "agents": [
        {
            "id": 9001,
            "email": "mira@example.com",
            "first_name": "Mira",
            "last_name": "Sample",
            "display_name": "Mira",
            "enabled": True,
            "role_id": 3,
            "roles": {"administrator": False, "owner": False},
            "departments": [71, 72],
            "enabled_departments": [71],
            "skills": [44],
            "create_date": "2019-02-04T00:00:00Z",
            "last_login": "2024-05-06T09:00:00Z",
            "login_count": 40,
            "scope": "account",
        },
    ],
    "agent_events": [
        {
            "id": "R1.agent:9001.x",
            "account_id": 4410,
            "agent_id": 9001,
            "field_name": "status",
            "previous_value": "online",
            "value": "away",
            "timestamp": "2024-05-06T10:00:00.140101Z",
        },
    ],
    "agent_routing_settings": [
        {
            "agent_id": 9001,
            "chat_limit": {"enabled": True, "limit": 3, "limit_type": "agent", "allow_agent_override": True},
            "skills": [44],
            "auto_accept": {"enabled": False},
        },
    ],
    "agent_timeline": [
        {
            "id": "9001|2024-05-06T09:00:00.123456Z",
            "agent_id": 9001,
            "start_time": "2024-05-06T09:00:00.123456Z",
            "status": "away",
            "duration": 61.5,
            "engagement_count": 1,
        },
    ],
    "bans": [
        {
            "id": 81,
            "type": "ip_address",
            "ip_address": "192.0.2.66",
            "reason": "Rude",
            "created_at": "2022-01-02T03:04:05Z",
        },
        {
            "id": 82,
            "type": "visitor",
            "visitor_id": "4410.v66",
            "visitor_name": "Visitor 66",
            "reason": "Rude",
            "created_at": None,
        },
    ],
    "chats": [CHAT, OFFLINE_MESSAGE],
    "conversions": [_conversion()],
    "departments": [
        {
            "id": 71,
            "name": "Sales",
            "description": "Sells",
            "enabled": True,
            "members": [9001],
            "settings": {
                "chat_enabled": True,
                "solved_ticket_reassignment_strategy": "",
                "support_group_id": 71,
            },
        },
    ],
    "department_events": [
        {
            "id": "R1.department:71.x",
            "department_id": 71,
            "timestamp": "2024-05-06T10:00:00Z",
            "field_name": "settings",
            "value": {"chat_enabled": True},
            "previous_value": {"chat_enabled": False},
        },
    ],
    "goals": [
        {
            "id": 31,
            "name": "Signed up",
            "description": "Reached the welcome page",
            "enabled": True,
            "attribution_model": "last_touch",
            "attribution_period": 7,
            "settings": {"conditions": [{"type": "url", "operator": "contains", "value": "/welcome"}]},
        },
    ],
    "roles": [
        {
            "id": 3,
            "name": "Agent",
            "description": "Chats",
            "enabled": True,
            "members_count": 4,
            "permissions": {
                "visitors_seen": "account",
                "proactive_chatting": "listen-join",
                "edit_visitor_information": True,
                "edit_visitor_notes": True,
                "view_past_chats": "account",
                "edit_chat_tags": True,
                "manage_bans": "none",
                "access_analytics": "none",
                "view_monitor": "none",
                "edit_department_agents": "none",
                "set_agent_chat_limit": "none",
                "manage_shortcuts": "account",
            },
        },
    ],
    "routing_settings": [
        {
            "routing_mode": "hybrid",
            "chat_limit": {"enabled": True, "limit": 4, "limit_type": "agent", "allow_agent_override": True},
            "skill_routing": {"enabled": False, "max_wait_time": 45},
            "reassignment": {"enabled": True, "timeout": 20},
            "auto_idle": {"enabled": True, "reassignments_before_idle": 2, "new_status": "invisible"},
            "auto_accept": {"enabled": True},
        },
    ],
    "shortcuts": [
        {
            "id": "hi",
            "name": "hi",
            "message": "Hello there",
            "options": "",
            "scope": "department",
            "departments": [71],
            "agents": [9001],
            "tags": ["greeted"],
        },
    ],
    "skills": [{"id": 44, "name": "french", "description": "Speaks French", "enabled": True, "members": [9001]}],
    "triggers": [
        {
            "id": 61,
            "name": "Greet",
            "description": "Greets on the plans page",
            "enabled": True,
            "definition": {
                "event": "page_enter",
                "condition": [
                    "and",
                    ["eq", "@visitor_page_url", "example.com/plans"],
                    ["stillOnPage", 20],
                    ["not", []],
                ],
                "actions": [["wait", 1.5], ["setTriggered", True], ["sendMessageToVisitor", "Mira", "Questions?"]],
                "version": 1,
                "editor": "advanced",
            },
        },
    ],
}

# Nothing in it is as documented, so that it is all in `as_sent`.
ODD_CHAT: Final[Json] = {
    "id": "2405.4410.Tq3",
    "update_timestamp": "2024-05-08T23:00:00Z",
    "visitor": {"id": "4410.v14", "ip": "192.0.2.8"},
    "history": ["Hello"],
    "engagements": ["2405.4410.Tq3e1"],
    "webpath": ["https://example.com/"],
    "conversions": [7],
}


def _derived() -> dict[str, list[Json]]:
    """What the streams that are derived from chats have for the sample of chats and an odd one."""
    chats = [json.dumps(chat).encode() for chat in (CHAT, OFFLINE_MESSAGE, ODD_CHAT)]
    cuts = {stream.name: stream.extractor.extract(chats) for stream in STREAMS.values() if stream.extractor}
    return {name: [json.loads(part) for part in cut.records] for name, cut in cuts.items()}


SAMPLES: Final = OF_THE_API | _derived()

FIRST_MESSAGE: Final[Path] = ("history", 1)
TRANSFER: Final[Path] = ("history", 6)

# (stream, position in the first sample, another value the API is known to answer there)
DRIFT: Final[list[tuple[str, Path, Any]]] = [
    *[
        (stream, ("enabled",), value)
        for stream in ("agents", "departments", "goals", "roles", "skills", "triggers")
        for value in (False, None)
    ],
    *[
        ("routing_settings", (part, "enabled"), value)
        for part in ("chat_limit", "skill_routing", "reassignment", "auto_idle", "auto_accept")
        for value in (True, 1)
    ],
    *[
        ("accounts", ("plan", f"max_{what}"), value)
        for what in (
            "agents",
            "departments",
            "concurrent_chats",
            "history_search_days",
            "basic_triggers",
            "advanced_triggers",
        )
        for value in ("unlimited", 7, None)
    ],
    ("accounts", ("plan", "price"), 70),
    ("agents", ("last_login",), None),
    ("agent_events", ("value",), 5),
    ("agent_events", ("previous_value",), None),
    ("agent_routing_settings", ("chat_limit", "enabled"), 1),
    ("agent_routing_settings", ("auto_accept",), None),
    ("agent_timeline", ("duration",), 60),
    ("bans", ("created_at",), None),
    ("chats", ("visitor", "id"), 4410),
    ("chats", ("webpath", 0), [1714989300, "https://example.com/", None]),
    ("chats", ("agent_ids",), [9001, "9002"]),
    ("chats", ("department_id",), None),
    ("chats", ("duration",), 1200.5),
    ("chats", ("response_time", "avg"), 14),
    ("chats", ("response_time",), {"first": None, "avg": None, "max": None}),
    ("chats", ("abandon_time",), 3),
    ("chats", ("triggered_response",), None),
    ("chats", ("skills_requested",), ["french"]),
    ("chats", ("engagements", 0, "agent_id"), 9001),
    ("chats", ("engagements", 0, "duration"), 1180),
    ("chats", ("engagements", 0, "skills_requested"), [44]),
    ("chats", ("session", "start_date"), "2017-04-24T12:45:32+00:00Z"),
    ("chats", ("session", "end_date"), "2017-04-24T12:45:32+00:00Z"),
    ("chats", (*FIRST_MESSAGE, "msg_id"), 1714989601),
    ("chats", (*TRANSFER, "department_id"), "71"),
    ("chats", (*TRANSFER, "department_id"), None),
    ("chats", (*TRANSFER, "prev_department_id"), "72"),
    ("chats", (*TRANSFER, "agent_id"), 9001),
    ("chats", ("history", 8, "skills_name"), "french"),
    ("chats", ("history", 3, "rating"), None),
    ("chats", ("new_field_of_next_year",), {"any": ["thing"]}),
    ("chats", ("visitor", "new_field_of_next_year"), 1),
    ("chat_engagements", ("duration",), 1180),
    ("chat_events", ("as_sent",), {"msg_id": {"any": ["thing"]}}),
    ("chat_events", ("new_field_of_next_year",), {"any": ["thing"]}),
    ("conversions", ("attribution",), None),
    ("departments", ("settings",), {}),
    ("agent_routing_settings", ("chat_limit",), 6),
    ("agent_routing_settings", ("chat_limit", "limit"), "unlimited"),
    ("chats", ("department_id",), "71"),
    ("chats", ("engagements", 0, "department_id"), "71"),
    ("chats", ("conversions", 0, "attribution", "agent_id"), "9001"),
    ("conversions", ("attribution", "department_id"), "71"),
    ("department_events", ("value",), "on"),
    ("department_events", ("value",), 5),
    ("department_events", ("previous_value",), False),
    ("routing_settings", ("chat_limit",), "unlimited"),
    ("department_events", ("value", "chat_enabled"), 1),
    ("department_events", ("previous_value",), None),
    ("shortcuts", ("id",), 17),
    ("triggers", ("definition", "condition"), {"op": "and", "args": [{"op": "firedBefore"}]}),
    ("triggers", ("definition", "actions"), [{"name": "wait", "args": [5, None, 0.5, False]}]),
    ("triggers", ("definition", "actions"), {"wait": 5}),
]

# (stream, position in the first sample, value that must be refused there)
REFUSED: Final[list[tuple[str, Path, Any]]] = [
    ("accounts", ("account_key",), 5),
    ("accounts", ("create_date",), "yesterday"),
    ("accounts", ("plan",), "team"),
    ("accounts", ("plan", "max_agents"), True),
    ("accounts", ("plan", "price"), "19.50"),
    ("accounts", ("plan", "goals"), 1.5),
    ("accounts", ("billing", "cycle"), "monthly"),
    ("agents", ("id",), "9001"),
    ("agents", ("email",), []),
    ("agents", ("enabled",), "yes"),
    ("agents", ("enabled",), 1),
    ("agents", ("roles", "owner"), "no"),
    ("agents", ("departments", 0), "71"),
    ("agents", ("enabled_departments", 0), "71"),
    ("agents", ("skills", 0), {"id": 44}),
    ("agents", ("last_login",), "2024-05-06 09:00:00"),
    ("agent_events", ("id",), 5),
    ("agent_events", ("value",), {"name": "away"}),
    ("agent_routing_settings", ("agent_id",), "9001"),
    ("agent_routing_settings", ("skills", 0), "french"),
    ("agent_timeline", ("id",), 9001),
    ("agent_timeline", ("start_time",), 1714986000123456),
    ("agent_timeline", ("duration",), "61.5"),
    ("agent_timeline", ("engagement_count",), 1.5),
    ("bans", ("id",), "81"),
    ("bans", ("created_at",), "2022-01-02"),
    ("bans", ("ip_address",), ["192.0.2.66"]),
    ("chats", ("id",), 24),
    ("chats", ("timestamp",), 5),
    ("chats", ("timestamp",), "2017-04-24T12:45:32+00:00Z"),
    ("chats", ("end_timestamp",), "2024-05-06T10:20:00"),
    ("chats", ("update_timestamp",), "2024-13-06T10:20:00Z"),
    ("chats", ("unread",), "yes"),
    ("chats", ("unread",), 1),
    ("chats", ("visitor",), "4410.v12"),
    ("chats", ("visitor", "banned"), "no"),
    ("chats", ("session", "start_date"), 1714989300),
    ("chats", ("webpath", 0), "https://example.com/"),
    ("chats", ("webpath", 0, "title"), 5),
    ("chats", ("webpath", 0), [{"to": "https://example.com/"}]),
    ("chats", ("agent_ids", 0), 1.5),
    ("chats", ("agent_names", 0), 9001),
    ("chats", ("count", "total"), 1.5),
    ("chats", ("response_time", "avg"), "14.5"),
    ("chats", ("tags",), "plans"),
    ("chats", ("conversions", 0, "timestamp"), "soon"),
    ("chats", ("conversions", 0, "attribution"), []),
    ("chats", ("conversions", 0, "attribution", "chat_timestamp"), 5),
    ("chats", ("engagements", 0, "accepted"), "true"),
    ("chats", ("engagements", 0, "timestamp"), "2024-05-06"),
    ("chats", ("engagements", 0, "count", "agent"), "2"),
    ("chats", ("history",), {}),
    ("chats", (*FIRST_MESSAGE, "timestamp"), "10:00"),
    ("chats", (*FIRST_MESSAGE, "msg"), ["Hello"]),
    ("chats", (*FIRST_MESSAGE, "msg_id"), 1.5),
    ("chats", (*TRANSFER, "department_id"), [71]),
    ("chats", (*TRANSFER, "prev_department_id"), {}),
    ("chats", ("history", 5, "attachment", "size"), "2 kB"),
    ("chats", ("history", 7, "conversion", "attribution", "chat_id"), 5),
    ("chats", ("history", 8, "skills_name"), 44),
    ("chat_conversions", ("goal_id",), "31"),
    ("chat_engagements", ("agent_id",), 9001),
    ("chat_engagements", ("department_id",), "71"),
    ("chat_events", ("msg_id",), 1714989601),
    ("chat_events", ("department_id",), "71"),
    ("chat_events", ("skills_name",), "french"),
    ("chat_events", ("as_sent",), "Hello"),
    ("chat_webpaths", ("position",), "0"),
    ("chat_webpaths", ("timestamp",), 1714989300),
    ("conversions", ("attribution", "chat_id"), 5),
    ("departments", ("members", 0), "9001"),
    ("department_events", ("value",), [1.5]),
    ("departments", ("settings",), []),
    ("departments", ("settings", "support_group_id"), "71"),
    ("goals", ("attribution_period",), "7 days"),
    ("goals", ("settings", "conditions"), {}),
    ("goals", ("settings", "conditions", 0, "value"), 5),
    ("roles", ("members_count",), "4"),
    ("roles", ("permissions", "edit_chat_tags"), "account"),
    ("roles", ("permissions", "manage_bans"), True),
    ("routing_settings", ("routing_mode",), 1),
    ("routing_settings", ("auto_accept",), True),
    ("routing_settings", ("chat_limit", "limit"), 4.5),
    ("shortcuts", ("id",), ["hi"]),
    ("shortcuts", ("departments", 0), "71"),
    ("shortcuts", ("tags",), "greeted"),
    ("skills", ("id",), "44"),
    ("skills", ("members",), 9001),
    ("triggers", ("definition",), "page_enter"),
    ("triggers", ("definition", "condition"), "and"),
    ("triggers", ("definition", "version"), "1"),
    ("visitors", ("id",), 4410),
    ("visitors", ("last_chat_timestamp",), "yesterday"),
]

# Only what the API always answers as an RFC 3339 timestamp; the times of sessions and page views are not among them.
TIMESTAMPS: Final[dict[str, set[str]]] = {
    "accounts": {"create_date"},
    "agents": {"create_date", "last_login"},
    "agent_events": {"timestamp"},
    "agent_timeline": {"start_time"},
    "bans": {"created_at"},
    "chat_conversions": {"chat_update_timestamp", "timestamp", "attribution.chat_timestamp"},
    "chat_engagements": {"chat_update_timestamp", "timestamp"},
    "chat_events": {
        "chat_update_timestamp",
        "timestamp",
        "conversion.timestamp",
        "conversion.attribution.chat_timestamp",
    },
    "chat_webpaths": {"chat_update_timestamp", "timestamp"},
    "conversions": {"timestamp", "attribution.chat_timestamp"},
    "department_events": {"timestamp"},
    "visitors": {"last_chat_timestamp", "chat_update_timestamp"},
    "chats": {
        "timestamp",
        "end_timestamp",
        "update_timestamp",
        "conversions[].timestamp",
        "conversions[].attribution.chat_timestamp",
        "engagements[].timestamp",
        "history[].timestamp",
        "history[].conversion.timestamp",
        "history[].conversion.attribution.chat_timestamp",
    },
}

FLAG: Final = ("boolean", "integer")
TEXT_OR_NUMBER: Final = ("string", "integer")
LIMIT: Final = ("object", "string", "integer")
ANY_VALUE: Final = ("object", "string", "integer", "boolean")
EXPRESSION: Final = ("array", "object")
OPERAND: Final = ("array", "object", "string", "number", "boolean")

# Everything with more than one type besides null. Destinations keep such a column as text or JSON: each is a decision.
UNIONS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "agent_events": {"value": TEXT_OR_NUMBER, "previous_value": TEXT_OR_NUMBER},
    "agent_routing_settings": {
        "chat_limit": LIMIT,
        "chat_limit.enabled": FLAG,
        "chat_limit.limit": TEXT_OR_NUMBER,
        "auto_accept.enabled": FLAG,
    },
    "conversions": {"attribution.agent_id": TEXT_OR_NUMBER, "attribution.department_id": TEXT_OR_NUMBER},
    "department_events": {
        "value": ANY_VALUE,
        "value.chat_enabled": FLAG,
        "previous_value": ANY_VALUE,
        "previous_value.chat_enabled": FLAG,
    },
    "accounts": {
        "plan.max_agents": TEXT_OR_NUMBER,
        "plan.max_departments": TEXT_OR_NUMBER,
        "plan.max_concurrent_chats": TEXT_OR_NUMBER,
        "plan.max_history_search_days": TEXT_OR_NUMBER,
        "plan.max_basic_triggers": TEXT_OR_NUMBER,
        "plan.max_advanced_triggers": TEXT_OR_NUMBER,
        "plan.goals": TEXT_OR_NUMBER,
    },
    "chats": {
        "visitor.id": TEXT_OR_NUMBER,
        "visitor.external_id": TEXT_OR_NUMBER,
        "webpath[]": ("object", "array"),
        "webpath[][]": TEXT_OR_NUMBER,
        "agent_ids[]": TEXT_OR_NUMBER,
        "department_id": TEXT_OR_NUMBER,
        "conversions[].attribution.agent_id": TEXT_OR_NUMBER,
        "conversions[].attribution.department_id": TEXT_OR_NUMBER,
        "skills_requested[]": TEXT_OR_NUMBER,
        "engagements[].agent_id": TEXT_OR_NUMBER,
        "engagements[].department_id": TEXT_OR_NUMBER,
        "engagements[].skills_requested[]": TEXT_OR_NUMBER,
        "history[].department_id": TEXT_OR_NUMBER,
        "history[].prev_department_id": TEXT_OR_NUMBER,
        "history[].msg_id": TEXT_OR_NUMBER,
        "history[].conversion.attribution.agent_id": TEXT_OR_NUMBER,
        "history[].conversion.attribution.department_id": TEXT_OR_NUMBER,
        "history[].skills_name": ("string", "array"),
        "history[].agent_id": TEXT_OR_NUMBER,
    },
    "routing_settings": {
        "chat_limit": LIMIT,
        "chat_limit.limit": TEXT_OR_NUMBER,
        "chat_limit.enabled": FLAG,
        "skill_routing.enabled": FLAG,
        "reassignment.enabled": FLAG,
        "auto_idle.enabled": FLAG,
        "auto_accept.enabled": FLAG,
    },
    "shortcuts": {"id": TEXT_OR_NUMBER},
    "triggers": {
        "definition.condition": EXPRESSION,
        "definition.condition[]": OPERAND,
        "definition.actions": EXPRESSION,
        "definition.actions[]": OPERAND,
    },
}

FORMATS: Final = FormatChecker(formats=())


# jsonschema checks date-time only if an optional package is there; without this, a wrong one would pass unseen.
@FORMATS.checks("date-time", raises=ValueError)
def _is_timestamp_with_timezone(value: object) -> bool:
    return not isinstance(value, str) or ("T" in value and datetime.fromisoformat(value).tzinfo is not None)


@cache
def schema_of(stream: str) -> Json:
    schema: Json = json.loads((SCHEMAS / f"{stream}.json").read_text(encoding="utf-8"))
    return schema


def error_paths(stream: str, record: Json) -> list[Path]:
    validator = Draft7Validator(schema_of(stream), format_checker=FORMATS)
    return [tuple(error.absolute_path) for error in validator.iter_errors(record)]


def changed(record: Json, path: Path, value: Any) -> Json:
    record = copy.deepcopy(record)
    *parents, last = path
    position: Any = record
    for step in parents:
        position = position[step]
    position[last] = value
    return record


def nodes(schema: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Yield every schema below, and including, the given one; `a.b[]` names the items of b."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}".removeprefix("."))
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")


def used(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of every key in a record that holds something, in the notation of `nodes`."""
    if isinstance(value, dict):
        for name, child in value.items():
            here = f"{path}.{name}".removeprefix(".")
            if child is not None:
                yield here
            yield from used(child, here)
    elif isinstance(value, list):
        for child in value:
            yield from used(child, f"{path}[]")


def declared(stream: str) -> set[str]:
    return {path for path, _ in nodes(schema_of(stream)) if path and not path.endswith("[]")}


def types(node: Json) -> list[str]:
    return [node["type"]] if isinstance(node["type"], str) else node["type"]


def test_every_stream_has_a_schema_and_every_schema_a_sample() -> None:
    assert set(STREAMS) == set(NAMES) == set(SAMPLES)


@pytest.mark.parametrize("stream", SAMPLES)
def test_samples_are_valid(stream: str) -> None:
    for record in SAMPLES[stream]:
        assert error_paths(stream, record) == []


@pytest.mark.parametrize("stream", SAMPLES)
def test_schema_declares_what_the_samples_use_and_nothing_else(stream: str) -> None:
    free = tuple(f"{path}." for name, path in FREE_FORM if name == stream)
    keys = {path for record in SAMPLES[stream] for path in used(record) if not path.startswith(free)}
    assert keys == declared(stream)


@pytest.mark.parametrize("stream", SAMPLES)
def test_every_key_may_be_null_or_absent(stream: str) -> None:
    assert error_paths(stream, dict.fromkeys(schema_of(stream)["properties"])) == []
    assert error_paths(stream, {}) == []


@pytest.mark.parametrize(("stream", "path", "value"), DRIFT)
def test_known_drift_is_valid(stream: str, path: Path, value: Any) -> None:
    assert error_paths(stream, changed(SAMPLES[stream][0], path, value)) == []


@pytest.mark.parametrize(("stream", "path", "value"), REFUSED)
def test_wrong_values_are_refused_at_their_position(stream: str, path: Path, value: Any) -> None:
    errors = error_paths(stream, changed(SAMPLES[stream][0], path, value))
    assert errors
    assert all(error[: len(path)] == path for error in errors)


def test_unread_is_a_boolean_because_the_connector_makes_it_one() -> None:
    assert schema_of("chats")["properties"]["unread"]["type"] == ["null", "boolean"]


@pytest.mark.parametrize("stream", SAMPLES)
def test_only_reliable_timestamps_are_typed_as_such(stream: str) -> None:
    timestamps = {path for path, node in nodes(schema_of(stream)) if "format" in node or "airbyte_type" in node}
    assert timestamps == TIMESTAMPS.get(stream, set())


@pytest.mark.parametrize("stream", SAMPLES)
def test_only_known_drift_is_typed_as_a_union(stream: str) -> None:
    unions = {path: tuple(types(node)[1:]) for path, node in nodes(schema_of(stream)) if len(types(node)) > 2}
    assert unions == UNIONS.get(stream, {})


@pytest.mark.parametrize("name", NAMES)
def test_schema_is_a_draft_07_schema_of_an_object(name: str) -> None:
    schema = schema_of(name)
    Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert schema["type"] == "object"


@pytest.mark.parametrize("name", NAMES)
def test_only_plain_keywords_are_used(name: str) -> None:
    for path, node in nodes(schema_of(name)):
        assert set(node) <= ALLOWED_KEYWORDS, path
        assert ("$schema" in node) == (path == ""), path


@pytest.mark.parametrize("name", NAMES)
def test_objects_are_open_and_described(name: str) -> None:
    for path, node in nodes(schema_of(name)):
        if "object" in types(node):
            assert node.get("additionalProperties") is True, path
            assert node.get("properties") or (name, path) in FREE_FORM, path
        else:
            assert not {"additionalProperties", "properties"} & set(node), path


@pytest.mark.parametrize("name", NAMES)
def test_arrays_say_what_they_hold(name: str) -> None:
    for path, node in nodes(schema_of(name)):
        if "array" in types(node):
            assert "items" in node or (path.endswith("[]") and (name, path) in FREE_FORM), path
        else:
            assert "items" not in node, path


@pytest.mark.parametrize("name", NAMES)
def test_everything_below_the_record_is_nullable(name: str) -> None:
    for path, node in nodes(schema_of(name)):
        if path:
            assert node["type"][0] == "null", path
            assert len(set(node["type"])) == len(node["type"]) > 1, path


@pytest.mark.parametrize("name", NAMES)
def test_every_property_has_a_description(name: str) -> None:
    for path, node in nodes(schema_of(name)):
        if path and not path.endswith("[]"):
            assert node.get("description", "").endswith("."), path


@pytest.mark.parametrize("name", NAMES)
def test_timestamps_are_typed_in_both_vocabularies(name: str) -> None:
    for path, node in nodes(schema_of(name)):
        if "format" in node or "airbyte_type" in node:
            assert node.get("format") == "date-time", path
            assert node.get("airbyte_type") == "timestamp_with_timezone", path
            assert node["type"] == ["null", "string"], path
