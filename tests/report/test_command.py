"""The command: where it writes, what it prints, and what it refuses."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
import webbrowser
from pathlib import Path

import duckdb
import pytest

from tests.support.elsewhere import open_elsewhere
from tests.support.executable import ROOT, environment
from tests.support.reports import account_file, report
from zendesk_chat.report import command

LINE = "6 chats, 7 March to 5 April 2026 (UTC), "


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return account_file(tmp_path / "acme.duckdb")


def failure(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    code = report(*arguments)
    shown = capsys.readouterr()
    assert shown.out == ""
    return code, shown.err.removeprefix("error: ").rstrip("\n")


def test_it_writes_one_page_and_prints_one_line(database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "monday.html"
    assert report(database, "-o", page) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.startswith(f"{page}: {LINE}")
    assert shown.out.count("\n") == 1
    text = page.read_text()
    assert text.startswith("<!DOCTYPE html>")
    assert text.rstrip().endswith("</html>")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["acme.duckdb", "monday.html"]


def test_the_page_goes_to_stdout_on_demand(database: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "zendesk_chat", "report", str(database), "-o", "-"]
    empty = tmp_path / "home"
    empty.mkdir(mode=0o500)
    variables = environment(HOME=str(empty), PYTHONPATH=str(ROOT / "src"))
    done = subprocess.run(command, cwd=empty, env=variables, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"<!DOCTYPE html>")
    assert list(empty.iterdir()) == []


def test_the_figures_as_json(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(database, "--json", "--days", "7") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["period"]["now"] == {"start": "2026-03-30", "end": "2026-04-05"}
    assert (found["now"]["chats"], found["now"]["good_share"]) == (1, 1.0)
    assert found["goals"] == [{"id": "500", "name": "Checkout", "conversions": 1, "converted_chats": 1}]


def test_an_older_report_is_replaced_with_its_mode_and_through_its_link(database: Path, tmp_path: Path) -> None:
    old, link = tmp_path / "old.html", tmp_path / "link.html"
    old.write_text("old")
    old.chmod(0o640)
    link.symlink_to(old)
    assert report(database, "-o", link) == 0
    assert link.is_symlink()
    assert old.read_text().startswith("<!DOCTYPE html>")
    assert stat.S_IMODE(old.stat().st_mode) == 0o640


def test_a_new_report_has_the_mode_of_any_new_file(database: Path, tmp_path: Path) -> None:
    (tmp_path / "any").write_text("")
    report(database, "-o", tmp_path / "new.html")
    assert (tmp_path / "new.html").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_a_pipe_gets_the_page(database: Path, tmp_path: Path) -> None:
    pipe, received = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    assert report(database, "-o", pipe) == 0
    reader.join(10)
    assert received[0].startswith(b"<!DOCTYPE html>")


def test_a_failed_write_leaves_the_old_report(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "report.html"
    old.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    code, message = failure(capsys, database, "-o", old)
    assert (code, message) == (1, f"{old} cannot be written: No space left on device. Name another file with -o.")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["acme.duckdb", "report.html"]
    assert old.read_text() == "old"


def test_outputs_that_would_destroy_something_are_refused(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, message = failure(capsys, database, "-o", tmp_path)
    assert (code, message) == (2, f"-o {tmp_path} is a directory. Name a file in it, such as {tmp_path}/report.html.")
    code, message = failure(capsys, database, "-o", tmp_path / "none" / "report.html")
    assert (code, message) == (2, f"-o {tmp_path}/none/report.html: the directory {tmp_path}/none does not exist.")
    link = tmp_path / "link.html"
    link.symlink_to(database)
    code, message = failure(capsys, database, "-o", link)
    assert (code, message) == (2, f"-o {link} is the database itself. Name another file for the report.")
    with duckdb.connect(str(database), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM chats").fetchall() == [(9,)]


def test_the_browser_opens_on_demand(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def no_browser(url: str) -> bool:
        opened.append(url)
        return False

    monkeypatch.setattr(webbrowser, "open", no_browser)
    page = tmp_path / "a report.html"
    assert report(database, "-o", page, "--open") == 0
    assert opened == [page.as_uri()]
    assert capsys.readouterr().err == f"warning: No browser was found. Open {page} in a browser.\n"
    code, message = failure(capsys, database, "-o", "-", "--open")
    assert (code, message) == (2, "--open needs a file, so it cannot be combined with --json or -o -.")


def test_files_that_hold_no_sync_are_refused_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing, foreign, damaged = tmp_path / "none.duckdb", tmp_path / "foreign.duckdb", tmp_path / "damaged.duckdb"
    output = tmp_path / "report.html"
    with duckdb.connect(str(foreign)) as connection:
        connection.execute("CREATE TABLE mine AS SELECT 1 AS one")
    damaged.write_bytes(foreign.read_bytes()[:5000])
    code, message = failure(capsys, missing, "-o", output)
    assert (code, message) == (1, f"{missing} does not exist. Create it with `zendesk-chat sync`.")
    code, message = failure(capsys, foreign, "-o", output)
    assert (code, message) == (
        1,
        f"{foreign} contains no synced data in the schema main. `sync` has not written to this file yet.",
    )
    code, message = failure(capsys, damaged, "-o", output)
    assert code == 1
    assert "damaged" in message
    code, message = failure(capsys, "postgres://host/db", "-o", output)
    assert (code, "`report` reads only DuckDB files" in message) == (2, True)
    assert not output.exists()


def test_a_schema_without_a_sync_names_those_that_have_one(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, message = failure(capsys, database, "--schema", "other", "--json")
    assert (code, message) == (
        1,
        f"{database} contains no synced data in the schema other. `sync` has written to: main. Choose one with --schema.",
    )


def test_a_file_that_a_sync_has_open_is_named_with_the_process(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_elsewhere(database):
        code, message = failure(capsys, database, "--json")
    assert code == 1
    assert "is open in" in message
    assert "Try again when it has finished." in message


@pytest.mark.parametrize("days", ["0", "-1", "3661", "soon", "1e3", "٣"])
def test_days_that_are_no_number_of_days_are_refused(days: str, database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        report(database, "--days", days)
    assert ended.value.code == 2
    assert "Use a number from 1 to 3660" in capsys.readouterr().err


def test_an_unknown_time_zone_is_refused_with_the_one_that_was_meant(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, message = failure(capsys, database, "--time-zone", "Europe/Lisbonn", "--json")
    assert (code, "Did you mean Europe/Lisbon?" in message) == (2, True)


def test_nothing_is_written_beside_the_report(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = database.read_bytes()
    assert report(database) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["acme.duckdb", "report.html"]
    assert database.read_bytes() == before


def test_a_page_that_is_written_elsewhere_is_complete_at_once(tmp_path: Path) -> None:
    target = tmp_path / ("n" * 250)
    command.write_atomically(target, b"content")
    assert target.read_bytes() == b"content"


@pytest.fixture
def accounts(tmp_path: Path, database: Path) -> Path:
    """An accounts file: a synced account, one that was never synced, and one more that is synced."""
    account_file(tmp_path / "second.duckdb")
    file = tmp_path / "accounts.toml"
    names = f'to = "{tmp_path}/{{account}}.duckdb"\ntoken_env = "TOKEN_{{account}}"\n'
    file.write_text(names + "[accounts.acme]\n[accounts.never]\n[accounts.second]\n")
    return file


def test_each_account_gets_a_report_and_one_that_fails_affects_no_other(
    accounts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = report("--accounts", accounts)
    shown = capsys.readouterr()
    assert code == 1
    assert [line.partition(", ")[0] for line in shown.out.splitlines()] == [
        "report-acme.html: 6 chats",
        "report-second.html: 6 chats",
    ]
    assert shown.err.startswith("error: never: ")
    assert sorted(path.name for path in tmp_path.glob("*.html")) == ["report-acme.html", "report-second.html"]


def test_only_some_accounts_get_a_report_where_it_is_named(
    accounts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report("--accounts", accounts, "--only", "second", "-o", tmp_path / "{account}-monday.html") == 0
    assert capsys.readouterr().err == ""
    assert [path.name for path in tmp_path.glob("*.html")] == ["second-monday.html"]


def test_options_that_do_not_go_with_accounts_are_refused(accounts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = "each account needs a file of its own. Add {account}, such as report-{account}.html."
    assert failure(capsys, "--accounts", accounts, "-o", "-") == (2, f"-o -: {own}")
    assert failure(capsys, "--accounts", accounts, "-o", "all.html") == (2, f"-o all.html: {own}")
    assert failure(capsys, "--accounts", accounts, "--json")[1].startswith("--json prints the figures of one account.")
    assert failure(capsys, accounts, "--accounts", accounts)[1].startswith(
        "FILE is for one account, but --accounts is for several."
    )
    assert failure(capsys, "--only", "acme")[1] == "--only chooses accounts of a file. Name that file with --accounts."
