"""The seeded data: its size, its shape, and the oddities it must hold."""

import json
import re
import time
from typing import Any

import pytest

from tests.support.sandbox import NOW, NOW_SECONDS
from zendesk_chat_sandbox import Account
from zendesk_chat_sandbox.clock import SandboxClock
from zendesk_chat_sandbox.seed import build_account, oldest_chat
from zendesk_chat_sandbox.seed_times import history_days


def built(chats: int) -> Account:
    return build_account(7, chats, SandboxClock(NOW))


def decoded(account: Account) -> list[Any]:
    return [json.loads(entry.body) for entry in account.chats.entries.values()]


def history(chats: list[Any]) -> list[Any]:
    return [item for chat in chats for item in chat.get("history", [])]


def test_chats_have_the_size_and_the_mix_of_a_real_account() -> None:
    account = built(3000)
    sizes = [len(entry.body) for entry in account.chats.entries.values()]
    offline = [entry for entry in account.chats.entries.values() if entry.kind == "offline_msg"]
    assert 4_000 < sum(sizes) / len(sizes) < 5_000
    assert 0.14 < len(offline) / 3000 < 0.26
    assert 0 < len(account.chats.deleted) < 60


def test_times_are_consistent() -> None:
    for entry in built(2000).chats.entries.values():
        assert entry.created <= (entry.ended or entry.created) <= entry.updated <= NOW_SECONDS
        assert entry.created > NOW_SECONDS - (history_days(2000) + 1) * 86_400
        stamp = json.loads(entry.body)["timestamp"]
        assert entry.identity.startswith(f"{stamp[2:4]}{stamp[5:7]}.10099001.")


def test_the_entry_and_the_body_agree() -> None:
    from zendesk_chat_sandbox.chat_store import entry_of

    for entry in built(300).chats.entries.values():
        again = entry_of(json.loads(entry.body))
        again.body = entry.body
        assert again == entry


def test_types_drift() -> None:
    chats = decoded(built(3000))
    live = [chat for chat in chats if chat["type"] == "chat"]
    items = history(live)
    assert {type(chat["unread"]) for chat in chats} == {bool, int}
    assert {type(item.get("msg_id")) for item in items if item["type"] == "chat.msg"} == {str, int, type(None)}
    joins = [item for item in items if item["type"] == "chat.memberjoin"]
    assert {type(item["department_id"]) for item in joins if "department_id" in item} == {int, str, type(None)}
    assert {type(step) for chat in chats for step in chat["webpath"]} == {dict, list}
    assert {type(chat.get("abandon_time")) for chat in live} == {int, type(None)}
    for key in ("tags", "comment"):
        assert {key in chat for chat in chats} == {True, False}
    assert all("history" not in chat and "end_timestamp" not in chat for chat in chats if chat["type"] != "chat")


def test_visitors_write_addresses_and_numbers_that_nobody_has() -> None:
    sent = [item["msg"] for item in history(decoded(built(1000))) if item.get("sender_type") == "Visitor" and item.get("msg")]
    addresses = {found for text in sent for found in re.findall(r"\S+@\S+\w", text)}
    numbers = {found for text in sent for found in re.findall(r"\+[\d ]+\d", text)}
    assert len(addresses) > 3
    assert all(re.fullmatch(r"[a-z.]+@example\.com", address) for address in addresses)
    assert len(numbers) > 10
    assert all(re.fullmatch(r"\+44 20 7946 0\d{3}", number) for number in numbers)
    assert not [text for text in sent if "{" in text]


def test_kinds_of_history() -> None:
    kinds = {item["type"] for item in history(decoded(built(1000)))}
    wanted = {"memberjoin", "msg", "tag", "request.rating", "rating", "comment", "file", "memberleave"}
    assert kinds == {f"chat.{kind}" for kind in wanted} | {"chat.transfer", "chat.transfer.department"}


def test_oddities_are_there_even_in_a_small_account() -> None:
    account = built(10)
    bodies = [entry.body for entry in account.chats.entries.values()]
    assert sum(rb"\ud83d" in body and rb"\ud83d\ude00" not in body for body in bodies) == 1
    assert any(rb"\ud83d\ude00" in body for body in bodies)
    assert max(map(len, bodies)) > 20_000
    assert sum(b'"2017-04-24T12:45:32+00:00Z"' in body and b'"ip":"203.0.299.96"' in body for body in bodies) == 1


def test_the_timestamps_of_history_stay_inside_the_chat() -> None:
    for chat in decoded(built(200)):
        if chat["type"] == "chat":
            stamps = [item["timestamp"] for item in chat["history"]]
            assert stamps == sorted(stamps)
            assert (stamps[0], stamps[-1]) == (chat["timestamp"], chat["end_timestamp"])


@pytest.mark.long
def test_there_is_some_of_every_event() -> None:
    counts = built(5000).counts()
    assert all(counts[name] > 150 for name in ("agent_events", "conversions", "department_events"))


def test_the_burst_scales_with_the_account() -> None:
    burst = (NOW_SECONDS - 20 * 86_400) * 1_000_000
    for chats, expected in [(100, 26), (1000, 260)]:
        updated = [time_us for time_us, _ in built(chats).chats.feed.keys]
        assert updated.count(burst) == expected


def test_five_thousand_chats_take_no_time() -> None:
    started = time.process_time()
    built(5000)
    assert time.process_time() - started < 5  # less than one second on a machine of today


@pytest.mark.parametrize(("chats", "days"), [(0, 90), (60, 90), (10_000, 149), (40_000, 400), (1_000_000, 400)])
def test_a_larger_account_has_a_longer_history(chats: int, days: int) -> None:
    assert history_days(chats) == days


def test_the_start_date_takes_in_the_complete_history() -> None:
    account = built(500)
    assert oldest_chat(account) <= min(json.loads(entry.body)["timestamp"] for entry in account.chats.entries.values())
    assert oldest_chat(account) > "2026-08-15T00:00:00Z"
