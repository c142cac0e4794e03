"""Seeded spans of the agent timeline, agent events, department events and conversions."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from random import Random
from typing import Final

from zendesk_chat_sandbox.http_messages import Record
from zendesk_chat_sandbox.seed_lists import Lists
from zendesk_chat_sandbox.seed_staff import SUNDAY, Duty, Rota
from zendesk_chat_sandbox.seed_times import HOUR_SECONDS, weekday_of
from zendesk_chat_sandbox.timestamps import DAY_SECONDS, SECOND_US, iso_micros, iso_seconds, parse_micros
from zendesk_chat_sandbox.vocabulary import ACCOUNT_ID

EventMaker = Callable[[Random, Lists, int], Record]
"""Builds one event from (random, the account's lists, its time in epoch microseconds)."""
Engagement = tuple[int, int, int]
"""The id of an agent, and the start and end of the agent's part in a chat in epoch seconds."""
Change = tuple[int, object, object]
"""Time in epoch microseconds, the value before and the value after."""

STATUSES: Final = ("online", "away", "invisible", "offline")
# Two spans of one agent inside this second, two agents at its first microsecond.
_CROWDED_SECOND_DAYS: Final = 3
_COFFEE_SHARE: Final = 0.5
_INVISIBLE_SHARE: Final = 0.2
_OPENING_HOURS: Final = (8, 20)
_SHORT_VALUE_EVERY: Final = 5


def _pick(random: Random, lists: Lists, resource: str) -> Record:
    return random.choice(list(lists[resource].values()))


def _span(agent: object, start_us: int, end_us: int, status: str, engagements: int) -> Record:
    return {
        "agent_id": agent,
        "start_time": iso_micros(start_us),
        "status": status,
        "duration": (end_us - start_us) / SECOND_US,
        "engagement_count": engagements,
    }


def make_span(random: Random, lists: Lists, time_us: int) -> Record:
    """Build a span of the agent timeline."""
    length = random.randrange(1, 14_400 * SECOND_US)
    agent = _pick(random, lists, "agents")["id"]
    return _span(agent, time_us, time_us + length, random.choice(STATUSES), random.choice((0, 0, 0, 1, 2, 3)))


def make_agent_event(random: Random, lists: Lists, time_us: int) -> Record:
    """Build a change of an agent's status (words) or number of engagements (numbers)."""
    agent = _pick(random, lists, "agents")["id"]
    if random.random() < 1 / 2:
        before, after = random.sample(STATUSES, 2)
        return _agent_event(random, agent, "status", (time_us, before, after))
    engagements = random.randrange(4)
    return _agent_event(random, agent, "engagements", (time_us, engagements, engagements + 1))


def _agent_event(random: Random, agent: object, name: str, change: Change) -> Record:
    mark = f"{random.getrandbits(48):012x}"
    time_us, before, after = change
    return {
        "id": f"R{mark[:6]}.agent:{agent}.{mark[6:]}",
        "account_id": ACCOUNT_ID,
        "agent_id": agent,
        "field_name": name,
        "previous_value": before,
        "value": after,
        "timestamp": iso_micros(time_us),
    }


def make_department_event(random: Random, lists: Lists, time_us: int) -> Record:
    """Build a change of a department: chat is switched on or off for it."""
    department = _pick(random, lists, "departments")["id"]
    return _department_event(random, department, time_us // SECOND_US, enabled=random.random() < 1 / 2)


def _department_event(random: Random, department: object, second: int, *, enabled: bool) -> Record:
    mark = f"{random.getrandbits(48):012x}"
    short = random.randrange(_SHORT_VALUE_EVERY) == 0
    return {
        "id": f"R{mark[:6]}.department:{department}.{mark[6:]}",
        "department_id": department,
        "field_name": "settings",
        "previous_value": random.choice((None, {})) if short else {"chat_enabled": not enabled},
        "value": None if short and not enabled else {"chat_enabled": enabled},
        "timestamp": iso_seconds(second),
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


def status_changes(random: Random, rota: Rota, days: Sequence[int], now: int, most: int) -> dict[int, list[Change]]:
    """Return the latest changes of status by the agent's number: about as many as ``most``, of whole days before ``now``."""
    changes: dict[int, list[Change]] = {}
    count = 0
    for day in reversed(days):
        for duty in rota.of_day(day):
            found = [change for change in _of_duty(random, duty) if change[0] < now * SECOND_US]
            changes.setdefault(duty.agent, [])[:0] = found
            count += len(found)
        if count >= most:
            break
    return changes


def _of_duty(random: Random, duty: Duty) -> Iterator[Change]:
    """Return an agent's day: online, for some a coffee, lunch, online again, offline."""
    timestamps = [(duty.start - random.uniform(0, 480), "online")]
    if random.random() < _COFFEE_SHARE:
        coffee = duty.start + 2 * HOUR_SECONDS + random.uniform(0, 1_500)
        timestamps += [(coffee, "away"), (coffee + random.uniform(240, 780), "online")]
    if duty.lunch is not None:
        timestamps += [(duty.lunch + random.uniform(0, 300), "away"), (duty.lunch + random.uniform(2_100, 3_500), "online")]
    end = duty.end + random.uniform(0, 600)
    if random.random() < _INVISIBLE_SHARE:
        timestamps += [(end, "invisible")]
        end += random.uniform(300, 1_500)
    before = "offline"
    for timestamp, status in [*timestamps, (end, "offline")]:
        yield int(timestamp * SECOND_US), before, status
        before = status


def timeline(
    changes: Mapping[int, Sequence[Change]], agents: Sequence[object], engagements: Sequence[Engagement]
) -> list[Record]:
    """Build the spans between changes of status, each with how many engagements began in it; time offline has no span."""
    begun: dict[object, list[int]] = {}
    for agent, start, _ in engagements:
        begun.setdefault(agent, []).append(start * SECOND_US)
    spans: list[Record] = []
    for number, own in changes.items():
        starts = sorted(begun.get(agents[number], []))
        for (start, _, status), (end, _, _) in pairwise(own):
            if status != "offline":
                count = bisect_left(starts, end) - bisect_left(starts, start)
                spans.append(_span(agents[number], start, end, str(status), count))
    return spans


def agent_events(
    random: Random,
    changes: Mapping[int, Sequence[Change]],
    agents: Sequence[object],
    engagements: Sequence[Engagement],
    most: int,
) -> list[Record]:
    """Build the latest events of agents: changes of status, and of the number of engagements."""
    found = [("status", agents[number], change) for number, own in changes.items() for change in own]
    found += [("engagements", agent, change) for agent, change in _engagement_changes(random, engagements)]
    found.sort(key=lambda event: (event[2][0], str(event[1])))
    return [_agent_event(random, agent, name, change) for name, agent, change in found[-most:]]


def _engagement_changes(random: Random, engagements: Sequence[Engagement]) -> Iterator[tuple[object, Change]]:
    steps = sorted(
        (timestamp * SECOND_US + random.randrange(SECOND_US), agent, step)
        for agent, start, end in engagements
        for timestamp, step in ((start, 1), (end, -1))
        if end > start
    )
    count: dict[int, int] = {}
    for time_us, agent, step in steps:
        before = count.get(agent, 0)
        count[agent] = before + step
        yield agent, (time_us, before, before + step)


def department_events(random: Random, departments: Sequence[object], days: Sequence[int], now: int, most: int) -> list[Record]:
    """Build the latest openings and closings of departments."""
    timestamps = [
        (day * DAY_SECONDS + hour * HOUR_SECONDS + position, department, hour == _OPENING_HOURS[0])
        for day in days[-(most // (2 * len(departments)) + 8) :]
        if weekday_of(day) != SUNDAY
        for hour in _OPENING_HOURS
        for position, department in enumerate(departments)
    ]
    latest = [timestamp for timestamp in timestamps if timestamp[0] < now][-most:]
    return [_department_event(random, department, second, enabled=opens) for second, department, opens in latest]


def crowded_spans(lists: Lists, now: int) -> list[Record]:
    """Build the spans that defeat keys cut to seconds: one agent twice in a second, two agents in one microsecond."""
    second_us = (now - _CROWDED_SECOND_DAYS * DAY_SECONDS) * SECOND_US
    first, other = [agent["id"] for agent in list(lists["agents"].values())[:2]]
    times = ((first, 0, 250_001), (other, 0, 60 * SECOND_US), (first, 250_001, 999_999), (first, 999_999, 5 * SECOND_US))
    return [_span(agent, second_us + start, second_us + end, "away", 0) for agent, start, end in times]
