"""Admin calls, the command line, and the class that holds it all."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.sandbox import API, EXPORTS, NOW_SECONDS, call, get, post, still
from zendesk_chat_sandbox import Account, Sandbox, SwitchError, Switches, UnknownRecordError
from zendesk_chat_sandbox.account import RESOURCES
from zendesk_chat_sandbox.cli import main
from zendesk_chat_sandbox.clock import SandboxClock
from zendesk_chat_sandbox.switches import parse_switch


@pytest.fixture
def _signals_restored() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def state(sandbox: Sandbox) -> Any:
    return call(sandbox, "/_sandbox/state").json


def test_state_counts_and_reset_starts_anew() -> None:
    with still(20) as sandbox:
        assert state(sandbox)["counts"]["chats"] == 20
        before = sandbox.account.chat_ids()
        assert post(sandbox, "reset", {"seed": 8, "chats": 12}).json["counts"]["chats"] == 12
        assert set(sandbox.account.chat_ids()).isdisjoint(before)
        assert state(sandbox)["seed"] == 8
        sandbox.reset(seed=7, chats=20)
        assert sandbox.account.chat_ids() == before


@pytest.mark.parametrize(
    "resource",
    RESOURCES,
)
def test_every_resource_can_be_generated(resource: str) -> None:
    with still(5) as sandbox:
        before = state(sandbox)["counts"][resource]
        added = post(sandbox, "add", {"resource": resource, "count": 3}).json["added"]
        assert len(added) == 3
        assert post(sandbox, "seed", {resource: 2, "at": "2026-11-19T00:00:00Z"}).status == 200
        assert state(sandbox)["counts"][resource] == before + 5


def test_complete_records_can_be_added_edited_and_deleted() -> None:
    with still(5) as sandbox:
        goal = {"id": 9, "name": "Nine", "enabled": True}
        post(sandbox, "add", {"resource": "goals", "record": goal})
        assert get(sandbox, f"{API}/goals/9").json == goal
        post(sandbox, "edit", {"resource": "goals", "id": 9, "changes": {"name": "New"}})
        assert get(sandbox, f"{API}/goals/9").json["name"] == "New"
        assert post(sandbox, "delete", {"resource": "goals", "id": 9}).json == {"deleted": 9}
        assert get(sandbox, f"{API}/goals/9").status == 404


def test_chats_and_spans_can_be_added_at_a_time() -> None:
    with still(0) as sandbox:
        chat = {"id": "2611.1.x", "type": "chat", "timestamp": "2026-11-01T00:00:00Z"}
        post(sandbox, "add", {"resource": "chats", "record": chat, "at": "2026-11-02T00:00:00Z"})
        found = get(sandbox, f"{EXPORTS}/chats", fields="chats(*)").json["chats"]
        assert found == [{**chat, "update_timestamp": "2026-11-02T00:00:00Z"}]
        post(sandbox, "edit", {"resource": "chats", "id": chat["id"], "changes": {"rating": "good"}})
        found = get(sandbox, f"{EXPORTS}/chats", fields="chats(*)").json["chats"]
        assert (found[0]["rating"], found[0]["update_timestamp"]) == ("good", "2026-11-20T12:00:00Z")
        post(sandbox, "delete", {"resource": "chats", "id": chat["id"]})
        assert get(sandbox, f"{EXPORTS}/chats", fields="chats(*)").json["chats"][0]["deleted"] is True
        span = {"agent_id": 1, "start_time": "2026-11-20T11:59:59.999999Z", "status": "away", "duration": 1.0}
        post(sandbox, "add", {"resource": "agent_timeline", "records": [span]})
        assert get(sandbox, f"{EXPORTS}/agent_timeline").json["agent_timeline"][-1] == span
        identity = f"1|{span['start_time']}"
        assert post(sandbox, "delete", {"resource": "agent_timeline", "id": identity}).status == 200


def test_clock_switches_tokens_and_requests() -> None:
    with still(5) as sandbox:
        assert post(sandbox, "clock", {"advance": 60}).json == {"now": NOW_SECONDS + 60}
        assert post(sandbox, "clock", {"set": "2026-11-21T12:00:00Z"}).json == {"now": NOW_SECONDS + 86_400}
        assert post(sandbox, "switches", {"start_id": "inclusive"}).json["start_id"] == "inclusive"
        assert call(sandbox, "/_sandbox/switches").json["start_id"] == "inclusive"
        post(sandbox, "tokens", {"token": "fresh", "role": "agent", "expires_in": 60})
        assert get(sandbox, f"{API}/agents/me", "fresh").status == 200
        sandbox.clock.advance(60)
        assert get(sandbox, f"{API}/agents/me", "fresh").status == 401
        assert post(sandbox, "tokens", {"token": "fresh", "revoke": True}).status == 200
        assert [entry["status"] for entry in call(sandbox, "/_sandbox/requests").json["requests"]] == [200, 401]
        assert call(sandbox, "/_sandbox/requests", "DELETE").json == {"requests": []}


def test_faults_over_http() -> None:
    with still(5) as sandbox:
        post(sandbox, "faults", {"kind": "status", "status": 500})
        post(sandbox, "faults", {"faults": [{"kind": "empty"}, {"kind": "html", "times": None}]})
        assert [get(sandbox, f"{API}/goals").status for _ in range(3)] == [500, 200, 200]
        assert [fault["fired"] for fault in call(sandbox, "/_sandbox/faults").json["faults"]] == [1, 1, 1]
        assert call(sandbox, "/_sandbox/faults", "DELETE").json == {"faults": []}
        assert get(sandbox, f"{API}/goals").json


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("add", {"resource": "nothing", "count": 1}),
        ("add", {"resource": "goals", "record": 5}),
        ("add", {"resource": "chats", "record": {"id": "x"}}),
        ("add", {}),
        ("edit", {"resource": "goals", "id": 1, "changes": {}}),
        ("edit", {"resource": "goals", "id": 500_001, "changes": 1}),
        ("edit", {"resource": "chats", "id": "x", "changes": {}}),
        ("delete", {"resource": "conversions", "id": "x"}),
        ("delete", {"resource": "nothing", "id": "x"}),
        ("clock", {"advance": "x"}),
        ("clock", {"set": "x"}),
        ("clock", {"set": []}),
        ("switches", {"start_id": "sometimes"}),
        ("switches", {"nothing": 1}),
        ("faults", {"kind": "explode"}),
        ("faults", {"faults": 1}),
        ("faults", {"kind": "status", "nothing": 1}),
        ("reset", {"chats": "many"}),
        ("reset", []),
    ],
)
def test_admin_calls_say_what_is_wrong(name: str, body: Any) -> None:
    with still(1) as sandbox:
        answer = post(sandbox, name, body)
        assert answer.status == 400
        assert answer.json["error"]


def test_unknown_admin_calls_list_the_known_ones() -> None:
    with still(1) as sandbox:
        assert "POST /_sandbox/reset" in call(sandbox, "/_sandbox/nothing").json["error"]


def test_switches_are_read_from_text() -> None:
    assert parse_switch("rate_limit=0") == ("rate_limit", 0)
    assert parse_switch("pretty_json=on") == ("pretty_json", True)
    assert parse_switch("start_id=inclusive") == ("start_id", "inclusive")
    assert parse_switch("account_status=403") == ("account_status", 403)
    assert parse_switch('unavailable={"goals": 404}') == ("unavailable", {"goals": 404})
    assert parse_switch("next_page_host=https://x.example.com") == ("next_page_host", "https://x.example.com")
    for text in ("rate_limit", "rate_limit=x", "nothing=1", "start_id=x", "account_status=500", "unavailable=3"):
        with pytest.raises(SwitchError):
            parse_switch(text)
    with pytest.raises(SwitchError):
        Switches().changed({"rate_limit": True})


def test_the_clock_follows_real_time_or_is_still() -> None:
    real, fixed, ticking = SandboxClock(), SandboxClock("2026-11-20T12:00:00Z"), SandboxClock(5, ticking=True)
    assert fixed.time() == fixed.time() == NOW_SECONDS
    assert 5 <= ticking.time() < 6
    before = real.time()
    real.advance(100)
    assert real.time() >= before + 100


def test_only_the_loopback_interface_is_served() -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1 only"):
        Sandbox(host="0.0.0.0", chats=0)
    with pytest.raises(RuntimeError, match="not been started"):
        _ = Sandbox(chats=0).url


def test_the_account_names_what_it_does_not_have() -> None:
    with still(0) as sandbox:
        account: Account = sandbox.account
        for act in (account.chat, account.delete_chat, account.edit_chat):
            with pytest.raises(UnknownRecordError):
                act("nothing")


def test_the_command_serves_until_it_is_stopped() -> None:
    command = [sys.executable, "-m", "zendesk_chat_sandbox", "--port", "0", "--chats", "5", "--switch", "rate_limit=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        config = json.loads(lines[3])
        assert lines[0].split()[-1] == config["api_url"]
        assert lines[1].split()[-1] == config["credentials"]["access_token"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_a_time_without_a_zone_is_utc() -> None:
    assert SandboxClock("2026-11-20T12:00:00").time() == SandboxClock("2026-11-20T13:00:00+01:00").time() == NOW_SECONDS


@pytest.mark.usefixtures("_signals_restored")
def test_the_command_reports_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    with still(0) as sandbox:
        port = sandbox.url.rsplit(":", 1)[1]
        for arguments, status, message in [
            (["--switch", "nothing=1"], 2, "no switch"),
            (["--now", "yesterday"], 2, "'yesterday' is not a time. Use the form 2026-11-20T12:00:00Z"),
            (["--now", "0001-01-01"], 2, "'0001-01-01' is out of range"),
            (["--history-until", "2026-13-01"], 2, "'2026-13-01' is not a time"),
            (["--port", "99999"], 2, "'99999' is not a port. Use a number from 0 to 65535"),
            (["--port", "-1"], 2, "'-1' is not a port"),
            (["--chats", "-5"], 2, "'-5' is not a number of chats. Use 0 or more"),
            (["--chats", "many"], 2, "'many' is not a number of chats"),
            (["--clock-skew", "nan"], 2, "'nan' is not a number of seconds"),
            (["--seed", "x"], 2, "--seed"),
            (["--what"], 2, "--what"),
            (["--chats", "0", "--port", port], 1, f"port {port} is already in use. Choose another with --port"),
        ]:
            with pytest.raises(SystemExit) as stopped:
                main(arguments)
            assert stopped.value.code == status
            printed = capsys.readouterr().err
            assert message in printed
            assert len(printed.splitlines()) == 1
