"""What Airbyte's own tests lack: reads that resume from a state, whichever it is."""

import json
from typing import Any

import pytest
from connector import (
    INCREMENTAL,
    account,
    all_streams,
    assert_exactly,
    assert_resumes,
    assert_resumes_from_each_state,
    config_of,
    configured,
    cuts,
    live_a_little,
    read,
)

from tests.support.protocol import Output
from tests.support.sandbox import DERIVED, by_content, truth
from zendesk_chat_sandbox import Sandbox


@pytest.mark.parametrize("full_refresh", [False, True], ids=["incremental", "full_refresh"])
def test_a_read_that_is_cut_after_any_of_its_states_is_completed_by_the_next(full_refresh: bool) -> None:
    streams = ("agent_timeline", "agents", "chats", "visitors") if full_refresh else INCREMENTAL
    with account() as sandbox:
        output = assert_resumes_from_each_state(sandbox, configured(streams, full_refresh=full_refresh))
        assert_exactly(sandbox, output, streams)
    paged = set(streams) - {"agent_events", "conversions", "department_events"}  # of which there are few
    assert min(len(output.states[stream]) for stream in paged) >= 3


def test_a_sync_of_all_streams_that_is_cut_half_way_is_completed_by_the_next() -> None:
    with account() as sandbox:
        first = read(config_of(sandbox), configured())
        all_cuts = list(cuts(first.output))
        for cut in (all_cuts[0], all_cuts[len(all_cuts) // 2], all_cuts[-1]):
            assert_resumes(sandbox, cut, configured())


def test_a_cut_read_is_completed_though_the_account_changed_in_between() -> None:
    with account() as sandbox:
        middle = list(cuts(read(config_of(sandbox), configured(INCREMENTAL)).output))
        live_a_little(sandbox)
        assert_resumes(sandbox, middle[len(middle) // 2], configured(INCREMENTAL))


def test_the_next_sync_brings_what_changed_and_the_one_after_nothing() -> None:
    with account() as sandbox:
        first = read(config_of(sandbox), configured(INCREMENTAL))
        changed = live_a_little(sandbox)
        second = read(config_of(sandbox), configured(INCREMENTAL), first.output.last_state)
        third = read(config_of(sandbox), configured(INCREMENTAL), second.output.last_state)
    assert all(changed[stream] for stream in INCREMENTAL)
    assert {stream: by_content(second.output.records[stream]) for stream in INCREMENTAL} == {
        stream: by_content(records) for stream, records in changed.items()
    }
    assert third.output.records == {}
    assert all(third.output.states[stream] for stream in INCREMENTAL)


def test_two_full_refreshes_are_equal_and_are_the_account() -> None:
    with account() as sandbox:
        first, second = (read(config_of(sandbox), configured(full_refresh=True)) for _ in range(2))
        assert first.trouble == second.trouble == []
        for ran in (first, second):
            assert_exactly(sandbox, ran.output, all_streams())


def state_of(stream: str, blob: Any) -> dict[str, Any]:
    return {"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": blob}}


FUTURE = {
    "chats": {"update_timestamp": "2099-01-01T00:00:00Z"},
    "agent_timeline": {"start_time": "2099-01-01T00:00:00Z"},
    "agents": {"id": 2**53 - 1},
    "agent_routing_settings": {"agent_id": 2**53 - 1},
    "bans": {"id": 2**53 - 1},
    **{stream: {"timestamp": "2099-01-01T00:00:00Z"} for stream in ("agent_events", "conversions", "department_events")},
    **{stream: {"chat_update_timestamp": "2099-01-01T00:00:00Z"} for stream in DERIVED},
}


@pytest.mark.parametrize("stream", INCREMENTAL)
def test_a_state_in_the_future_brings_nothing_now_and_what_changes_later(stream: str) -> None:
    catalog = configured([stream])
    with account() as sandbox:
        first = read(config_of(sandbox), catalog, [state_of(stream, FUTURE[stream])])
        assert first.trouble == []
        assert first.output.records == {}
        assert first.output.logs("WARN") or "2099" not in json.dumps(FUTURE[stream])
        assert "2099" not in json.dumps(first.output.last_state)
        changed = live_a_little(sandbox, seconds_ago=1)
        second = read(config_of(sandbox), catalog, first.output.last_state)
    assert by_content(second.output.records[stream]) == by_content(changed[stream])


def statuses(output: Output) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for trace in output.payloads("TRACE"):
        if trace["type"] == "STREAM_STATUS":
            found.setdefault(trace["stream_status"]["stream_descriptor"]["name"], []).append(trace["stream_status"]["status"])
    return found


def empty_account() -> Sandbox:
    """An account in which nothing was ever made; its settings are there."""
    sandbox = account(chats=0)
    for records in sandbox.account.lists.values():
        records.clear()
    for feed in sandbox.account.events.values():
        for identity in list(feed.bodies):
            feed.remove(identity)
    return sandbox


def test_an_empty_account_has_a_state_for_each_stream_and_can_be_resumed() -> None:
    with empty_account() as sandbox:
        first = read(config_of(sandbox), configured())
        second = read(config_of(sandbox), configured(), first.output.last_state)
    for ran in (first, second):
        assert ran.trouble == []
        assert set(ran.output.records) == {"accounts", "routing_settings"}
        assert all(ran.output.states[stream] for stream in all_streams())
        assert statuses(ran.output) == {stream: ["STARTED", "RUNNING", "COMPLETE"] for stream in all_streams()}


def test_states_of_streams_that_are_not_asked_for_change_nothing() -> None:
    with account(chats=120) as sandbox:
        complete = read(config_of(sandbox), configured())
        strangers = [state_of("visitors", {"cursor": 5}), state_of("departments", {"id": 3})]
        ran = read(config_of(sandbox), configured(["chats", "goals"]), [*strangers, *complete.output.last_state])
        assert ran.trouble == []
        assert ran.output.records["chats"] == []
        assert by_content(ran.output.records["goals"]) == by_content(truth(sandbox, "goals"))
        alone = read(config_of(sandbox), configured(["chats"]), strangers)
        assert by_content(alone.output.records["chats"]) == by_content(truth(sandbox, "chats"))
