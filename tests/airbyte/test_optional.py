"""Streams that an account may lack: absent they hurt nothing, and one that was there before is missed."""

from typing import Any

import pytest

from tests.support.in_process import ALL, OPTIONAL, catalog_of, check_here, read_here
from tests.support.protocol import Output
from tests.support.sandbox import by_content, config_of, small, truth
from zendesk_chat_sandbox import AGENT_TOKEN, Fault, Sandbox

PATHS = {
    "agent_events": "incremental/agent_events",
    "agent_routing_settings": "routing_settings/agents",
    "conversions": "incremental/conversions",
    "department_events": "incremental/department_events",
}
STATUSES = [403, 404]


def lacking(sandbox: Sandbox, status: int, *streams: str) -> None:
    sandbox.switch(unavailable={PATHS[stream]: status for stream in streams})


def assert_others_complete(sandbox: Sandbox, output: Output, *absent: str) -> None:
    for stream in set(ALL) - {*absent}:
        assert output.endings[stream] == "COMPLETE"
        assert by_content(output.records[stream]) == by_content(truth(sandbox, stream)), stream


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("full_refresh", [False, True])
def test_what_the_account_lacks_is_complete_without_records_and_reported(status: int, full_refresh: bool) -> None:
    with small(chats=40) as sandbox:
        lacking(sandbox, status, *OPTIONAL)
        code, output = read_here(config_of(sandbox), catalog_of(full_refresh=full_refresh))
        assert (code, output.errors) == (0, [])
        assert_others_complete(sandbox, output, *OPTIONAL)
    warnings = output.logs("WARN")
    assert len(warnings) == len(OPTIONAL)
    for stream in OPTIONAL:
        assert output.endings[stream] == "COMPLETE"
        assert output.records[stream] == []
        assert output.states[stream] == [{"__ab_no_cursor_state_message": True}]
        (warning,) = [line for line in warnings if line.startswith(f"{stream}: no records, because this account lacks it. ")]
        assert f"HTTP {status}" in warning


def test_an_answer_with_a_fault_of_the_same_status_is_the_same() -> None:
    with small(chats=10) as sandbox:
        sandbox.inject(Fault(kind="status", status=403, path="*/incremental/agent_events", times=None))
        code, output = read_here(config_of(sandbox), catalog_of(["agent_events", "goals"]))
        assert code == 0
        assert output.endings == {"agent_events": "COMPLETE", "goals": "COMPLETE"}


def test_what_appears_later_is_read_completely_then() -> None:
    with small(chats=40) as sandbox:
        lacking(sandbox, 403, "conversions", "agent_routing_settings")
        _, first = read_here(config_of(sandbox), catalog_of())
        sandbox.switch(unavailable={})
        code, second = read_here(config_of(sandbox), catalog_of(), first.last_state)
        assert code == 0
        for stream in ("conversions", "agent_routing_settings"):
            assert by_content(second.records[stream]) == by_content(truth(sandbox, stream))
        assert second.records["agent_events"] == []


@pytest.mark.parametrize("status", STATUSES)
def test_what_was_there_before_and_is_not_any_more_fails_alone(status: int) -> None:
    with small(chats=40) as sandbox:
        _, first = read_here(config_of(sandbox), catalog_of())
        lacking(sandbox, status, "agent_events", "agent_routing_settings")
        code, second = read_here(config_of(sandbox), catalog_of(), first.last_state)
    assert code == 1
    gone = ["agent_events", "agent_routing_settings"]
    assert sorted(stream for stream, ending in second.endings.items() if ending == "INCOMPLETE") == gone
    for stream in gone:
        error = second.error_of(stream)
        assert error["failure_type"] == "config_error"
        assert f"HTTP {status}" in error["message"]


@pytest.mark.parametrize(
    "fault",
    [{"kind": "status", "status": 500}, {"kind": "status", "status": 400}, {"kind": "html"}, {"kind": "body", "body": "{}"}],
    ids=str,
)
def test_any_other_failure_is_one(fault: dict[str, Any]) -> None:
    with small(chats=10) as sandbox:
        sandbox.inject(Fault(path="*/incremental/department_events", times=None, **fault))
        code, output = read_here(config_of(sandbox), catalog_of(["department_events", "goals"]))
    assert code == 1
    assert output.endings == {"department_events": "INCOMPLETE", "goals": "COMPLETE"}


@pytest.mark.parametrize("status", STATUSES)
def test_the_check_succeeds_and_names_them(status: int) -> None:
    with small(chats=5) as sandbox:
        lacking(sandbox, status, "agent_events", "conversions")
        succeeded, message = check_here(config_of(sandbox))
    assert succeeded == "SUCCEEDED"
    assert message.startswith("19 of 21 streams can be read. Without records, because this account lacks them: agent_events: ")
    assert f"HTTP {status}" in message
    assert "conversions: " in message
    assert "department_events" not in message


def test_the_check_distinguishes_them_from_those_that_a_sync_would_fail_for() -> None:
    with small(chats=5) as sandbox:
        sandbox.switch(unavailable={"goals": 403, PATHS["agent_events"]: 403})
        succeeded, message = check_here(config_of(sandbox))
    assert succeeded == "SUCCEEDED"
    assert message.startswith(
        "19 of 21 streams can be read. Not available, deselect these: goals: The token's user is not allowed to read this"
    )
    assert (
        " Without records, because this account lacks them: agent_events: The token's user is not allowed to read this"
        in message
    )


def test_who_may_read_nothing_does_not_pass_the_check() -> None:
    with small(chats=5) as sandbox:
        token = {"credentials": "access_token", "access_token": AGENT_TOKEN}
        status, message = check_here(config_of(sandbox, credentials=token))
        sandbox.switch(unavailable={"*": 404})
        nothing, _ = check_here(config_of(sandbox))
    assert status == "FAILED"
    assert "is not allowed to read" in message
    assert nothing == "FAILED"
