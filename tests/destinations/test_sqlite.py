"""An SQLite file contains what the account contains."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy.exc import SAWarning

from tests.destinations.exact import exact_values
from tests.destinations.scenario import (
    SCENARIOS,
    Destination,
    Scenario,
    edits,
    field_hashed_later,
    name_of,
    visitors_as_last_seen,
)
from tests.support.commands import run_here
from tests.support.sandbox import still
from tests.support.syncs import logged


def rows(url: str, table: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f'SELECT * FROM "{table}"')]


def in_folder(folder: Path) -> Callable[[str], str]:
    return lambda name: f"sqlite:///{folder}/{name}.sqlite"


IN_CI = (edits, visitors_as_last_seen, field_hashed_later, exact_values)
"""What `make destinations-quick` runs."""


@pytest.mark.quick
@pytest.mark.parametrize("scenario", IN_CI, ids=name_of)
def test_a_quick_scenario(scenario: Scenario, tmp_path: Path) -> None:
    scenario(Destination("SQLite", in_folder(tmp_path), rows), tmp_path)


@pytest.mark.parametrize("scenario", [scenario for scenario in SCENARIOS if scenario not in IN_CI], ids=name_of)
def test_scenario(scenario: Scenario, tmp_path: Path) -> None:
    scenario(Destination("SQLite", in_folder(tmp_path), rows), tmp_path)


def sync(folder: Path, to: str, *options: str) -> CompletedProcess[str]:
    with still(chats=5) as sandbox:
        account = ["--subdomain", "acme", "--token", sandbox.token, "--api-url", sandbox.url]
        return run_here(["sync", *account, "--to", to, *options], folder)


def error_of(done: CompletedProcess[str]) -> str:
    (error,) = logged(done.stderr, "ERROR")
    return error


def test_tables_of_the_user_stay_and_nothing_is_left_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "own data.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
        connection.execute("INSERT INTO notes VALUES ('mine')")
        connection.execute("CREATE VIEW agents_of_today AS SELECT 1 AS one")
        connection.commit()
    for _ in range(2):
        done = sync(tmp_path, f"sqlite:///{path.name}", "--full-refresh")
        assert done.returncode == 0, done.stderr
    assert rows(f"sqlite:///{path}", "notes") == [{"text": "mine"}]
    assert rows(f"sqlite:///{path}", "agents_of_today") == [{"one": 1}]
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


@pytest.mark.parametrize(
    "columns",
    ["id int, mine text", "id, mine GEOMETRY", "id int, name text, description text, enabled int, mine text"],
    ids=["other columns", "other types", "the columns of a stream"],
)
def test_a_table_of_somebody_else_is_refused(columns: str, tmp_path: Path) -> None:
    path = tmp_path / "own.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE departments ({columns})")
        connection.execute("INSERT INTO departments (id, mine) VALUES (1, 'precious')")
        connection.commit()
        before = list(connection.iterdump())
        done = sync(tmp_path, f"sqlite:///{path}")
        assert done.returncode == 3
        assert error_of(done) == (
            f"The SQLite file {path} has a table departments that sync did not create. Rename it, or load into another file "
            "with --to."
        )
        assert list(connection.iterdump()) == before


def test_a_column_of_the_user_may_have_any_type(tmp_path: Path) -> None:
    path = tmp_path / "own.sqlite"
    assert sync(tmp_path, f"sqlite:///{path}").returncode == 0
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE chats ADD COLUMN mine GEOMETRY")
    done = sync(tmp_path, f"sqlite:///{path}")
    assert done.returncode == 0, done.stderr


def test_a_time_and_json_can_be_queried_with_the_functions_of_sqlite(tmp_path: Path) -> None:
    assert sync(tmp_path, "sqlite:///chats.sqlite").returncode == 0
    with closing(sqlite3.connect(tmp_path / "chats.sqlite")) as connection:
        found = connection.execute("SELECT julianday(timestamp) > 0, json_type(visitor) FROM chats").fetchall()
    assert set(found) == {(1, "object")}


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    path.write_text("no database" * 1000)
    done = sync(tmp_path, f"sqlite:///{path}")
    assert done.returncode == 3
    assert error_of(done) == f"Failed while opening the SQLite file {path}: the file is not an SQLite database."
    assert path.read_text() == "no database" * 1000


def test_a_directory_that_does_not_exist_is_named(tmp_path: Path) -> None:
    done = sync(tmp_path, f"sqlite:///{tmp_path}/missing/chats.sqlite")
    assert done.returncode == 3
    assert error_of(done) == (
        f"Failed while opening the SQLite file {tmp_path}/missing/chats.sqlite: the file or its directory does not exist, or "
        "you may not write there."
    )


def test_a_file_that_another_program_writes_into_can_be_loaded_later(tmp_path: Path) -> None:
    path = tmp_path / "busy.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE mine (a)")
        connection.execute("BEGIN EXCLUSIVE")
        done = sync(tmp_path, f"sqlite:///{path}")
        assert done.returncode == 1
        assert error_of(done).endswith("another program uses the file. Close it there and try again.")
    assert sync(tmp_path, f"sqlite:///{path}").returncode == 0


def test_a_file_that_another_program_reads_can_be_loaded_later(tmp_path: Path) -> None:
    path = tmp_path / "busy.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE mine (a)")
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM mine").fetchall()
        done = sync(tmp_path, f"sqlite:///{path}")
        assert done.returncode == 1
        assert error_of(done).endswith("another program uses the file. Close it there and try again.")
    assert sync(tmp_path, f"sqlite:///{path}").returncode == 0


@pytest.mark.parametrize("name", ["p%25.sqlite", "a?b.sqlite", "a#b.sqlite", "50% of chats.sqlite", "a+b.sqlite"])
def test_a_path_is_decoded_once(tmp_path: Path, name: str) -> None:
    done = sync(tmp_path, f"sqlite:///{quote(name)}", "--streams", "agents")
    assert done.returncode == 0, done.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_a_column_of_the_user_with_an_unusual_type_causes_no_warning(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    path = tmp_path / "chats.sqlite"
    assert sync(tmp_path, f"sqlite:///{path}", "--streams", "agents").returncode == 0
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE agents ADD COLUMN mine INTEGER(5)")
    done = sync(tmp_path, f"sqlite:///{path}", "--streams", "agents", "--full-refresh")
    assert done.returncode == 0, done.stderr
    assert [warning.message for warning in recwarn if issubclass(warning.category, SAWarning)] == []


def test_a_schema_is_refused(tmp_path: Path) -> None:
    done = sync(tmp_path, "sqlite:///chats.sqlite", "--schema", "acme")
    assert done.returncode == 2
    assert "an SQLite file has no schemas" in done.stderr
    assert not list(tmp_path.iterdir())
