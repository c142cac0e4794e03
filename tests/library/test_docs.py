"""The blocks of docs/library.md and docs/dlt.md run one after another and print the output below them; so do the examples."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.in_process import assert_complete
from tests.support.sandbox import OAUTH, truth
from zendesk_chat.config import ENVIRONMENT
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat_sandbox import Sandbox

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs/library.md").read_text()
PAGE_OF_DLT = (ROOT / "docs/dlt.md").read_text()
MARK = "--- next block"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(chats=300, history_until="2026-03-01T12:00:00Z") as running:
        yield running


def python(*arguments: str | Path, sandbox: Sandbox, cwd: Path) -> str:
    """Run a script with the sandbox as the account of the environment; return what it printed."""
    account = dict(zip(ENVIRONMENT.values(), ["acme", sandbox.token, sandbox.url], strict=True))
    quiet = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "DLT_DATA_DIR": str(cwd / "dlt")}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=os.environ | account | quiet,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def run_blocks(page: str, sandbox: Sandbox, folder: Path) -> int:
    """Run the blocks of a page, and compare what they print. Return how many there are."""
    blocks = re.findall(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", page, re.DOTALL)
    (folder / "page.py").write_text("".join(f"{code}\nprint({MARK!r})\n" for code, _ in blocks))
    printed = python("page.py", sandbox=sandbox, cwd=folder).split(f"{MARK}\n")[:-1]
    for (code, shown), real in zip(blocks, printed, strict=True):
        assert not shown or shown == real, code
    return len(blocks)


def test_the_page_does_what_it_describes(sandbox: Sandbox, tmp_path: Path) -> None:
    config = {"subdomain": "acme", "api_url": sandbox.url, "credentials": OAUTH}
    (tmp_path / "config.json").write_text(json.dumps(config))
    for name in ("acme", "globex"):
        (tmp_path / f"{name}.json").write_text(
            json.dumps({"subdomain": name, "access_token": f"token of {name}".replace(" ", "-")})
        )
    assert run_blocks(PAGE, sandbox, tmp_path) >= 9
    lines = [json.loads(line) for line in (tmp_path / "chats.jsonl").read_text().splitlines()]
    assert sorted(chat["id"] for chat in lines) == sorted(sandbox.account.chat_ids())
    rotated = json.loads((tmp_path / "config.json").read_text())
    assert rotated["credentials"]["refresh_token"] != OAUTH["refresh_token"]


def test_the_page_about_dlt_does_what_it_describes(sandbox: Sandbox, tmp_path: Path) -> None:
    assert run_blocks(PAGE_OF_DLT, sandbox, tmp_path) >= 3


def test_the_pipeline_of_the_page_takes_the_account_from_the_files(sandbox: Sandbox, tmp_path: Path) -> None:
    config, secrets = re.findall(r"```toml\n# (?:\S+)[^\n]*\n(.*?)```", PAGE_OF_DLT, re.DOTALL)
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt/config.toml").write_text(f'{config}api_url = "{sandbox.url}"\n')
    (tmp_path / ".dlt/secrets.toml").write_text(secrets.replace("...", sandbox.token))
    printed = python(ROOT / "examples/zendesk_chat_pipeline.py", sandbox=sandbox, cwd=tmp_path)
    counts = dict(line.split() for line in printed.splitlines())
    streams = tomllib.loads(config)["sources"]["zendesk_chat"]["streams"]
    assert {name for name in counts if not name.startswith("_dlt")} == set(streams)
    assert {name: int(counts[name]) for name in ("agents",)} == {"agents": len(truth(sandbox, "agents"))}


def test_the_names_on_the_page_exist() -> None:
    import zendesk_chat

    errors = set(re.findall(r"`(\w+Error)`", PAGE))
    assert len(errors) >= 9
    assert errors | set(re.findall(r"zendesk_chat\.(\w+)\(", PAGE)) <= set(zendesk_chat.__all__)


def test_the_example_writes_every_stream_and_then_what_changed(sandbox: Sandbox, tmp_path: Path) -> None:
    first = python(ROOT / "examples/json_lines.py", "out", sandbox=sandbox, cwd=tmp_path)
    assert first.splitlines()[list(STREAMS).index("chats")].split() == ["chats", "300", "complete"]
    edited = sandbox.account.chat_ids()[0]
    sandbox.account.edit_chat(edited, comment="Edited")
    second = python(ROOT / "examples/json_lines.py", "out", sandbox=sandbox, cwd=tmp_path)
    assert second.splitlines()[list(STREAMS).index("chats")].split() == ["chats", "1", "complete"]
    parts = [name for name, stream in STREAMS.items() if stream.parent_field]
    again = {name: sum(part["chat_id"] == edited for part in truth(sandbox, name)) for name in parts}
    for name in STREAMS:
        records = [json.loads(line) for line in (tmp_path / f"out/{name}.jsonl").read_text().splitlines()]
        assert_complete(sandbox, name, records)
        assert len(records) == len(truth(sandbox, name)) + again.get(name, name in {"chats", "visitors"})
