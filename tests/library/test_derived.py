"""Nested streams, streams that an account lacks, and drift, as the library reports them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pyarrow.parquet as pq
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from tests.support.in_process import collect
from tests.support.loads import EVENTS, VISITORS, Family, Held, after_page, family_page, visitor_page
from zendesk_chat import (
    Account,
    Batch,
    StreamsFailedError,
    UnavailableError,
    dlt_source,
    list_streams,
    read,
    read_all,
    read_arrow,
)
from zendesk_chat.engine.events import (
    Event,
    PageRead,
    SchemaChange,
    StreamCompleted,
    StreamStarted,
    StreamUnavailable,
)
from zendesk_chat.engine.run import Task
from zendesk_chat.engine.stats import SyncStats
from zendesk_chat.library import reading
from zendesk_chat.load.warehouse.surroundings import our_settings
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.stream import Stream
from zendesk_chat.tables.table import StreamTable

LACKING = UnavailableError("Not in this plan.", status=403)
DRIFT = SchemaChange("chat_events", "new", (), "string")


def derived(table: StreamTable) -> Stream:
    """A stream of that table, which shares its pages with the others."""
    return replace(
        STREAMS["goals"],
        name=table.name,
        primary_key=table.primary_key,
        cursor_field=table.cursor_field,
        load_schema=lambda _: table.schema,
        parent_field=table.parent_field,
        latest_by=table.latest_by,
        optional=True,
    )


DERIVED = {table.name: derived(table) for table in (EVENTS, VISITORS)}


class Engine:
    """In the place of the engine: pages to be read, by stream, and what each run was asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, list[PageRead]] = {name: [PageRead(name, [], {})] for name in DERIVED}
        self.asked: list[dict[str, Any]] = []

    def run(self, tasks: Sequence[Task], *_: object) -> Iterator[Event]:
        self.asked.append({task.stream.name: task.state for task in tasks})
        for task in tasks:
            name = task.stream.name
            yield StreamStarted(name)
            if name in self.pages:
                yield from self.pages[name]
                yield StreamCompleted(name, SyncStats())
            else:
                yield StreamUnavailable(name, LACKING, SyncStats(1))
        yield DRIFT


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """No telemetry of dlt, no request, and no other streams."""
    engine = Engine()
    monkeypatch.setattr(reading, "run", engine.run)
    with our_settings():
        yield engine


@pytest.fixture
def account() -> Account:
    account = Account(subdomain="acme", token="t")
    account.catalog.streams = DERIVED
    return account


def pipeline_in(folder: Path) -> dlt.Pipeline:
    return dlt.pipeline(
        "test",
        pipelines_dir=str(folder / "working"),
        destination=dlt.destinations.duckdb(str(folder / "l.duckdb")),
        dataset_name="chat",
    )


def loaded(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(folder / "l.duckdb"), read_only=True) as database:
        return database.sql(query).fetchall()


def held_events(folder: Path) -> Held:
    found = loaded(folder, "SELECT id, chat_id, msg FROM chat.chat_events")
    assert len({key for key, *_ in found}) == len(found), "a key is there twice"
    return {key: (parent, text) for key, parent, text in found}


RUNS: list[list[list[Family]]] = [
    [[("a", ["a0", "a1"], True), ("b", ["b0"], True)], [("c", ["c0"], True), ("a", ["a1", "a2"], True)]],
    [[("a", ["a0"], True), ("b", [], True), ("c", ["c1"], False)]],
    [],
    [[("a", [], True)], [("b", ["b1"], True), ("c", [], True)]],
]
VISITORS_OF_RUNS: list[list[tuple[str, int | None]]] = [
    [("x", 5), ("y", 1), ("x", 3)],
    [("x", 4), ("y", 2), ("z", None)],
    [],
    [("x", 6), ("z", 1), ("y", 1)],
]
LATEST = [
    {("x", 5), ("y", 1)},
    {("x", 5), ("y", 2), ("z", None)},
    {("x", 5), ("y", 2), ("z", None)},
    {("x", 6), ("y", 2), ("z", 1)},
]


def test_dlt_replaces_the_children_of_edited_chats_and_keeps_the_latest_of_visitors(
    engine: Engine, account: Account, tmp_path: Path
) -> None:
    expected: Held = {}
    for run, pages in enumerate(RUNS):
        engine.pages["chat_events"] = [PageRead("chat_events", [], {"next": run})]
        for number, families in enumerate(pages):
            text = f"{run}.{number}"
            engine.pages["chat_events"].append(family_page(families, text, next=run))
            expected = after_page(expected, families, text)
        engine.pages["visitors"] = [visitor_page(VISITORS_OF_RUNS[run], str(run), seen=run)]
        pipeline_in(tmp_path).run(dlt_source(account))
        assert held_events(tmp_path) == expected
        assert set(loaded(tmp_path, "SELECT id, minute(last_chat_timestamp) FROM chat.visitors")) == LATEST[run]
        columns = loaded(
            tmp_path, "SELECT column_name FROM duckdb_columns() WHERE table_name = 'chat_events' AND schema_name = 'chat'"
        )
        assert {name for (name,) in columns} == {"id", "chat_id", "chat_update_timestamp", "msg", "_extra", "_unparsed"}
    resumed = [{"chat_events": {"next": run}, "visitors": {"seen": run}} for run in range(len(RUNS) - 1)]
    assert engine.asked == [{"chat_events": None, "visitors": None}, *resumed]


def test_dlt_reads_of_the_streams_that_share_pages_those_that_are_selected(
    engine: Engine, account: Account, tmp_path: Path
) -> None:
    engine.pages["visitors"] = [visitor_page([("x", 1)], "a", seen=1)]
    source = dlt_source(account)
    assert list(source.resources) == ["chat_events", "visitors"]
    pipeline_in(tmp_path).run(source.with_resources("visitors"))
    assert engine.asked == [{"visitors": None}]
    assert loaded(tmp_path, "SELECT id FROM chat.visitors") == [("x",)]


@pytest.mark.parametrize("disposition", ["replace", "append", {"disposition": "merge", "strategy": "upsert"}])
def test_a_write_disposition_of_the_user_goes_before_ours(
    engine: Engine, account: Account, tmp_path: Path, disposition: Any
) -> None:
    for number, keys in enumerate((["a0", "a1"], ["a1"])):
        engine.pages["chat_events"] = [family_page([("a", keys, True), ("b", [], True)], str(number), next=number)]
        pipeline_in(tmp_path).run(dlt_source(account, ["chat_events"]), write_disposition=disposition)
    found = sorted(loaded(tmp_path, "SELECT id, msg FROM chat.chat_events"))
    first, old, new = ("a0", "0"), ("a1", "0"), ("a1", "1")
    assert found == {"replace": [new], "append": [first, old, new]}.get(str(disposition), [first, new])
    assert engine.asked[1] == {"chat_events": None if disposition == "replace" else {"next": 0}}


def test_a_destination_that_cannot_merge_gets_the_records_and_no_others(
    engine: Engine, account: Account, tmp_path: Path
) -> None:
    engine.pages["chat_events"] = [family_page([("a", ["a0"], True), ("b", [], True)], "0", next=1)]
    engine.pages["visitors"] = [visitor_page([("x", 1)], "0", seen=1)]
    pipeline = dlt.pipeline(
        "test",
        pipelines_dir=str(tmp_path / "working"),
        destination=dlt.destinations.filesystem(str(tmp_path / "files")),
        dataset_name="chat",
    )
    pipeline.run(dlt_source(account), loader_file_format="parquet")
    for name, keys in (("chat_events", ["a0"]), ("visitors", ["x"])):
        files = [pq.read_table(file) for file in (tmp_path / "files" / "chat" / name).glob("*.parquet")]
        assert [key for table in files for key in table.column("id").to_pylist()] == keys


def test_a_stream_that_the_account_lacks_is_skipped_unless_it_is_named(
    engine: Engine, account: Account, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    del engine.pages["visitors"]
    engine.pages["chat_events"] = [family_page([("a", ["a0"], True)], "0", next=1)]
    assert [batch.stream for batch in read_all(account)] == ["chat_events"]
    lines = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert lines == ["visitors is not available and is skipped: Not in this plan.", str(DRIFT)]
    pipeline_in(tmp_path).run(dlt_source(account))
    tables = loaded(tmp_path, "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'chat'")
    assert {name for (name,) in tables if not name.startswith("_dlt")} == {"chat_events"}


def test_a_stream_that_the_account_lacks_is_an_error_where_it_is_named(
    engine: Engine, account: Account, tmp_path: Path
) -> None:
    del engine.pages["visitors"]
    engine.pages["chat_events"] = [family_page([("a", ["a0"], True)], "0", next=1)]
    with pytest.raises(UnavailableError) as lacking:
        list(read(account, "visitors"))
    assert lacking.value is LACKING
    got: list[Batch] = []
    with pytest.raises(StreamsFailedError) as failed:
        collect(read_all(account, ["visitors", "chat_events"]), got)
    assert failed.value.errors == {"visitors": LACKING}
    assert [batch.stream for batch in got] == ["chat_events"]
    with pytest.raises(PipelineStepFailed, match="visitors: Not in this plan"):
        pipeline_in(tmp_path).run(dlt_source(account, ["visitors"]))


def test_batches_name_the_parents_whose_children_they_are(engine: Engine, account: Account) -> None:
    pages = [family_page([("a", ["a0"], True), ("b", [], True), ("c", ["c0"], False)], "0", next=1)]
    engine.pages["chat_events"] = pages
    assert {info.name: info.parent_field for info in list_streams(account)} == {"chat_events": "chat_id", "visitors": None}
    (batch,) = read(account, "chat_events")
    assert (batch.parents, [record["id"] for record in batch.to_dicts()]) == (["a", "b"], ["a0", "c0"])
    (rows,) = read_arrow(account, "chat_events")
    assert (rows.parents, rows.table.column("chat_id").to_pylist()) == (["a", "b"], ["a", "c"])
    assert Batch("chats", [], {}, None).parents == ()
