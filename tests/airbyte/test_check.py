"""``check`` against accounts and tokens of every kind: one status each, and a message with what to do."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.executable import execute, files
from tests.support.in_process import ALL, check_here
from tests.support.protocol import Output
from tests.support.sandbox import DERIVED, config_of, small
from zendesk_chat_sandbox import AGENT_TOKEN, EXPIRED_TOKEN, SUPPORT_TOKEN, WRITE_TOKEN, Fault, Sandbox


def with_token(token: str) -> Callable[[Sandbox], dict[str, Any]]:
    return lambda _: {"credentials": {"credentials": "access_token", "access_token": token}}


def switched(**switches: Any) -> Callable[[Sandbox], dict[str, Any]]:
    def prepare(sandbox: Sandbox) -> dict[str, Any]:
        sandbox.switch(**switches)
        return {}

    return prepare


def faulty(**fault: Any) -> Callable[[Sandbox], dict[str, Any]]:
    def prepare(sandbox: Sandbox) -> dict[str, Any]:
        sandbox.inject(Fault(**fault))
        return {}

    return prepare


FAILURES: dict[str, tuple[Callable[[Sandbox], dict[str, Any]], str]] = {
    "wrong token": (with_token("no-such-token"), "rejected the token (HTTP 401)"),
    "Support token": (with_token(SUPPORT_TOKEN), "This is a Zendesk Support token"),
    "missing role": (with_token(AGENT_TOKEN), "is not allowed to read accounts, "),
    "no Chat": (switched(account_state="no_chat"), "The account acme has no Zendesk Chat"),
    "no account": (switched(account_state="no_account"), "There is no Zendesk account at the subdomain acme"),
    "renamed": (faulty(kind="redirect", times=None), "redirects to elsewhere.example.com"),
    "no such host": (lambda _: {"api_url": "https://no-such-account.invalid"}, "Cannot find no-such-account.invalid."),
    "nobody listens": (lambda _: {"api_url": "http://127.0.0.1:9"}, "the connection to 127.0.0.1:9 was refused"),
    "future": (lambda _: {"start_date": "2099-01-01T00:00:00Z"}, "start_date is in the future"),
    "bad subdomain": (lambda _: {"subdomain": "acme/evil"}, "Config validation error: subdomain"),
    "no credentials": (lambda _: {"credentials": None}, "Config validation error: credentials: missing"),
    "HTML 200": (faulty(kind="html", times=None), "Zendesk sent a web page"),
    "empty 200": (faulty(kind="empty", times=None), "Zendesk sent an empty response"),
    "null 200": (faulty(kind="body", body="null", times=None), "unexpected structure"),
    "503": (faulty(kind="status", times=None), "HTTP 503"),
    "429 for an hour": (faulty(kind="status", status=429, retry_after=3600, times=None), "request limit is used up"),
    "chats forbidden": (switched(unavailable={"incremental/chats": 403}), "is not allowed to read chats (HTTP 403)"),
    "chats missing": (
        switched(unavailable={"incremental/chats": 404}),
        "Zendesk has no such data for this account (HTTP 404)",
    ),
}


@pytest.mark.parametrize("case", FAILURES)
def test_each_failure_has_its_own_message(case: str) -> None:
    prepare, words = FAILURES[case]
    with small(chats=5) as sandbox:
        status, message = check_here(config_of(sandbox) | prepare(sandbox))
    assert status == "FAILED"
    assert words in message
    assert "Traceback" not in message
    others = [other for name, (_, other) in FAILURES.items() if name != case and other in message]
    assert others == []


def test_the_message_for_a_token_without_the_scope_names_the_scope() -> None:
    with small(chats=5) as sandbox:
        status, message = check_here(config_of(sandbox) | with_token(WRITE_TOKEN)(sandbox))
    assert status == "FAILED"
    assert "the scope `read`" in message


def test_a_good_account_takes_one_request_an_endpoint() -> None:
    """None for a stream that is derived from chats."""
    with small(chats=5) as sandbox:
        assert check_here(config_of(sandbox)) == ("SUCCEEDED", "All 21 streams can be read.")
        paths = [request.path for request in sandbox.requests]
        assert len(paths) == len(set(paths)) == len(ALL) - len(DERIVED)
        assert all(int(request.query.get("limit", "1")) == 1 for request in sandbox.requests)


@pytest.mark.parametrize("case", ["wrong token", "Support token", "missing role", "no Chat", "no account", "renamed"])
def test_a_bad_account_takes_few_requests(case: str) -> None:
    with small(chats=5) as sandbox:
        check_here(config_of(sandbox) | FAILURES[case][0](sandbox))
        assert len(sandbox.requests) <= len(ALL) - len(DERIVED) + 2


def test_the_probes_go_out_side_by_side() -> None:
    with small(chats=5) as sandbox:
        sandbox.inject(Fault(kind="latency", seconds=0.6, times=None))
        began = time.monotonic()
        assert check_here(config_of(sandbox))[0] == "SUCCEEDED"
    assert time.monotonic() - began < 5, "one after another they would take 9 seconds"


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("switches", [{"account_status": None}, {"unavailable": None}])
def test_a_stream_that_the_account_lacks_is_named_and_the_check_succeeds(switches: dict[str, Any], status: int) -> None:
    with small(chats=5) as sandbox:
        if "account_status" in switches:
            sandbox.switch(account_status=status)
            lacking = ["accounts"]
        else:
            sandbox.switch(unavailable={"goals": status, "skills": status})
            lacking = ["goals", "skills"]
        succeeded, message = check_here(config_of(sandbox))
    assert succeeded == "SUCCEEDED"
    assert f"{21 - len(lacking)} of 21 streams can be read" in message
    assert [name for name in ALL if f" {name}: " in message.split("deselect these:")[1]] == lacking
    assert f"HTTP {status}" in message


def test_a_short_fault_is_overcome() -> None:
    with small(chats=5) as sandbox:
        sandbox.inject(Fault(kind="status", status=500, path="*/goals", times=2), Fault(kind="reset", path="*/bans", times=2))
        assert check_here(config_of(sandbox))[0] == "SUCCEEDED"


def test_an_expired_oauth_token_is_renewed_and_saved() -> None:
    import io
    import tempfile

    from tests.support.clock import FakeClock
    from tests.support.protocol import parse
    from zendesk_chat.airbyte.check import check
    from zendesk_chat.airbyte.messages import Writer

    oauth = {
        "credentials": "oauth2.0",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "access_token": EXPIRED_TOKEN,
        "refresh_token": "sandbox-refresh-token",
    }
    out, clock = io.BytesIO(), FakeClock(running=True)
    with small(chats=5) as sandbox, tempfile.TemporaryDirectory() as folder:
        path = files(Path(folder), config=config_of(sandbox, credentials=oauth))[1]
        assert check(Writer(out, clock), clock, path) == 0
    output = Output(parse(out.getvalue()))
    assert [message["type"] for message in output.messages] == ["CONTROL", "CONNECTION_STATUS"]
    saved = output.payloads("CONTROL")[0]["connectorConfig"]["config"]
    assert saved["credentials"] == {**oauth, "access_token": "sandbox-access-1", "refresh_token": "sandbox-refresh-1"}
    assert output.payloads("CONNECTION_STATUS")[0]["status"] == "SUCCEEDED"


def test_a_check_that_is_stopped_does_not_succeed() -> None:
    import io
    import tempfile

    from tests.support.protocol import parse
    from zendesk_chat.airbyte.check import check
    from zendesk_chat.airbyte.messages import Writer
    from zendesk_chat.clock import SystemClock

    clock = SystemClock()
    clock.stop()
    out = io.BytesIO()
    with small(chats=5) as sandbox, tempfile.TemporaryDirectory() as folder:
        sandbox.inject(Fault(kind="status", path="*/goals"))
        check(Writer(out, clock), clock, files(Path(folder), config=config_of(sandbox))[1])
    (status,) = Output(parse(out.getvalue())).payloads("CONNECTION_STATUS")
    assert status["status"] == "FAILED"
    assert "stopped" in status["message"]


@pytest.mark.parametrize("case", ["good", "wrong token", "no account", "bad subdomain", "future"])
def test_as_a_process_it_is_one_line_and_exit_0(case: str, tmp_path: Path) -> None:
    with small(chats=5) as sandbox:
        change = {} if case == "good" else FAILURES[case][0](sandbox)
        done = execute("check", *files(tmp_path, config=config_of(sandbox) | change))
    assert (done.code, done.stderr) == (0, "")
    (message,) = done.output.messages
    assert message["connectionStatus"]["status"] == ("SUCCEEDED" if case == "good" else "FAILED")


@pytest.mark.parametrize("config", [b"", b"{", b"[]", b"null", b'"acme"', None])
def test_a_config_that_is_none_fails_the_check(config: bytes | None, tmp_path: Path) -> None:
    options = ["--config", str(tmp_path / "nowhere.json")] if config is None else files(tmp_path, config=config)
    done = execute("check", *options)
    (message,) = done.output.messages
    assert done.code == 0
    assert message["connectionStatus"]["status"] == "FAILED"
    assert "config" in message["connectionStatus"]["message"]
    assert done.stderr == ""
