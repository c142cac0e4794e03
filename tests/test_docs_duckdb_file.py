"""docs/duckdb-file.md: its queries run on a file of `sync` and have the columns that are shown, and its messages are real."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import duckdb
import pytest

from zendesk_chat.cli import main
from zendesk_chat_sandbox import Sandbox, Switches

PAGE = (Path(__file__).parent.parent / "docs/duckdb-file.md").read_text()
CONSOLE = "\n".join(re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL))
QUERIES = re.findall(r"^\$ (duckdb -readonly .*)\n┌.*\n│(.*)│\n(?:│.*│\n)*├.*\n((?:│.*│\n)*)", CONSOLE, re.MULTILINE)
MESSAGES = [line for line in re.findall(r"(?:error|warning): [^`\n]+", PAGE) if "is open in" not in line]
(COPY,) = re.findall(r"^\$ (duckdb -c .*)$", CONSOLE, re.MULTILINE)

Run: TypeAlias = Callable[..., str]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Path]]:
    """A file with two accounts, one of them in a schema of its own."""
    folder = tmp_path_factory.mktemp("loaded")
    with Sandbox(chats=30, switches=Switches(rate_limit=0)) as sandbox, pytest.MonkeyPatch.context() as patch:
        surround(patch, folder, sandbox)
        assert main(["sync"]) == 0
        assert main(["sync", "--config", "globex.json", "--schema", "globex"]) == 0
        yield sandbox, folder / "chats.duckdb"


@pytest.fixture
def run(
    loaded: tuple[Sandbox, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Run:
    """Runs a command of the page on a copy of the file, and returns what it prints as one line for each message."""
    sandbox, path = loaded
    shutil.copy(path, tmp_path)
    surround(monkeypatch, tmp_path, sandbox)

    def run_it(command: str) -> str:
        capfd.readouterr()
        main(shlex.split(command)[1:])
        return re.sub(r"^\S+Z (\w+) ", in_a_terminal, capfd.readouterr().err, flags=re.MULTILINE)

    return run_it


def in_a_terminal(level: re.Match[str]) -> str:
    """Return how a line begins in a terminal, where it has no date."""
    return {"ERROR": "error: ", "WARNING": "warning: "}.get(level[1], "")


def surround(patch: pytest.MonkeyPatch, folder: Path, sandbox: Sandbox) -> None:
    patch.chdir(folder)
    for name, value in {"SUBDOMAIN": "acme", "TOKEN": sandbox.token, "API_URL": sandbox.url, "HASH_KEY": "h" * 16}.items():
        patch.setenv(f"ZENDESK_CHAT_{name}", value)
    credentials = {"credentials": "access_token", "access_token": sandbox.token}
    globex = {"subdomain": "globex", "credentials": credentials, "api_url": sandbox.url}
    (folder / "globex.json").write_text(json.dumps(globex))


def execute(sql: str, path: str = "chats.duckdb") -> None:
    with duckdb.connect(path) as database:
        database.execute(sql)


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("│")]


@pytest.mark.parametrize(("command", "header", "body"), QUERIES, ids=lambda text: text[:60])
def test_a_query(command: str, header: str, body: str, run: Run) -> None:
    *_, sql = shlex.split(command)
    with duckdb.connect("chats.duckdb", read_only=True) as database:
        cursor = database.execute(sql)
        assert [column[0] for column in cursor.description or ()] == cells(header)
        found = cursor.fetchall()
    shown = [cells(line[1:-1]) for line in body.splitlines()]
    assert len(found) == len(shown)
    assert [str(row[0]) for row in found] == [row[0] for row in shown]


def test_another_account_is_refused_as_shown(run: Run) -> None:
    (command,) = re.findall(r"^\$ (zendesk-chat sync --config globex\.json)$", CONSOLE, re.MULTILINE)
    before = Path("chats.duckdb").read_bytes()
    assert run(command).strip() in MESSAGES
    assert Path("chats.duckdb").read_bytes() == before


def test_rules_that_change_are_reported_as_shown(run: Run) -> None:
    (command,) = re.findall(r"^\$ (zendesk-chat sync --redact .*)$", CONSOLE, re.MULTILINE)
    (warning,) = [line for line in run(command).splitlines() if line.startswith("warning:")]
    assert re.sub(r"[\d,]+(?= of)", "N", warning) in [re.sub(r"[\d,]+(?= of)", "N", message) for message in MESSAGES]
    options = re.findall(r"--full-refresh --streams \S+(?=\.$)", warning)
    assert "warning:" not in run(f"{command} {options[0]}")


def test_a_dropped_table_and_a_view_in_the_way_are_named_as_shown(run: Run) -> None:
    execute("DROP TABLE goals")
    assert [line for line in run("zendesk-chat sync").splitlines() if line in MESSAGES]
    execute("DROP TABLE shortcuts; CREATE VIEW shortcuts AS SELECT 1 AS id")
    assert run("zendesk-chat sync").strip() in MESSAGES


def test_deleted_rows_are_reported_as_shown(run: Run) -> None:
    execute("DELETE FROM chats WHERE id = (SELECT min(id) FROM chats)")
    found = run("zendesk-chat sync").replace("has 29 rows", "has 299 rows").replace("had 30 after", "had 300 after")
    assert [line for line in found.splitlines() if line in MESSAGES]


def test_a_copy_has_everything(run: Run) -> None:
    execute("CREATE SCHEMA team; CREATE TABLE team.targets AS SELECT 1 AS chats")
    duckdb.connect().execute(shlex.split(COPY)[2])
    execute("FROM team.targets; FROM analytics.chats_by_day; FROM globex_analytics.chats_by_day", "new.duckdb")
    assert "saved" not in run("zendesk-chat sync --streams chats,agents --to duckdb:///new.duckdb")


def test_an_account_is_removed_and_the_other_one_stays(run: Run) -> None:
    (sql,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    execute(sql)
    assert "error" not in run("zendesk-chat sync --streams chats")


def test_the_program_that_reads_the_file(run: Run) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, list[tuple[object, ...]]] = {}
    exec("\n".join(line.removeprefix("   ") for line in program.splitlines()), names)
    assert len(names["rows"]) == 7


def test_something_is_tested() -> None:
    assert len(QUERIES) == 3
    assert len(MESSAGES) == 6
