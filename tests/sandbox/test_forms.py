"""The forms of rows that switches choose."""

import re
from typing import Any

import pytest

from tests.support.sandbox import API, EXPORTS, get, still
from zendesk_chat_sandbox import Sandbox

CHATS = f"{EXPORTS}/chats?fields=chats(*)"
COMPLETE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
FRACTION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def served(sandbox: Sandbox) -> list[Any]:
    return [chat for chat in get(sandbox, CHATS).json["chats"] if chat["type"] == "chat" and not chat["deleted"]]


def test_history_has_whole_seconds_and_an_index_and_several_messages_in_one_second() -> None:
    with still(200) as sandbox:
        chats = served(sandbox)
        together = 0
        for chat in chats:
            assert [item["index"] for item in chat["history"]] == list(range(len(chat["history"])))
            assert all(COMPLETE.fullmatch(item["timestamp"]) for item in chat["history"])
            keys = [(item["timestamp"], item["type"]) for item in chat["history"] if item["type"] == "chat.msg"]
            together += len(keys) - len(set(keys))
        assert together > len(chats) / 20
        senders = {item.get("sender_type") for chat in chats for item in chat["history"] if item["type"] == "chat.msg"}
        assert {"Visitor", "Agent"} <= senders <= {"Visitor", "Agent", "Trigger"}


def test_history_of_2017_has_fractions_and_no_index() -> None:
    with still(200) as sandbox:
        today = {chat["id"]: chat for chat in served(sandbox)}
        sandbox.switch(history="fractions")
        for chat in served(sandbox):
            history, newer = chat["history"], today[chat["id"]]["history"]
            stamps = [item["timestamp"] for item in history]
            assert all(FRACTION.fullmatch(stamp) for stamp in stamps)
            assert stamps == sorted(set(stamps))
            assert [stamp[:19] for stamp in stamps] == [item["timestamp"][:19] for item in newer]
            assert not {"index", "sender_type", "agent_id", "nick", "source"} & set().union(*history)
            assert [item.get("msg") for item in history] == [item.get("msg") for item in newer]
            assert get(sandbox, f"{API}/chats/{chat['id']}").json["history"] == history


@pytest.mark.parametrize(("form", "expected"), [("string", {str}), ("int", {int}), ("mixed", {str, int})])
def test_agent_ids_are_strings_or_numbers(form: str, expected: set[type]) -> None:
    with still(200, chat_agent_ids=form) as sandbox:
        chats = served(sandbox)
        engagements = [engagement for chat in chats for engagement in chat["engagements"]]
        assert {type(agent) for chat in chats for agent in chat["agent_ids"]} == expected
        assert {type(engagement["agent_id"]) for engagement in engagements} == expected
        known = {str(agent) for agent in sandbox.account.lists["agents"]}
        assert {str(engagement["agent_id"]) for engagement in engagements} <= known
        assert served(sandbox) == chats


@pytest.mark.parametrize(("form", "expected"), [("int", {int}), ("string", {str}), ("mixed", {str, int})])
def test_department_ids_are_numbers_or_strings(form: str, expected: set[type]) -> None:
    with still(200, chat_department_ids=form) as sandbox:
        chats = served(sandbox)
        ids = [row["department_id"] for chat in chats for row in (chat, *chat["engagements"])]
        assert {type(identity) for identity in ids} == expected | {type(None)}
        assert {type(chat["department_id"]) for chat in get(sandbox, f"{API}/chats").json["chats"]} <= expected | {type(None)}


def bans_after_all(sandbox: Sandbox) -> Any:
    return get(sandbox, f"{API}/bans", since_id=10**9, limit=100).json


def test_an_empty_page_of_bans_holds_lists_or_none_or_null() -> None:
    with still(1) as sandbox:
        assert bans_after_all(sandbox) == {"ip_address": [], "visitor": []}
        sandbox.switch(empty_bans="absent")
        assert bans_after_all(sandbox) == {}
        sandbox.switch(empty_bans="null")
        assert bans_after_all(sandbox) == {"ip_address": None, "visitor": None}


def test_only_the_list_without_bans_is_absent() -> None:
    with still(1, empty_bans="absent") as sandbox:
        for ban in get(sandbox, f"{API}/bans", limit=1000).json["ip_address"]:
            sandbox.account.delete("bans", ban["id"])
        assert set(get(sandbox, f"{API}/bans", limit=1000).json) == {"visitor"}


def test_old_rows_lack_keys() -> None:
    with still(1, old_rows="incomplete") as sandbox:
        shortcuts = get(sandbox, f"{API}/shortcuts").json
        assert {("id" in row, "scope" in row, "name" in row) for row in shortcuts} == {(True, True, True), (False, False, True)}
        names = [row["name"] for row in shortcuts if "id" not in row]
        assert get(sandbox, f"{API}/shortcuts/{names[0]}").json["name"] == names[0]
        agents = get(sandbox, f"{API}/agents").json
        assert {("role_id" in agent, "skills" in agent) for agent in agents} == {(True, True), (False, False)}
        visitors = get(sandbox, f"{API}/bans", limit=1000).json["visitor"]
        assert {"created_at" in ban for ban in visitors} == {True, False}
        assert all(ban.get("created_at", "") is not None for ban in visitors)
