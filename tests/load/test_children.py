"""A table of children holds, for each parent, what the parent last had; a table of visitors the latest of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dlt
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.support import loads
from tests.support.loads import (
    EACH_PAGE,
    EVENTS,
    VISITORS,
    Family,
    Held,
    after_page,
    completed,
    family_page,
    held_events,
    held_visitors,
    raising_after,
    rows,
    started,
    states,
    visitor_page,
)
from zendesk_chat.clock import SystemClock
from zendesk_chat.engine.events import Event
from zendesk_chat.load.account_guard import AccountRow
from zendesk_chat.load.loading import load_events
from zendesk_chat.load.store import Limits
from zendesk_chat.load.warehouse.file_lock import FileLock
from zendesk_chat.load.warehouse.kinds import Kind
from zendesk_chat.load.warehouse.lock import KeptLock
from zendesk_chat.load.warehouse.opening import Warehouse
from zendesk_chat.load.warehouse.store import Target, WarehouseStore
from zendesk_chat.load.warehouse.surroundings import our_settings
from zendesk_chat.tables import spool as spool_module
from zendesk_chat.tables.arrow import RecordReader, naming_rows
from zendesk_chat.tables.spool import Spool

TABLES = (EVENTS, VISITORS)
UNSHRUNK = [Phase.explicit, Phase.reuse, Phase.generate]  # each example is several loads
PARENTS = "abc"
FAMILIES: st.SearchStrategy[Family] = st.tuples(
    st.sampled_from(PARENTS), st.sets(st.integers(0, 3), max_size=3), st.booleans()
).map(lambda drawn: (drawn[0], sorted(f"{drawn[0]}{number}" for number in drawn[1]), drawn[2]))
PAGES: st.SearchStrategy[list[Family]] = st.lists(FAMILIES, max_size=3, unique_by=lambda family: family[0])
VISITOR_PAGES = st.lists(st.tuples(st.sampled_from("xyz"), st.none() | st.integers(1, 5)), max_size=4)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chats.duckdb"


def load(path: Path, events: Iterator[Event] | Sequence[Event], **options: Any) -> None:
    loads.load(path, events, tables=TABLES, **options)


def family_run(pages: Sequence[Sequence[Family]], first: int = 0) -> list[Event]:
    """A run over the pages, whose state is the number of the next page and whose text that of the page."""
    read = [family_page(families, str(number), next=number + 1) for number, families in enumerate(pages)]
    return [*started("chat_events"), *read[first:], completed("chat_events")]


def model(pages: Sequence[Sequence[Family]]) -> Held:
    held: Held = {}
    for number, families in enumerate(pages):
        held = after_page(held, families, str(number))
    return held


def later(held: dict[str, tuple[int | None, str]], visitors: Sequence[tuple[str, int | None]], text: str) -> None:
    """Note visitors of a page where they are not older than what is held."""
    for key, minute in visitors:
        if key not in held or (minute or 0) >= (held[key][0] or 0):
            held[key] = (minute, text)


def spooled(table: Any, pages: Sequence[Any]) -> spool_module.Rows:
    """The rows that are left of pages that wait together; to be read before the next call."""
    read = RecordReader(table).read
    with TemporaryDirectory() as directory:
        spool = Spool(Path(directory) / "rows.parquet", table)
        for page in pages:
            spool.append(read(page.records), page.parents)
        rows = spool.rows()
        batches = list(rows.batches)
        if rows.file is not None:
            assert pa.concat_tables(batches).num_rows == spool.records
        spool.clear()
    return spool_module.Rows(iter(batches), rows.file, rows.records, rows.parents)


@given(st.lists(PAGES, max_size=6))
@settings(max_examples=60, deadline=None)
def test_of_pages_that_wait_together_the_last_of_each_parent_and_key_decides(pages: list[list[Family]]) -> None:
    left = spooled(EVENTS, [family_page(families, str(number)) for number, families in enumerate(pages)])
    found = [(str(row["id"]), (row["chat_id"], row["msg"])) for batch in left.batches for row in batch.to_pylist()]
    assert dict(found) == model(pages)
    assert left.records == len(found) == len(dict(found))
    assert left.parents is not None
    assert set(left.parents.column("chat_id").to_pylist()) == {
        parent for families in pages for parent, _, complete in families if complete
    }


@given(st.lists(VISITOR_PAGES, max_size=5))
@settings(max_examples=40, deadline=None)
def test_of_visitors_that_wait_together_the_latest_of_each_is_left(pages: list[list[tuple[str, int | None]]]) -> None:
    expected: dict[str, tuple[int | None, str]] = {}
    for number, visitors in enumerate(pages):
        later(expected, visitors, str(number))
    left = spooled(VISITORS, [visitor_page(visitors, str(number)) for number, visitors in enumerate(pages)])
    found = [row for batch in left.batches for row in batch.to_pylist()]
    assert {row["id"]: row["name"] for row in found} == {key: name for key, (_, name) in expected.items()}
    assert left.records == len(found) == len(expected)
    assert left.parents is None


@given(
    st.lists(PAGES, min_size=2, max_size=6),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([EACH_PAGE, Limits(records=3), Limits()])), max_size=2),
)
@settings(max_examples=5, deadline=None, phases=UNSHRUNK)
def test_the_table_matches_the_pages_however_they_are_committed_and_interrupted(
    pages: list[list[Family]], cuts: list[tuple[int, Limits]]
) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "chats.duckdb"
        done = 0
        for length, limits in cuts:
            events = raising_after(family_run(pages, done), min(length, len(pages) - done) + 1, KeyboardInterrupt())
            with pytest.raises(KeyboardInterrupt):
                load(path, events, limits=limits)
            done = states(path).get("chat_events", {}).get("next", 0)
            assert not done or held_events(path) == model(pages[:done])
        load(path, family_run(pages, done), limits=EACH_PAGE)
        assert held_events(path) == model(pages)


def test_children_that_an_edited_chat_no_longer_has_are_gone_and_those_of_others_stay(path: Path) -> None:
    first: list[Family] = [("a", ["a0", "a1"], True), ("b", ["b0", "b1"], True), ("c", ["c0", "c1"], True)]
    edited: list[Family] = [("a", ["a1", "a2"], True), ("b", [], True), ("c", ["c1", "c2"], False)]
    load(path, family_run([first]))
    load(path, family_run([first, edited], 1))
    expected = {"a1": ("a", "1"), "a2": ("a", "1"), "c0": ("c", "0"), "c1": ("c", "1"), "c2": ("c", "1")}
    assert held_events(path) == expected == model([first, edited])
    load(path, family_run([first, edited, [("c", [], True)]], 2))
    assert set(held_events(path)) == {"a1", "a2"}
    assert states(path) == {"chat_events": {"next": 3}}
    columns = rows(path, "SELECT column_name FROM duckdb_columns() WHERE table_name = 'chat_events' ORDER BY column_index")
    assert [name for (name,) in columns] == ["id", "chat_id", "chat_update_timestamp", "msg", "_extra", "_unparsed"]


def test_destinations_of_dlt_come_to_the_same(path: Path) -> None:
    pages: list[list[Family]] = [
        [("a", ["a0", "a1"], True), ("b", ["b0"], True)],
        [("a", ["a1"], True), ("b", ["b1"], False)],
        [("b", [], True)],
    ]
    visitors: list[list[tuple[str, int | None]]] = [[("x", 5), ("y", 1)], [("x", 4), ("y", 2), ("z", 1)], [("z", None)]]
    with our_settings(), TemporaryDirectory() as folder:
        pipeline = dlt.pipeline("zendesk_chat", folder, destination=dlt.destinations.duckdb(str(path)), dataset_name="main")
        duckdb = Kind("duckdb", "DuckDB", ("duckdb",), driver="duckdb", extras=(), modules=("duckdb",), example="")
        warehouse = Warehouse(
            duckdb, pipeline, Path(folder), "the database", KeptLock(FileLock(Path(folder, "lock")), SystemClock())
        )
        for number in range(3):
            events = [
                *started("chat_events", "visitors"),
                family_run(pages)[number + 1],
                visitor_page(visitors[number], str(number), next=number),
            ]
            store = WarehouseStore(warehouse, Target(AccountRow("acme"), TABLES))
            load_events(events, [table.name for table in TABLES], store)
    assert held_events(path) == model(pages)
    assert held_visitors(path) == {"x": (5, "0"), "y": (2, "1"), "z": (1, "1")}


def test_a_key_that_moves_to_another_parent_is_there_once(path: Path) -> None:
    pages: list[list[Family]] = [[("a", ["k"], True)], [("b", ["k"], True)], [("b", [], True)]]
    for end in (2, 3):
        load(path, family_run(pages[:end], end - 2), limits=EACH_PAGE)
        assert held_events(path) == model(pages[:end])


def test_a_full_refresh_replaces_the_table_and_then_continues(path: Path) -> None:
    load(path, family_run([[("a", ["a0"], True), ("b", ["b0"], True)]]))
    again: list[list[Family]] = [[("c", [], True)], [("a", ["a1", "a2"], True)], [("a", ["a2"], True)]]
    load(path, family_run(again), full_refresh=True, limits=EACH_PAGE)
    assert held_events(path) == model(again)


def test_a_child_without_its_key_is_no_parent_that_is_named(path: Path) -> None:
    load(path, family_run([[("a", ["a0"], True), ("b", ["b0"], True)]]))
    page = family_page([("a", ["a1"], True)], "1", next=2)
    odd = b'{"chat_id":"b","msg":"no key","new":1}'
    load(path, [*started("chat_events"), type(page)("chat_events", [*page.records, odd], page.state, parents=page.parents)])
    found = rows(path, "SELECT id, chat_id, _extra FROM chat_events ORDER BY ALL")
    assert found == [("a1", "a", None), ("b0", "b", None), (None, "b", '{"new":1}')]


@given(st.lists(VISITOR_PAGES, min_size=2, max_size=4))
@settings(max_examples=4, deadline=None, phases=UNSHRUNK)
def test_the_latest_of_each_visitor_stays_whichever_comes_first(pages: list[list[tuple[str, int | None]]]) -> None:
    expected: dict[str, tuple[int | None, str]] = {}
    for number, visitors in enumerate(pages):
        later(expected, visitors, str(number))
    read = [visitor_page(visitors, str(number), next=number) for number, visitors in enumerate(pages)]
    with TemporaryDirectory() as directory:
        path = Path(directory) / "chats.duckdb"
        load(path, [*started("visitors"), *read, completed("visitors")], limits=EACH_PAGE)
        assert held_visitors(path) == expected


def test_a_visitor_of_an_older_chat_that_was_edited_is_skipped(path: Path) -> None:
    pages: list[list[tuple[str, int | None]]] = [
        [("x", 5), ("y", 3), ("z", None), ("same", 2)],
        [("x", 4), ("y", 3), ("z", None), ("w", 1), ("same", 2)],
        [("x", None), ("y", 4), ("z", 1)],
    ]
    for number, visitors in enumerate(pages):
        load(path, [*started("visitors"), visitor_page(visitors, str(number), next=number), completed("visitors")])
    assert held_visitors(path) == {"x": (5, "0"), "y": (4, "2"), "z": (1, "2"), "w": (1, "1"), "same": (2, "1")}


def test_rows_that_name_parents_have_nothing_else() -> None:
    named = naming_rows(EVENTS, pa.table({"chat_id": ["a", "b"]}))
    assert [{name: value for name, value in row.items() if value is not None} for row in named.to_pylist()] == [
        {"chat_id": "a"},
        {"chat_id": "b"},
    ]
