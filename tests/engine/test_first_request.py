"""What fails a run for the account or the network is found by one request, and reported for every stream."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.http_fakes import FakeApi, ok, status
from tests.support.stream_runs import BOUNDS, pages, start, stream, task
from zendesk_chat.api.body import NoAnswerError
from zendesk_chat.engine.events import Event, Note, PageRead, StreamCompleted, StreamFailed, StreamUnavailable
from zendesk_chat.engine.run import Task
from zendesk_chat.errors import (
    AddressError,
    AuthError,
    ConnectorError,
    NetworkError,
    RequestRejectedError,
    UnavailableError,
)
from zendesk_chat.request import Request
from zendesk_chat.streams.stream import Batch, Bounds, Fetch

NAMES = "abcdefgh"
NO_ACCOUNT = b'{"error":{"title":"No help desk at acme.zendesk.com"}}'
PAGE = b"<html>not here</html>"


def failures(events: list[Event]) -> dict[str, ConnectorError]:
    return {event.stream: event.error for event in events if isinstance(event, StreamFailed)}


@pytest.mark.parametrize(
    ("answer", "kind", "requests", "retries"),
    [
        (status(401), AuthError, 2, 0),  # and one that asks Support what the token is
        (status(404, NO_ACCOUNT), AddressError, 1, 0),
        (status(302, location="https://other.example.com/"), AddressError, 1, 0),
        (NoAnswerError("the connection was refused"), NetworkError, 6, 5),
    ],
)
def test_one_stream_asks_and_all_end_with_its_error(
    answer: Any, kind: type[ConnectorError], requests: int, retries: int
) -> None:
    api = FakeApi([answer])
    events = list(start([task(name, pages(3)) for name in NAMES], api))
    found = failures(events)
    assert sorted(found) == sorted(NAMES)
    assert {type(error) for error in found.values()} == {kind}
    assert len({str(error) for error in found.values()}) == 1
    assert len(api.urls) == requests
    assert len([event for event in events if isinstance(event, Note) and event.level == "WARN"]) == retries


@pytest.mark.parametrize("answer", [status(500), status(404), status(400), ok(b"<html>")])
def test_any_other_answer_lets_the_others_through(answer: Any) -> None:
    api = FakeApi([answer, ok()])
    arrived = threading.Event()

    def first(fetch: Fetch, _position: Any, _bounds: Bounds) -> Iterator[Batch[Any]]:
        fetch(Request("x", json.loads))
        assert arrived.wait(10), "the others did not come while this one is still reading"
        yield Batch([], 1, 0)

    def other(fetch: Fetch, _position: Any, _bounds: Bounds) -> Iterator[Batch[Any]]:
        fetch(Request("x", bytes))
        arrived.set()
        yield Batch([b"{}"], 1, 1)

    ended = {event.stream for event in start([task("a", first), task("b", other)], api) if isinstance(event, StreamCompleted)}
    assert "b" in ended


def test_a_reader_that_asks_nothing_does_not_hold_the_others_back() -> None:
    def nothing(_fetch: Fetch, _position: Any, _bounds: Bounds) -> Iterator[Batch[Any]]:
        yield Batch([], 1, 0)

    events = list(start([task("a", nothing), *(task(name, pages(2)) for name in "bcd")]))
    assert len([event for event in events if isinstance(event, StreamCompleted)]) == 4


def test_a_network_that_fails_later_fails_only_the_stream_that_meets_it() -> None:
    class FailsFor(FakeApi):
        def get(self, url: str, params: Any, token: str) -> Any:
            if url.endswith("/bad"):
                raise NoAnswerError("cut")
            return super().get(url, params, token)

    def bad(fetch: Fetch, _position: Any, _bounds: Bounds) -> Iterator[Batch[Any]]:
        fetch(Request("x", bytes))
        fetch(Request("bad", bytes))
        yield Batch([], 1, 0)

    events = list(start([task("bad", bad), task("a", pages(3)), task("b", pages(3))], FailsFor([ok()])))
    assert list(failures(events)) == ["bad"]


def optional(name: str) -> Task:
    return Task(replace(stream(name, pages(1)), optional=True), None, BOUNDS)


@pytest.mark.parametrize("missing", [403, 404])
@pytest.mark.parametrize(
    ("body", "others", "available"),
    [
        (b'{"error":"Not Found"}', ok(), None),
        (b'{"error":"Not Found"}', status(404), "fails"),
        (b'{"error":"Not Found"}', status(500), "fails"),
        (PAGE, ok(), "fails"),
        (b'{"title":"Automated response","detail":"no"}', ok(), "fails"),
    ],
)
def test_a_stream_is_not_available_only_where_the_account_answers_and_refuses_it_itself(
    missing: int, body: bytes, others: Any, available: str | None
) -> None:
    class Missing(FakeApi):
        def get(self, url: str, params: Any, token: str) -> Any:
            answer = super().get(url, params, token)
            return status(missing, body) if url.endswith("/x") else answer

    events = list(start([optional("o")], Missing([others])))
    kinds = [type(event) for event in events if isinstance(event, StreamFailed | StreamUnavailable)]
    assert kinds == [StreamFailed if available == "fails" else StreamUnavailable]


@pytest.mark.parametrize("number", [403, 404])
def test_a_web_page_on_every_path_is_asked_for_twice(number: int) -> None:
    api = FakeApi([status(number, PAGE)])
    found = failures(list(start([task(name, pages(3)) for name in NAMES], api)))
    assert sorted(found) == sorted(NAMES)
    assert len({str(error) for error in found.values()}) == 1
    assert len(api.urls) == 2


def test_a_web_page_on_one_path_fails_its_stream_only() -> None:
    def first(fetch: Fetch, _position: Any, _bounds: Bounds) -> Iterator[Batch[Any]]:
        fetch(Request("x", bytes))
        yield Batch([], 1, 0)

    api = FakeApi([status(403, PAGE), ok()])
    assert list(failures(list(start([task("first", first), task("a", pages(2)), task("b", pages(2))], api)))) == ["first"]


def test_an_account_that_is_not_there_makes_no_stream_empty() -> None:
    events = list(start([optional(name) for name in "abc"], FakeApi([status(404, NO_ACCOUNT)])))
    assert {type(error) for error in failures(events).values()} == {AddressError}


def test_no_account_answers_where_every_path_is_a_web_page() -> None:
    events = list(start([optional(name) for name in "abc"], FakeApi([status(404, PAGE)])))
    assert {type(error) for error in failures(events).values()} == {UnavailableError}


@pytest.mark.parametrize("ahead", [-7200, -900, 900, 7200])
def test_every_reader_gets_zendesks_time_and_the_user_is_warned_once(ahead: int) -> None:
    clock = FakeClock(running=True)
    date = formatdate(clock.now() - ahead, usegmt=True)
    times: list[float] = []

    def read(fetch: Fetch, _position: Any, bounds: Bounds) -> Iterator[Batch[Any]]:
        fetch(Request("x", bytes))
        times.append(bounds.now)
        yield Batch([b"{}"], 1, 1)

    tasks = [Task(stream(name, read), None, Bounds(0, clock.now())) for name in NAMES]
    api = FakeApi([ok(date=date)])
    events = list(start(tasks, api, clock))
    assert len(times) == len(NAMES)
    assert all(now == pytest.approx(clock.now() - ahead, abs=10) for now in times)
    assert len(api.urls) == len(NAMES) + 1, "only the first one asks again"
    (warning,) = [event.message for event in events if isinstance(event, Note) and event.level == "WARN"]
    assert "This machine's clock is" in warning
    assert len([event for event in events if isinstance(event, PageRead)]) == len(NAMES)


def test_a_date_that_comes_after_a_page_makes_nothing_come_twice() -> None:
    clock = FakeClock(running=True)
    date = formatdate(clock.now() - 900, usegmt=True)
    tasks = [Task(stream(name, pages(4)), None, Bounds(0, clock.now())) for name in "ab"]
    api = FakeApi([ok(), ok(), ok(), ok(date=date)])
    events = list(start(tasks, api, clock))
    for name in "ab":
        records = [
            record for event in events if isinstance(event, PageRead) and event.stream == name for record in event.records
        ]
        assert records == [b'{"id":%d}' % number for number in range(8)]
    assert not failures(events)


def test_a_request_that_zendesk_rejects_as_too_recent_is_made_again_by_its_clock() -> None:
    clock = FakeClock(running=True)
    date = formatdate(clock.now() - 900, usegmt=True)

    class Recent(FakeApi):
        def get(self, url: str, params: Any, token: str) -> Any:
            super().get(url, params, token)
            recent = int(params["start_time"]) > clock.now() - 900 - 300
            return status(400, b'{"error":"too recent"}', date=date) if recent else ok(date=date)

    def read(fetch: Fetch, _position: Any, bounds: Bounds) -> Iterator[Batch[Any]]:
        fetch(Request("x", bytes, {"start_time": int(bounds.now) - 330}))
        yield Batch([b"{}"], 1, 1)

    tasks = [Task(stream("s", read), None, Bounds(0, clock.now()))]
    events = list(start(tasks, Recent([ok()]), clock))
    assert not failures(events)
    assert RequestRejectedError.__name__ not in str(events)
