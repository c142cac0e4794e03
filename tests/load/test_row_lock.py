"""A lock made of rows keeps a second sync out, and a killed one does not keep it for ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import dlt
import pytest

from tests.support.clock import FakeClock
from zendesk_chat.errors import DestinationError
from zendesk_chat.load.warehouse.lock import Lock, Waiting
from zendesk_chat.load.warehouse.row_lock import EXPIRED_SECONDS, RENEWED_SECONDS, row_lock
from zendesk_chat.load.warehouse.surroundings import our_settings

WHERE = "the schema chats of the database"


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[dlt.Pipeline]:
    with our_settings():
        destination = dlt.destinations.duckdb(str(tmp_path / "chats.duckdb"))
        yield dlt.pipeline("zendesk_chat", str(tmp_path / "dlt"), destination=destination, dataset_name="acme")


def taken(pipeline: dlt.Pipeline, clock: FakeClock, seconds: float = 0) -> AbstractContextManager[Lock]:
    return row_lock(pipeline, WHERE, Waiting(clock, seconds, lambda _message: None))


def rows(pipeline: dlt.Pipeline) -> list[object]:
    with pipeline.sql_client() as client:
        return [row[0] for row in client.execute_sql("SELECT load_id FROM _dlt_loads WHERE status <> 0") or ()]


def test_a_second_run_is_refused_until_the_first_one_ends(pipeline: dlt.Pipeline) -> None:
    clock = FakeClock()
    with taken(pipeline, clock):
        with pytest.raises(DestinationError, match=f"^Another sync is loading into {WHERE}"), taken(pipeline, clock):
            pass
        assert len(rows(pipeline)) == 1
    with taken(pipeline, clock):
        pass
    assert rows(pipeline) == []


def test_the_row_of_a_killed_run_expires(pipeline: dlt.Pipeline) -> None:
    clock = FakeClock()
    killed = taken(pipeline, clock)
    killed.__enter__()
    clock.sleep(EXPIRED_SECONDS - 1)
    with pytest.raises(DestinationError), taken(pipeline, clock):
        pass
    clock.sleep(2)
    with taken(pipeline, clock):
        assert len(rows(pipeline)) == 1


def test_a_run_that_waits_for_the_lock_outlasts_one_that_was_killed(pipeline: dlt.Pipeline) -> None:
    clock = FakeClock()
    killed = taken(pipeline, clock)
    killed.__enter__()
    clock.sleep(EXPIRED_SECONDS - 5)
    with taken(pipeline, clock, 10):
        assert len(rows(pipeline)) == 1


def test_a_run_renews_its_row_and_keeps_others_out(pipeline: dlt.Pipeline) -> None:
    clock = FakeClock()
    with taken(pipeline, clock) as lock:
        for _ in range(3):
            clock.sleep(EXPIRED_SECONDS / 2)
            lock.check()
        assert len(rows(pipeline)) == 1
        with pytest.raises(DestinationError), taken(pipeline, clock):
            pass
    assert rows(pipeline) == []


def test_a_run_that_lost_its_row_writes_nothing_more(pipeline: dlt.Pipeline) -> None:
    clock = FakeClock()
    with taken(pipeline, clock) as lock:
        lock.check()
        clock.sleep(EXPIRED_SECONDS + 1)
        with (
            taken(pipeline, clock),
            pytest.raises(DestinationError, match=r"^Another sync has started to load into .* 60 minutes"),
        ):
            lock.check()


def test_a_row_is_not_renewed_with_every_transaction(pipeline: dlt.Pipeline) -> None:
    clock = FakeClock()
    with taken(pipeline, clock) as lock:
        before = rows(pipeline)
        clock.sleep(RENEWED_SECONDS - 1)
        lock.check()
        assert rows(pipeline) == before
        clock.sleep(2)
        lock.check()
        assert rows(pipeline) != before
