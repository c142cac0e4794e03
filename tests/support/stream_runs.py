"""Runs of a stream's reader against the model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, TypeVar

from tests.support.model import ExportApi
from zendesk_chat.errors import ConnectorError
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
    """Makes the calls of a reader, as many as there is room for at a time; chance decides when each is answered and ends."""

    def __init__(self, fetch: Fetch, lanes: int = 1, chance: Random | None = None) -> None:
        self._fetch = fetch
        self._lanes = lanes
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
        return self._lanes - len(self._started) if self._lanes > 1 else 0


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
    fetch = Side(api, api.lanes, Random(api.chance)) if isinstance(api, ExportApi) else Side(api)
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
