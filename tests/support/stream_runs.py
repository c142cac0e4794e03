"""Streams to read, and runs of them: a reader against the model of the API, or the engine against a list of answers."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, TypeVar

from tests.support.clock import FakeClock
from tests.support.http_fakes import FakeApi, ok
from tests.support.model import ExportApi
from zendesk_chat.api.auth import FixedToken
from zendesk_chat.api.client import Client
from zendesk_chat.api.rate_limit import RateLimiter
from zendesk_chat.clock import Clock
from zendesk_chat.engine.events import Event
from zendesk_chat.engine.run import Rotations, Task
from zendesk_chat.engine.run import run as run_tasks
from zendesk_chat.errors import ConnectorError
from zendesk_chat.json_schema import Schema
from zendesk_chat.request import Request
from zendesk_chat.streams.exports.export import Export
from zendesk_chat.streams.lists.answers import agent_settings
from zendesk_chat.streams.lists.id_list import IdList
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.stream import AnyFetcher, Batch, Bounds, Fetch, StateBlob, Stream

T = TypeVar("T")
MANY_REQUESTS = 3000


def stream_of(export: Export, cursor_field: str = "timestamp") -> Stream:
    """A stream that reads an export."""
    return Stream(export.stream, ("id",), cursor_field, export, optional=True)


def list_of(listing: IdList) -> Stream:
    """A stream that reads a list by id."""
    return Stream(listing.stream, (listing.key,), listing.key, listing, optional=True)


ROUTING = IdList("agent_routing_settings", "routing_settings/agents", agent_settings, key="agent_id", unpaged=True)


class Side:
    """Makes the calls of a reader, at most ``limit`` at a time; chance decides when each is answered and ends."""

    def __init__(self, fetch: Fetch, limit: int = 1, chance: Random | None = None) -> None:
        self._fetch = fetch
        self.limit = limit
        self._chance = chance or Random(0)
        self._started: list[tuple[Any, Callable[[], object]]] = []
        self.most = 0

    def __call__(self, request: Request[T]) -> T:
        return self._fetch(request)

    def start(self, request: Request[Any], tag: object) -> None:
        answer = partial(outcome, self._fetch, request)
        self._started.append((tag, partial(identity, answer()) if self._chance.random() < 0.5 else answer))
        self.most = max(self.most, len(self._started))

    def finished(self) -> tuple[Any, Any]:
        tag, answer = self._started.pop(self._chance.randrange(len(self._started)))
        return tag, answer()

    def free_slots(self) -> int:
        return self.limit - len(self._started) if self.limit > 1 else 0


def outcome(fetch: Fetch, request: Request[Any]) -> Any:
    """The decoded page, or the error."""
    try:
        return fetch(request)
    except ConnectorError as error:
        return error


def identity(value: T) -> T:
    return value


def read_one(stream: Stream, fetch: AnyFetcher, position: object, bounds: Bounds) -> Iterator[Batch[Any]]:
    """The batches of a stream that is read alone."""
    return (batch for (batch,) in stream.source.read(fetch, [position], bounds))


def probe(stream: str, fetch: Fetch, bounds: Bounds) -> None:
    """Send a stream's probe."""
    request = STREAMS[stream].source.probe(bounds)
    fetch(request)


@dataclass(slots=True)
class Run:
    """What a run gave, batch by batch."""

    stream: str
    key: str = "id"
    batches: list[list[dict[str, Any]]] = field(default_factory=list)
    states: list[StateBlob] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    progress: list[float | None] = field(default_factory=list)

    @property
    def records(self) -> list[dict[str, Any]]:
        return [record for batch in self.batches for record in batch]

    @property
    def state(self) -> StateBlob:
        return self.states[-1]

    def contents(self) -> list[str]:
        return [json.dumps(record, sort_keys=True) for record in self.records]

    def by_key(self) -> dict[str, dict[str, Any]]:
        return {str(record[self.key]): record for record in self.records}

    def cut(self, batches: int) -> Run:
        return Run(self.stream, self.key, self.batches[:batches], self.states[:batches])


def run(stream: str | Stream, api: Fetch, bounds: Bounds, state: StateBlob | None = None, *, into: Run | None = None) -> Run:
    """Read to the end; what came before an error is in ``into``."""
    value = STREAMS[stream] if isinstance(stream, str) else stream
    result = into or Run(value.name, value.primary_key[-1] if value.primary_key else "id")
    position = value.load_state(state) if state else None
    fetch = Side(api, api.parallel, Random(api.chance)) if isinstance(api, ExportApi) else Side(api)
    for batch in read_one(value, fetch, position, bounds):
        assert all(b"\n" not in record for record in batch.records)
        assert len(batch.records) + batch.unchanged + batch.outside == batch.received
        result.batches.append([json.loads(record) for record in batch.records])
        result.states.append(json.loads(json.dumps(value.dump_state(batch.position))))
        result.notes.extend(batch.notes)
        result.progress.append(batch.progress)
        assert len(result.batches) < MANY_REQUESTS, "does not end"
    return result


def destination(*runs: Run) -> dict[str, dict[str, Any]]:
    """What an upsert by key of all these runs leaves."""
    return {key: record for one in runs for key, record in one.by_key().items()}


def doubles(*runs: Run) -> Sequence[str]:
    """Records emitted more than once with the same content."""
    contents = [content for one in runs for content in one.contents()]
    return sorted({content for content in contents if contents.count(content) > 1})


# Streams made up for tests of the engine.

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

    def redacted(self, redaction: object) -> FakeSource:
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
    return run_tasks(tasks, client(api, clock), Rotations(clock), clock, **options)


def readers() -> list[threading.Thread]:
    """The engine's threads that are alive."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("reader-")]
