"""Streams that share their pages: fetched once, kept apart, and failing together or alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.support.stream_runs import BOUNDS, FakeSource, pages, start, stream
from zendesk_chat.engine.events import (
    Event,
    PageRead,
    SchemaChange,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    StreamUnavailable,
)
from zendesk_chat.engine.run import Task
from zendesk_chat.errors import ServerError, StateError, UnavailableError
from zendesk_chat.json_schema import Schema
from zendesk_chat.request import Request
from zendesk_chat.streams.stream import Batch, Bounds, Children, Fetch, Stream

LACKING = UnavailableError("not on this plan", status=403)


def shared(fetch: Fetch, positions: Sequence[Any], bounds: Bounds) -> Iterator[Sequence[Batch[Any]]]:
    """Three pages of two records. A position is the number of the last page that was read."""
    for number in range(3):
        fetch(Request("x", bytes))
        records = [b'{"id":%d}' % (2 * number + at) for at in range(2)]
        yield [
            Batch(records, number, 2) if position is None or number > position else Batch((), position, 2, outside=2)
            for position in positions
        ]


def broken(fetch: Fetch, positions: Sequence[Any], bounds: Bounds) -> Iterator[Sequence[Batch[Any]]]:
    for number, batches in enumerate(shared(fetch, positions, bounds)):
        if number == 2:
            raise ServerError("gone")
        yield batches


def load(state: Mapping[str, Any]) -> int:
    if "id" not in state:
        raise StateError("no state")
    return int(state["id"])


def on_feed(name: str, together: Any = shared, **changes: Any) -> Stream:
    return replace(stream(name, pages(1)), source=FakeSource(together, load), **changes)


@dataclass(frozen=True)
class Doubled:
    """Extracts so many children of each record; the parents are the records."""

    children: int = 2
    path: tuple[str, ...] = ()
    other_paths: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)

    def extractor(self, schema: Schema) -> Doubled:
        return self

    def extract(self, records: Sequence[bytes], *, encode: bool = False) -> Children:
        repeated = [record for record in records for _ in range(self.children)]
        return Children(repeated, [record.decode() for record in records])


def events_of(events: Sequence[Event], name: str) -> list[Event]:
    return [event for event in events if getattr(event, "stream", None) == name]


def pages_of(events: Sequence[Event], name: str) -> list[PageRead]:
    return [event for event in events_of(events, name) if isinstance(event, PageRead)]


def test_a_page_is_fetched_once_and_each_stream_gets_its_own_of_it() -> None:
    tasks = [Task(on_feed("chats"), None, BOUNDS), Task(on_feed("children", extraction=Doubled()), None, BOUNDS)]
    events = list(start(tasks))
    assert [event.records for event in pages_of(events, "chats")] == [
        [b'{"id":0}', b'{"id":1}'],
        [b'{"id":2}', b'{"id":3}'],
        [b'{"id":4}', b'{"id":5}'],
    ]
    first = pages_of(events, "children")[0]
    assert first.records == [b'{"id":0}', b'{"id":0}', b'{"id":1}', b'{"id":1}']
    assert first.parents == ['{"id":0}', '{"id":1}']
    assert [dict(event.state) for event in pages_of(events, "children")] == [{"id": 0}, {"id": 1}, {"id": 2}]
    ends = {event.stream: event.stats for event in events if isinstance(event, StreamCompleted)}
    assert (ends["chats"].requests, ends["chats"].received, ends["chats"].emitted) == (3, 6, 6)
    assert (ends["children"].requests, ends["children"].received, ends["children"].emitted) == (0, 12, 12)
    assert all(stats.adds_up and stats.pages == 3 for stats in ends.values())


def test_a_derived_stream_alone_is_read_too() -> None:
    events = list(start([Task(on_feed("children", extraction=Doubled()), None, BOUNDS)]))
    assert sum(len(event.records) for event in pages_of(events, "children")) == 12
    (end,) = (event for event in events if isinstance(event, StreamCompleted))
    assert (end.stats.requests, end.stats.received) == (3, 12)


def test_each_resumes_from_its_own_state() -> None:
    tasks = [Task(on_feed("chats"), {"id": 1}, BOUNDS), Task(on_feed("children", extraction=Doubled()), None, BOUNDS)]
    events = list(start(tasks))
    assert [list(event.records) for event in pages_of(events, "chats") if event.records] == [[b'{"id":4}', b'{"id":5}']]
    assert sum(len(event.records) for event in pages_of(events, "children")) == 12
    ends = {event.stream: event.stats for event in events if isinstance(event, StreamCompleted)}
    assert (ends["chats"].resumed_from, ends["chats"].outside, ends["chats"].emitted) == ("1", 4, 2)


def test_parents_without_children_are_reported() -> None:
    childless = on_feed("children", extraction=Doubled(0))
    events = list(start([Task(childless, None, BOUNDS)]))
    assert [event.parents for event in pages_of(events, "children")] == [
        ['{"id":0}', '{"id":1}'],
        ['{"id":2}', '{"id":3}'],
        ['{"id":4}', '{"id":5}'],
    ]


def test_a_state_that_cannot_be_read_fails_its_own_stream_only() -> None:
    tasks = [
        Task(on_feed("chats"), {"nonsense": 1}, BOUNDS),
        Task(on_feed("children", extraction=Doubled()), None, BOUNDS),
        Task(on_feed("visitors"), None, BOUNDS),
    ]
    events = list(start(tasks))
    (failed,) = (event for event in events if isinstance(event, StreamFailed))
    assert (failed.stream, type(failed.error)) == ("chats", StateError)
    ends = {event.stream: event.stats.requests for event in events if isinstance(event, StreamCompleted)}
    assert ends == {"children": 3, "visitors": 0}


def test_all_states_unreadable_is_no_request() -> None:
    events = list(start([Task(on_feed(name), {"nonsense": 1}, BOUNDS) for name in ("chats", "children")]))
    assert [event.stats.requests for event in events if isinstance(event, StreamFailed)] == [0, 0]


def test_what_ends_the_pages_early_ends_all_of_their_streams_and_no_other() -> None:
    tasks = [Task(on_feed(name, broken), None, BOUNDS) for name in ("chats", "children")]
    events = list(start([*tasks, Task(stream("agents", pages(2)), None, BOUNDS)]))
    failures = {event.stream: str(event.error) for event in events if isinstance(event, StreamFailed)}
    assert failures == {"chats": "gone", "children": "gone"}
    assert [event.stream for event in events if isinstance(event, StreamCompleted)] == ["agents"]
    assert {event.stream: dict(event.state) for event in events if isinstance(event, PageRead)}["children"] == {"id": 1}


def lacking(fetch: Fetch, position: Any, bounds: Bounds) -> Iterator[Batch[Any]]:
    fetch(Request("x", refuse))
    yield Batch((), None, 0)


def refuse(_: bytes) -> None:
    raise LACKING


@pytest.mark.parametrize(
    ("optional", "state", "kind"),
    [(True, None, StreamUnavailable), (True, {"id": 1}, StreamFailed), (False, None, StreamFailed)],
    ids=["never had it", "had it before", "must have it"],
)
def test_a_stream_that_an_account_may_lack(optional: bool, state: dict[str, int] | None, kind: type[Event]) -> None:
    task = Task(replace(stream("events", lacking, load), optional=optional), state, BOUNDS)
    events = list(start([task, Task(stream("agents", pages(2)), None, BOUNDS)]))
    started, end = events_of(events, "events")
    assert started == StreamStarted("events")
    assert isinstance(end, kind)
    assert isinstance(end, StreamUnavailable | StreamFailed)
    assert end.error is LACKING
    assert any(isinstance(event, StreamCompleted) for event in events_of(events, "agents"))


def test_a_stream_that_is_refused_after_its_first_request_has_failed() -> None:
    def refused_later(fetch: Fetch, _position: Any, _bounds: Bounds) -> Iterator[Batch[Any]]:
        fetch(Request("x", bytes))
        yield Batch([b'{"id":1}'], 1, 1)
        fetch(Request("x", refuse))

    task = Task(replace(stream("events", refused_later), optional=True), None, BOUNDS)
    *_, end = events_of(list(start([task])), "events")
    assert isinstance(end, StreamFailed)
    assert end.error is LACKING


def in_feed(records: Sequence[bytes]) -> Iterator[Batch[Any]]:
    yield Batch(records, 0, len(records))


def test_what_the_schema_does_not_know_is_reported_once_before_the_records() -> None:
    records = [b'{"id":1,"new":true}', b'{"id":"2","new":false}', b'{"id":3,"new":1}']
    value = stream("agents", lambda fetch, position, bounds: in_feed(records))
    schema = {"type": "object", "properties": {"id": {"type": ["null", "integer"]}}}
    events = events_of(list(start([Task(replace(value, load_schema=lambda _: Schema.parse(schema)), None, BOUNDS)])), "agents")
    assert [event for event in events if isinstance(event, SchemaChange)] == [
        SchemaChange("agents", "new", (), "boolean"),
        SchemaChange("agents", "id", ("integer",), "string"),
        SchemaChange("agents", "new", (), "integer"),
    ]
    assert [type(event) for event in events[-2:]] == [PageRead, StreamCompleted]
    assert [event.records for event in events if isinstance(event, PageRead)] == [records]
    assert str(SchemaChange("agents", "id", ("integer",), "string")) == (
        "agents: the field id is string, but integer was expected. It is passed through unchanged. Please report this."
    )
