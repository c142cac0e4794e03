"""Seeded spans of the agent timeline, agent events, department events and conversions."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from zendesk_chat_sandbox.http_messages import Record
from zendesk_chat_sandbox.seed_lists import ACCOUNT_ID, Lists
from zendesk_chat_sandbox.timestamps import DAY_SECONDS, SECOND_US, iso_micros, iso_seconds, parse_micros

EventMaker = Callable[[Random, Lists, int], Record]
"""Builds one event from (random, the account's lists, its time in epoch microseconds)."""

HISTORY_DAYS: Final = 400
STATUSES: Final = ("online", "away", "invisible", "offline")
# Two spans of one agent inside this second, two agents at its first microsecond.
_CROWDED_SECOND_DAYS: Final = 3


def _pick(random: Random, lists: Lists, resource: str) -> Record:
    return random.choice(list(lists[resource].values()))


def make_span(random: Random, lists: Lists, time_us: int) -> Record:
    """Build a span of the agent timeline."""
    return {
        "agent_id": _pick(random, lists, "agents")["id"],
        "start_time": iso_micros(time_us),
        "status": random.choice(STATUSES),
        "duration": random.randrange(1, 14_400 * SECOND_US) / SECOND_US,
        "engagement_count": random.choice((0, 0, 0, 1, 2, 3)),
    }


def make_agent_event(random: Random, lists: Lists, time_us: int) -> Record:
    """Build a change of an agent's status (words) or number of engagements (numbers)."""
    agent = _pick(random, lists, "agents")["id"]
    values: list[object]
    if random.random() < 1 / 2:
        name, values = "status", list(random.sample(STATUSES, 2))
    else:
        before = random.randrange(4)
        name, values = "engagements", [before, before + random.choice((1, -1)) if before else 1]
    mark = f"{random.getrandbits(48):012x}"
    return {
        "id": f"R{mark[:6]}.agent:{agent}.{mark[6:]}",
        "account_id": ACCOUNT_ID,
        "agent_id": agent,
        "field_name": name,
        "previous_value": values[0],
        "value": values[1],
        "timestamp": iso_micros(time_us),
    }


def make_department_event(random: Random, lists: Lists, time_us: int) -> Record:
    """Build a change of a department; values are objects or null."""
    department = _pick(random, lists, "departments")["id"]
    mark = f"{random.getrandbits(48):012x}"
    enabled = random.random() < 1 / 2
    return {
        "id": f"R{mark[:6]}.department:{department}.{mark[6:]}",
        "department_id": department,
        "field_name": "settings",
        "previous_value": random.choice((None, {}, {"chat_enabled": not enabled})),
        "value": random.choice((None, {"chat_enabled": enabled}, {"chat_enabled": enabled})),
        "timestamp": iso_seconds(time_us // SECOND_US),
    }


def make_conversion(random: Random, lists: Lists, time_us: int) -> Record:
    """Build a conversion that belongs to a chat this account no longer has."""
    goal = _pick(random, lists, "goals")
    chat = f"2001.{ACCOUNT_ID}.{random.getrandbits(64):016x}"
    return {
        "id": f"{chat}.conv01",
        "timestamp": iso_seconds(time_us // SECOND_US),
        "goal_id": goal["id"],
        "goal_name": goal["name"],
        "attribution": {
            "agent_id": _pick(random, lists, "agents")["id"],
            "department_id": None,
            "chat_id": chat,
            "chat_timestamp": iso_seconds(time_us // SECOND_US - DAY_SECONDS),
        },
    }


EVENT_MAKERS: Final[Mapping[str, EventMaker]] = {
    "agent_timeline": make_span,
    "agent_events": make_agent_event,
    "department_events": make_department_event,
    "conversions": make_conversion,
}


def event_key(resource: str, record: Record) -> tuple[int, str]:
    """Return the time in microseconds and the identity of an event.

    Raises:
        KeyError: a key that orders or identifies the event is missing.
        ValueError: its timestamp cannot be read.
    """
    if resource == "agent_timeline":
        start = str(record["start_time"])
        return parse_micros(start), f"{record['agent_id']}|{start}"
    return parse_micros(str(record["timestamp"])), str(record["id"])


def history_times(random: Random, count: int, now_us: int) -> list[int]:
    """Return moments in the last 400 days, ascending, denser towards now."""
    span = HISTORY_DAYS * DAY_SECONDS * SECOND_US
    return sorted(now_us - SECOND_US - int(span * random.random() ** 1.6) for _ in range(count))


def crowded_spans(random: Random, lists: Lists, now: int) -> list[Record]:
    """Build the spans that defeat keys cut to seconds: one agent twice in a second, two agents in one microsecond."""
    second_us = (now - _CROWDED_SECOND_DAYS * DAY_SECONDS) * SECOND_US
    first, other = [agent["id"] for agent in list(lists["agents"].values())[:2]]
    spans = [make_span(random, lists, second_us + offset) for offset in (0, 0, 250_001, 999_999)]
    for span, agent in zip(spans, (first, other, first, first), strict=True):
        span["agent_id"] = agent
    return spans
