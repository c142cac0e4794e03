"""Streams side by side, reported to one consumer in order."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.clock import FakeClock
from tests.support.http_fakes import Answer, FakeApi, ok, status, unlimited
from tests.support.stream_runs import BOUNDS, endless, pages, readers, start, stream, task
from zendesk_chat.api.auth import HandOver, OAuthTokens
from zendesk_chat.api.client import Client
from zendesk_chat.clock import SystemClock
from zendesk_chat.config import OAuth
from zendesk_chat.engine.channel import MAX_WAITING
from zendesk_chat.engine.events import (
    CredentialsRotated,
    Event,
    Note,
    PageRead,
    RateLimited,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
)
from zendesk_chat.engine.run import Rotations, Task, run
from zendesk_chat.engine.stats import SyncStats
from zendesk_chat.errors import ConfigError, DataError, ServerError, StateError
from zendesk_chat.request import Request
from zendesk_chat.streams.stream import Batch, Bounds, Fetch


def of(events: list[Event], name: str) -> list[Event]:
    return [event for event in events if getattr(event, "stream", None) == name]


def eventually(true: Callable[[], bool], seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    return true()


@settings(max_examples=15, deadline=None)
@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=8), workers=st.integers(1, 5))
def test_each_stream_reports_in_order(sizes: list[int], workers: int) -> None:
    events = list(start([task(f"s{at}", pages(size)) for at, size in enumerate(sizes)], max_threads=workers))
    for at, size in enumerate(sizes):
        started, *read, completed = of(events, f"s{at}")
        assert isinstance(started, StreamStarted)
        assert [event.state for event in read if isinstance(event, PageRead)] == [{"id": number} for number in range(size)]
        records = [record for event in read if isinstance(event, PageRead) for record in event.records]
        assert records == [b'{"id":%d}' % number for number in range(2 * size)]
        assert isinstance(completed, StreamCompleted)
        stats = completed.stats
        assert (stats.requests, stats.pages, stats.received, stats.emitted, stats.unchanged) == (
            size,
            size,
            2 * size,
            2 * size,
            0,
        )


def test_no_tasks_no_events() -> None:
    assert list(start([])) == []


def test_a_page_without_news_is_not_emitted_unless_it_moves() -> None:
    def read(fetch: Fetch, position: Any, bounds: Bounds) -> Iterator[Batch[Any]]:
        yield Batch([], 1, 5, unchanged=5)
        yield Batch([], 1, 3, outside=2, unchanged=1)
        yield Batch([], 2, 0)
        yield Batch([b"{}"], 2, 1)

    events = list(start([task("s", read)]))
    assert [(event.state, len(event.records)) for event in events if isinstance(event, PageRead)] == [
        ({"id": 1}, 0),
        ({"id": 2}, 0),
        ({"id": 2}, 1),
    ]
    completed = events[-1]
    assert isinstance(completed, StreamCompleted)
    counted = SyncStats(requests=0, pages=4, received=9, emitted=1, unchanged=6, outside=2, reached="2")
    assert replace(completed.stats, seconds=0) == counted


def test_each_page_carries_the_counts_so_far() -> None:
    clock = FakeClock()

    def read(fetch: Fetch, position: Any, bounds: Bounds) -> Iterator[Batch[Any]]:
        for number in range(1, 4):
            fetch(Request("x", bytes))
            clock.sleep(2.5)
            yield Batch([b"{}"] * number, number, number + 1, unchanged=1)

    events = list(start([task("s", read)], FakeApi([ok()]), clock=clock))
    assert [event.stats for event in events if isinstance(event, PageRead)] == [
        SyncStats(requests=1, pages=1, received=2, emitted=1, seconds=2.5, unchanged=1, reached="1"),
        SyncStats(requests=2, pages=2, received=5, emitted=3, seconds=5.0, unchanged=2, reached="2"),
        SyncStats(requests=3, pages=3, received=9, emitted=6, seconds=7.5, unchanged=3, reached="3"),
    ]
    assert isinstance(events[-1], StreamCompleted)
    assert events[-1].stats == replace(SyncStats(3, 3, 9, 6, 7.5, 3), reached="3")


@pytest.mark.parametrize(
    ("stats", "words"),
    [
        (SyncStats(1, 1, 1, 1, 0.04), "1 record in 0.0 s (1 request, 1 page, 1 received, 0 skipped as unchanged, "),
        (
            SyncStats(2, 3, 1500, 1200, 61.25, unchanged=299, outside=1, reached="2026-03-01T11:59:59Z"),
            (
                "1,200 records in 61.2 s (2 requests, 3 pages, 1,500 received, 299 skipped as unchanged, 1 skipped as outside "
                "the range, from the start to 2026-03-01T11:59:59Z)"
            ),
        ),
        (
            SyncStats(2, 2, 258, 250, 1.0, outside=8, resumed_from="12", reached="361000251243"),
            (
                "250 records in 1.0 s (2 requests, 2 pages, 258 received, 0 skipped as unchanged, 8 skipped as repeated or "
                "malformed, up to id 361000251243)"
            ),
        ),
    ],
)
def test_the_counts_in_words(stats: SyncStats, words: str) -> None:
    assert str(stats).startswith(words)


def test_a_stream_whose_record_counts_do_not_add_up_has_failed() -> None:
    def read(fetch: Fetch, position: Any, bounds: Bounds) -> Iterator[Batch[Any]]:
        yield Batch([b"{}"], 1, 3, unchanged=1)

    failed = list(start([task("s", read)]))[-1]
    assert isinstance(failed, StreamFailed)
    assert isinstance(failed.error, DataError)
    assert "3 received" in str(failed.error)
    assert "do not add up" in str(failed.error)


def test_a_slow_consumer_holds_the_readers_back() -> None:
    api = FakeApi([ok()])
    events = start([task(name, endless) for name in "abcdef"], api)
    consumed = 0
    for event in events:
        if isinstance(event, PageRead):
            consumed += 1
            time.sleep(0.005)
            # the pages waiting, those in the hands of four workers and in the hands of the consumer
            assert len(api.urls) <= consumed + MAX_WAITING + 2 * 4
        if consumed == 40:
            break
    time.sleep(0.1)
    assert len(api.urls) <= 40 + MAX_WAITING + 2 * 4


def test_memory_is_bounded_by_pages_in_flight() -> None:
    class Page(bytes):
        alive = 0
        most = 0

        def __init__(self, _: bytes) -> None:
            Page.alive += 1
            Page.most = max(Page.most, Page.alive)

        def __del__(self) -> None:
            Page.alive -= 1

    def read(fetch: Fetch, position: Any, bounds: Bounds) -> Iterator[Batch[Any]]:
        fetch(Request("x", bytes))
        for number in range(100):
            yield Batch([Page(b"{}")], number, 1)

    for event in start([task(name, read) for name in "abcd"]):
        if isinstance(event, PageRead):
            time.sleep(0.0005)
    assert Page.most <= MAX_WAITING + 3 * 4 + 2
    assert Page.most >= 4


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_never_more_streams_at_once_than_workers(workers: int) -> None:
    lock = threading.Lock()
    at_once: list[int] = []
    running = 0

    def read(fetch: Fetch, position: Any, bounds: Bounds) -> Iterator[Batch[Any]]:
        nonlocal running
        fetch(Request("x", bytes))
        with lock:
            running += 1
            at_once.append(running)
        time.sleep(0.02)
        with lock:
            running -= 1
        yield Batch([], 0, 0)

    list(start([task(str(number), read) for number in range(9)], max_threads=workers))
    assert max(at_once) == workers


def failing(error: Exception) -> Callable[[Fetch, Any, Bounds], Iterator[Batch[Any]]]:
    def read(fetch: Fetch, position: Any, bounds: Bounds) -> Iterator[Batch[Any]]:
        yield Batch([b"{}"], 0, 1)
        raise error

    return read


def test_a_failing_stream_leaves_the_others_complete() -> None:
    boom = ServerError("boom")
    events = list(start([task("a", pages(5)), task("bad", failing(boom)), task("c", pages(5))]))
    for name in "ac":
        assert isinstance(of(events, name)[-1], StreamCompleted)
        assert sum(isinstance(event, PageRead) for event in of(events, name)) == 5
    started, page, failed = of(events, "bad")
    assert isinstance(started, StreamStarted)
    assert isinstance(page, PageRead)
    assert isinstance(failed, StreamFailed)
    assert failed.error is boom
    assert (failed.stats.emitted, failed.stats.pages) == (1, 1)


@pytest.mark.parametrize(
    "unexpected", [KeyError("secret-word"), ValueError("secret-word"), RecursionError(), MemoryError(), AssertionError()]
)
def test_an_unexpected_error_is_a_failure_of_its_stream_that_quotes_nothing(unexpected: Exception) -> None:
    events = list(start([task("bad", failing(unexpected)), task("good", pages(3))]))
    (failed,) = [event for event in events if isinstance(event, StreamFailed)]
    assert type(failed.error) is DataError
    assert str(failed.error) == f"bad: unexpected {type(unexpected).__name__}. Please report this."
    assert failed.error.__cause__ is unexpected
    assert isinstance(of(events, "good")[-1], StreamCompleted)


def test_an_unreadable_state_fails_its_stream_only() -> None:
    def refuse(_: Any) -> NoReturn:
        raise StateError("no state")

    bad = Task(stream("bad", pages(1), refuse), {"id": "?"}, BOUNDS)
    events = list(start([bad, task("good", pages(1))]))
    failed = of(events, "bad")[-1]
    assert isinstance(failed, StreamFailed)
    assert isinstance(failed.error, StateError)
    assert isinstance(of(events, "good")[-1], StreamCompleted)


@pytest.mark.parametrize(("state", "position"), [(None, None), ({}, None), ({"id": 7}, {"id": 7})])
def test_the_position_comes_from_the_state(state: dict[str, Any] | None, position: Any) -> None:
    positions = []

    def read(fetch: Fetch, position: Any, bounds: Bounds) -> Iterator[Batch[Any]]:
        positions.append(position)
        yield Batch([], 0, 0)

    list(start([task("s", read, state)]))
    assert positions == [position]


def test_stopped_ends_the_events_at_once_and_the_threads_soon() -> None:
    clock = FakeClock(running=True)
    events = []
    for event in start([task(name, endless) for name in "abcdef"], clock=clock):
        events.append(event)
        if len(events) == 20:
            clock.stop()
    assert len(events) == 20
    assert eventually(lambda: not readers())


def test_stopping_ends_a_run_whose_threads_all_wait() -> None:
    clock = SystemClock()
    tasks = [task("s", pages(1))]
    run_ended = threading.Event()

    def consume() -> None:
        list(start(tasks, FakeApi([status(503, retry_after="500")]), clock))
        run_ended.set()

    threading.Thread(target=consume).start()
    assert eventually(lambda: bool(readers()))
    clock.stop()
    assert run_ended.wait(30), "the wait of 500 seconds ends too"
    assert eventually(lambda: not readers())


def test_a_consumer_that_leaves_ends_the_threads() -> None:
    events = start([task(name, endless) for name in "abcdef"])
    for _ in range(10):
        next(events)
    assert readers()
    events.close()  # type: ignore[attr-defined]
    assert eventually(lambda: not readers())


def test_a_consumer_that_fails_ends_the_threads() -> None:
    def consume() -> None:
        for event in start([task(name, endless) for name in "abc"]):
            if isinstance(event, PageRead):
                raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        consume()
    assert eventually(lambda: not readers())


def test_a_run_whose_clock_is_stopped_before_it_begins_ends_at_once() -> None:
    """The clock may be stopped by a signal that the consumer knows nothing of: it must not wait for ever."""
    clock = SystemClock()
    clock.stop()
    assert list(start([task("s", pages(1))], FakeApi([status(500)]), clock)) == []
    assert eventually(lambda: not readers())


def test_waits_are_reported() -> None:
    api = FakeApi([status(429, retry_after="7"), status(500), ok()])
    events = list(start([task("s", pages(1))], api))
    warnings = [event.message for event in events if isinstance(event, Note) and event.level == "WARN"]
    assert [message.split(" Retrying")[1] for message in warnings] == [" in 7 s (attempt 1).", " in 1 s (attempt 1)."]


def test_a_wait_for_the_quota_is_reported_with_its_end() -> None:
    clock = FakeClock()
    api = FakeApi([status(429, retry_after="7"), ok()])
    connected = Client("https://a/api", transport=api, tokens=_Fixed(), limiter=unlimited(clock), clock=clock)
    before = clock.now()
    events = list(run([task("s", pages(1))], connected, Rotations(clock), clock))
    assert [event for event in events if isinstance(event, RateLimited)] == [RateLimited("s", before + 7)]


class _Fixed:
    def token(self) -> str:
        return "t"

    def renew(self, refused: str) -> bool:
        return False

    def settle(self, seconds: float) -> None:
        pass


def test_notes_of_a_batch_come_before_its_page() -> None:
    def read(fetch: Fetch, position: Any, bounds: Bounds) -> Iterator[Batch[Any]]:
        yield Batch([b"{}"], 0, 1, ("note",))

    kinds = [event for event in start([task("s", read)]) if not isinstance(event, Note) or event.level == "WARN"]
    assert kinds[1] == Note("WARN", "note")
    assert isinstance(kinds[2], PageRead)


# Renewed credentials.

OLD = OAuth("old", "refresh-1", "client", "secret-word")
GRANT = ok(b'{"access_token":"new","refresh_token":"refresh-2"}')


class Rotating:
    """An API that refuses the old token, behind a client that renews it."""

    def __init__(self, api: FakeApi, clock: Any) -> None:
        self.api = api
        self.clock = clock

    def run(self, tasks: Sequence[Task]) -> Iterator[Event]:
        rotations = Rotations(self.clock)

        def rotated(renewed: OAuth) -> None:
            rotations.save({"access_token": renewed.access_token})

        tokens = OAuthTokens(OLD, "https://a/oauth", self.api, self.clock, HandOver(rotated))
        client = Client("https://a/api", transport=self.api, tokens=tokens, limiter=unlimited(FakeClock()), clock=self.clock)
        return run(tasks, client, rotations, self.clock)


class RefusingApi(FakeApi):
    def get(self, url: str, params: Any, token: str) -> Any:
        super().get(url, params, token)
        return status(401) if token == "old" else ok()


def test_credentials_are_handed_over_before_they_are_used() -> None:
    clock = SystemClock()
    api = RefusingApi([ok()], [GRANT])
    used_when_reported = []
    for event in Rotating(api, clock).run([task(name, pages(2)) for name in "abcd"]):
        if isinstance(event, CredentialsRotated):
            time.sleep(0.1)
            used_when_reported.append("new" in api.tokens)
            assert event.config == {"access_token": "new"}
            assert "new" not in repr(event)
    assert used_when_reported == [False]
    assert api.tokens.count("new") == 8
    assert len(api.forms) == 1


def test_credentials_renewed_while_the_run_is_stopped_are_still_handed_over() -> None:
    """A refresh token works once: were the new one lost, a person would have to sign in again."""
    clock = SystemClock()

    class SlowToGrant(RefusingApi):
        def post_form(self, url: str, form: Any) -> Any:
            clock.stop()
            time.sleep(0.3)
            return super().post_form(url, form)

    api = SlowToGrant([ok()], [GRANT])
    events = list(Rotating(api, clock).run([task(name, pages(2)) for name in "abcd"]))
    assert [event.config for event in events if isinstance(event, CredentialsRotated)] == [{"access_token": "new"}]
    assert "new" not in api.tokens
    assert len(api.forms) == 1


def test_credentials_that_the_consumer_does_not_save_are_never_used() -> None:
    clock = SystemClock()
    api = RefusingApi([ok()], [GRANT])
    events = Rotating(api, clock).run([task(name, pages(2)) for name in "ab"])
    for event in events:
        if isinstance(event, CredentialsRotated):
            break
    events.close()  # type: ignore[attr-defined]
    assert eventually(lambda: not readers())
    assert "new" not in api.tokens


def test_a_consumer_that_fails_does_not_cut_a_renewal_short() -> None:
    """A store that needs no consumer keeps the tokens, however the run ends."""
    clock = SystemClock()
    begun, stored = threading.Event(), threading.Event()

    def save(_: OAuth) -> None:
        begun.set()
        time.sleep(0.3)
        stored.set()

    api = RefusingApi([ok()], [GRANT])
    tokens = OAuthTokens(OLD, "https://a/oauth", api, clock, HandOver(save))
    client = Client("https://a/api", transport=api, tokens=tokens, limiter=unlimited(FakeClock()), clock=clock)
    events = run([task("s", pages(2))], client, Rotations(clock), clock)
    next(iter(events))
    assert begun.wait(5)
    events.close()  # type: ignore[attr-defined]  # as when the destination fails
    assert stored.is_set()


def test_a_dead_refresh_token_fails_every_stream_with_one_request_for_a_new_one() -> None:
    clock = SystemClock()
    grants: list[Answer] = [status(400)]
    api = RefusingApi([ok()], grants)
    events = list(Rotating(api, clock).run([task(name, pages(2)) for name in "abcdef"]))
    failed = [event for event in events if isinstance(event, StreamFailed)]
    assert len(failed) == 6
    assert all("Authenticate again" in str(event.error) for event in failed)
    assert len(api.forms) == 1


def limit_threads(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Let the operating system refuse further threads, as Python reports it."""
    begin, started = threading.Thread.start, [0]

    def start_thread(thread: threading.Thread) -> None:
        started[0] += 1
        if started[0] > most:
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", start_thread)


def test_few_threads_read_all_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    limit_threads(monkeypatch, 2)
    events = list(start([task(f"s{at}", pages(2)) for at in range(5)]))
    assert {event.stream for event in events if isinstance(event, StreamCompleted)} == {f"s{at}" for at in range(5)}


def test_no_thread_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    limit_threads(monkeypatch, 0)
    with pytest.raises(ConfigError, match=r"^This process cannot start another thread\."):
        list(start([task("s", pages(2))]))
