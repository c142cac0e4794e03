"""Pipelines of dlt over the source hold what the account holds, run after run, whatever fails between."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from dlt.extract import DltSource
from dlt.pipeline.exceptions import PipelineStepFailed

from tests.library.test_arrow import rows_of
from tests.support.in_process import account_of, assert_threads_end, be_hasty
from tests.support.sandbox import small
from zendesk_chat import Account, ArrowBatch, Batch, ConfigError, ServerError, arrow_reader, dlt_source
from zendesk_chat.library import dlt_reading
from zendesk_chat.library.arrow import to_arrow
from zendesk_chat.load.warehouse.surroundings import our_settings
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat_sandbox import Fault, Sandbox


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """No telemetry, and no warnings of dlt on stderr."""
    with our_settings():
        yield


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with small(250, export_page_cap=100) as running:
        yield running


def pipeline_in(folder: Path, working: str = "working") -> dlt.Pipeline:
    """The pipeline as a new process would open it; another working directory is that of another machine."""
    return dlt.pipeline(
        "test",
        pipelines_dir=str(folder / working),
        destination=dlt.destinations.duckdb(str(folder / "loaded.duckdb")),
        dataset_name="chat",
    )


def tables(folder: Path, name: str) -> Any:
    with duckdb.connect(str(folder / "loaded.duckdb"), read_only=True) as database:
        return database.sql(f"SELECT * FROM chat.{name}").to_arrow_table()


def assert_loaded(folder: Path, account: Account, *names: str) -> None:
    """The tables hold what the account holds, each key once, in the same types."""
    for name in names:
        expected = arrow_reader(account, name).read_all()
        loaded = tables(folder, name)
        assert loaded.column_names == expected.column_names
        assert rows_of(loaded) == rows_of(expected)


def run(pipeline: dlt.Pipeline, source: DltSource, **options: Any) -> dict[str, int]:
    """As `pipeline.run`; returns how many rows it loads into each stream's table."""
    pipeline.sync_destination()
    pipeline.extract(source, **options)
    counts = pipeline.normalize().row_counts
    pipeline.load()
    return {name: count for name, count in counts.items() if name in STREAMS}


def test_two_runs_with_changes_between(sandbox: Sandbox, tmp_path: Path) -> None:
    account = account_of(sandbox)
    pipeline_in(tmp_path).run(dlt_source(account))
    assert_loaded(tmp_path, account, *STREAMS)
    ids = sandbox.account.chat_ids()
    sandbox.account.edit_chat(ids[0], rating="bad", comment="Edited")
    sandbox.account.add_chats(3)
    agent = next(iter(sandbox.account.lists["agents"]))
    sandbox.account.edit("agents", agent, {"display_name": "Renamed"})
    for department in list(sandbox.account.lists["departments"]):
        sandbox.account.delete("departments", department)
    counts = run(pipeline_in(tmp_path), dlt_source(account))
    assert_loaded(tmp_path, account, *STREAMS)
    assert {name: counts.get(name, 0) for name in ("agent_timeline", "agents", "bans", "chats", "departments")} == {
        "agent_timeline": 0,
        "agents": 1,
        "bans": 0,
        "chats": 4,
        "departments": 0,
    }


def test_the_next_run_finishes_one_that_was_interrupted_before_loading(sandbox: Sandbox, tmp_path: Path) -> None:
    account = account_of(sandbox)
    pipeline_in(tmp_path).extract(dlt_source(account, ["chats", "goals"]))
    sandbox.account.add_chats(2)
    pipeline_in(tmp_path).run(dlt_source(account, ["chats", "goals"]))
    pipeline_in(tmp_path).run(dlt_source(account, ["chats", "goals"]))
    assert_loaded(tmp_path, account, "chats", "goals")
    assert len(tables(tmp_path, "chats")) == 252


def test_a_run_that_was_interrupted_before_loading_and_lost_its_disk_is_read_again(sandbox: Sandbox, tmp_path: Path) -> None:
    account = account_of(sandbox)
    pipeline_in(tmp_path).run(dlt_source(account, ["chats"]))
    sandbox.account.add_chats(2)
    pipeline_in(tmp_path).extract(dlt_source(account, ["chats"]))
    assert run(pipeline_in(tmp_path, "another machine"), dlt_source(account, ["chats"])) == {"chats": 2}
    assert_loaded(tmp_path, account, "chats")


def test_a_stream_that_fails_fails_the_run_and_the_next_one_is_complete(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_hasty(monkeypatch)
    account = account_of(sandbox)
    pipeline_in(tmp_path).run(dlt_source(account, ["chats", "agents"]))
    sandbox.account.add_chats(30)
    sandbox.inject(Fault(kind="status", status=500, path="*/incremental/chats", times=None))
    with pytest.raises(PipelineStepFailed) as failed:
        pipeline_in(tmp_path).run(dlt_source(account, ["chats", "agents"]))
    causes = []
    cause: BaseException | None = failed.value
    while cause:
        causes.append(type(cause))
        cause = cause.__cause__
    assert ServerError in causes
    assert_threads_end()
    assert len(tables(tmp_path, "chats")) == 250
    sandbox.clear_faults()
    pipeline_in(tmp_path).run(dlt_source(account, ["chats", "agents"]))
    assert_loaded(tmp_path, account, "chats", "agents")
    assert len(tables(tmp_path, "chats")) == 280


def test_of_a_record_that_changes_while_it_is_read_the_newer_one_is_loaded(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.switch(export_page_cap=20)
    rows: list[str] = []
    edited: list[str] = []

    def edit_meanwhile(account: Account, batches: Generator[Batch, None, None]) -> Generator[ArrowBatch, None, None]:
        for batch in to_arrow(account, batches):
            if not rows:
                edited.extend(map(str, batch.table.column("id").to_pylist()[:5]))
                for id_ in edited:
                    sandbox.account.edit_chat(id_, comment="Edited meanwhile")
            rows.extend(map(str, batch.table.column("id").to_pylist()))
            yield batch

    monkeypatch.setattr(dlt_reading, "to_arrow", edit_meanwhile)
    account = account_of(sandbox)
    pipeline_in(tmp_path).run(dlt_source(account, ["chats"]))
    assert (len(rows), len(edited)) == (255, 5)
    assert_loaded(tmp_path, account, "chats")
    assert tables(tmp_path, "chats").column("comment").to_pylist().count("Edited meanwhile") == 5


def test_replacing_and_refreshing_read_everything_and_then_resume(sandbox: Sandbox, tmp_path: Path) -> None:
    account = account_of(sandbox)
    replaced: Any = {"disposition": "replace"}
    kinds: list[dict[str, Any]] = [
        {"write_disposition": "replace"},
        {"write_disposition": replaced},
        {"refresh": "drop_resources"},
    ]
    counts = [
        run(pipeline_in(tmp_path), dlt_source(account, ["bans"]), **options).get("bans", 0) for options in ({}, *kinds, {})
    ]
    everything = len(sandbox.account.lists["bans"])
    assert counts == [everything] * 4 + [0]
    assert_loaded(tmp_path, account, "bans")


def test_resources_are_described_and_chosen(sandbox: Sandbox) -> None:
    account = account_of(sandbox)
    assert list(dlt_source(account).resources) == list(STREAMS)
    source = dlt_source(account, ["chats", "goals"])
    assert list(source.resources) == ["chats", "goals"]
    assert source.chats.write_disposition == {"disposition": "merge", "deduplicated": True}
    assert source.goals.write_disposition == "replace"
    columns: Any = source.chats.columns
    assert [name for name, column in columns.items() if column.get("primary_key")] == ["id"]
    assert (columns["history"]["data_type"], columns["update_timestamp"]["data_type"]) == ("json", "timestamp")
    with pytest.raises(ConfigError, match="There is no stream 'chat'"):
        dlt_source(account, ["chat"])
    assert sandbox.requests == []
