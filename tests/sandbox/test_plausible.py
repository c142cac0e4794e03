"""The seeded account looks like a support team's: its rhythm, its people, and numbers that agree with each other."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise
from statistics import mean, median
from typing import Any

import pytest

from tests.support.sandbox import NOW
from zendesk_chat_sandbox import Account
from zendesk_chat_sandbox.clock import SandboxClock
from zendesk_chat_sandbox.seed import build_account
from zendesk_chat_sandbox.timestamps import parse_micros, parse_seconds

pytestmark = pytest.mark.unmeasured  # it builds large accounts

CHATS = 6000


@pytest.fixture(scope="module", params=[7, 8])
def account(request: pytest.FixtureRequest) -> Account:
    return build_account(request.param, CHATS, SandboxClock(NOW))


@pytest.fixture(scope="module")
def everything(account: Account) -> list[Any]:
    rows = [json.loads(entry.body) for entry in account.chats.entries.values()]
    return sorted(rows, key=lambda row: str(row["timestamp"]))


@pytest.fixture(scope="module")
def chats(everything: list[Any]) -> list[Any]:
    return [row for row in everything if row["type"] == "chat"]


@pytest.fixture(scope="module")
def served(chats: list[Any]) -> list[Any]:
    return [chat for chat in chats if not chat["missed"]]


def start_of(row: Any) -> datetime:
    return datetime.fromisoformat(row["timestamp"])


def share(rows: Iterable[Any], test: Any) -> float:
    return mean(bool(test(row)) for row in rows)


def events(account: Account, resource: str) -> list[Any]:
    return [json.loads(body) for body in account.events[resource].bodies.values()]


def messages(chat: Any) -> list[Any]:
    return [item for item in chat["history"] if item["type"] == "chat.msg"]


def test_weekdays_are_busy_and_sundays_quiet(chats: list[Any]) -> None:
    days = Counter(start_of(chat).weekday() for chat in chats)
    assert min(days[day] for day in range(5)) > 2.5 * days[5]
    assert days[5] > 3 * days[6] > 0
    assert days[0] > days[4]


def test_days_are_busy_and_at_night_there_are_mostly_offline_messages(everything: list[Any]) -> None:
    hours = Counter(start_of(row).hour for row in everything)
    assert max(hours, key=lambda hour: hours[hour]) in range(9, 12)
    assert sum(hours[hour] for hour in range(6)) < 0.06 * len(everything)
    night = [row for row in everything if start_of(row).hour < 6 or start_of(row).hour >= 20]
    office = [row for row in everything if start_of(row).hour in range(9, 18) and start_of(row).weekday() < 5]
    assert share(night, lambda row: row["type"] == "offline_msg") > 0.8
    assert share(office, lambda row: row["type"] == "offline_msg") < 0.05


def test_it_grows_a_little(everything: list[Any]) -> None:
    weeks = Counter((start_of(row) - datetime.fromisoformat(NOW)).days // 7 for row in everything)
    recent, early = (mean(weeks[week] for week in span) for span in (range(-4, 0), range(-12, -8)))
    assert 1.05 < recent / early < 1.9


def test_chats_are_missed_where_nobody_has_time(chats: list[Any]) -> None:
    closed = [chat for chat in chats if start_of(chat).hour >= 20]
    noon = [chat for chat in chats if start_of(chat).hour in range(12, 15) and start_of(chat).weekday() < 5]
    evening = [chat for chat in chats if start_of(chat).hour in (18, 19)]
    missed = [share(part, lambda chat: chat["missed"]) for part in (noon, evening, closed)]
    assert missed == sorted(missed)
    assert missed[2] > 0.95
    assert 0.03 < share(chats, lambda chat: chat["missed"]) < 0.1
    waits = [chat["abandon_time"] for chat in chats if chat.get("abandon_time")]
    assert 30 < median(waits) < 300


def by_department(chats: Iterable[Any]) -> dict[str | None, list[Any]]:
    found: dict[str | None, list[Any]] = defaultdict(list)
    for chat in chats:
        found[chat["department_name"]].append(chat)
    return found


def test_departments_differ_in_load_speed_and_satisfaction(served: list[Any]) -> None:
    found = by_department(served)
    sizes = {name: len(part) for name, part in found.items()}
    first = {name: median(chat["response_time"]["first"] for chat in part) for name, part in found.items()}
    rated = {name: [chat for chat in part if chat["rating"]] for name, part in found.items()}
    good = {name: share(part, lambda chat: chat["rating"] == "good") for name, part in rated.items()}
    assert max(sizes, key=lambda name: sizes[name]) == "Orders"
    assert first["VIP"] < first["Sales"] < first["Orders"] < first["Returns"] < first["Technical"]
    assert good["Technical"] < good["Billing"] < good["Orders"]
    assert good["Sales"] > 0.85
    assert 0.15 < share(served, lambda chat: chat["rating"]) < 0.35


def test_agents_differ_in_satisfaction(served: list[Any]) -> None:
    ratings: dict[str, list[bool]] = defaultdict(list)
    for chat in served:
        if chat["rating"]:
            ratings[chat["engagements"][-1]["agent_name"]].append(chat["rating"] == "good")
    good = {agent: mean(own) for agent, own in ratings.items() if len(own) > 30}
    assert len(good) > 8
    assert max(good.values()) - min(good.values()) > 0.15


def test_a_third_of_the_chats_come_from_visitors_who_return(everything: list[Any]) -> None:
    seen: dict[str, Any] = {}
    returning = 0
    for row in everything:
        visitor = row["visitor"]
        returning += visitor["id"] in seen
        assert seen.setdefault(visitor["id"], visitor) == visitor
    assert 0.29 < returning / len(everything) < 0.38


def test_tags_have_a_long_tail(everything: list[Any]) -> None:
    counts = [count for _, count in Counter(tag for row in everything for tag in row.get("tags", [])).most_common()]
    assert len(counts) > 50
    assert counts[0] > 8 * counts[len(counts) // 2]
    assert counts[-1] < 12


def block_of(address: str) -> str:
    return ":".join(address.split(":")[:3]) if ":" in address else address.rpartition(".")[0]


def test_an_address_its_city_and_its_country_agree(everything: list[Any]) -> None:
    positions: dict[str, set[tuple[str, str, str]]] = defaultdict(set)
    for row in everything:
        session = row["session"]
        if session["ip"] != "203.0.299.96":
            positions[block_of(session["ip"])].add((session["city"], session["country_code"], session["country_name"]))
            assert session["ip"].startswith(("198.18.", "2001:db8:"))
    assert {len(found) for found in positions.values()} == {1}
    assert len({position for found in positions.values() for position in found}) > 15
    french = [row for row in everything if row["department_name"] == "Français"]
    assert {row["session"]["country_code"] for row in french} <= {"FR", ""}


def test_measures_agree_with_the_history(chats: list[Any]) -> None:
    for chat in chats:
        first, last = (parse_seconds(chat["history"][position]["timestamp"]) for position in (0, -1))
        assert (parse_seconds(chat["timestamp"]), parse_seconds(chat["end_timestamp"])) == (first, last)
        assert chat["duration"] == last - first
        senders = Counter(item["sender_type"] for item in messages(chat))
        assert (chat["count"]["visitor"], chat["count"]["agent"]) == (senders["Visitor"], senders["Agent"])
        assert chat["count"]["total"] == senders["Visitor"] + senders["Agent"]
        waits = list(waits_of(chat))
        found = (waits[0], round(mean(waits), 4), max(waits)) if waits else (None, None, None)
        assert tuple(chat["response_time"].values()) == found
        assert chat["missed"] == (senders["Agent"] == 0)


def waits_of(chat: Any) -> Iterator[int]:
    """How long the visitor waited each time, counted from the history."""
    since = None
    for item in messages(chat):
        if item["sender_type"] == "Visitor" and since is None:
            since = parse_seconds(item["timestamp"])
        elif item["sender_type"] == "Agent" and since is not None:
            yield parse_seconds(item["timestamp"]) - since
            since = None


def test_engagements_agree_with_the_history(served: list[Any]) -> None:
    handed_over = 0
    for chat in served:
        agents = [item for item in chat["history"] if item.get("agent_id")]
        joins, leaves = ([item for item in agents if item["type"] == f"chat.member{kind}"] for kind in ("join", "leave"))
        parts = chat["engagements"]
        assert [part["agent_id"] for part in parts] == [item["agent_id"] for item in joins] == [i["agent_id"] for i in leaves]
        assert [part["timestamp"] for part in parts] == [item["timestamp"] for item in joins]
        spent = [parse_seconds(b["timestamp"]) - parse_seconds(a["timestamp"]) for a, b in zip(joins, leaves, strict=True)]
        assert [part["duration"] for part in parts] == spent
        assert [part["rating"] for part in parts[:-1]] == [None] * (len(parts) - 1)
        assert (parts[-1]["rating"], parts[-1]["comment"]) == (chat["rating"], chat.get("comment"))
        assert chat["agent_ids"] == list(dict.fromkeys(part["agent_id"] for part in parts))
        handed_over += len(parts) > 1
    assert 0.03 < handed_over / len(served) < 0.12


def test_ratings_tags_and_comments_agree_with_the_history(served: list[Any]) -> None:
    praise, blame = Counter[str](), Counter[str]()
    for chat in served:
        items = {item["type"]: item for item in chat["history"]}
        assert items.get("chat.rating", {}).get("new_rating") == chat["rating"]
        assert items.get("chat.comment", {}).get("new_comment") == chat.get("comment")
        assert items.get("chat.tag", {"new_tags": []})["new_tags"] == chat["tags"]
        if chat.get("comment"):
            (praise if chat["rating"] == "good" else blame)[chat["comment"]] += 1
    assert not praise.keys() & blame.keys()
    assert {"Quick and kind", "Took too long"} <= praise.keys() | blame.keys()
    assert "Quick and kind" in praise


def test_conversations_are_varied_and_complete(served: list[Any]) -> None:
    reported = [item["msg"] for chat in served for item in messages(chat)]
    assert not [text for text in reported if "{order}" in text or "{item}" in text or "{agent}" in text]
    assert not [chat for chat in served if "{agent}" in str(chat.get("comment"))]
    dialogues = Counter(" / ".join(item["msg"] for item in messages(chat)) for chat in served)
    assert len(dialogues) > 0.95 * len(served)
    lengths = [chat["count"]["total"] for chat in served]
    assert 7 < mean(lengths) < 14
    assert (min(lengths) >= 4, max(lengths) > 15) == (True, True)
    assert 240 < median(chat["duration"] for chat in served) < 900


def test_the_tag_of_a_topic_suits_its_department(served: list[Any]) -> None:
    common = {name: Counter(tag for chat in part for tag in chat["tags"]) for name, part in by_department(served).items()}
    most = {name: tags.most_common(1)[0][0] for name, tags in common.items()}
    assert (most["Orders"], most["Returns"], most["Français"]) == ("order_status", "return", "order_status")
    assert most["Technical"] in {"bug", "login"}
    assert "bug" not in common["Orders"]


def test_agents_are_online_in_their_shifts_and_never_twice_at_once(account: Account) -> None:
    crowded = parse_micros(NOW) - 3 * 86_400 * 1_000_000
    spans: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for span in events(account, "agent_timeline"):
        start = parse_micros(span["start_time"])
        if not crowded <= start < crowded + 1_000_000:
            spans[span["agent_id"]].append((start, start + round(span["duration"] * 1_000_000)))
            assert 6 <= datetime.fromisoformat(span["start_time"]).hour <= 20
            assert datetime.fromisoformat(span["start_time"]).weekday() < 6
    for own in spans.values():
        ordered = sorted(own)
        assert all(end <= start + 1 for (_, end), (start, _) in pairwise(ordered))
    assert 8 < len(spans) < 20


def test_agents_start_chats_while_they_are_online(account: Account, served: list[Any]) -> None:
    online: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for span in events(account, "agent_timeline"):
        if span["status"] == "online":
            start = parse_micros(span["start_time"]) // 1_000_000
            online[str(span["agent_id"])].append((start, start + int(span["duration"])))
    covered = min(start for own in online.values() for start, _ in own) + 86_400
    begun = [
        (part["agent_id"], parse_seconds(part["timestamp"]))
        for chat in served
        for part in chat["engagements"]
        if covered < parse_seconds(part["timestamp"]) < parse_seconds(NOW) - 86_400
    ]
    inside = share(begun, lambda part: any(start <= part[1] <= end for start, end in online[part[0]]))
    assert inside > 0.9  # the others were at coffee, or ended a wait after their shift
    counted = sum(span["engagement_count"] for span in events(account, "agent_timeline"))
    assert counted > 0.9 * len(begun)


def test_agent_events_follow_the_timeline(account: Account) -> None:
    found = events(account, "agent_events")
    starts = {(span["agent_id"], span["start_time"], span["status"]) for span in events(account, "agent_timeline")}
    changes = [event for event in found if event["field_name"] == "status" and event["value"] != "offline"]
    now = parse_micros(NOW)
    settled = [event for event in changes if parse_micros(event["timestamp"]) < now - 86_400_000_000]
    assert len(settled) > 100
    assert all((event["agent_id"], event["timestamp"], event["value"]) in starts for event in settled)
    counts = [event for event in found if event["field_name"] == "engagements"]
    assert {event["value"] - event["previous_value"] for event in counts} == {1, -1}
    assert all(event["value"] >= 0 for event in counts)
    assert len({event["id"] for event in found}) == len(found)


def test_conversions_follow_chats_that_an_agent_solved(account: Account, served: list[Any]) -> None:
    chats = {chat["id"]: chat for chat in served}
    rows = events(account, "conversions")
    assert 0.025 < len(rows) / CHATS < 0.07
    for row in rows:
        chat = chats[row["attribution"]["chat_id"]]
        assert str(row["attribution"]["agent_id"]) in chat["agent_ids"]
        assert chat["end_timestamp"] < row["timestamp"] <= chat["update_timestamp"] <= NOW
        assert row["goal_name"] == account.lists["goals"][row["goal_id"]]["name"]
    goals = Counter(row["goal_name"] for row in rows)
    departments = Counter(chats[row["attribution"]["chat_id"]]["department_name"] for row in rows)
    assert (goals.most_common(1)[0][0], departments.most_common(1)[0][0]) == ("Checkout", "Sales")


def test_departments_open_and_close(account: Account) -> None:
    found = events(account, "department_events")
    assert {datetime.fromisoformat(event["timestamp"]).hour for event in found} == {8, 20}
    assert {event["department_id"] for event in found} == set(account.lists["departments"])
