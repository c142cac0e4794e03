"""docs/singer.md names the settings, streams, keys and options that exist."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from msgspec import convert

from tests.singer.target import discover_here
from tests.support.executable import ROOT
from zendesk_chat.config import CREDENTIALS_KEYS, TOP_KEYS
from zendesk_chat.singer.catalog import Selection, select, tap_streams
from zendesk_chat.singer.inputs import OLD_KEYS
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.tap import make_parser

TEXT = (ROOT / "docs/singer.md").read_text()
KEYS = {*TOP_KEYS, *(f"credentials.{name}" for name in CREDENTIALS_KEYS)} - {"credentials"}
FROM_LOGIN = {"credentials.access_token", "credentials.refresh_token", "credentials.token_expiry_date"}  # of no use in Meltano


JQ = shutil.which("jq")


def commands(heading: str) -> str:
    (block,) = re.findall(r"```bash\n(.*?)```", TEXT.partition(f"{heading}\n")[2].partition("\n#")[0], re.DOTALL)
    return str(block)


def rows(heading: str) -> list[list[str]]:
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]


def test_the_project_has_every_setting() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    (extractor,) = yaml.safe_load(block)["plugins"]["extractors"]
    assert {setting["name"] for setting in extractor["settings"]} == KEYS - FROM_LOGIN


def test_the_table_has_every_stream_and_key() -> None:
    documented = {}
    for streams, key, how in rows("Streams and fields"):
        for name in re.findall(r"`(\w+)`", streams.partition(" (")[0]):
            documented[name] = (key.partition(";")[0], how == "completely")
    for entry in discover_here()["streams"]:
        key = ", ".join(f"`{field}`" for field in entry["key_properties"]) or "none"
        full_table = "forced-replication-method" in entry["metadata"][0]["metadata"]
        name = entry["tap_stream_id"]
        found = (key.replace("`agent_id`", "`id`").replace("`id`", "their id"), full_table) if full_table else (key, full_table)
        assert documented.pop(name) in {found, (key, full_table)}
    assert documented == {}


def test_the_table_has_every_option() -> None:
    documented = {option for row in rows("Without Meltano") for option in re.findall(r"`(-[-\w]+)", row[0])}
    options = {option for action in make_parser().actions for option in action.option_strings}
    assert documented == options - {"-h", "--help", "--version"}


def test_every_old_setting_is_named() -> None:
    assert [name for name in OLD_KEYS if f"`{name}`" not in TEXT] == []


@pytest.mark.skipif(JQ is None, reason="there is no jq")
def test_the_commands_select_streams_and_fields(tmp_path: Path) -> None:
    (tmp_path / "catalog.json").write_text(json.dumps(discover_here()))
    subprocess.run(["bash", "-euc", commands("### Select streams and fields")], cwd=tmp_path, check=True)
    selected = select(convert(json.loads((tmp_path / "catalog.json").read_text()), Selection), tap_streams(Catalog()))
    assert {stream.name for stream in selected} == {"agents", "chats", "chat_events"}
    (chats,) = [stream for stream in selected if stream.name == "chats"]
    assert STREAMS["chats"].schema.properties.keys() - chats.schema.properties.keys() == {"comment"}


@pytest.mark.parametrize(
    ("tap", "target", "code", "state"),
    [
        ("exit 0", "echo 1; echo 2", 0, "2\n"),
        ("exit 1", "echo 2", 1, "2\n"),
        ("exit 1", "true", 1, "{}\n"),
        ("exit 0", "exit 3", 3, "{}\n"),
    ],
)
def test_the_script_keeps_the_last_state_and_the_exit_code(
    tap: str, target: str, code: int, state: str, tmp_path: Path
) -> None:
    for name, script in (("tap-zendesk-chat", tap), ("target-jsonl", f"cat > messages; {target}")):
        (tmp_path / name).write_text(f"#!/bin/bash\n{script}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "state.json").write_text("{}\n")
    (script,) = re.findall(r"```bash\n(#!/bin/bash.*?)```", TEXT, re.DOTALL)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env={**os.environ, "PATH": path}, check=False)
    assert (done.returncode, (tmp_path / "state.json").read_text()) == (code, state)
