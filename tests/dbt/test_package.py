"""The package in a user's project: how it is installed and configured, and what it does where tables are missing."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import duckdb

from tests.dbt.conftest import Modelled, Modelling
from tests.dbt.postgres import Database, create_database
from tests.dbt.project import MODELS, PACKAGE, Project, create_project
from tests.destinations.servers.postgres import Postgres
from tests.support.loaded_account import VIEWS, load_account
from zendesk_chat.analytics.views import create_views


def test_models_of_what_is_not_loaded_are_empty_and_dbt_warns(modelled: Modelling, tmp_path: Path) -> None:
    file = tmp_path / "chats_alone.duckdb"
    load_account(file, "chats")
    account = modelled(file)
    assert account.differences() == {}
    assert account.rows["postgres"]["agent_spans"] == []
    for run in account.runs.values():
        assert run.warnings == [
            f"The table {table} does not exist, so {model} lacks its data."
            for table, model in [
                ("agent_timeline", "agent_spans"),
                ("agents", "agent_names"),
                ("conversions", "conversion_reports"),
                ("conversions", "conversions_by_agent"),
                ("departments", "department_names"),
            ]
        ]


def test_conversions_alone(modelled: Modelling, tmp_path: Path) -> None:
    file = tmp_path / "conversions_alone.duckdb"
    load_account(file, "conversions")
    account = modelled(file)
    assert account.differences() == {}
    goals = {row[1:3] for row in account.rows["postgres"]["conversions_by_goal"]}
    assert goals == {("500", "Checkout"), ("501", "Trial")}


SPANS = [  # a span of an hour, and one of two days, around a change of the clock at midnight
    ("Atlantic/Azores", "2026-10-24 20:00:00Z"),  # back from 1 to 0
    ("America/Havana", "2026-03-08 02:00:00Z"),  # forward from 0 to 1: there is no midnight
    ("Asia/Beirut", "2026-10-24 18:00:00Z"),  # back from 0 to 23
]


def test_days_begin_and_end_as_the_clock_does(modelled: Modelling, tmp_path: Path) -> None:
    file = tmp_path / "days.duckdb"
    load_account(file)
    with duckdb.connect(str(file)) as connection:
        for number, (_, start) in enumerate(SPANS):
            connection.execute(
                "INSERT INTO agent_timeline (id, agent_id, start_time, status, duration) "
                f"SELECT '{number}-' || hour, 100 + hour, TIMESTAMPTZ '{start}' + to_hours(hour), 'online', "
                "CASE WHEN hour % 2 = 0 THEN 3600 ELSE 49 * 3600 END FROM range(12) AS hours (hour)"
            )
            connection.execute(
                "INSERT INTO chats (id, timestamp, end_timestamp, tags) "
                f"SELECT '{number}-' || hour, TIMESTAMPTZ '{start}' + to_hours(hour), "
                f"TIMESTAMPTZ '{start}' + to_hours(hour + 1), '[]' FROM range(12) AS hours (hour)"
            )
        create_views(connection)
    account: Modelled | None = None
    for zone, _ in SPANS:
        account = modelled(file, database=account and account.database, zendesk_chat_time_zone=zone)
        assert account.differences() == {}, zone


def test_a_schema_without_the_tables_is_an_error(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "acme.duckdb"
    load_account(file)
    mistaken = replace(project, variables={"zendesk_chat_schema": "zendesk"})
    run = mistaken.run("run", warehouse=str(file), check=False)
    assert run.code == 1
    assert (
        "The schema zendesk in the database acme has none of the tables agents, agent_timeline, chats, conversions, "
        "departments. Set the variable zendesk_chat_schema to the schema that zendesk-chat sync loads, and "
        "zendesk_chat_database if it is in another database."
    ) in run.output
    with duckdb.connect(str(file), read_only=True) as connection:
        assert connection.execute("SELECT * FROM duckdb_tables() WHERE schema_name = ?", [MODELS]).fetchall() == []


def test_json_with_a_nul_that_jsonb_cannot_store(server: Postgres, project: Project, tmp_path: Path) -> None:
    file = tmp_path / "nul.duckdb"
    load_account(file)
    history = r'[{"type": "chat.msg", "msg": "a\u0000b \\u0000 \\\u0000c", "name": "Jo\u0000"}]'
    database = create_database(server, "nul")
    with duckdb.connect(str(file)) as source:
        source.execute("UPDATE chats SET history = ? WHERE id = 'c2'", [history])
        database.copy_tables(source, tmp_path, json="json")
    project.run("run", warehouse="nul", port=server.port)
    assert database.rows(f"SELECT message, name FROM {MODELS}.transcript WHERE chat_id = 'c2'") == [("ab \\u0000 \\c", "Jo")]


SETTINGS = """
models:
  zendesk_chat:
    +schema: support
    facts:
      +materialized: view
    measures:
      chats_by_tag:
        +enabled: false
      chats_by_day:
        +alias: zendesk_chats_by_day
"""


def test_a_package_from_git_in_a_schema_of_the_user(dbt: str, tmp_path: Path) -> None:
    origin, file = tmp_path / "origin", tmp_path / "acme.duckdb"
    shutil.copytree(PACKAGE, origin / "dbt")
    who = ["-c", "user.name=Jo", "-c", "user.email=jo@example.com"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "The package"], ["tag", "v1"]):
        subprocess.run(["git", *command], cwd=origin, check=True, capture_output=True)
    package = {"git": origin.as_uri(), "subdirectory": "dbt", "revision": "v1"}
    project = create_project(dbt, tmp_path / "project", package, SETTINGS)
    (project.folder / "models").mkdir()
    (project.folder / "models/transcript.sql").write_text("select chat_id from {{ ref('zendesk_chat', 'transcript') }}")
    load_account(file)
    project.run("run", warehouse=str(file))
    with duckdb.connect(str(file), read_only=True) as connection:
        found = connection.execute(
            "SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_schema LIKE 'warehouse%'"
        ).fetchall()
    names = {"zendesk_chats_by_day" if view == "chats_by_day" else view for view in VIEWS if view != "chats_by_tag"}
    assert set(found) == {("warehouse_support", name, "VIEW") for name in names} | {("warehouse", "transcript", "VIEW")}


def test_a_run_after_another_load_has_the_new_rows(modelled: Modelling, server: Postgres, tmp_path: Path) -> None:
    file = tmp_path / "again.duckdb"
    load_account(file)
    database = create_database(server, "again")
    with duckdb.connect(str(file), read_only=True) as source:
        database.copy_tables(source, tmp_path)
    for change in ("SELECT 1", "DELETE FROM main.chats WHERE id = 'c2'; UPDATE main.chats SET rating = 'bad' WHERE id = 'c1'"):
        both(file, database, change)
        account = modelled(file, database=database)
        assert account.differences() == {}
    assert [row[1:3] for row in account.rows["postgres"]["satisfaction_by_day"]] == [(0, 1), (1, 0)]


def both(file: Path, database: Database, change: str) -> None:
    """Change the DuckDB file and the copy of it."""
    database.run(change)
    with duckdb.connect(str(file)) as connection:
        connection.execute(change)
