"""Chats: key, time, and what is found in them on the way."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streams.effort import effort
from zendesk_chat.streams.drift import Finding
from zendesk_chat.streams.exports.chats import LOOKED_INTO, ONE_IN, chat_row, look_at_chats
from zendesk_chat.streams.schemas import load_schema

UPDATED = "2026-03-14T09:46:10Z"


def raw(**fields: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps({"id": "a", "update_timestamp": UPDATED, **fields}).encode())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "msg", "new"]), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["id", "update_timestamp", "updated_timestamp", "unread", "history", "visitor", "new"])


@effort(300)
@given(st.dictionaries(NAMES, VALUES | st.just(UPDATED), max_size=6))
def test_to_look_at_a_chat_changes_nothing_in_what_is_made_of_it(chat: dict[str, Any]) -> None:
    text = msgspec.Raw(json.dumps(chat).encode())
    row, _ = look_at_chats(lambda: load_schema("chats").to_json())()
    assert row(text) == chat_row(text)


def test_unread_as_a_number_is_known() -> None:
    row, found = look_at_chats(lambda: load_schema("chats").to_json())()
    rows = [row(raw(unread=unread)) for unread in (0, 1, True)]
    assert [json.loads(found.record)["unread"] for found in rows if found] == [False, True, True]
    assert found() == []


def test_each_finding_is_told_once_wherever_it_stands() -> None:
    row, found = look_at_chats(lambda: load_schema("chats").to_json())()
    for _ in range(2):
        row(raw(new=1, history=[{"type": "chat.msg", "mood": "good"}], duration="long"))
    assert found() == [
        Finding("new", (), "integer"),
        Finding("history.*.mood", (), "string"),
        Finding("duration", ("number",), "string"),
    ]
    row(raw(new=2, visitor={"age": 4}))
    assert found() == [Finding("visitor.age", (), "integer")]


def test_in_a_backfill_the_fields_of_every_chat_are_looked_at_and_the_inside_of_one_in_four() -> None:
    row, found = look_at_chats(lambda: load_schema("chats").to_json())()
    plain = raw()
    for _ in range(LOOKED_INTO + 1):
        row(plain)
    assert found() == []
    row(raw(new="", visitor={"age": 4}))
    assert found() == [Finding("new", (), "string")]
    for _ in range(ONE_IN):
        row(raw(new="", visitor={"age": 4}))
    assert found() == [Finding("visitor.age", (), "integer")]
