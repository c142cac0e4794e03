"""A read up to a state has what the read that stored the state had, and reads between states leave no gap."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest

from tests.support.in_process import account_of, key_of, merged, records_of
from tests.support.sandbox import DERIVED, by_content, small, truth
from zendesk_chat import (
    ConfigError,
    StateError,
    TransientError,
    arrow_reader,
    arrow_schema,
    latest_state,
    list_streams,
    read,
    read_all,
    read_arrow,
    state_at,
)
from zendesk_chat_sandbox import Fault, Sandbox

EXPORTS = ("agent_timeline", "agent_events", "chats", "conversions", "department_events", *DERIVED)
LISTS = ("accounts", "agents", "bans", "departments", "routing_settings")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with small(250, export_page_cap=40) as running:
        yield running


def contents(records: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted(json.dumps(record, sort_keys=True) for record in records)


@pytest.mark.parametrize("stream", EXPORTS)
@pytest.mark.parametrize("slow", [False, True])
def test_a_read_up_to_the_state_of_a_batch_has_what_was_read_until_then(sandbox: Sandbox, stream: str, *, slow: bool) -> None:
    if slow:  # so that several windows of time are read at once
        sandbox.inject(Fault(kind="latency", seconds=0.02, times=None))
    account = account_of(sandbox)
    batches = list(read(account, stream))
    for first in range(0, len(batches), 3):
        for last in range(first, len(batches), 2):
            start = json.loads(json.dumps(batches[first - 1].state)) if first else None
            until = json.loads(json.dumps(batches[last].state))
            again = list(read(account, stream, start, until=until))
            before, now = records_of(batches[first : last + 1]), records_of(again)
            assert contents(merged(stream, now)) == contents(merged(stream, before))
            if last + 1 < len(batches):  # the last state has records of the last minutes
                assert again[-1].state == until


@pytest.mark.parametrize("stream", EXPORTS)
def test_reads_between_latest_states_divide_the_records(sandbox: Sandbox, stream: str) -> None:
    account = account_of(sandbox)
    sandbox.clock.advance(3600)
    first = latest_state(account, stream)
    one = records_of(read(account, stream, until=first))
    ids = sandbox.account.chat_ids()
    sandbox.account.edit_chat(ids[0], comment="Edited")
    sandbox.account.add_chats(20)
    assert records_of(read(account, stream, until=first)) == [record for record in one if not of_chat(stream, record, ids[0])]
    sandbox.clock.advance(3600)
    second = latest_state(account, stream)
    two = records_of(read(account, stream, first, until=second))
    assert records_of(read(account, stream, first, until=second)) == two
    assert records_of(read(account, stream, second)) == []
    keys = [key_of(stream, record) for record in two]
    assert len(keys) == len(set(keys))
    if stream not in DERIVED:
        assert by_content(merged(stream, one, two)) == by_content(truth(sandbox, stream))


def of_chat(stream: str, record: Mapping[str, Any], chat: str) -> bool:
    field = {"chats": "id", "visitors": "last_chat_id"}.get(stream, "chat_id")
    return record.get(field) == chat


def test_until_an_earlier_state_has_nothing_and_keeps_the_state(sandbox: Sandbox) -> None:
    account = account_of(sandbox)
    batches = list(read(account, "chats"))
    again = list(read(account, "chats", batches[-1].state, until=batches[0].state))
    assert records_of(again) == []
    assert again[-1].state == batches[-1].state


def test_a_state_whose_records_may_still_appear_is_no_end(sandbox: Sandbox) -> None:
    account = account_of(sandbox)
    future = state_at(account, "chats", "2100-01-01")
    with pytest.raises(TransientError, match=r"^chats: Zendesk may still add records before 2100-01-01T00:00:00Z"):
        records_of(read(account, "chats", until=future))


def test_the_states_are_those_of_zendesks_clock(sandbox: Sandbox) -> None:
    account = account_of(sandbox)
    for advanced in (0, 7200, 90_000):
        sandbox.clock.advance(advanced)
        now = sandbox.clock.seconds()
        state = latest_state(account, "chats")
        newest = max(chat["update_timestamp"] for chat in records_of(read(account, "chats", until=state)))
        assert newest <= str(state["update_timestamp"])
        settled = state_at(account, "chats", str(state["update_timestamp"]))
        assert settled == state
        assert abs(now - 600 - datetime.fromisoformat(str(state["update_timestamp"])).timestamp()) <= 3


@pytest.mark.parametrize("stream", LISTS)
def test_a_list_has_no_times(sandbox: Sandbox, stream: str) -> None:
    account = account_of(sandbox)
    message = f"^{stream} is a list: the API has only its current records, without times"
    with pytest.raises(ConfigError, match=message):
        latest_state(account, stream)
    with pytest.raises(ConfigError, match=message):
        state_at(account, stream, "2026-01-01")
    with pytest.raises(ConfigError, match=message):
        read(account, stream, until={})


def test_an_empty_or_foreign_state_is_no_end(sandbox: Sandbox) -> None:
    account = account_of(sandbox)
    with pytest.raises(StateError, match="until: the state is empty"):
        read(account, "chats", until={})
    state = latest_state(account, "chats")
    with pytest.raises(
        StateError, match=r"^until: this is not a state of chat_events\. Pass the state of a batch of this stream"
    ):
        read(account, "chat_events", until=state)
    with pytest.raises(StateError, match=r"^until: this is not a state of chats\."):
        read(account, "chats", until="2026-01-01")  # type: ignore[arg-type]  # what a user may write
    with pytest.raises(ConfigError, match=r"^time: "):
        state_at(account, "chats", "yesterday")
    with pytest.raises(ConfigError, match=r"^end_date: must be a string such as 2026-01-31, or a date"):
        read(account, "chats", end_date=5)  # type: ignore[arg-type]  # what a user may write


def test_each_read_has_its_own_dates(sandbox: Sandbox) -> None:
    account = account_of(sandbox)
    times = sorted(chat["update_timestamp"] for chat in records_of(read(account, "chats")))
    start, end = times[80], times[160]
    expected = [time for time in times if start <= time < end]
    part = records_of(read(account, "chats", start_date=start, end_date=end))
    assert sorted(chat["update_timestamp"] for chat in part) == expected
    several = list(read_all(account, ["chats"], start_date=start, end_date=end))
    assert sorted(chat["update_timestamp"] for chat in records_of(several)) == expected
    rows = arrow_reader(account, "chats", start_date=start, end_date=end).read_all()
    assert rows.num_rows == len(expected)
    assert len(records_of(read(account, "chats"))) == len(times)
    with pytest.raises(ConfigError, match=r"^end_date: .* must be later than"):
        read(account, "chats", start_date=end, end_date=start)


def test_the_columns_without_a_reader(sandbox: Sandbox) -> None:
    account = account_of(sandbox, redact={"rules": [{"field": "chats.comment", "action": "drop"}]})
    for info in list_streams():
        assert arrow_schema(info.name) == arrow_reader(account_of(sandbox), info.name).schema
    assert "comment" in arrow_schema("chats").names
    assert "comment" not in arrow_schema("chats", account).names
    with pytest.raises(ConfigError, match="There is no stream 'chat'"):
        arrow_schema("chat")


def test_rows_name_the_chats_whose_children_they_replace(sandbox: Sandbox) -> None:
    account = account_of(sandbox)
    first = read_arrow(account, "chat_events", parents=True)
    held: dict[str, list[dict[str, Any]]] = {}
    state: dict[str, object] = {}
    for batch in first:
        apply(held, batch.table.to_pylist())
        state = batch.state
    chat = next(chat for chat, events in held.items() if len(events) > 1)
    sandbox.account.edit_chat(chat, history=[])
    sandbox.clock.advance(3600)
    pages = [batch.table.to_pylist() for batch in read_arrow(account, "chat_events", state, parents=True)]
    (named,) = [row for page in pages for row in page if row["chat_id"] == chat]
    assert {name for name, value in named.items() if value is not None} == {"chat_id"}
    for page in pages:
        apply(held, page)
    assert sorted(row["id"] for rows in held.values() for row in rows) == sorted(
        event["id"] for event in truth(sandbox, "chat_events")
    )
    with pytest.raises(ConfigError, match="parents: the records of chats replace no other records"):
        read_arrow(account, "chats", parents=True)


def apply(held: dict[str, list[dict[str, Any]]], rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if row["id"] is None:
            held.pop(row["chat_id"], None)
    for row in rows:
        if row["id"] is not None:
            held.setdefault(row["chat_id"], []).append(row)


def test_a_state_can_be_pickled_and_is_json(sandbox: Sandbox) -> None:
    state = latest_state(account_of(sandbox), "chats")
    assert pickle.loads(pickle.dumps(state)) == json.loads(json.dumps(state)) == state
