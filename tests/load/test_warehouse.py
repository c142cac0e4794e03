"""What a run into another destination than a DuckDB file promises, whatever the destination: shown with DuckDB through dlt."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dlt
import pytest

from tests.support.clock import FakeClock
from tests.support.loads import CHATS, DEPARTMENTS, chat, completed, page, started
from zendesk_chat.engine.events import Event
from zendesk_chat.load.account_guard import AccountRow
from zendesk_chat.load.loading import load_events
from zendesk_chat.load.warehouse.file_lock import FileLock
from zendesk_chat.load.warehouse.kinds import Kind
from zendesk_chat.load.warehouse.lock import KEPT_SECONDS, KeptLock
from zendesk_chat.load.warehouse.opening import Warehouse
from zendesk_chat.load.warehouse.store import Target, WarehouseStore
from zendesk_chat.load.warehouse.surroundings import our_settings
from zendesk_chat.load.warehouse.working_directory import LOCK, PREFIX, YOUNG_SECONDS, working_directory

TABLES = (CHATS, DEPARTMENTS)
KIND = Kind("duckdb", "DuckDB", ("duckdb",), driver="duckdb", extras=(), modules=("duckdb",), example="")


class Checked:
    """A lock that counts how often it was checked."""

    def __init__(self) -> None:
        self.checks = 0

    def check(self) -> None:
        self.checks += 1


@contextmanager
def opened(path: Path, lock: KeptLock | None = None) -> Iterator[WarehouseStore]:
    """A store over what earlier runs left: each run has a working directory of its own."""
    clock = FakeClock()
    with our_settings(), working_directory(clock) as directory:
        destination = dlt.destinations.duckdb(str(path))
        pipeline = dlt.pipeline("zendesk_chat", str(directory / "dlt"), destination=destination, dataset_name="acme")
        pipeline.sync_destination()
        warehouse = Warehouse(KIND, pipeline, directory, "the database", lock or KeptLock(Checked(), clock))
        yield WarehouseStore(warehouse, Target(AccountRow("acme"), TABLES))


def run(chats: Sequence[int], departments: Sequence[str], position: int) -> list[Event]:
    lists = [{"id": number, "name": name} for number, name in enumerate(departments)]
    return [
        *started("chats", "departments"),
        page("chats", [chat(number) for number in chats], next=position),
        page("departments", lists),
        completed("chats"),
        completed("departments"),
    ]


def load(path: Path, events: Sequence[Event]) -> None:
    with opened(path) as store:
        load_events(events, [table.name for table in TABLES], store)


def rows(path: Path, table: str, column: str) -> list[Any]:
    with our_settings(), working_directory(FakeClock()) as directory:
        destination = dlt.destinations.duckdb(str(path))
        pipeline = dlt.pipeline("zendesk_chat", str(directory), destination=destination, dataset_name="acme")
        pipeline.sync_destination()
        with pipeline.sql_client() as client:
            return sorted(row[0] for row in client.execute_sql(f"SELECT {column} FROM {table}") or ())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chats.duckdb"


@pytest.mark.parametrize("loads", [0, 1])
def test_a_run_that_is_killed_between_two_loads_is_never_ahead_of_its_rows(
    loads: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(path, run([1, 2], ["Sales", "Support"], 10))
    begun = itertools.count()
    complete = dlt.Pipeline.load

    def killed(pipeline: dlt.Pipeline, *arguments: Any, **options: Any) -> Any:
        if next(begun) == loads:
            raise KeyboardInterrupt
        return complete(pipeline, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(dlt.Pipeline, "load", killed)
        with pytest.raises(KeyboardInterrupt):
            load(path, run([2, 3], ["Sales", "Renamed"], 20))
    with opened(path) as store:
        assert store.states() == {"chats": {"next": 10}}
    load(path, run([2, 3], ["Sales", "Renamed"], 20))
    assert rows(path, "chats", "id") == [chat(number)["id"] for number in (1, 2, 3)]
    assert rows(path, "departments", "name") == ["Renamed", "Sales"]


def test_a_list_that_returns_to_its_content_before_a_kill_is_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(path, run([1], ["Sales"], 10))
    complete = dlt.Pipeline.load
    begun = itertools.count()

    def killed_after_the_rows(pipeline: dlt.Pipeline, *arguments: Any, **options: Any) -> Any:
        done = complete(pipeline, *arguments, **options)
        if next(begun) == 1:  # the first load has removed the digest, and this one has written the list
            with pipeline.sql_client() as client:
                client.execute_sql("DELETE FROM _dlt_loads WHERE load_id = (SELECT max(load_id) FROM _dlt_loads)")
            raise KeyboardInterrupt
        return done

    with monkeypatch.context() as patch:
        patch.setattr(dlt.Pipeline, "load", killed_after_the_rows)
        with pytest.raises(KeyboardInterrupt):
            load(path, run([1], ["Renamed"], 10))
    assert rows(path, "departments", "name") == ["Renamed"]
    load(path, run([1], ["Sales"], 10))
    assert rows(path, "departments", "name") == ["Sales"]


def test_the_lock_is_checked_while_a_run_only_reads(path: Path) -> None:
    clock, lock = FakeClock(), Checked()
    with opened(path, KeptLock(lock, clock)) as store:
        for _ in range(10):
            store.take(page("departments", [{"id": 1, "name": "Sales"}]))
            clock.sleep(KEPT_SECONDS / 2)
    assert lock.checks == 4


def test_the_directory_of_a_killed_sync_is_removed_and_those_of_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    clock = FakeClock()
    for name in ("killed", "running", "young", "no-lock"):
        directory = tmp_path / f"{PREFIX}{name}"
        directory.mkdir()
        (directory / "chats.parquet").write_bytes(b"a chat")
        if name != "no-lock":
            (directory / LOCK).touch()
        age = 0 if name == "young" else YOUNG_SECONDS + 1
        os.utime(directory, (clock.now() - age, clock.now() - age))
    running = FileLock(tmp_path / f"{PREFIX}running" / LOCK)
    assert running.acquire()
    with working_directory(clock) as own:
        left = {path.name.removeprefix(PREFIX) for path in tmp_path.iterdir()} - {own.name.removeprefix(PREFIX)}
    assert left == {"running", "young", "no-lock"}
    assert not own.exists()
    running.release()
