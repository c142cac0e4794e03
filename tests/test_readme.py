"""Every command of the README runs, and prints what the README says where that does not depend on the day."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from source_zendesk_chat.config import parse_config
from source_zendesk_chat.streams.registry import STREAMS
from zendesk_chat_sandbox import Sandbox

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BIN = Path(sys.executable).parent
COMMANDS = [
    line.removeprefix("$ ").partition("#")[0].strip()
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ source-zendesk-chat") and " sandbox" not in line and "--subdomain demo" not in line
]


@pytest.fixture(scope="module")
def account() -> Iterator[Sandbox]:
    with Sandbox(chats=200) as sandbox:
        yield sandbox


def run(command: str, folder: Path, sandbox: Sandbox) -> subprocess.CompletedProcess[str]:
    """Run a command of the README as a user would, with the sandbox in place of the account."""
    credentials = {"credentials": "access_token", "access_token": sandbox.token}
    config = {"start_date": "2020-01-01T00:00:00Z", "subdomain": "acme", "credentials": credentials, "api_url": sandbox.url}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "catalog.json").write_text(json.dumps({"streams": [{"stream": {"name": "goals"}, "sync_mode": "full_refresh"}]}))
    (folder / "state.json").write_text("[]")
    account = {
        "ZENDESK_CHAT_SUBDOMAIN": "acme",
        "ZENDESK_CHAT_TOKEN": sandbox.token,
        "ZENDESK_CHAT_API_URL": sandbox.url,
        "PATH": f"{BIN}:{os.environ['PATH']}",
    }
    arguments = shlex.split(command.replace("/data/", f"{folder}/"))
    return subprocess.run(arguments, cwd=folder, env=os.environ | account, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_works(command: str, tmp_path: Path, account: Sandbox) -> None:
    done = run(command, tmp_path, account)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_check_prints_what_the_readme_shows(tmp_path: Path, account: Sandbox) -> None:
    (shown,) = [line for line in README.splitlines() if line.startswith('{"type":"CONNECTION_STATUS"')]
    assert run("source-zendesk-chat check --config config.json", tmp_path, account).stdout == shown + "\n"


def test_the_configuration_is_valid() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    assert parse_config(json.loads(shown)).subdomain == "acme"


def test_the_stream_table_is_true() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([\w/]+)` \| (.*?) \| (.*?) \|", README, re.MULTILINE)
    assert [row[0] for row in rows] == list(STREAMS)
    for name, _, key, cursor in rows:
        assert re.findall(r"^`(\w+)`", key) == list(STREAMS[name].primary_key)
        assert re.findall(r"^`(\w+)`", cursor) == [STREAMS[name].cursor_field] * (STREAMS[name].cursor_field is not None)


def test_the_demo_loads_an_account_and_then_its_changes(tmp_path: Path) -> None:
    """As `make demo` twice."""
    outputs = []
    for _ in range(2):
        command = [sys.executable, str(ROOT / "examples/demo.py")]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
    loaded = [re.findall(r"^(agents|chats) +([\d,]+) ", output, re.MULTILINE) for output in outputs]
    assert loaded == [[("agents", "250"), ("chats", "6,000")], [("agents", "1"), ("chats", "65")]]
    with duckdb.connect(str(tmp_path / "demo.duckdb"), read_only=True) as database:
        assert database.execute("SELECT count(*), count(DISTINCT id) FROM chats").fetchone() == (6040, 6040)
