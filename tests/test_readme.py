"""Every command of the README runs, and prints what the README shows where that does not depend on the day."""

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

from zendesk_chat.config import parse_config
from zendesk_chat.redaction.rules import parse_redaction
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat_sandbox import Sandbox, Switches

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BIN = Path(sys.executable).parent
(HASH_KEY,) = re.findall(r"^\$ export ZENDESK_CHAT_HASH_KEY=(\S+)$", README, re.MULTILINE)
COMMANDS = [
    line.removeprefix("$ ").partition("#")[0].strip()
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if re.match(r"\$ (source-)?zendesk-chat ", line) and " sandbox" not in line and "--subdomain demo" not in line
]


@pytest.fixture(scope="module")
def account() -> Iterator[Sandbox]:
    with Sandbox(chats=200, switches=Switches(rate_limit=0)) as sandbox:
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
        "ZENDESK_CHAT_HASH_KEY": HASH_KEY,
        "PATH": f"{BIN}:{os.environ['PATH']}",
    }
    arguments = shlex.split(command.replace("/data/", f"{folder}/"))
    return subprocess.run(arguments, cwd=folder, env=os.environ | account, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_works(command: str, tmp_path: Path, account: Sandbox) -> None:
    if any(name in command for name in (" profile", " status", " verify")):
        run("zendesk-chat sync --streams bans", tmp_path, account)
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
    table = README.split("| stream | endpoint |")[1].split("\n\n")[0]
    rows = [re.split(r" ?(?<!\\)\| ?", line)[1:-1] for line in table.splitlines()[2:]]
    assert [re.findall(r"\w+", row[0])[0] for row in rows] == list(STREAMS)
    for name, (first, endpoint, key, cursor, requests) in zip(STREAMS, rows, strict=True):
        stream = STREAMS[name]
        assert re.findall(r"^`(\w+)`", key) == list(stream.primary_key)
        assert re.findall(r"^`(\w+)`", cursor) == [stream.cursor_field] * (stream.cursor_field is not None)
        assert first == f"`{name}`" + " (1)" * stream.optional
        assert (endpoint == "pages of `chats`") == (requests == "0") == (stream.extraction is not None)
    assert f"{len(STREAMS)} streams" in README
    assert f"the {sum(stream.extraction is None for stream in STREAMS.values())} endpoints" in README


def test_the_settings_are_those_of_the_spec() -> None:
    spec = json.loads((ROOT / "src/zendesk_chat/airbyte/spec.json").read_bytes())
    table = README.split("| key | meaning | default |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(spec["connectionSpecification"]["properties"])
    (example,) = re.findall(r"`(\{\"rules\".*?\})`", table)
    assert parse_redaction(json.loads(example.replace("...", HASH_KEY)))


def test_what_is_redacted_is_as_shown(tmp_path: Path) -> None:
    (command,) = [command for command in COMMANDS if "--redact" in command]
    sent, loaded = zip(*re.findall(r"^\| `(\".*?)` \| `(\".*?)` \|$", README, re.MULTILINE), strict=True)
    message, email, phone, session = (json.loads(f"{{{part}}}") for part in sent)
    with Sandbox(chats=3) as sandbox:
        chat = sandbox.account.chat_ids()[0]
        visitor = {"id": "1.a"} | email | phone
        sandbox.account.edit_chat(chat, visitor=visitor, session=session, history=[{"type": "chat.msg"} | message])
        assert run(command, tmp_path, sandbox).returncode == 0
    with duckdb.connect(str(tmp_path / "chats.duckdb"), read_only=True) as database:
        (found,) = database.execute("SELECT to_json(chats) FROM chats WHERE id = ?", [chat]).fetchall()
        (shown,) = database.execute("SELECT to_json(visitors) FROM visitors WHERE last_chat_id = ?", [chat]).fetchall()
    for part in loaded:
        assert part in found[0]
    assert all(part in shown[0] for part in loaded[1:])
    assert not [text for text in (email["email"], phone["phone"], session["ip"]) if text in found[0] + shown[0]]


def test_the_query_and_the_profile_print_this(tmp_path: Path, account: Sandbox) -> None:
    ((query, shown),) = re.findall(r"```sql\n(.*?)```\n\n```text\n(.*?)```", README, re.DOTALL)
    run("zendesk-chat sync", tmp_path, account)
    with duckdb.connect(str(tmp_path / "chats.duckdb"), read_only=True) as database:
        cursor = database.execute(query)
        assert [column[0] for column in cursor.description or ()] == shown.splitlines()[0].split()
        assert len(cursor.fetchall()) == len(shown.splitlines()) - 1
    (block,) = re.findall(r"\$ zendesk-chat profile\n(.*?)```", README, re.DOTALL)
    printed = run("zendesk-chat profile", tmp_path, account).stdout
    words = {tuple(line.split()[:2]) for line in printed.splitlines()}
    assert block.split("\n")[0].split() == printed.split("\n")[0].split()
    columns = [line.split() for line in block.split("\nbans\n")[1].splitlines() if line != "..."]
    assert {tuple(line[:2]) for line in columns} <= words


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
