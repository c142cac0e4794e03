"""Resources of the dlt source behave as those of other sources: limited, renamed, transformed, configured, in any pipeline."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from dlt.common.configuration.exceptions import ConfigFieldMissingException
from dlt.pipeline.exceptions import PipelineStepFailed

from tests.destinations.content import check_content
from tests.support.dlt_settings import quieten
from tests.support.in_process import account_of
from tests.support.sandbox import small, truth
from zendesk_chat import Account, ConfigError, dlt_source, zendesk_chat_source
from zendesk_chat_sandbox import Sandbox

NESTED = ["chats", "chat_events", "visitors"]


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    quieten(monkeypatch)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with small(100, export_page_cap=20) as running:
        yield running


@pytest.fixture
def account(sandbox: Sandbox) -> Account:
    return account_of(sandbox)


def pipeline_in(folder: Path, name: str = "test", *, dev_mode: bool = False) -> dlt.Pipeline:
    destination = dlt.destinations.duckdb(str(folder / f"{name}.duckdb"))
    return dlt.pipeline(
        name, pipelines_dir=str(folder / "working"), destination=destination, dataset_name="chat", dev_mode=dev_mode
    )


def rows(pipeline: dlt.Pipeline, table: str, dataset: str | None = None) -> list[dict[str, Any]]:
    file = Path(pipeline.pipelines_dir).parent / f"{pipeline.pipeline_name}.duckdb"
    with duckdb.connect(str(file), read_only=True) as database:
        found: Any = database.sql(f'SELECT * FROM "{dataset or pipeline.dataset_name}"."{table}"').to_arrow_table()
        return list(found.to_pylist())


def keys(pipeline: dlt.Pipeline, table: str) -> set[str]:
    return {str(row["id"]) for row in rows(pipeline, table)}


def test_a_limit_counts_pages_and_the_next_run_resumes_after_them(sandbox: Sandbox, account: Account, tmp_path: Path) -> None:
    pipeline = pipeline_in(tmp_path)
    loaded: list[set[str]] = []
    for _ in range(3):
        pipeline.run(dlt_source(account, [*NESTED, "agents"]).add_limit(2))
        loaded.append(keys(pipeline, "chats"))
        assert {row["chat_id"] for row in rows(pipeline, "chat_events")} <= loaded[-1]
    assert loaded[0] < loaded[1] < loaded[2] <= set(sandbox.account.chat_ids())
    assert len(loaded[0]) == 40
    pipeline.run(dlt_source(account, [*NESTED, "agents"]))
    check_content(sandbox, partial(rows, pipeline), [*NESTED, "agents"])


def test_a_limit_may_count_rows_or_be_on_one_resource_or_allow_none(sandbox: Sandbox, account: Account, tmp_path: Path) -> None:
    by_rows = pipeline_in(tmp_path, "by_rows")
    by_rows.run(dlt_source(account, ["chats"]).add_limit(30, count_rows=True))
    assert len(rows(by_rows, "chats")) == 40
    by_rows.run(dlt_source(account, ["chats"]).add_limit(0))
    assert len(rows(by_rows, "chats")) == 40
    one = pipeline_in(tmp_path, "one")
    source = dlt_source(account, ["chats", "visitors"])
    source.chats.add_limit(1)
    one.run(source)
    assert len(rows(one, "chats")) == 20
    check_content(sandbox, partial(rows, one), ["visitors"])
    timed = pipeline_in(tmp_path, "timed")
    timed.run(dlt_source(account, ["chats"]).add_limit(max_time=3600))
    check_content(sandbox, partial(rows, timed), ["chats"])


@pytest.mark.parametrize("parallel", [False, True])
def test_maps_and_filters_get_tables_of_records(sandbox: Sandbox, account: Account, tmp_path: Path, *, parallel: bool) -> None:
    def messages(table: pa.Table) -> pa.Table:
        assert None not in table.column("id").to_pylist()
        return table.filter(pc.field("type") == "chat.msg")

    def without_sender(table: pa.Table) -> pa.Table:
        return table.drop_columns(["name"])

    pipeline = pipeline_in(tmp_path)
    for length in (3, 1, 0):
        source = dlt_source(account, ["chat_events"])
        source.chat_events.add_map(messages).add_map(without_sender).add_filter(lambda table: table.num_rows > 0)
        pipeline.run(source.parallelize() if parallel else source)
        found = rows(pipeline, "chat_events")
        expected = [event["id"] for event in truth(sandbox, "chat_events") if event["type"] == "chat.msg"]
        assert sorted(row["id"] for row in found) == sorted(expected)
        assert {row.get("name") for row in found} == {None}
        chat = next(chat for chat in truth(sandbox, "chats") if len(chat.get("history", [])) > length)
        sandbox.account.edit_chat(chat["id"], history=chat["history"][:length])


def test_a_renamed_resource_has_a_table_and_a_state_of_its_own(sandbox: Sandbox, account: Account, tmp_path: Path) -> None:
    pipeline = pipeline_in(tmp_path)
    for _ in range(2):
        source = dlt_source(account, ["chats", "agents"])
        source.resources["rated"] = source.chats.with_name("rated")
        source.rated.add_map(lambda table: table.filter(pc.is_valid(table.column("rating"))))
        pipeline.run(source)
        assert keys(pipeline, "rated") == {chat["id"] for chat in truth(sandbox, "chats") if chat.get("rating")}
        sandbox.account.edit_chat(sandbox.account.chat_ids()[0], rating="bad")
    assert set(pipeline.state["sources"]["zendesk_chat"]["resources"]) == {"chats", "agents", "rated"}


def test_a_transformer_gets_the_rows_of_a_stream_that_is_not_loaded(account: Account, sandbox: Sandbox, tmp_path: Path) -> None:
    pipeline = pipeline_in(tmp_path)
    for _ in range(2):
        source = dlt_source(account, ["chat_events"])

        @dlt.transformer(data_from=source.chat_events, write_disposition="append")
        def events(table: pa.Table) -> Iterator[list[dict[str, object]]]:
            yield table.select(["id"]).to_pylist()

        pipeline.run([events])
    assert sorted(row["id"] for row in rows(pipeline, "events")) == sorted(row["id"] for row in truth(sandbox, "chat_events"))
    assert "chat_events" not in pipeline.default_schema.tables


def test_parallel_resources_read_each_page_once(sandbox: Sandbox, account: Account, tmp_path: Path) -> None:
    pipeline = pipeline_in(tmp_path)
    pipeline.run(dlt_source(account).parallelize())
    check_content(sandbox, partial(rows, pipeline))
    pages = [tuple(request.query.items()) for request in sandbox.requests if "incremental/chats" in request.path]
    assert len(pages) == len(set(pages))


def test_rows_can_be_iterated_without_a_pipeline(sandbox: Sandbox, account: Account) -> None:
    found = [
        row for table in dlt_source(account, ["goals"]).goals for row in table.drop_columns(["_extra", "_unparsed"]).to_pylist()
    ]
    assert sorted(str(row["id"]) for row in found) == sorted(str(goal["id"]) for goal in truth(sandbox, "goals"))
    tables = list(dlt_source(account, ["chat_events", "visitors"]))
    assert all(None not in table.column("id").to_pylist() for table in tables)


@pytest.mark.long
def test_one_source_loads_into_several_pipelines(sandbox: Sandbox, account: Account, tmp_path: Path) -> None:
    source = dlt_source(account, NESTED)
    pipelines = [pipeline_in(tmp_path, name) for name in ("first", "second")]
    for number, pipeline in enumerate(pipelines * 2):
        pipeline.run(source)
        check_content(sandbox, partial(rows, pipeline), NESTED)
        sandbox.account.edit_chat(sandbox.account.chat_ids()[number], history=[])


def test_it_loads_beside_other_sources(sandbox: Sandbox, account: Account, tmp_path: Path) -> None:
    @dlt.resource(name="mine", write_disposition="replace")
    def mine() -> Iterator[list[dict[str, int]]]:
        yield [{"id": 1}]

    pipeline = pipeline_in(tmp_path)
    for _ in range(2):
        source = dlt_source(account, NESTED)
        pipeline.run([mine, source.chats, source.chat_events, source.visitors])
        check_content(sandbox, partial(rows, pipeline), NESTED)
        assert [row["id"] for row in rows(pipeline, "mine")] == [1]
        sandbox.account.edit_chat(sandbox.account.chat_ids()[0], history=[])


@pytest.mark.long
def test_schemas_may_have_datasets_of_their_own(
    sandbox: Sandbox, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USE_SINGLE_DATASET", "false")

    @dlt.source(name="other")
    def other() -> Any:
        return dlt.resource([{"id": 1}], name="mine")

    pipeline = pipeline_in(tmp_path)
    for number in range(3):
        pipeline.run([other(), dlt_source(account, NESTED)])
        check_content(sandbox, partial(rows, pipeline, dataset="chat_zendesk_chat"), NESTED)
        sandbox.account.edit_chat(sandbox.account.chat_ids()[number], history=[])


def test_hints_of_the_user_are_used(sandbox: Sandbox, account: Account, tmp_path: Path) -> None:
    tables = {"chat_events": "events", "visitors": "guests"}
    named, keyed, merged = (pipeline_in(tmp_path, name) for name in ("named", "keyed", "merged"))
    for number in range(2):
        source = dlt_source(account, list(tables))
        source.visitors.apply_hints(table_name="Guests")
        source.chat_events.apply_hints(table_name="events")
        named.run(source)
        check_content(sandbox, lambda stream: rows(named, tables[stream]), tables)
        source = dlt_source(account, ["chat_events"])
        source.chat_events.apply_hints(primary_key="chat_id")
        keyed.run(source)
        merged.run(dlt_source(account, ["chat_events"]), write_disposition="merge")
        check_content(sandbox, partial(rows, merged), ["chat_events"])
        sandbox.account.edit_chat(sandbox.account.chat_ids()[number], history=[])
    chats = [row["chat_id"] for row in rows(keyed, "chat_events")]
    assert len(chats) == len(set(chats))


def test_a_frozen_schema_keeps_unknown_fields_in_the_columns_for_them(
    sandbox: Sandbox, account: Account, tmp_path: Path
) -> None:
    pipeline = pipeline_in(tmp_path)
    pipeline.run(dlt_source(account, ["chats"]))
    edited = sandbox.account.chat_ids()[0]
    sandbox.account.edit_chat(edited, brand_new="field", duration="not a number")
    pipeline.run(dlt_source(account, ["chats"]), schema_contract="freeze")
    (row,) = [row for row in rows(pipeline, "chats") if row["id"] == edited]
    assert (row["_extra"], row["_unparsed"]) == ('{"brand_new":"field"}', '{"duration":"not a number"}')


@pytest.mark.long
def test_every_refresh_reads_everything_again(sandbox: Sandbox, account: Account, tmp_path: Path) -> None:
    pipeline = pipeline_in(tmp_path)
    modes: list[Any] = [None, "drop_sources", "drop_resources", "drop_data"]
    for mode in modes:
        pipeline.extract(dlt_source(account, NESTED), refresh=mode)
        assert pipeline.normalize().row_counts["chats"] == 100
        pipeline.load()
        check_content(sandbox, partial(rows, pipeline), NESTED)


def test_a_pipeline_that_lost_its_directory_resumes_from_the_destination(
    sandbox: Sandbox, account: Account, tmp_path: Path
) -> None:
    pipeline = pipeline_in(tmp_path)
    pipeline.run(dlt_source(account, NESTED))
    sandbox.account.edit_chat(sandbox.account.chat_ids()[0], history=[])
    pipeline = pipeline.drop()
    pipeline.sync_destination()
    pipeline.extract(dlt_source(account, NESTED))
    assert pipeline.normalize().row_counts["chats"] == 1
    pipeline.load()
    check_content(sandbox, partial(rows, pipeline), NESTED)


def test_development_mode_loads_into_a_new_dataset_each_time(sandbox: Sandbox, account: Account, tmp_path: Path) -> None:
    for _ in range(2):
        pipeline = pipeline_in(tmp_path, dev_mode=True)
        pipeline.run(dlt_source(account, ["chats"]))
        check_content(sandbox, partial(rows, pipeline), ["chats"])


def test_a_pipeline_keeps_to_its_account(account: Account, tmp_path: Path) -> None:
    pipeline = pipeline_in(tmp_path)
    pipeline.run(dlt_source(account, ["chats"]))
    with small(30) as sandbox:
        other = account_of(sandbox, subdomain="globex")
        with pytest.raises(PipelineStepFailed, match="has loaded the account acme, but the source reads globex"):
            pipeline.run(dlt_source(other, ["chats"]))
        assert len(rows(pipeline, "chats")) == 100
        pipeline.run(dlt_source(other, ["chats"]), refresh="drop_sources")
        check_content(sandbox, partial(rows, pipeline), ["chats"])


def test_nothing_is_left_on_disk_whatever_fails(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    def refuse(_table: pa.Table) -> pa.Table:
        raise ValueError("refused")

    pipeline = pipeline_in(tmp_path)
    source = dlt_source(account, NESTED)
    source.chats.add_map(refuse)
    with pytest.raises(PipelineStepFailed, match="refused"):
        pipeline.run(source)
    assert [path.name for path in temporary.iterdir() if path.name.startswith("zendesk-chat-")] == []
    pipeline.run(dlt_source(account, NESTED))
    assert [path.name for path in temporary.iterdir() if path.name.startswith("zendesk-chat-")] == []


def configure(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    given = {"subdomain": "acme", "access_token": sandbox.token, "api_url": sandbox.url, **settings}
    for name, value in given.items():
        monkeypatch.setenv(f"SOURCES__ZENDESK_CHAT__{name.upper()}", value)


def test_the_account_comes_from_dlts_configuration(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(sandbox, monkeypatch, requests_per_minute="10000", streams='["chats", "goals"]')
    source = zendesk_chat_source()
    assert (source.name, source.section, list(source.resources)) == ("zendesk_chat", "zendesk_chat", ["chats", "goals"])
    pipeline = pipeline_in(tmp_path)
    pipeline.run(source)
    check_content(sandbox, partial(rows, pipeline), ["chats", "goals"])
    assert list(zendesk_chat_source(streams=["bans"]).resources) == ["bans"]
    assert sandbox.token not in str(pipeline.state) + str(pipeline.default_schema.to_dict()) + str(source)


def test_a_setting_that_is_missing_or_wrong_is_named(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigFieldMissingException, match="SOURCES__ZENDESK_CHAT__SUBDOMAIN"):
        zendesk_chat_source()
    configure(sandbox, monkeypatch, start_date="yesterday")
    with pytest.raises(ConfigError, match="start_date"):
        zendesk_chat_source()


def test_a_source_under_another_name_has_another_schema_and_state(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(sandbox, monkeypatch)
    pipeline = pipeline_in(tmp_path)
    pipeline.run(zendesk_chat_source.clone(name="acme")(streams=["goals", "chats"]))
    assert pipeline.default_schema.name == "acme"
    assert list(pipeline.state["sources"]) == ["acme"]
    check_content(sandbox, partial(rows, pipeline), ["goals", "chats"])
