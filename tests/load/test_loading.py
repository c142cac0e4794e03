"""What is in the tables after a load is what was in the records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from tests.support.loads import (
    CHATS,
    EACH_PAGE,
    by_id,
    chat,
    chat_pages,
    completed,
    load,
    loaded_chats,
    page,
    raising_after,
    rows,
    started,
    states,
)
from zendesk_chat.engine.events import Event, SchemaChange, StreamFailed, StreamUnavailable
from zendesk_chat.engine.stats import SyncStats
from zendesk_chat.errors import AuthError, DestinationError, ExitCode, UnavailableError
from zendesk_chat.json_schema import Schema
from zendesk_chat.load.loading import Saved
from zendesk_chat.load.store import Limits


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chats.duckdb"


def test_tables_hold_the_records_by_key_and_value(path: Path) -> None:
    chats = [chat(number) for number in range(30)]
    departments: list[dict[str, object]] = [{"id": 1, "name": "Orders"}, {"id": 2, "name": None}]
    report = load(
        path,
        [
            *started("departments", "accounts"),
            page("departments", departments),
            page("accounts", [{"account_key": "k"}]),
            *chat_pages(chats),
            completed("departments", 2),
            completed("accounts", 1),
        ],
    )
    assert report.exit_code == ExitCode.COMPLETE
    assert [stream.name for stream in report.streams] == ["chats", "departments", "accounts"], "as the tables"
    assert loaded_chats(path) == by_id(chats)
    assert rows(path, "FROM departments ORDER BY id") == [(1, "Orders", None, None), (2, None, None, None)]
    assert rows(path, "FROM accounts") == [("k", None, None)]
    assert states(path) == {"chats": {"next": 30}}
    assert {schema for (schema,) in rows(path, "SELECT DISTINCT schema_name FROM duckdb_tables()")} == {"main"}


def test_columns_have_their_types_even_without_a_record(path: Path) -> None:
    load(path, [*started("chats"), page("chats", [], next=0), completed("chats")])
    types = rows(path, "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'chats' ORDER BY column_index")
    assert types == [
        ("id", "VARCHAR"),
        ("update_timestamp", "TIMESTAMP WITH TIME ZONE"),
        ("duration", "DOUBLE"),
        ("department_id", "BIGINT"),
        ("missed", "BOOLEAN"),
        ("unread", "BOOLEAN"),
        ("comment", "VARCHAR"),
        ("visitor", "JSON"),
        ("history", "JSON"),
        ("never_sent", "BIGINT"),
        ("_extra", "JSON"),
        ("_unparsed", "JSON"),
    ]
    assert states(path) == {"chats": {"next": 0}}


def test_later_records_win_within_a_page_across_pages_and_across_runs(path: Path) -> None:
    first = [chat(1, comment="old"), chat(2, comment="old"), chat(1, comment="new"), chat(3, comment="old")]
    load(path, chat_pages([*first, chat(2, comment="new")], size=2))
    assert {key: record["comment"] for key, record in loaded_chats(path).items()} == {
        "2603.1.0001": "new",
        "2603.1.0002": "new",
        "2603.1.0003": "old",
    }
    load(path, chat_pages([chat(3, comment="newest", department_id=None), chat(4)]), limits=EACH_PAGE)
    assert loaded_chats(path) == by_id(
        [chat(1, comment="new"), chat(2, comment="new"), chat(3, comment="newest", department_id=None), chat(4)]
    )


def test_a_complete_list_replaces_its_table(path: Path) -> None:
    for names in (["a", "b"], ["c"], []):
        records = [{"id": number, "name": name} for number, name in enumerate(names)]
        load(path, [*started("departments"), page("departments", records), completed("departments")])
        assert rows(path, "SELECT name FROM departments ORDER BY id") == [(name,) for name in names]


def test_a_list_that_fails_or_is_interrupted_leaves_its_table_and_the_other_streams_alone(path: Path) -> None:
    events = [*started("departments"), page("departments", [{"id": 1}, {"id": 2}])]
    load(path, [*events, completed("departments")])
    error = AuthError("The token has expired.")
    half = [*started("departments"), page("departments", [{"id": 1}])]
    report = load(
        path,
        [*half, StreamFailed("departments", error, SyncStats(1, 1, 1, 1)), *chat_pages([chat(1)])],
        limits=EACH_PAGE,
    )
    assert [(stream.name, stream.state, stream.error) for stream in report.streams] == [
        ("chats", "complete", None),
        ("departments", "failed", error),
    ]
    assert report.exit_code != ExitCode.COMPLETE
    assert load(path, half).streams[0].state == "interrupted"
    assert rows(path, "SELECT id FROM departments ORDER BY id") == [(1,), (2,)]
    assert loaded_chats(path) == by_id([chat(1)])


def test_a_stream_that_the_account_lacks_gets_no_table_and_the_others_are_complete(path: Path) -> None:
    error = UnavailableError("Not in this plan.", status=403)
    lacking = [
        *started("accounts", "departments"),
        *(StreamUnavailable(name, error, SyncStats(1)) for name in ("accounts", "departments")),
    ]
    report = load(path, [*lacking, *chat_pages([chat(1)])], limits=EACH_PAGE)
    assert [(stream.name, stream.state, stream.error) for stream in report.streams] == [
        ("chats", "complete", None),
        ("departments", "not available", error),
        ("accounts", "not available", error),
    ]
    assert report.exit_code == ExitCode.COMPLETE
    tables = {name for (name,) in rows(path, "SELECT table_name FROM duckdb_tables()")}
    assert {name for name in tables if not name.startswith("_sync_")} == {"chats"}
    names = ["departments", "accounts"]
    assert load(path, lacking, streams=names, required=["chats"]).exit_code == ExitCode.COMPLETE
    assert load(path, lacking, streams=names, required=["accounts", "chats"]).exit_code != ExitCode.COMPLETE


def test_a_stream_that_the_account_lost_keeps_its_table_also_in_a_full_refresh(path: Path) -> None:
    load(path, chat_pages([chat(1)]))
    lost = [*started("chats"), StreamUnavailable("chats", UnavailableError("Not in this plan.", status=403), SyncStats(1))]
    assert load(path, lost, streams=["chats"], full_refresh=True).exit_code == ExitCode.COMPLETE
    assert loaded_chats(path) == by_id([chat(1)])


def test_a_run_that_ends_early_reports_what_was_read_and_saved(path: Path) -> None:
    read = SyncStats(requests=3, pages=2, received=25, emitted=20, seconds=1.5, unchanged=5)
    listed = SyncStats(requests=1, pages=1, received=2, emitted=2, seconds=0.5)
    events = [
        *started("chats", "departments"),
        replace(page("departments", [{"id": 1}, {"id": 2}]), stats=listed),
        replace(page("chats", [chat(number) for number in range(8)], next=8), stats=replace(read, emitted=8)),
        replace(page("chats", [chat(number) for number in range(8, 20)], next=20), stats=read),
    ]
    report = load(path, events)
    assert [(stream.name, stream.state, stream.stats) for stream in report.streams] == [
        ("chats", "interrupted", read),
        ("departments", "interrupted", listed),
    ]
    assert (report.saved, report.result) == (20, "interrupted"), "an incomplete list is not saved"
    assert len(loaded_chats(path)) == 20


def test_a_run_that_ends_before_a_stream_has_started_is_interrupted(path: Path) -> None:
    report = load(path, chat_pages([chat(1)]))
    assert [stream.state for stream in report.streams] == ["complete"]
    assert (report.result, report.exit_code) == ("interrupted", ExitCode.INCOMPLETE)
    assert load(path, chat_pages([chat(1)]), streams=["chats"]).result == "complete"
    assert rows(path, "SELECT result FROM _sync_runs ORDER BY run") == [("interrupted",), ("complete",)]


def test_a_list_that_is_as_before_is_not_counted_as_saved(path: Path) -> None:
    names = ["departments", "chats"]
    for records, saved in (([{"id": 1}, {"id": 2}], 3), ([{"id": 1}, {"id": 2}], 0), ([{"id": 1}], 1), ([], 0)):
        listed = [*started("departments"), page("departments", records), completed("departments")]
        news = chat_pages([chat(1)]) if saved == 3 else [*started("chats"), completed("chats")]
        assert load(path, [*listed, *news], streams=names).saved == saved
        assert rows(path, "SELECT count(*) FROM departments") == [(len(records),)]


def test_drifts_are_reported_in_their_order(path: Path) -> None:
    drifts = [SchemaChange("chats", "new", (), "string"), SchemaChange("departments", "id", ("integer",), "string")]
    report = load(path, [*started("chats"), *drifts, *map(completed, ("chats", "departments", "accounts"))])
    assert report.drifts == tuple(drifts)
    assert report.exit_code == ExitCode.COMPLETE


def test_a_failed_stream_keeps_what_it_read(path: Path) -> None:
    events = chat_pages([chat(number) for number in range(20)])
    load(path, [*events[:2], StreamFailed("chats", AuthError("expired"), SyncStats(1, 1, 10, 10))])
    assert len(loaded_chats(path)) == 10
    assert states(path) == {"chats": {"next": 10}}


def test_a_second_run_without_news_changes_nothing(path: Path) -> None:
    load(path, chat_pages([chat(1), chat(2)]))
    saved: list[Event | Saved] = []
    load(path, [*started("chats"), page("chats", [], next=10), completed("chats")], observe=saved.append)
    assert saved[-1] == Saved(0)
    assert loaded_chats(path) == by_id([chat(1), chat(2)])
    assert states(path) == {"chats": {"next": 10}}


def test_a_state_comes_back_as_it_was_stored(path: Path) -> None:
    state = {"float": 1718000000.123456, "us": 1718000000123456, "deep": {"list": [1, None, "é\U0001f600"], "": {}}}
    load(path, [*started("chats"), page("chats", [], **state), completed("chats")])
    assert states(path) == {"chats": state}


@pytest.mark.parametrize("count", range(5))
def test_events_that_raise_leave_what_can_be_resumed(path: Path, count: int) -> None:
    chats = [chat(number) for number in range(6)]
    events = chat_pages(chats, size=2)
    with pytest.raises(ZeroDivisionError):
        load(path, raising_after(events, count, ZeroDivisionError()))
    position = states(path).get("chats", {"next": 0})["next"]
    assert position == max(0, 2 * (count - 1))
    load(path, chat_pages(chats[position:], size=2) if position < len(chats) else [])
    assert loaded_chats(path) == by_id(chats)


def test_an_interrupt_keeps_only_what_is_committed(path: Path) -> None:
    events = chat_pages([chat(number) for number in range(40)])
    limits = Limits(records=20)
    with pytest.raises(KeyboardInterrupt):
        load(path, raising_after(events, 4, KeyboardInterrupt()), limits=limits)
    assert len(loaded_chats(path)) == 20
    assert states(path) == {"chats": {"next": 20}}


def test_the_run_is_closed_at_once_when_the_destination_fails(path: Path) -> None:
    load(path, chat_pages([chat(1)]))
    closed = []

    def events() -> Iterator[Event]:
        try:
            yield from chat_pages([chat(1)])
        finally:
            closed.append(True)

    def refuse(event: Event | Saved) -> None:
        raise DestinationError("Full.")

    with pytest.raises(DestinationError) as caught:
        load(path, events(), observe=refuse)
    assert closed == [True]
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("limits", "commits"),
    [
        (Limits(seconds=60), [40]),
        (Limits(records=20), [20, 20]),
        (Limits(length=1), [10] * 4),
        (Limits(seconds=2.5), [20, 20]),
    ],
)
def test_transactions_are_bounded_by_records_bytes_and_time(path: Path, limits: Limits, commits: Sequence[int]) -> None:
    seconds = iter(range(1000))
    seen: list[Event | Saved] = []
    load(
        path,
        chat_pages([chat(number) for number in range(40)]),
        observe=seen.append,
        limits=limits,
        monotonic=lambda: float(next(seconds)),
    )
    assert [event.records for event in seen if isinstance(event, Saved) and event.records] == commits
    assert len(loaded_chats(path)) == 40


def test_nothing_of_a_transaction_stays_in_memory(path: Path) -> None:
    records = [{"id": f"{number:01000}", "update_timestamp": "2026-03-14T09:00:00Z"} for number in range(500)]
    held: list[int] = []

    def observe(event: Event | Saved) -> None:
        if isinstance(event, Saved):
            held.append(pa.total_allocated_bytes())

    load(path, chat_pages(records, size=100), observe=observe, limits=Limits(records=100))
    assert len(held) == 6
    assert max(held) - min(held) < 250_000  # of 500,000 bytes of keys


def test_full_refresh_drops_what_the_source_no_longer_has(path: Path) -> None:
    load(path, chat_pages([chat(number) for number in range(5)]))
    load(path, chat_pages([chat(number) for number in range(3, 8)], size=2), full_refresh=True, limits=EACH_PAGE)
    assert loaded_chats(path) == by_id([chat(number) for number in range(3, 8)])


@pytest.mark.parametrize("again", [False, True])
def test_the_next_run_continues_an_interrupted_full_refresh(path: Path, again: bool) -> None:
    load(path, chat_pages([chat(number) for number in range(5)]))
    events = chat_pages([chat(number) for number in range(3, 8)], size=2)
    with pytest.raises(KeyboardInterrupt):
        load(path, raising_after(events, 1, KeyboardInterrupt()), full_refresh=True)
    assert states(path) == {"chats": {"next": 10}}, "nothing of it was committed"
    with pytest.raises(KeyboardInterrupt):
        load(path, raising_after(events, 3, KeyboardInterrupt()), limits=EACH_PAGE, full_refresh=True)
    assert states(path) == {"chats": {"next": 4}}
    assert loaded_chats(path) == by_id([chat(number) for number in range(5)]), "the old rows stay until it is complete"
    load(path, chat_pages([chat(7)]), full_refresh=again)
    assert loaded_chats(path) == by_id([chat(number) for number in (3, 4, 5, 6, 7)])
    load(path, chat_pages([chat(8)]))
    assert loaded_chats(path) == by_id([chat(number) for number in (3, 4, 5, 6, 7, 8)])


def test_an_interrupted_full_refresh_starts_again_with_other_settings(path: Path) -> None:
    load(path, chat_pages([chat(number) for number in range(5)]))
    events = chat_pages([chat(number, comment="in clear") for number in range(3, 8)], size=2)
    with pytest.raises(KeyboardInterrupt):
        load(path, raising_after(events, 3, KeyboardInterrupt()), limits=EACH_PAGE, full_refresh=True)
    hidden = [chat(number, comment="hidden") for number in range(3, 8)]
    load(path, chat_pages(hidden, size=2), limits=EACH_PAGE, redactions={"chats": "1"})
    assert loaded_chats(path) == by_id(hidden)


def test_a_full_refresh_that_finds_nothing_empties_the_table_when_complete(path: Path) -> None:
    load(path, chat_pages([chat(1)]))
    nothing = [*started("chats"), page("chats", [], next=1)]
    load(path, nothing, full_refresh=True)
    assert len(loaded_chats(path)) == 1
    load(path, [*nothing, completed("chats")])
    assert loaded_chats(path) == {}


def test_columns_that_are_hashed_from_some_run_on_become_text(path: Path) -> None:
    load(path, chat_pages([chat(1), chat(2)]))
    names = ("department_id", "duration", "missed", "update_timestamp")
    fields = {**CHATS.schema.properties, **dict.fromkeys(names, Schema(("null", "string")))}
    hashed = replace(CHATS, schema=replace(CHATS.schema, properties=fields))
    changed = chat(2, **dict.fromkeys(names, "0a1b"))

    def load_hashed(*records: dict[str, Any], full_refresh: bool = False) -> list[tuple[Any, ...]]:
        load(path, chat_pages(records), tables=[hashed], full_refresh=full_refresh)
        return rows(path, f"SELECT id, {', '.join(names)}, _unparsed FROM chats ORDER BY id")

    first, second = load_hashed(changed)
    assert first[:4] == ("2603.1.0001", "1", "0.25", "false")
    assert second == ("2603.1.0002", "0a1b", "0a1b", "0a1b", "0a1b", None)
    assert load_hashed(changed, full_refresh=True) == [second]
    load(path, chat_pages([chat(3)]))
    assert rows(path, "SELECT department_id, duration, missed FROM chats WHERE id = '2603.1.0003'") == [("3", "0.75", "false")]


class LackingMemory:
    """Lets DuckDB lack memory for the first statement that begins so."""

    def __init__(self, beginning: str) -> None:
        self._beginning = beginning
        self.times = 0

    def __call__(self, statement: str) -> None:
        if statement.startswith(self._beginning) and not self.times:
            self.times += 1
            raise duckdb.OutOfMemoryException(
                "Out of Memory Error: failed to allocate data of size 256.0 MiB (596.0 KiB/61.0 MiB used)"
            )


@pytest.mark.parametrize("table", ["chats", "accounts", "departments"])
def test_a_transaction_that_lacked_memory_is_repeated_with_more(table: str, path: Path) -> None:
    events = [
        *started("accounts", "departments"),
        page("accounts", [{"account_key": "k"}]),
        page("departments", [{"id": 1, "name": "Orders"}]),
        completed("accounts", 1),
        completed("departments", 1),
        *chat_pages([chat(1), chat(2)]),
    ]
    lacking = LackingMemory(f'INSERT INTO "main"."{table}"')
    assert load(path, events, reach=lacking).exit_code == ExitCode.COMPLETE
    assert lacking.times == 1
    assert loaded_chats(path) == by_id([chat(1), chat(2)])
    assert rows(path, "SELECT account_key FROM accounts") == [("k",)]
    assert rows(path, "SELECT id FROM departments") == [(1,)]


def test_a_commit_of_which_nobody_knows_whether_it_took_effect_is_not_repeated(path: Path) -> None:
    load(path, chat_pages([chat(1)]))
    lacking = LackingMemory("COMMIT")
    with pytest.raises(DestinationError, match="ran out of memory"):
        load(path, chat_pages([chat(2)]), reach=lacking)
    assert loaded_chats(path) == by_id([chat(1)])
    load(path, chat_pages([chat(2)]))
    assert loaded_chats(path) == by_id([chat(1), chat(2)])
