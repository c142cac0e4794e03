"""What a user sees of a sync: on terminals of several widths, and where there is none."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.syncs import logged
from tests.support.terminal import Screen, on_terminal
from zendesk_chat_sandbox import Sandbox

pytestmark = pytest.mark.long

COMMAND = Path(sys.executable).with_name("zendesk-chat")
SYNC: list[str | Path] = [COMMAND, "sync", "--streams", "agents,chats,goals"]
ROWS = [["agents", "250"], ["chats", "1,500"], ["goals", "5"]]


@pytest.fixture(scope="module")
def account() -> Iterator[Sandbox]:
    with Sandbox(chats=1500) as sandbox:
        yield sandbox


def environment(sandbox: Sandbox, **more: str) -> dict[str, str]:
    ours = {"ZENDESK_CHAT_SUBDOMAIN": "acme", "ZENDESK_CHAT_TOKEN": sandbox.token, "ZENDESK_CHAT_API_URL": sandbox.url}
    clean = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR")}
    return clean | ours | {"TERM": "xterm-256color"} | more


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_terminal_holds_the_table_and_one_line_after_the_run(columns: int, account: Sandbox, tmp_path: Path) -> None:
    code, written = on_terminal(SYNC, columns, tmp_path, environment(account))
    assert code == 0
    assert re.search(r"chats +.*(waiting|reading|left|complete)", written)
    assert all(len(line) <= columns for line in re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", written).splitlines()[:-1])
    screen = Screen()
    screen.feed(written)
    *table, last = screen.text
    assert table[0].split()[0] == "stream"
    assert [line.split()[:2] for line in table[1:]] == ROWS
    assert re.fullmatch(r"1,755 records in [\d.]+ s, saved in chats\.duckdb .*status chats\.duckdb", last)
    assert screen.cursor_shown


def test_no_colour_is_written_where_the_user_wants_none(account: Sandbox, tmp_path: Path) -> None:
    _, written = on_terminal(SYNC, 80, tmp_path, environment(account, NO_COLOR="1"))
    colours = [code for codes in re.findall(r"\x1b\[([\d;]*)m", written) for code in codes.split(";") if code]
    assert set(colours) <= {"0", "1", "39", "49"}, "bold, and the terminal's own colours"


def test_a_dumb_terminal_gets_no_animation(account: Sandbox, tmp_path: Path) -> None:
    code, written = on_terminal(SYNC, 80, tmp_path, environment(account, TERM="dumb"))
    lines = written.splitlines()
    assert (code, lines[0]) == (0, "Loading acme into chats.duckdb: 3 streams")
    assert "\x1b" not in written
    assert lines[1].split()[0] == "stream"


@pytest.mark.parametrize("variables", [{}, {"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}])
def test_a_file_gets_a_dated_log_whatever_the_environment_claims(
    variables: dict[str, str], account: Sandbox, tmp_path: Path
) -> None:
    done = subprocess.run(
        SYNC, cwd=tmp_path, env=environment(account, **variables), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    started, result = logged(done.stderr, "INFO")
    assert done.stderr.count("\n") == 2
    assert started == "Loading acme into chats.duckdb: 3 streams"
    assert result.startswith("1,755 records in ")


def test_an_error_on_a_terminal_begins_with_its_kind_and_is_there_once(account: Sandbox, tmp_path: Path) -> None:
    code, written = on_terminal([COMMAND, "sync"], 80, tmp_path, environment(account, ZENDESK_CHAT_TOKEN="wrong"))
    screen = Screen()
    screen.feed(written)
    assert code == 3
    assert len(screen.text) == 1
    assert screen.text[0].startswith("error: Zendesk Chat rejected the token (HTTP 401).")


def test_one_file_for_both_outputs_has_the_result_once(account: Sandbox, tmp_path: Path) -> None:
    with (tmp_path / "all.log").open("w") as file:
        subprocess.run(SYNC, cwd=tmp_path, env=environment(account), stdout=file, stderr=file, check=True)
    lines = (tmp_path / "all.log").read_text().splitlines()
    assert lines[0].endswith(" INFO Loading acme into chats.duckdb: 3 streams")
    assert [line.split()[:2] for line in lines[2:-1]] == ROWS
    assert [line for line in lines if "1,755 records" in line] == [lines[-1]]
