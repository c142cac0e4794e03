"""The status of a DuckDB file: its account, its last run, and how complete each stream is."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console

from tests.support.clock import FakeClock
from tests.support.elsewhere import open_elsewhere
from tests.support.synced import add_run, change, synced
from zendesk_chat.cli import main, make_parser
from zendesk_chat.load.file.stored import open_stored
from zendesk_chat.load.status import read_status, run_status
from zendesk_chat.load.status_report import age_in_words, print_status

NOON = 1_795_176_000.0  # 2026-11-20T12:00:00Z
REACHED = "2026-11-20T09:59:30Z"
DONE = [("agents", "complete", "7", None), ("chats", "complete", REACHED, None), ("goals", "complete", None, None)]


def status(path: Path | str, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str, str]:
    parsed = make_parser().parse_args(["status", str(path), *options])
    code = run_status(parsed, FakeClock(NOON))
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def as_json(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    code, out, err = status(path, capsys, "--json", *options)
    assert err == ""
    return code, json.loads(out)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of three streams, complete two hours ago."""
    path = synced(tmp_path / "chats.duckdb")
    add_run(path, 1, "2026-11-20 09:59:19+00", "2026-11-20 10:00:00+00", DONE)
    change(path, "CREATE TABLE chats AS SELECT range AS id FROM range(1234)", "CREATE TABLE agents AS SELECT 1 AS id")
    return path


def test_a_complete_file(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = status(path, capsys)
    assert (code, err) == (0, "")
    assert [line.rstrip() for line in out.splitlines()] == [
        "account    acme (account key key-1), time zone Europe/Lisbon",
        "last run   complete, started 2026-11-20 09:59:19 UTC, 41 s, version 1.2.3",
        "",
        "stream   rows             complete  age  reached               last run",
        "agents      1  2026-11-20 10:00:00  2 h  7                     complete",
        "chats   1,234  2026-11-20 10:00:00  2 h  2026-11-20T09:59:30Z  complete",
        "goals          2026-11-20 10:00:00  2 h                        complete",
    ]


def test_it_is_the_same_as_json(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = as_json(path, capsys)
    assert code == 0
    assert found["streams"][1] == {
        "stream": "chats",
        "rows": 1234,
        "completed_at": NOON - 7200,
        "age_seconds": 7200.0,
        "redacted": "no",
        "reached": REACHED,
        "run": 1,
        "result": "complete",
        "error": None,
    }
    assert [stream["rows"] for stream in found.pop("streams")] == [1, 1234, None]
    assert found == {
        "complete": True,
        "problems": [],
        "file": str(path),
        "schema": "main",
        "subdomain": "acme",
        "account_key": "key-1",
        "time_zone": "Europe/Lisbon",
        "last_run": {
            "run": 1,
            "started_at": NOON - 7241,
            "ended_at": NOON - 7200,
            "seconds": 41.0,
            "version": "1.2.3",
            "result": "complete",
            "exit_code": 0,
        },
    }


@pytest.mark.parametrize(
    ("width", "titles"),
    [
        (100, ["stream", "rows", "complete", "age", "reached", "last", "run"]),
        (60, ["stream", "rows", "complete", "age", "last", "run"]),
        (40, ["stream", "rows", "age", "last", "run"]),
    ],
)
def test_a_narrow_terminal_gets_fewer_columns(path: Path, width: int, titles: list[str]) -> None:
    with open_stored(str(path), "main") as stored:
        found = read_status(stored, NOON)
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    print_status(found, [], console)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("stream"))
    assert lines[start].split() == titles
    assert max(map(len, lines[start:])) <= width


@pytest.mark.parametrize(("age", "code"), [("2h", 0), ("7200s", 0), ("120m", 0), ("1d", 0), ("119m", 1), ("7199s", 1)])
def test_a_maximum_age(path: Path, capsys: pytest.CaptureFixture[str], age: str, code: int) -> None:
    found, shown = as_json(path, capsys, "--max-age", age)
    assert found == code
    sentence = "Last completed too long ago: agents, chats and goals. Run `sync`."
    assert shown["problems"] == ([sentence] if code else [])


@pytest.mark.parametrize("age", ["2", "h", "two hours", "-2h", "2 h", "1w", "٢h", "9999999999s"])
def test_an_age_that_is_none(path: Path, capsys: pytest.CaptureFixture[str], age: str) -> None:
    with pytest.raises(SystemExit) as exited:
        main(["status", str(path), f"--max-age={age}"])
    assert exited.value.code == 2
    assert "Use a number and a unit, such as 90s, 30m, 2h or 1d" in capsys.readouterr().err


def test_a_stream_that_failed(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failed = ("chats", "failed", "2026-11-20T11:00:00Z", "Zendesk answers 500. Run again later.")
    add_run(path, 2, "2026-11-20 11:00:00+00", "2026-11-20 11:00:05+00", [DONE[0], failed], "incomplete")
    code, out, _ = status(path, capsys)
    assert code == 1
    lines = [line.rstrip() for line in out.splitlines()]
    assert "agents      1  2026-11-20 11:00:05  59 min  7                     complete" in lines
    assert "chats   1,234  2026-11-20 10:00:00     2 h  2026-11-20T11:00:00Z  failed" in lines
    assert "goals          2026-11-20 10:00:00     2 h                        (earlier: complete)" in lines
    assert lines[-2:] == [
        "chats: Zendesk answers 500. Run again later.",
        "The last run did not complete chats. Run `sync` again.",
    ]


def test_a_stream_that_the_account_lacks_is_no_problem(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lacking = ("agent_events", "not available", None, "Zendesk does not offer it (HTTP 404).")
    add_run(path, 2, "2026-11-20 11:59:00+00", "2026-11-20 11:59:05+00", [*DONE, lacking])
    code, found = as_json(path, capsys, "--max-age", "1m")
    assert (code, found["problems"]) == (0, [])
    code, out, _ = status(path, capsys)
    assert "agent_events: Zendesk does not offer it (HTTP 404)." in out


def test_a_run_without_an_end_was_killed(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_run(path, 2, "2026-11-20 11:00:00+00", None, [], "running")
    code, found = as_json(path, capsys)
    assert code == 1
    assert found["last_run"]["result"] == "interrupted"
    assert found["last_run"]["seconds"] is None
    assert found["problems"] == ["The last run was interrupted. Run `sync` again to resume."]


def test_a_file_without_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = status(synced(tmp_path / "new.duckdb", account_key=None), capsys)
    assert code == 1
    assert out == "account    acme, time zone Europe/Lisbon\nlast run   none\n\nNo run has started yet. Run `sync`.\n"


def test_two_accounts_in_one_file(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    synced(path, schema="order 1", subdomain="globex")
    assert as_json(path, capsys)[1]["subdomain"] == "acme"
    code, found = as_json(path, capsys, "--schema", "order 1")
    assert (code, found["subdomain"], found["streams"]) == (1, "globex", [])


def test_a_schema_without_a_sync(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = synced(tmp_path / "eu.duckdb", schema="acme")
    code, out, err = status(path, capsys)
    assert (code, out) == (1, "")
    assert err == (
        f"error: {path} contains no synced data in the schema main. `sync` has written to: acme. Choose one with --schema.\n"
    )


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "none.duckdb"
    code, _, err = status(path, capsys)
    assert code == 1
    assert err == f"error: {path} does not exist. Create it with `zendesk-chat sync`.\n"


def test_a_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = status(tmp_path, capsys)
    assert code == 2
    assert (
        err == f"error: {tmp_path} is a directory, and `status` reads only DuckDB files. Query other destinations with SQL.\n"
    )


def test_a_folder_or_an_sqlite_file_that_sync_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lake/zendesk_chat/_dlt_pipeline_state").mkdir(parents=True)
    code, _, err = status(tmp_path / "lake", capsys)
    assert (code, f"{tmp_path}/lake contains files that `sync` loaded, and `status` reads only DuckDB files." in err) == (
        2,
        True,
    )
    (tmp_path / "app.db").write_bytes(b"SQLite format 3\0" + bytes(84))
    code, _, err = status(tmp_path / "app.db", capsys)
    assert (code, f"{tmp_path}/app.db is an SQLite file, and `status` reads only DuckDB files." in err) == (2, True)


def test_another_kind_of_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no database, but long enough to be read as one" * 100)
    code, _, err = status(path, capsys)
    assert code == 1
    assert err == f"error: Failed while reading {path}: the file is not a DuckDB database.\n"


def test_a_database_of_another_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "own.duckdb"
    change(path, "CREATE TABLE chats AS SELECT 1 AS id")
    code, _, err = status(path, capsys)
    assert code == 1
    assert err == (f"error: {path} contains no synced data in the schema main. `sync` has not written to this file yet.\n")


def test_another_database(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = status("postgres://user:secret@host/db", capsys)
    assert code == 2
    assert err.startswith("error: `status` reads only DuckDB files")
    assert "secret" not in err


def test_a_file_that_another_program_writes(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_elsewhere(path):
        code, _, err = status(path, capsys)
    assert code == 1
    assert re.fullmatch(
        rf"error: {re.escape(str(path))} is open in .* \(process \d+\)\. Try again when it has finished\.\n", err
    )


def test_status_changes_nothing(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = path.read_bytes()
    status(path, capsys)
    assert path.read_bytes() == before
    with duckdb.connect(str(path)) as connection:
        assert connection.sql("SELECT count(*) FROM chats").fetchall() == [(1234,)]


def test_it_imports_little(path: Path) -> None:
    program = "import sys; from zendesk_chat.cli import main; main(sys.argv[1:]); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program, "status", str(path)], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "duckdb" in loaded
    assert loaded.isdisjoint({"dlt", "pyarrow", "pandas", "urllib3"})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min"), (3600, "1 h"), (7500, "2 h 5 min"), (86_400, "1 d"), (273_600, "3 d 4 h")],
)
def test_an_age_in_words(seconds: float, words: str) -> None:
    assert age_in_words(seconds) == words
