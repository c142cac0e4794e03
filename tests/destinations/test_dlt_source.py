"""A pipeline of dlt's own over the library's source: each destination contains what the account contains, run after run."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pyarrow.parquet as pq
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from tests.destinations.content import ALL, check_content, found
from tests.destinations.reading_postgres import rows as rows_of_postgres
from tests.destinations.servers.postgres import Postgres
from tests.support.dlt_settings import quieten
from tests.support.in_process import account_of, be_hasty
from tests.support.sandbox import still
from tests.support.syncs import edit
from zendesk_chat import dlt_source
from zendesk_chat_sandbox import Fault, Sandbox

DATASET = "chat"
pytestmark = pytest.mark.filterwarnings("ignore:The 'warn' method:DeprecationWarning")  # dlt's, about packages that wait


@dataclass(frozen=True)
class Target:
    """A destination of dlt, and how its own driver reads the rows of a table."""

    destination: Any
    rows: Callable[[str], Iterable[dict[str, Any]]]
    options: dict[str, Any] = field(default_factory=dict)

    def pipeline(self, folder: Path) -> dlt.Pipeline:
        """The pipeline as a new process opens it."""
        return dlt.pipeline(
            "test", pipelines_dir=str(folder / "working"), destination=self.destination, dataset_name=DATASET, dev_mode=False
        )


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    quieten(monkeypatch)


def in_postgres(request: pytest.FixtureRequest, folder: Path) -> Target:
    server: Postgres = request.getfixturevalue("postgres")
    url = server.new_database(folder.name)
    return Target(dlt.destinations.postgres(url), partial(rows_of_postgres, url, schema=DATASET))


def in_sqlite(_request: pytest.FixtureRequest, folder: Path) -> Target:
    def rows(table: str) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(folder / f"main__{DATASET}.db")) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(f'SELECT * FROM "{table}"')]

    return Target(dlt.destinations.sqlalchemy(f"sqlite:///{folder}/main.db"), rows)


def in_duckdb(_request: pytest.FixtureRequest, folder: Path) -> Target:
    def rows(table: str) -> list[dict[str, Any]]:
        with duckdb.connect(str(folder / "loaded.duckdb"), read_only=True) as connection:
            found: Any = connection.sql(f'SELECT * FROM {DATASET}."{table}"').to_arrow_table()
            return list(found.to_pylist())

    return Target(dlt.destinations.duckdb(str(folder / "loaded.duckdb")), rows)


def in_delta(request: pytest.FixtureRequest, folder: Path) -> Target:
    def rows(table: str) -> list[dict[str, Any]]:
        deltalake = pytest.importorskip("deltalake")
        return list(deltalake.DeltaTable(folder / "files" / DATASET / table).to_pyarrow_table().to_pylist())

    # With one worker, dlt waits a second for each table.
    monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    monkeypatch.setenv("LOAD__WORKERS", "8")
    return Target(dlt.destinations.filesystem(str(folder / "files")), rows, {"table_format": "delta"})


def in_parquet(_request: pytest.FixtureRequest, folder: Path) -> Target:
    def rows(table: str) -> list[dict[str, Any]]:
        return list(pq.read_table(folder / "files" / DATASET / table).to_pylist())

    return Target(dlt.destinations.filesystem(str(folder / "files")), rows, {"loader_file_format": "parquet"})


MERGING = {"duckdb": in_duckdb, "postgres": in_postgres, "sqlite": in_sqlite, "delta": in_delta}


@pytest.fixture(params=MERGING)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    return MERGING[request.param](request, tmp_path)


def change(sandbox: Sandbox) -> None:
    """Edit chats, so that some lose messages and comments become empty; add, rename and delete in lists; let time pass."""
    account: Any = sandbox.account
    ids = account.chat_ids()
    edit(sandbox, ids[:10], "edited")
    for identity in ids[10:15]:
        account.edit_chat(identity, comment="", history=account.chat(identity).get("history", [])[:1], webpath=[])
    account.edit_chat(ids[15], history=[], engagements=[], webpath=[], comment="It's {braces} and \\ backslash")
    account.add_generated("chats", 5)
    for department in list(account.lists["departments"])[:2]:
        account.delete("departments", department)
    sandbox.clock.advance(700)  # the API exports changes after five minutes


@pytest.mark.quick
def test_it_equals_the_account_after_each_run(target: Target, tmp_path: Path) -> None:
    # Delta's conditions cannot compare a row with the stored one, so an older chat that is edited replaces a visitor.
    streams = [name for name in ALL if name != "visitors" or "table_format" not in target.options]
    with still(chats=150) as sandbox:
        for step in range(3):
            if step == 1:
                change(sandbox)
            target.pipeline(tmp_path).run(dlt_source(account_of(sandbox)), **target.options)
            check_content(sandbox, target.rows, streams)


def test_a_list_that_becomes_empty_empties_its_table_until_it_is_filled_again(target: Target, tmp_path: Path) -> None:
    with still(chats=1) as sandbox:
        account = account_of(sandbox)
        target.pipeline(tmp_path).run(dlt_source(account, ["departments"]), **target.options)
        for department in list(sandbox.account.lists["departments"]):
            sandbox.account.delete("departments", department)
        target.pipeline(tmp_path).run(dlt_source(account, ["departments"]), **target.options)
        assert list(target.rows("departments")) == []
        sandbox.account.add_generated("departments", 2)
        target.pipeline(tmp_path).run(dlt_source(account, ["departments"]), **target.options)
        check_content(sandbox, target.rows, ["departments"])


def test_a_stream_without_records_has_an_empty_table(target: Target, tmp_path: Path) -> None:
    streams = ["chats", "chat_events", "visitors"]
    with still(chats=0) as sandbox:
        account = account_of(sandbox)
        for _ in range(2):
            target.pipeline(tmp_path).run(dlt_source(account, streams), **target.options)
        assert [list(target.rows(name)) for name in streams] == [[], [], []]
        sandbox.account.add_generated("chats", 3)
        sandbox.clock.advance(700)
        target.pipeline(tmp_path).run(dlt_source(account, streams), **target.options)
        check_content(sandbox, target.rows, streams)


def test_a_run_that_failed_while_reading_is_repeated(target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    be_hasty(monkeypatch)
    streams = ["chats", "chat_events", "agents"]
    with still(chats=60) as sandbox:
        account = account_of(sandbox)
        target.pipeline(tmp_path).run(dlt_source(account, streams), **target.options)
        before = {name: found(target.rows(name), name) for name in streams}
        change(sandbox)
        sandbox.inject(Fault(kind="status", status=500, path="*/incremental/chats", times=None))
        with pytest.raises(PipelineStepFailed):
            target.pipeline(tmp_path).run(dlt_source(account, streams), **target.options)
        assert {name: found(target.rows(name), name) for name in streams} == before
        sandbox.clear_faults()
        target.pipeline(tmp_path).run(dlt_source(account, streams), **target.options)
        check_content(sandbox, target.rows, streams)


def test_a_run_that_failed_before_it_was_normalized_is_completed(target: Target, tmp_path: Path) -> None:
    streams = ["chats", "chat_events", "departments"]
    with still(chats=60) as sandbox:
        account = account_of(sandbox)
        target.pipeline(tmp_path).run(dlt_source(account, streams), **target.options)
        change(sandbox)
        target.pipeline(tmp_path).extract(dlt_source(account, streams), **target.options)
        sandbox.account.add_generated("chats", 2)
        sandbox.clock.advance(700)
        for _ in range(2):  # dlt first loads what waits, and then reads
            target.pipeline(tmp_path).run(dlt_source(account, streams), **target.options)
        check_content(sandbox, target.rows, streams)


def test_a_run_that_failed_while_loading_is_completed(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.new_database("failing")
    target = Target(dlt.destinations.postgres(url), partial(rows_of_postgres, url, schema=DATASET))
    streams = ["chats", "chat_events", "visitors"]
    with still(chats=60) as sandbox:
        account = account_of(sandbox)
        target.pipeline(tmp_path).run(dlt_source(account, streams))
        change(sandbox)
        pipeline = target.pipeline(tmp_path)
        pipeline.extract(dlt_source(account, streams))
        pipeline.normalize()
        postgres.execute("ALTER TABLE chat.chat_events RENAME TO away", database="failing")
        postgres.execute("CREATE VIEW chat.chat_events AS SELECT 1 AS id", database="failing")
        with pytest.raises(PipelineStepFailed):
            pipeline.load()
        postgres.execute("DROP VIEW chat.chat_events", database="failing")
        postgres.execute("ALTER TABLE chat.away RENAME TO chat_events", database="failing")
        for _ in range(2):
            target.pipeline(tmp_path).run(dlt_source(account, streams))
        check_content(sandbox, target.rows, streams)


def test_parquet_files_get_the_records_and_no_others(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    target = in_parquet(request, tmp_path)
    with still(chats=60) as sandbox:
        account = account_of(sandbox)
        target.pipeline(tmp_path).run(dlt_source(account), **target.options)
        check_content(sandbox, target.rows)
        change(sandbox)
        target.pipeline(tmp_path).run(dlt_source(account), **target.options)
        nameless = [name for name in ALL for row in target.rows(name) if "id" in row and row["id"] is None]
        assert nameless == []
        check_content(sandbox, target.rows, ["departments", "agents"])
        chats = {row["id"]: row for row in sorted(target.rows("chats"), key=lambda row: row["update_timestamp"])}
        check_content(sandbox, lambda _: chats.values(), ["chats"])


@pytest.mark.parametrize("file_format", ["insert_values", "csv"])
def test_a_file_format_of_the_user_is_used(
    postgres: Postgres, tmp_path: Path, caplog: pytest.LogCaptureFixture, file_format: Any
) -> None:
    url = postgres.new_database(file_format)
    target = Target(dlt.destinations.postgres(url), partial(rows_of_postgres, url, schema=DATASET))
    with still(chats=20) as sandbox:
        account = account_of(sandbox)
        sandbox.account.edit_chat(sandbox.account.chat_ids()[0], comment="")
        sandbox.clock.advance(700)
        target.pipeline(tmp_path).run(dlt_source(account, ["chats"]), loader_file_format=file_format)
        comments = {row["comment"] for row in target.rows("chats")}
    assert ("" in comments) == (file_format != "csv")
    assert ("Postgres stores empty strings as NULL" in caplog.text) == (file_format == "csv")


def test_values_that_postgres_refuses_are_changed_and_reported(
    postgres: Postgres, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = postgres.new_database("refused")
    target = Target(dlt.destinations.postgres(url), partial(rows_of_postgres, url, schema=DATASET))
    with still(chats=20) as sandbox:
        edited = sandbox.account.chat_ids()[0]
        sandbox.account.edit_chat(edited, comment="a\0b", tags=["c\0d"])
        sandbox.clock.advance(700)
        target.pipeline(tmp_path).run(dlt_source(account_of(sandbox), ["chats"]))
    (row,) = [row for row in target.rows("chats") if row["id"] == edited]
    assert (row["comment"], row["tags"]) == ("a\ufffdb", ["c\ufffdd"])
    assert "Postgres does not accept some values, so they were changed." in caplog.text
