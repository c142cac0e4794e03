"""What the library reads is what the account holds, from any state, and it ends when you stop it."""

from __future__ import annotations

import _thread
import json
import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.support.in_process import (
    INCREMENTAL,
    account_of,
    assert_complete,
    assert_threads_end,
    be_hasty,
    by_stream,
    collect,
    key_of,
    records_of,
)
from tests.support.sandbox import DERIVED, small
from zendesk_chat import (
    AuthError,
    Batch,
    ConfigError,
    ServerError,
    StateError,
    StreamsFailedError,
    UnavailableError,
    check,
    list_streams,
    read,
    read_all,
)
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.schemas import load_schema
from zendesk_chat_sandbox import EXPIRED_TOKEN, Fault, Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with small(250, export_page_cap=100) as running:
        yield running


def test_the_streams_are_described() -> None:
    described = {info.name: info for info in list_streams()}
    assert list(described) == list(STREAMS)
    assert described["chats"].primary_key == ("id",)
    assert described["chats"].cursor_field == "update_timestamp"
    assert (described["routing_settings"].primary_key, described["routing_settings"].cursor_field) == ((), None)
    assert all(info.schema == load_schema(name).to_json() for name, info in described.items())
    assert "properties" not in repr(described["chats"])


def test_all_streams_side_by_side_then_only_what_changed(sandbox: Sandbox) -> None:
    account = account_of(sandbox)
    first, states = by_stream(read_all(account))
    assert set(first) == set(STREAMS)
    for name in STREAMS:
        assert_complete(sandbox, name, first[name])
    ids = sandbox.account.chat_ids()
    sandbox.account.edit_chat(ids[0], comment="Edited")
    added = sandbox.account.add_chats(2)
    second, _ = by_stream(read_all(account, INCREMENTAL, states))
    assert sorted(chat["id"] for chat in second["chats"]) == sorted([ids[0], *added])
    assert {name for name in INCREMENTAL if second[name]} <= {"chats", *DERIVED}
    assert_complete(sandbox, "chats", first["chats"], second["chats"])


@pytest.mark.parametrize("stream", ["chats", "agent_timeline", "bans", "departments"])
def test_from_each_state_a_read_gives_the_rest_and_nothing_twice(sandbox: Sandbox, stream: str) -> None:
    account = account_of(sandbox)
    batches = list(read(account, stream))
    assert len(batches) >= (2 if stream in INCREMENTAL else 1)
    for count, batch in enumerate(batches, 1):
        before = records_of(batches[:count])
        state = json.loads(json.dumps(batch.state))
        after = records_of(read(account, stream, state))
        assert_complete(sandbox, stream, before, after)
        if stream in INCREMENTAL:
            keys = [key_of(stream, record) for record in [*before, *after]]
            assert len(set(keys)) == len(keys)
        else:
            assert after == before


def test_records_are_the_lines_of_json_and_progress_rises(sandbox: Sandbox) -> None:
    batches = list(read(account_of(sandbox), "chats"))
    records = [record for batch in batches for record in batch.records]
    assert [json.loads(record) for record in records] == records_of(batches)
    assert all(len(record.splitlines()) == 1 for record in records)
    progress = [batch.progress for batch in batches if batch.progress is not None]
    assert progress == sorted(progress)
    assert 0.9 < progress[-1] <= 1.0  # the account may have been quiet for some hours


def test_start_date_is_where_reading_begins(sandbox: Sandbox) -> None:
    newest = max(chat["timestamp"] for chat in records_of(read(account_of(sandbox), "chats")))
    recent = records_of(read(account_of(sandbox, start_date=newest), "chats"))
    assert 0 < len(recent) < 20
    assert all(chat["update_timestamp"] >= newest for chat in recent)


def test_ending_early_ends_the_threads(sandbox: Sandbox) -> None:
    account = account_of(sandbox)
    batches = read_all(account)
    next(batches)
    batches.close()
    assert_threads_end()
    for _ in read(account, "chats"):
        break
    assert_threads_end()
    assert_complete(sandbox, "chats", records_of(read(account, "chats")))


def test_ending_early_ends_a_wait_for_the_quota_of_a_minute(sandbox: Sandbox) -> None:
    with closing(read(account_of(sandbox, requests_per_minute=1), "chats")) as batches:
        assert next(batches).records
    assert_threads_end()
    assert len(sandbox.requests) == 1


def test_an_error_of_the_consumer_ends_the_threads(sandbox: Sandbox) -> None:
    def consume() -> None:
        for _ in read(account_of(sandbox), "chats"):
            raise LookupError

    with pytest.raises(LookupError):
        consume()
    assert_threads_end()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C raises, as it does in a notebook; a shell's background job ignores it, and other tests catch it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_as_in_a_notebook_ends_the_read(sandbox: Sandbox) -> None:
    account = account_of(sandbox)
    sandbox.inject(Fault(kind="hang", path="*/incremental/chats", after=1))
    began = time.monotonic()
    got: list[Batch] = []
    threading.Timer(0.5, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        collect(read(account, "chats"), got)
    assert time.monotonic() - began < 5
    sandbox.clear_faults()
    assert_complete(sandbox, "chats", records_of(got), records_of(read(account, "chats", got[-1].state)))
    sandbox.stop()  # ends the request that hangs
    assert_threads_end()


def test_reads_of_one_account_share_its_quota(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    be_hasty(monkeypatch)
    caplog.set_level(logging.INFO, "zendesk_chat")
    account = account_of(sandbox, requests_per_minute=3)
    assert [len(records_of(read(account, name))) > 0 for name in ("goals", "roles", "skills")] == [True] * 3
    assert "waits for the request quota" not in caplog.text
    assert records_of(read(account, "departments"))
    assert "departments waits for the request quota" in caplog.text


def test_reads_in_many_threads_and_one_within_another(sandbox: Sandbox) -> None:
    account = account_of(sandbox)
    together = [batch for pair in zip(read(account, "chats"), read(account, "bans"), strict=False) for batch in pair]
    assert {batch.stream for batch in together} == {"chats", "bans"}
    found: dict[int, list[dict[str, object]]] = {}

    def read_here(number: int) -> None:
        found[number] = records_of(read(account, "chats"))

    workers = [threading.Thread(target=read_here, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(found) == [0, 1, 2, 3]
    for records in found.values():
        assert_complete(sandbox, "chats", records)


def test_the_error_of_a_stream_comes_after_what_was_read(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    be_hasty(monkeypatch)
    account = account_of(sandbox)
    sandbox.inject(Fault(kind="status", status=500, path="*/incremental/chats", after=2, times=None))
    got: list[Batch] = []
    with pytest.raises(ServerError, match="HTTP 500"):
        collect(read(account, "chats"), got)
    assert len(records_of(got)) == 200
    sandbox.clear_faults()
    rest = records_of(read(account, "chats", got[-1].state))
    assert len(rest) == 50
    assert_complete(sandbox, "chats", records_of(got), rest)


def test_a_stream_that_fails_among_several_leaves_the_others_complete(sandbox: Sandbox) -> None:
    sandbox.switch(unavailable={"goals": 403, "skills": 404})
    got: list[Batch] = []
    with pytest.raises(StreamsFailedError) as failed:
        collect(read_all(account_of(sandbox)), got)
    for name, status in {"goals": "HTTP 403", "skills": "HTTP 404"}.items():
        assert status in str(failed.value.errors[name])
        assert f"{name}: {failed.value.errors[name]}" in str(failed.value)
    assert set(failed.value.errors) == {"goals", "skills"}
    assert all(isinstance(error, UnavailableError) for error in failed.value.errors.values())
    records, _ = by_stream(got)
    assert set(records) == set(STREAMS) - {"goals", "skills"}
    for name, those in records.items():
        assert_complete(sandbox, name, those)


def test_a_token_that_is_refused(sandbox: Sandbox) -> None:
    account = account_of(sandbox, token=EXPIRED_TOKEN)
    with pytest.raises(AuthError, match="rejected the token"):
        list(read(account, "chats"))
    verdict = check(account)
    assert not verdict.succeeded
    assert "rejected the token" in verdict.message
    assert check(account_of(sandbox)).message == f"All {len(STREAMS)} streams can be read."


def test_wrong_arguments_are_reported_before_anything_is_read(sandbox: Sandbox) -> None:
    account = account_of(sandbox)
    with pytest.raises(ConfigError, match=r"There is no stream 'chat'\. The streams are accounts, "):
        read(account, "chat")
    with pytest.raises(ConfigError, match="There is no stream 'chat'"):
        read_all(account, ["chats", "chat"])
    with pytest.raises(ConfigError, match="must be a list of names"):
        read_all(account, "chats")
    with pytest.raises(StateError, match="The state of chats must be a dictionary"):
        read(account, "chats", [])  # type: ignore[arg-type]
    assert sandbox.requests == []
    with pytest.raises(StateError, match="written by a newer version"):
        next(read(account, "chats", {"update_timestamp": "2026-01-01T00:00:00Z", "version": 99}))


def test_warnings_go_to_logging(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    be_hasty(monkeypatch)
    caplog.set_level(logging.INFO, "zendesk_chat")
    sandbox.inject(Fault(kind="status", status=503, path="*/goals", times=1))
    assert_complete(sandbox, "goals", records_of(read(account_of(sandbox), "goals")))
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "HTTP 503" in caplog.records[0].message
    assert sandbox.token not in caplog.text
    assert "goals: 5 records in " in caplog.text
