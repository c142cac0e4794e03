"""``sync`` with OAuth, as a process: what is renewed, what is stored, and what a user reads."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from zendesk_chat.process import end_at_once
from zendesk_chat_sandbox import EXPIRED_TOKEN, Fault, Sandbox, Switches

COMMAND = Path(sys.executable).with_name("source-zendesk-chat")
CLIENT = {"credentials": "oauth2.0", "client_id": "sandbox-client", "client_secret": "sandbox-secret"}
EXPIRED = {**CLIENT, "access_token": EXPIRED_TOKEN, "refresh_token": "sandbox-refresh-token"}
VALID = {**CLIENT, "access_token": "sandbox-token", "refresh_token": "sandbox-refresh-token"}
STORED = {**CLIENT, "access_token": "sandbox-access-1", "refresh_token": "sandbox-refresh-1"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(chats=5, switches=Switches(rate_limit=0)) as sandbox:
        yield sandbox


def write(path: Path, sandbox: Sandbox, credentials: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"subdomain": "acme", "api_url": sandbox.url, "credentials": credentials}))
    return path


def started(config: Path, *options: str, database: str = "chats", **environment: str) -> subprocess.Popen[str]:
    to = f"duckdb:///{config.parent / database}.duckdb"
    return subprocess.Popen(
        [COMMAND, "sync", "--config", config, "--to", to, "--streams", "goals,chats", *options],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code, and what a user reads. No secret is in it."""
    output = "".join(process.communicate(timeout=60))
    secrets = ("sandbox-refresh", "sandbox-access", "sandbox-secret", EXPIRED_TOKEN, "Traceback")
    assert not any(secret in output for secret in secrets)
    return process.returncode, output


def renewals(sandbox: Sandbox) -> int:
    return sum(request.path == "/oauth2/chat/token" for request in sandbox.requests)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A path whose file cannot be written: root writes what its mode forbids, but not what is immutable."""
    path = tmp_path / "config.json"
    path.touch()
    if os.geteuid() == 0 and subprocess.run(["chattr", "+i", path], capture_output=True, check=False).returncode:
        pytest.skip("a file system without immutable files")
    subprocess.run(["chattr", "-i", path], capture_output=True, check=False)
    yield path
    subprocess.run(["chattr", "-i", path], capture_output=True, check=False)


def freeze(path: Path) -> None:
    path.chmod(0o400)
    if os.geteuid() == 0:
        subprocess.run(["chattr", "+i", path], check=True)


def test_a_file_that_cannot_be_written_keeps_its_refresh_token(sandbox: Sandbox, read_only: Path) -> None:
    freeze(write(read_only, sandbox, EXPIRED))
    code, output = ended(started(read_only))
    assert code != 0
    assert f"The OAuth tokens must be renewed, but new ones could not be stored in {read_only}: " in output
    assert "Nothing was renewed." in output
    assert renewals(sandbox) == 0


@pytest.mark.parametrize("credentials", [VALID, CLIENT], ids=["a valid token", "only a client"])
def test_a_file_that_cannot_be_written_is_read_where_nothing_must_be_stored(
    sandbox: Sandbox, read_only: Path, credentials: dict[str, Any]
) -> None:
    freeze(write(read_only, sandbox, credentials))
    assert ended(started(read_only))[0] == 0


def test_options_and_the_environment_do_not_get_into_the_file(sandbox: Sandbox, tmp_path: Path) -> None:
    config = write(tmp_path / "config.json", sandbox, EXPIRED)
    given = json.loads(config.read_text())
    options = ("--start-date", "2026-01-01", "--redact", "chats.visitor.email=hash")
    assert ended(started(config, *options, ZENDESK_CHAT_HASH_KEY="k" * 16))[0] == 0
    assert json.loads(config.read_text()) == {**given, "credentials": STORED}


def test_processes_that_renew_at_once_renew_once(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.inject(Fault(kind="latency", path="*/token", seconds=1, times=None))
    config = write(tmp_path / "config.json", sandbox, EXPIRED)
    processes = [started(config, database=f"number-{number}") for number in range(2)]
    assert [ended(process)[0] for process in processes] == [0, 0]
    assert renewals(sandbox) == 1
    assert json.loads(config.read_text())["credentials"] == STORED


def test_a_signal_during_a_renewal_loses_no_tokens(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.inject(Fault(kind="latency", path="*/token", seconds=1.5))
    config = write(tmp_path / "config.json", sandbox, EXPIRED)
    process = started(config)
    deadline = time.monotonic() + 30
    while not sandbox.requests and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)  # for the refusal of the old token, and for the request for a new one
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 143
    assert renewals(sandbox) == 1
    assert json.loads(config.read_text())["credentials"] == STORED
    assert ended(started(config))[0] == 0


def test_a_wrong_secret_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    config = write(tmp_path / "config.json", sandbox, {**CLIENT, "client_secret": "wrong-secret"})
    code, output = ended(started(config))
    assert code != 0
    assert "Zendesk rejected the OAuth client (HTTP 401). Its client ID or client secret is wrong" in output
    assert "refresh token" not in output
    assert "wrong-secret" not in output


def test_the_last_resort_waits_for_renewals(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[object] = []

    def settle_all(seconds: float) -> bool:
        happened.append(seconds)
        return True

    monkeypatch.setattr("zendesk_chat.api.auth.settle_all", settle_all)
    monkeypatch.setattr("time.sleep", happened.append)
    monkeypatch.setattr("os._exit", happened.append)
    end_at_once(143)
    assert happened == [15.0, 1, 143]
