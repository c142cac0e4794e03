"""``status --accounts`` shows all accounts in one table, and fails if any of them has a problem."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.elsewhere import open_elsewhere
from tests.support.synced import add_run, synced
from zendesk_chat.cli import main

FILE = """
to = "all.duckdb"
token_env = "UNUSED_{account}"
[accounts.acme]
to = "acme.duckdb"
[accounts.globex]
schema = "globex"
[accounts.initech]
schema = "initech"
"""
RUN = ("2026-11-20T10:00:00Z", "2026-11-20T10:01:00Z")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three accounts; acme's goals are not complete."""
    monkeypatch.chdir(tmp_path)
    Path("accounts.toml").write_text(FILE)
    add_run(
        synced(Path("acme.duckdb")), 1, *RUN, [("chats", "complete", None, None), ("goals", "failed", None, "no")], "incomplete"
    )
    for name in ("globex", "initech"):
        synced(Path("all.duckdb"), schema=name, subdomain=name)
        add_run(Path("all.duckdb"), 1, *RUN, [("chats", "complete", None, None)], schema=name)
    return tmp_path


def status(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, list[str]]:
    code = main(["status", "--accounts", "accounts.toml", *options])
    captured = capsys.readouterr()
    return code, (captured.out + captured.err).splitlines()


@pytest.mark.usefixtures("folder")
def test_each_account_has_a_row_and_each_problem_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = status(capsys)
    assert code == 1
    rows = [line.split() for line in lines[:4]]
    assert rows[0] == ["account", "last", "run", "ended", "age", "streams", "oldest"]
    assert [row[:4] for row in rows[1:]] == [
        ["acme", "incomplete", "2026-11-20", "10:01:00"],
        ["globex", "complete", "2026-11-20", "10:01:00"],
        ["initech", "complete", "2026-11-20", "10:01:00"],
    ]
    assert "1 of 2" in lines[1]
    assert lines[4:] == ["acme: The last run did not complete goals. Run `sync` again."]


@pytest.mark.usefixtures("folder")
def test_chosen_accounts_that_are_complete_are_good_unless_they_are_too_old(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(capsys, "--only", "globex,initech")[0] == 0
    code, lines = status(capsys, "--only", "globex,initech", "--max-age", "1s")
    assert code == 1
    assert [line.split()[1:3] for line in lines[1:3]] == [["too", "old"]] * 2
    assert lines[3:] == [
        "globex: Last completed too long ago: chats. Run `sync`.",
        "initech: Last completed too long ago: chats. Run `sync`.",
    ]


def test_files_that_cannot_be_read_are_problems_of_their_accounts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "acme.duckdb").unlink()
    with open_elsewhere(folder / "all.duckdb"):
        code, lines = status(capsys)
    assert code == 1
    assert [line.split() for line in lines[1:4]] == [
        ["acme", "never"],
        ["globex", "not", "readable"],
        ["initech", "not", "readable"],
    ]
    assert lines[4] == "acme: acme.duckdb does not exist. Create it with `zendesk-chat sync`."
    assert lines[5].startswith("globex: all.duckdb is open in ")


@pytest.mark.usefixtures("folder")
def test_accounts_elsewhere_are_not_read_and_not_fine(capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = '[accounts.{}]\nto = "{}"\n'
    more = elsewhere.format("hooli", "postgres://db.example.com/x") + elsewhere.format("pied", "sqlite:///x.sqlite")
    Path("accounts.toml").write_text(FILE + more)
    code, lines = status(capsys, "--only", "globex,hooli,pied", "--max-age", "9999d")
    assert code == 2
    assert [line.split()[:3] for line in lines[2:4]] == [["hooli", "not", "read"], ["pied", "not", "read"]]
    what = "2 accounts not read, because `status` reads only DuckDB files."
    assert lines[4:] == [f"{what} Query them with SQL, and select the others with --only."]
    assert status(capsys, "--only", "acme,hooli")[0] == 1
    code, lines = status(capsys, "--only", "hooli", "--json")
    assert (code, json.loads("\n".join(lines))["complete"]) == (2, False)


@pytest.mark.usefixtures("folder")
def test_json_has_an_object_for_each_account(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = status(capsys, "--json")
    found = json.loads("\n".join(lines))
    assert (code, found["complete"]) == (1, False)
    assert [(account["account"], account["subdomain"], account["complete"]) for account in found["accounts"]] == [
        ("acme", "acme", False),
        ("globex", "globex", True),
        ("initech", "initech", True),
    ]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("options", "given"), [(("x.duckdb",), "FILE"), (("--schema", "x"), "--schema")])
def test_what_names_one_account_is_refused(options: tuple[str, ...], given: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, (line,) = status(capsys, *options)
    assert code == 2
    assert line == f"error: {given} is for one account, but --accounts is for several. Remove one of them."
