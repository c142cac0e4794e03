"""Streams made up for tests, and clients that serve them."""

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.clock import FakeClock
from tests.support.http_fakes import FakeApi, ok
from zendesk_chat.api.auth import FixedToken
from zendesk_chat.api.client import Client
from zendesk_chat.api.rate_limit import RateLimiter
from zendesk_chat.clock import Clock
from zendesk_chat.engine.events import Event
from zendesk_chat.engine.run import Rotations, Task, run
from zendesk_chat.json_schema import Schema
from zendesk_chat.request import Request
from zendesk_chat.streams.stream import Batch, Bounds, Fetch, Stream

BOUNDS = Bounds(0, 1_795_000_000.0)
Read = Callable[[Fetch, Any, Bounds], Iterator[Batch[Any]]]


@dataclass(frozen=True, slots=True)
class FakeSource:
    """A source that reads its pages with a function. Sources of another ``name`` are not read together."""

    pages: Callable[[Any, Sequence[Any], Bounds], Iterator[Sequence[Batch[Any]]]]
    load: Callable[[Mapping[str, Any]], Any]
    name: str = ""

    def read(self, fetch: Fetch, positions: Sequence[Any], bounds: Bounds) -> Iterator[Sequence[Batch[Any]]]:
        return self.pages(fetch, positions, bounds)

    def probe(self, bounds: Bounds) -> Request[object]:
        return Request("x", bytes)

    def load_state(self, stream: str, cursor_field: str, state: Mapping[str, Any]) -> Any:
        return self.load(state)

    def dump_state(self, cursor_field: str, position: Any) -> Mapping[str, Any]:
        return {"id": position}

    def redacted(self, redaction: object) -> "FakeSource":
        return self


def read_alone(read: Read) -> Callable[[Any, Sequence[Any], Bounds], Iterator[Sequence[Batch[Any]]]]:
    return lambda fetch, positions, bounds: ([batch] for batch in read(fetch, positions[0], bounds))


def stream(name: str, read: Read, load_state: Callable[[Mapping[str, Any]], Any] = dict) -> Stream:
    return Stream(
        name=name,
        primary_key=("id",),
        cursor_field="id",
        source=FakeSource(read_alone(read), load_state, name),
        load_schema=any_schema,
    )


def any_schema(_stream: str) -> Schema:
    return Schema.parse({"type": "object", "additionalProperties": True})


def pages(count: int, records: int = 2) -> Read:
    """So many pages, one request each."""

    def read(fetch: Fetch, position: Any, bounds: Bounds) -> Iterator[Batch[Any]]:
        for number in range(count):
            fetch(Request("x", bytes))
            yield Batch([b'{"id":%d}' % (number * records + at) for at in range(records)], number, records)

    return read


def endless(fetch: Fetch, position: Any, bounds: Bounds) -> Iterator[Batch[Any]]:
    for number in itertools.count():
        fetch(Request("x", bytes))
        yield Batch([b'{"id":%d}' % number], number, 1)


def task(name: str, read: Read, state: Mapping[str, Any] | None = None) -> Task:
    return Task(stream(name, read), state, BOUNDS)


def client(api: FakeApi | None = None, clock: Clock | None = None) -> Client:
    clock = clock or FakeClock(running=True)
    return Client(
        "https://acme.zendesk.com/api/v2/chat",
        transport=api or FakeApi([ok()]),
        tokens=FixedToken("t"),
        limiter=RateLimiter(10_000, clock),
        clock=clock,
    )


def start(
    tasks: Sequence[Task],
    api: FakeApi | None = None,
    clock: Clock | None = None,
    **options: Any,
) -> Iterator[Event]:
    clock = clock or FakeClock(running=True)
    return run(tasks, client(api, clock), Rotations(clock), clock, **options)


def readers() -> list[threading.Thread]:
    """The engine's threads that are alive."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("reader-")]
