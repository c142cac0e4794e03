"""Visitors as their chats show them: one record for each, of the latest chat."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.streams.test_derived_parts import Json, derived, drifted, extractor, jsons, raw
from tests.support.model import effort

usually = effort(200)

VISITOR: Json = {"id": "1.v12", "name": "Kim", "email": "kim@example.com", "phone": "", "notes": "Calls often"}
SESSION: Json = {
    "ip": "192.0.2.7",
    "city": "Porto",
    "region": "Norte",
    "country_code": "PT",
    "country_name": "Portugal",
    "browser": "Safari",
    "platform": "macOS",
    "user_agent": "Mozilla/5.0",
}
CHAT: Json = {
    "id": "2405.1.A",
    "timestamp": "2024-05-06T10:00:00Z",
    "update_timestamp": "2024-05-07T08:00:00Z",
    "visitor": VISITOR,
    "session": SESSION | {"id": "240506.1.s1", "start_date": "2024-05-06T09:55:00Z"},
}
RECORD: Json = (
    VISITOR
    | SESSION
    | {
        "banned": None,
        "external_id": None,
        "last_chat_id": "2405.1.A",
        "last_chat_timestamp": "2024-05-06T10:00:00Z",
        "chat_update_timestamp": "2024-05-07T08:00:00Z",
    }
)


def visitor(**fields: Any) -> Json:
    return CHAT | {"visitor": VISITOR | fields}


def test_a_visitor_is_as_the_chat_shows_them() -> None:
    assert derived("visitors", CHAT) == [RECORD]


def test_a_chat_of_little_still_gives_all_fields() -> None:
    (record,) = derived("visitors", {"id": "A", "visitor": {"id": 7}})
    assert record == dict.fromkeys(RECORD) | {"id": "7", "last_chat_id": "A"}


@pytest.mark.parametrize("visitor", [None, "1.v12", [], {}, {"id": None}, {"id": ""}, {"name": "Kim"}])
def test_there_is_no_record_without_an_id(visitor: object) -> None:
    assert derived("visitors", CHAT | {"visitor": visitor}, {"id": "B"}) == []


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({"id": 4410}, {"id": "4410"}),
        ({"phone": 15550100, "banned": 1}, {"phone": "15550100", "banned": True}),
        ({"banned": "no"}, {"banned": None, "as_sent": {"banned": "no"}}),
        ({"created": "2024-05-06", "email": ["a"]}, {"created": "2024-05-06", "email": '["a"]'}),
        ({"city": "Rome", "last_chat_id": 1}, {"as_sent": {"city": "Rome", "last_chat_id": 1}}),
    ],
)
def test_drift_is_settled(sent: Json, fields: Json) -> None:
    assert derived("visitors", visitor(**sent)) == [RECORD | fields]


@pytest.mark.parametrize("session", [None, "x", [1], {}])
def test_a_visitor_without_a_session_has_no_location(session: object) -> None:
    (record,) = derived("visitors", CHAT | {"session": session})
    assert record == RECORD | dict.fromkeys(SESSION)


def test_the_start_falls_back_to_the_last_change() -> None:
    (record,) = derived("visitors", {key: value for key, value in CHAT.items() if key != "timestamp"})
    assert record == RECORD | {"last_chat_timestamp": "2024-05-07T08:00:00Z"}


# (start, last change) of chats with one visitor in their order, and which of them is the latest
LATEST: list[tuple[list[tuple[str | None, str | None]], int]] = [
    ([("2024-05-06T10:00:00Z", "2024-05-09T00:00:00Z"), ("2024-05-06T11:00:00Z", "2024-05-07T00:00:00Z")], 1),
    ([("2024-05-06T11:00:00Z", "2024-05-07T00:00:00Z"), ("2024-05-06T10:00:00Z", "2024-05-09T00:00:00Z")], 0),
    ([("2024-05-06T10:00:00Z", "2024-05-09T00:00:00Z"), ("2024-05-06T10:00:00Z", "2024-05-07T00:00:00Z")], 0),
    ([("2024-05-06T10:00:00Z", "2024-05-07T00:00:00Z"), ("2024-05-06T10:00:00.000Z", "2024-05-07T00:00:00Z")], 1),
    ([("2024-05-06T10:00:00.5Z", None), ("2024-05-06T10:00:00Z", None)], 0),
    ([(None, "2024-05-07T00:00:00Z"), ("2024-05-06T10:00:00Z", "2024-05-08T00:00:00Z")], 0),
    ([("soon", None), (None, None)], 1),
]


@pytest.mark.parametrize(("times", "latest"), LATEST)
def test_the_latest_chat_is_the_one_that_began_last(times: list[tuple[str | None, str | None]], latest: int) -> None:
    chats = [CHAT | {"id": f"{i}", "timestamp": start, "update_timestamp": update} for i, (start, update) in enumerate(times)]
    assert [record["last_chat_id"] for record in derived("visitors", *chats)] == [str(latest)]


def test_of_a_chat_that_comes_twice_the_last_counts() -> None:
    other = visitor(id="1.v13") | {"timestamp": "2024-05-01T00:00:00Z"}
    assert [record["id"] for record in derived("visitors", CHAT, other)] == ["1.v13"]


def test_their_parents_are_the_chats_that_came_with_a_visitor_or_without() -> None:
    deleted = {"id": "c2", "update_timestamp": "2024-05-07T00:00:00Z", "deleted": True}
    assert extractor("visitors").extract([raw(CHAT), raw(deleted)]).parents == [CHAT["id"], "c2"]


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("depth", [*range(960, 1010, 3), 100_000])
def test_deep_nesting_raises_nothing(depth: int) -> None:
    line = b'{"id":"A","visitor":{"id":"v","new":%b,"notes":%b}}' % ((b"[" * depth + b"]" * depth,) * 2)
    assert len(extractor("visitors").extract([line, raw(CHAT)]).records) in (1, 2)


@usually
@given(drifted("visitors"), jsons, jsons)
def test_whatever_a_chat_holds_of_its_visitor_nothing_raises(value: Any, session: Any, time: Any) -> None:
    records = derived("visitors", CHAT | {"visitor": value, "session": session, "timestamp": time})
    named = isinstance(value, dict) and value.get("id") not in (None, "")
    assert [record["last_chat_id"] for record in records] == ["2405.1.A"] * named


@usually
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=6, unique=True), st.randoms(use_true_random=False))
def test_each_visitor_has_one_record_whatever_the_order(seen: list[tuple[int, int]], order: random.Random) -> None:
    chats = [visitor(id=f"v{who}") | {"id": f"{who}.{hour}", "timestamp": f"2024-05-06T1{hour}:00:00Z"} for who, hour in seen]
    order.shuffle(chats)
    latest = {f"v{who}": f"{who}.{hour}" for who, hour in sorted(seen)}
    assert {record["id"]: record["last_chat_id"] for record in derived("visitors", *chats)} == latest
