"""No traceback, ever: unwritable streams, unexpected errors and early interrupts end in one line and an exit code."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest

from tests.support.syncs import logged
from zendesk_chat import __main__ as entry
from zendesk_chat import cli
from zendesk_chat.errors import NO_THREAD
from zendesk_chat_sandbox import Sandbox

COMMAND: Final = Path(sys.executable).with_name("zendesk-chat")
FULL: Final = Path("/dev/full")
needs_full: Final = pytest.mark.skipif(not FULL.exists(), reason="only Linux has a full device")


def shell(line: str, cwd: Path, **environment: str) -> tuple[int, str, str]:
    """Run a line of a POSIX shell, in which ``$C`` is the command: exit code, stdout and stderr."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ZENDESK_CHAT_")}
    variables = clean | {"C": str(COMMAND)} | environment
    done = subprocess.run(["sh", "-c", line], cwd=cwd, env=variables, capture_output=True, text=True, check=False, timeout=100)
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def account() -> Iterator[dict[str, str]]:
    with Sandbox(chats=5) as sandbox:
        yield {"ZENDESK_CHAT_SUBDOMAIN": "acme", "ZENDESK_CHAT_TOKEN": sandbox.token, "ZENDESK_CHAT_API_URL": sandbox.url}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    with duckdb.connect(str(tmp_path / "chats.duckdb")) as connection:
        connection.execute("""CREATE TABLE goals AS SELECT 7 AS id, '{"caf\u00e9": 1}'::JSON AS _extra""")
        connection.execute("CREATE TABLE _sync_account (subdomain VARCHAR)")  # as in a file of sync
    return tmp_path / "chats.duckdb"


@needs_full
@pytest.mark.parametrize(
    "command", ["profile", "profile --json", "--help", "sync --help", "--version", "sandbox --port 0 --chats 3"]
)
def test_an_unwritable_stdout_is_one_line(command: str, database: Path) -> None:
    for redirection, cause in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
        code, _, printed = shell(f"$C {command} {redirection}", database.parent)
        assert code == 1
        assert re.fullmatch(rf"(zendesk-chat sandbox: )?error: .*{cause}\.?\n", printed), printed


@pytest.mark.parametrize("command", ["spec", "discover --config config.json"])
def test_a_closed_stdout_is_no_protocol(command: str, tmp_path: Path) -> None:
    code, _, printed = shell(f"$C {command} >&-", tmp_path)
    assert (code, printed) == (1, "The messages cannot be written to stdout: Bad file descriptor.\n")
    assert shell(f"$C {command} >&- 2>&- <&-", tmp_path) == (1, "", "")


def test_a_reader_that_reads_no_further_is_no_error(database: Path) -> None:
    for command in ("profile --json", "spec", "--help"):
        assert shell(f"$C {command} | true", database.parent) == (0, "", "")


@needs_full
@pytest.mark.parametrize(("to", "cause"), [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")])
def test_sync_with_an_unwritable_stdout_warns_and_succeeds(
    to: str, cause: str, tmp_path: Path, account: dict[str, str]
) -> None:
    code, _, printed = shell(f"$C sync --streams goals {to}", tmp_path, **account)
    assert code == 0
    warning = f"The result could not be written to standard output: {cause}. The load is not affected."
    assert warning in logged(printed, "WARNING")
    with duckdb.connect(str(tmp_path / "chats.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM goals").fetchall() == [(5,)]


def test_sync_succeeds_if_nobody_reads_its_result(tmp_path: Path, account: dict[str, str]) -> None:
    code, report, printed = shell("{ $C sync --streams goals; echo $? >code; } | true", tmp_path, **account)
    assert (code, report, logged(printed, "ERROR")) == (0, "", [])
    assert (tmp_path / "code").read_text() == "0\n"


@needs_full
@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&- <&-"])
def test_sync_continues_if_its_progress_cannot_be_printed(redirection: str, tmp_path: Path, account: dict[str, str]) -> None:
    code, report, _ = shell(f"$C sync --streams goals {redirection}", tmp_path, **account)
    assert code == 0
    assert report.splitlines()[1].split()[:2] == ["goals", "5"]


def test_characters_that_the_encoding_lacks_are_escaped(database: Path) -> None:
    code, shown, _ = shell("$C profile", database.parent, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert code == 0
    assert "caf\\xe9" in shown


def test_a_directory_that_is_gone(tmp_path: Path) -> None:
    code, _, printed = shell(
        "mkdir gone && cd gone && rmdir ../gone && $C sync --subdomain acme --token t --streams goals", tmp_path
    )
    assert code == 3
    assert logged(printed, "ERROR") == [
        "Failed while opening chats.duckdb: the current directory no longer exists. Change to another one."
    ]
    assert printed.count("\n") == 1


def test_an_argument_that_is_not_unicode(tmp_path: Path) -> None:
    for command in ("profile", "check --config", "sandbox --token"):
        code, shown, printed = shell(f"$C {command} \"$(printf 'n\\377')\"", tmp_path)
        assert (code, shown, printed) == (2, "", "error: This argument is not valid UTF-8: 'n\\udcff'\n")


def test_profile_of_other_files(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"a": 1}')
    (tmp_path / "text.db").write_text("no database " * 1000)
    sqlite3.connect(tmp_path / "lite.db").execute("CREATE TABLE goals (id)").connection.close()
    for name in ("config.json", "text.db", "lite.db"):
        code, _, printed = shell(f"$C profile {name}", tmp_path)
        assert (code, printed) == (1, f"error: Failed while reading {name}: the file is not a DuckDB database.\n")


@pytest.mark.parametrize(
    ("error", "printed"),
    [
        (ValueError("SECRET"), "error: Unexpected ValueError at test_last_resort.py:"),
        (RuntimeError("can't start new thread"), f"error: {NO_THREAD}\n"),
        (PermissionError(13, "Permission denied", "/x/y"), "error: /x/y: Permission denied.\n"),
        (MemoryError(), "error: This process is out of memory.\n"),
    ],
)
@pytest.mark.parametrize(
    ("command", "function"),
    [
        ("sync", "zendesk_chat.load.command.sync"),
        ("profile", "zendesk_chat.load.profile.run_profile"),
        ("sandbox", "zendesk_chat_sandbox.cli.main"),
    ],
)
def test_an_unexpected_error_is_one_line(
    command: str,
    function: str,
    error: Exception,
    printed: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: Any) -> int:
        raise error

    monkeypatch.setattr(function, fail)
    assert cli.main([command]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(printed)
    assert shown.err.count("\n") == 1
    assert "SECRET" not in shown.err


def test_an_interrupt_before_signals_are_handled(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", interrupt)
    assert entry.main() == 130


def test_profile_animates_nothing_without_a_terminal(database: Path) -> None:
    code, _, printed = shell("$C profile", database.parent, FORCE_COLOR="1", TERM="xterm-256color")
    assert code == 0
    assert "opening the database" not in printed
    assert "\x1b" not in printed
