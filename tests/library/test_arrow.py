"""What the library gives as Arrow is what `sync` loads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from tests.support.in_process import account_of, assert_threads_end
from tests.support.loads import load as load_into
from tests.support.sandbox import small
from zendesk_chat import UnavailableError, arrow_reader, list_streams, read_all, read_arrow
from zendesk_chat.engine.events import Event, PageRead, StreamCompleted, StreamStarted
from zendesk_chat.engine.stats import SyncStats
from zendesk_chat.errors import ExitCode
from zendesk_chat.streams.registry import STREAMS as REGISTERED
from zendesk_chat.tables.table import StreamTable
from zendesk_chat_sandbox import Sandbox

STREAMS = list_streams()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with small(250, export_page_cap=100) as running:
        yield running


def rows_of(table: pa.Table) -> list[str]:
    """Rows in a form that compares by content whatever their order, and the form of the JSON in them."""

    def read(value: object) -> object:
        return json.loads(value) if isinstance(value, str) and value[:1] in {"{", "["} else value

    rows = [{name: read(value) for name, value in row.items()} for row in table.to_pylist()]
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in rows)


def load(sandbox: Sandbox, path: Path) -> None:
    """Load an account as `sync` does."""
    events: list[Event] = [StreamStarted(info.name) for info in STREAMS]
    events += [PageRead(batch.stream, batch.records, batch.state) for batch in read_all(account_of(sandbox))]
    events += [StreamCompleted(info.name, SyncStats()) for info in STREAMS]
    tables = [StreamTable.of(REGISTERED[info.name]) for info in STREAMS]
    assert load_into(path, events, tables=tables).exit_code == ExitCode.COMPLETE


def test_rows_and_types_are_those_that_sync_loads(sandbox: Sandbox, tmp_path: Path) -> None:
    ids = sandbox.account.chat_ids()
    sandbox.account.edit_chat(ids[0], brand_new="field", duration="a string, not a number", visitor={"a": ["\U0001f600"]})
    load(sandbox, tmp_path / "sync.duckdb")
    account = account_of(sandbox)
    with duckdb.connect(str(tmp_path / "sync.duckdb"), read_only=True) as database:
        for info in STREAMS:
            loaded: Any = database.sql(f'SELECT * FROM "{info.name}"').to_arrow_table()
            read = arrow_reader(account, info.name).read_all()
            assert read.num_rows > 0
            assert read.column_names == loaded.column_names
            assert rows_of(read) == rows_of(loaded)
            types = database.sql(f'DESCRIBE "{info.name}"').fetchall()
            words = {"string": "VARCHAR", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN"}
            words |= {"timestamp[us, tz=UTC]": "TIMESTAMP WITH TIME ZONE"}
            expected = [words[str(kind)] for kind in read.schema.types]
            assert [kind.replace("JSON", "VARCHAR") for _, kind, *_ in types] == expected
    (edited,) = arrow_reader(account, "chats").read_all().filter(pa.compute.field("id") == ids[0]).to_pylist()
    assert edited["duration"] is None
    assert json.loads(edited["_unparsed"]) == {"duration": "a string, not a number"}
    assert json.loads(edited["_extra"]) == {"brand_new": "field"}


def test_batches_carry_the_state_to_resume_from(sandbox: Sandbox) -> None:
    account = account_of(sandbox)
    batches = list(read_arrow(account, "chats"))
    assert len(batches) >= 3
    assert {batch.stream for batch in batches} == {"chats"}
    everything = pa.concat_tables([batch.table for batch in batches])
    assert sorted(map(str, everything.column("id").to_pylist())) == sorted(sandbox.account.chat_ids())
    for count, batch in enumerate(batches, 1):
        rest = [later.table for later in read_arrow(account, "chats", batch.state)]
        assert rows_of(pa.concat_tables([*(before.table for before in batches[:count]), *rest])) == rows_of(everything)
    (added,) = sandbox.account.add_chats(1)
    assert arrow_reader(account, "chats", batches[-1].state).read_all().column("id").to_pylist() == [added]


def test_other_programs_take_the_reader_and_its_threads_end(sandbox: Sandbox) -> None:
    account = account_of(sandbox)
    with duckdb.connect() as database:
        counted = database.from_arrow(arrow_reader(account, "chats")).aggregate("count(*), count(DISTINCT id)").fetchall()
    assert counted == [(250, 250)]
    reader = arrow_reader(account, "chats")
    assert reader.read_next_batch().num_rows == 100
    del reader
    assert_threads_end()


def test_an_error_is_that_of_the_stream(sandbox: Sandbox) -> None:
    sandbox.switch(unavailable={"goals": 403})
    with pytest.raises(UnavailableError, match="HTTP 403"):
        arrow_reader(account_of(sandbox), "goals").read_all()
    assert_threads_end()
