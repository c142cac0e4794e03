"""No secret in any output: every failing path with marked secrets, at the highest log level, all output searched."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.commands import execute_here
from tests.support.executable import execute, files
from tests.support.in_process import catalog_of, check_here, read_here
from tests.support.protocol import Output
from tests.support.sandbox import config_of
from zendesk_chat.airbyte.messages import Writer
from zendesk_chat.secret_mask import secrets_of
from zendesk_chat.streams.lists.whole_list import WholeList
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat_sandbox import Fault, Sandbox, Switches

TOKEN = "marked-access-Zx81"
REFRESH = "marked-refresh-Zx81"
CLIENT = "marked-client-Zx81"
SECRET = "marked-secret-Zx81"
ECHO = f'{{"error": "Bearer {TOKEN} {REFRESH} {CLIENT} {SECRET}"}}'
LEAK = "Zx81"

FAULTS: dict[str, dict[str, Any]] = {
    **{str(status): {"kind": "status", "status": status, "body": ECHO} for status in (400, 401, 403, 404, 429, 500, 503)},
    "echo": {"kind": "body", "body": ECHO},
    "echo in rows": {"kind": "body", "body": f'{{"chats": [{{"x": "{TOKEN}"}}]}}'},
    "rows of text": {"kind": "body", "body": f'{{"chats": ["{TOKEN}"]}}'},
    "html": {"kind": "html", "body": f"<html>{ECHO}</html>"},
    "redirect": {"kind": "redirect", "location": f"https://elsewhere.example.com/?access_token={TOKEN}"},
    "retry-after": {"kind": "status", "status": 429, "headers": {"Retry-After": TOKEN}},
    "reset": {"kind": "reset"},
    "truncated": {"kind": "truncated"},
    "empty": {"kind": "empty"},
}


def oauth(**more: Any) -> dict[str, Any]:
    return {
        "credentials": "oauth2.0",
        "access_token": TOKEN,
        "refresh_token": REFRESH,
        "client_id": CLIENT,
        "client_secret": SECRET,
        **more,
    }


def sandbox_of_marked() -> Sandbox:
    sandbox = Sandbox(chats=20, token=TOKEN, switches=Switches(rate_limit=0))
    sandbox.tokens.clients[CLIENT] = SECRET
    sandbox.tokens.refresh = {REFRESH: TOKEN}
    return sandbox


def shown(output: Output) -> str:
    """Everything but the messages that hand the tokens to the platform, and the records, which are as the server sent them."""
    return json.dumps([message for message in output.messages if message["type"] not in ("CONTROL", "RECORD")])


@pytest.mark.parametrize(
    "credentials", [oauth(), {"credentials": "access_token", "access_token": TOKEN}], ids=["oauth", "token"]
)
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_brings_a_secret_out(fault: str, credentials: dict[str, Any]) -> None:
    with sandbox_of_marked() as sandbox:
        sandbox.inject(Fault(times=None, **FAULTS[fault]))
        config = config_of(sandbox, credentials=credentials)
        code, output = read_here(config, catalog_of(["chats", "goals"]), debug=True)
        assert code == 1
        assert LEAK not in shown(output)
        assert LEAK not in check_here(config)[1]


@pytest.mark.parametrize(
    "fault", [{"kind": "status", "status": 400, "body": ECHO}, {"kind": "html", "body": ECHO}, {"kind": "status", "body": ECHO}]
)
def test_no_fault_of_the_token_endpoint_brings_a_secret_out(fault: dict[str, Any]) -> None:
    with sandbox_of_marked() as sandbox:
        sandbox.inject(Fault(path="*/token", times=None, **fault))
        config = config_of(sandbox, credentials=oauth(access_token=None))
        code, output = read_here(config, catalog_of(["chats", "goals"]), debug=True)
        assert code == 1
        assert LEAK not in shown(output)


def test_renewed_tokens_are_secrets_too() -> None:
    with sandbox_of_marked() as sandbox:
        config = config_of(sandbox, credentials=oauth(access_token=None))
        echo = '{"chats": [{"x": "sandbox-access-1 sandbox-refresh-1"}]}'
        sandbox.inject(Fault(kind="redirect", location="https://sandbox-access-1.example.com", path="*/goals", body=echo))
        _, output = read_here(config, catalog_of(["goals"]), debug=True)
        assert "sandbox-access-1" in json.dumps(output.payloads("CONTROL"))
        assert "sandbox-access-1" not in shown(output)
        assert "****" in shown(output)


def spoil(path: str) -> Callable[[dict[str, Any]], Any]:
    """The config with the value at a path replaced by the marked token."""

    def change(config: dict[str, Any]) -> Any:
        target = config
        *parents, last = path.split(".")
        for parent in parents:
            target = target[parent]
        target[last] = TOKEN
        return config

    return change


SPOILT: dict[str, Callable[[dict[str, Any]], Any]] = {
    path: spoil(path)
    for path in (
        "start_date",
        "api_url",
        "lookback_minutes",
        "requests_per_minute",
        "credentials",
        "credentials.credentials",
        "credentials.token_expiry_date",
        "end_date",
        "redact",
        "redact.rules",
    )
} | {
    "subdomain": lambda config: {**config, "subdomain": f"{TOKEN}.example.com"},
    "cut": lambda config: json.dumps(config).encode()[:-5],
    "list": lambda config: [config],
    "text": json.dumps,
    "token with spaces": lambda config: {**config, "credentials": oauth(access_token=f"{TOKEN} {TOKEN}")},
    "token is a list": lambda config: {**config, "credentials": oauth(access_token=[TOKEN])},
    "key of hashes is a list": lambda config: {**config, "redact": {**config["redact"], "hash_key": [TOKEN]}},
    "token as a field": lambda config: {**config, "redact": {"rules": [{"field": f"{TOKEN}.x", "action": "drop"}]}},
    "token as an action": lambda config: {**config, "redact": {"rules": [{"field": "agents.email", "action": TOKEN}]}},
    "user in the URL": lambda config: {**config, "api_url": f"https://user:{TOKEN}@example.com"},
}


@pytest.mark.parametrize("case", SPOILT)
def test_no_malformed_config_brings_a_secret_out(case: str, tmp_path: Path) -> None:
    config = {
        "start_date": "2024-01-01T00:00:00Z",
        "subdomain": "acme",
        "api_url": "http://127.0.0.1:9",
        "credentials": oauth(),
        "redact": {"hash_key": TOKEN, "rules": [{"field": "agents.email", "action": "hash"}]},
    }
    options = files(tmp_path, config=SPOILT[case](config), catalog=catalog_of(["goals"]))
    for command, given in (("check", options[:2]), ("discover", options[:2]), ("read", options)):
        done = execute_here(command, *given, "--debug", folder=tmp_path)
        assert done.output.messages
        assert LEAK not in done.stdout.decode() + done.stderr
        assert base64.b64encode(TOKEN.encode()).decode() not in done.stdout.decode()


def test_processes_with_debug_and_a_dead_token_say_nothing(tmp_path: Path) -> None:
    with Sandbox(chats=5) as sandbox:
        config = config_of(sandbox, credentials={"credentials": "access_token", "access_token": TOKEN})
        options = files(tmp_path, config=config, catalog=catalog_of())
        read, check = execute("read", *options, "--debug"), execute("check", *options[:2], LOG_LEVEL="debug")
    assert read.code == 1
    assert LEAK not in read.stdout.decode() + read.stderr + check.stdout.decode() + check.stderr


class _Out:
    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def flush(self) -> None:
        pass


def test_the_writer_masks_longer_secrets_first() -> None:
    out = _Out()
    writer = Writer(out, FakeClock(running=True))  # type: ignore[arg-type]
    writer.keep_secret(["abcd", "abcdefgh"])
    writer.log("INFO", "abcdefgh abcd")
    assert b'"message":"**** ****"' in out.written


@pytest.mark.parametrize(
    "config", [None, 5, [], "x", {}, {"credentials": 5}, {"credentials": {"access_token": 5}}, {"redact": 5}]
)
def test_a_malformed_config_has_no_secrets(config: Any) -> None:
    assert list(secrets_of(config)) == []


def test_secrets_are_found_at_both_paths_and_trimmed() -> None:
    config = {"access_token": " flat-token ", "credentials": oauth(access_token="abc")}
    assert sorted(secrets_of(config)) == sorted(["flat-token", REFRESH, CLIENT, SECRET])


@pytest.mark.parametrize("redact", [{"hash_key": " the-key-of-hashes "}, {"hash_key": "the-key-of-hashes", "rules": "x"}])
def test_the_key_of_hashes_is_a_secret(redact: dict[str, Any]) -> None:
    assert list(secrets_of({"redact": redact})) == ["the-key-of-hashes"]


def test_an_unexpected_error_is_reported_by_its_type_and_origin_and_quotes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ValueError("a customer's words Zx81")

    goals = replace(STREAMS["goals"], source=WholeList("goals", "goals", broken))
    monkeypatch.setitem(STREAMS, "goals", goals)
    with sandbox_of_marked() as sandbox:
        code, output = read_here(config_of(sandbox), catalog_of(["goals", "skills"]))
    assert code == 1
    error = output.error_of("goals")
    assert error["failure_type"] == "system_error"
    assert error["message"] == "goals: unexpected ValueError. Please report this."
    assert error["internal_message"].startswith("DataError from ValueError at test_secrets.py:")
    assert LEAK not in shown(output)
    assert output.endings["skills"] == "COMPLETE"
