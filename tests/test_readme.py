"""README's query, table and demo hold; tests/test_docs_console.py runs its commands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.support.pages import ROOT, run
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat_sandbox import Sandbox, Switches

README = (ROOT / "README.md").read_text()
MOST_LINES = 110


def test_the_readme_is_short_and_counts_the_streams() -> None:
    assert len(README.splitlines()) < MOST_LINES
    assert f"{len(STREAMS)} streams" in README


def test_the_query_returns_the_columns_and_rows_that_are_shown(tmp_path: Path) -> None:
    ((query, shown),) = re.findall(r"```sql\n(.*?)```\n\n```text\n(.*?)```", README, re.DOTALL)
    with Sandbox(chats=1200, switches=Switches(rate_limit=0)) as sandbox:
        assert run("zendesk-chat sync --streams chats,departments", tmp_path, sandbox).returncode == 0
    with duckdb.connect(str(tmp_path / "chats.duckdb"), read_only=True) as database:
        cursor = database.execute(query)
        assert [column[0] for column in cursor.description or ()] == shown.splitlines()[0].split()
        assert len(cursor.fetchall()) == len(shown.splitlines()) - 1


@pytest.mark.long
def test_the_demo_loads_an_account_and_then_its_changes(tmp_path: Path) -> None:
    """As `make demo` twice."""
    outputs = []
    for _ in range(2):
        command = [sys.executable, str(ROOT / "examples/demo.py")]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
        assert done.stdout.splitlines()[0].startswith("Starting a simulated Zendesk Chat account with 6,000 chats")
        assert f"Open the report in a browser: {(tmp_path / 'demo.html').as_uri()}" in done.stdout
        assert "<title>" in (tmp_path / "demo.html").read_text()
    loaded = [re.findall(r"^(agents|chats) +([\d,]+) ", output, re.MULTILINE) for output in outputs]
    assert loaded == [[("agents", "250"), ("chats", "6,000")], [("agents", "1"), ("chats", "65")]]
    with duckdb.connect(str(tmp_path / "demo.duckdb"), read_only=True) as database:
        assert database.execute("SELECT count(*), count(DISTINCT id) FROM chats").fetchone() == (6040, 6040)
