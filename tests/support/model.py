"""The Chat API in memory, written from the facts about it and not from the readers.

What those facts leave open is a choice of the model, so that a property can be shown for every reading of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Literal, TypeVar

from hypothesis import settings

from zendesk_chat.errors import RequestRejectedError, ServerError
from zendesk_chat.request import Request

T = TypeVar("T")
Name = Literal["chats", "agent_timeline", "conversions", "department_events", "agent_events"]
WITH_ID = frozenset({"chats", "conversions"})
TO_THE_MICROSECOND = frozenset({"agent_timeline", "agent_events"})
SECOND = 1_000_000
NOW = 1_700_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST_LIMIT = 1000
FIVE_MINUTES = 300


def iso(micros: int, *, decimals: bool) -> str:
    time = EPOCH + timedelta(microseconds=micros)
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if decimals else "%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Item:
    """A record of an export. ``version`` stands for its content; the server orders it by ``changed`` where that is later."""

    number: int
    time: int
    version: int = 0
    changed: int = 0


@dataclass(slots=True)
class ExportApi:
    """An incremental export, as a fetch function, and how many requests at a time it is read with, in which order of chance."""

    name: Name
    items: dict[int, Item]
    now: float = NOW
    start_id: Literal["exclusive", "inclusive", "ignored"] = "exclusive"
    start_time: Literal["inclusive", "exclusive", "ignored"] = "inclusive"
    ends: Literal["number", "text", "absent"] = "number"
    cap: int = LARGEST_LIMIT
    short: Random | None = None
    rejects_young: bool = False
    largest_possible: int = LARGEST_LIMIT
    live: frozenset[int] = frozenset()
    between: Callable[[ExportApi], None] | None = None
    requests: int = 0
    parallel: int = 1
    chance: int = 0
    agent_events_in: Literal["seconds", "microseconds"] = "seconds"
    events_have_ids: bool = False

    @property
    def unit(self) -> int:
        micros = self.name == "agent_timeline" or (self.name == "agent_events" and self.agent_events_in == "microseconds")
        return 1 if micros else SECOND

    @property
    def with_id(self) -> bool:
        return self.name in WITH_ID or self.events_have_ids

    @property
    def precision(self) -> int:
        return 1 if self.name in TO_THE_MICROSECOND and not self.events_have_ids else SECOND

    def __call__(self, request: Request[T]) -> T:
        params = request.params
        assert request.path == f"incremental/{self.name}"
        assert params.get("fields") == (None if self.name == "agent_events" else f"{self.name}(*)")
        start, limit = self._start(str(params.get("start_time", 0))), int(params.get("limit", LARGEST_LIMIT))
        assert start >= 0
        assert 1 <= limit <= LARGEST_LIMIT
        if self.between:
            self.between(self)
        self.requests += 1
        if self.rejects_young and start > (self.now - FIVE_MINUTES) * SECOND:
            raise RequestRejectedError("too young")
        if limit > self.largest_possible:
            raise ServerError("too much at once")
        return request.decode(self._answer(start, str(params.get("start_id", "")), limit))

    def key(self, item: Item) -> str:
        if self.name == "agent_timeline":
            return f"{item.number}|{iso(item.time, decimals=True)}"
        return f"2311.{item.number:04d}"

    def order(self, item: Item) -> tuple[int, str]:
        return max(item.time, item.changed) // self.precision * self.precision, self.key(item)

    def row(self, item: Item) -> dict[str, Any]:
        if self.name == "chats":
            stamp = iso(item.time, decimals=False)
            return {"id": self.key(item), "update_timestamp": stamp, "version": item.version, "message": "one\ntwo"}
        if self.name == "agent_timeline":
            return {"agent_id": item.number, "start_time": iso(item.time, decimals=True), "duration": item.version}
        stamp = iso(item.time, decimals=self.name in TO_THE_MICROSECOND)
        return {"id": self.key(item), "timestamp": stamp, "value": item.version}

    def _start(self, text: str) -> int:
        """A ``start_time`` in microseconds; seconds of agent events may have a fraction, as their ``end_time`` has."""
        value = Decimal(text)
        assert value == int(value) or self.precision < self.unit
        return int(value * self.unit)

    def _answer(self, start: int, start_id: str, limit: int) -> bytes:
        rows = sorted((item for item in self.items.values() if self._answers(item, start, start_id)), key=self.order)
        rows = rows[: self._size(rows, min(limit, self.cap), exact=bool(start_id) and self.start_id == "exclusive")]
        for item in rows:
            if item.number in self.live:
                self.items[item.number] = Item(item.number, item.time, item.version + 1)
        page: dict[str, Any] = {self.name: list(map(self.row, rows)), "count": len(rows), "next_page": "https://[garbage"}
        if self.ends != "absent":
            end, end_id = (start, start_id) if not rows else self.order(rows[-1])
            exact = end / SECOND if self.unit > self.precision else end // self.unit
            page["end_time"] = exact if self.ends == "number" else str(exact)
            if self.with_id:
                page["end_id"] = end_id
        return json.dumps(page).encode()

    def _answers(self, item: Item, start: int, start_id: str) -> bool:
        time, key = self.order(item)
        if self.with_id and start_id and self.start_id != "ignored":
            return (time, key) >= (start, start_id) if self.start_id == "inclusive" else (time, key) > (start, start_id)
        match self.start_time:
            case "ignored":
                return True
            case "inclusive":
                return time >= start
            case "exclusive":
                return time > start

    def _size(self, rows: list[Item], largest: int, *, exact: bool) -> int:
        """A short page still gets past the time that it begins at, or no client could follow."""
        if not self.short or not rows:
            return largest
        first = self.order(rows[0])[0]
        beyond = first + 1 if self.unit == self.precision else first // SECOND * SECOND + 2 * SECOND
        least = 1 if exact else 1 + sum(self.order(item)[0] < beyond for item in rows)
        return min(largest, self.short.randint(least, max(least, largest)))


@dataclass(slots=True)
class ListApi:
    """A list paged by ``since_id``, as a fetch function: one group (agents), or two in one sequence of ids (bans)."""

    name: Literal["agents", "bans", "agent_routing_settings"]
    groups: list[dict[int, dict[str, Any]]]
    cap: int = 100
    limit_counts: Literal["union", "list"] = "union"
    ids_as_text: bool = False
    ignores_since: bool = False
    ignores_limit: bool = False
    envelope: Literal["bare", "list", "by id"] = "bare"
    own_key: Literal["agent_id", "id", "absent"] = "agent_id"
    between: Callable[[ListApi], None] | None = None
    requests: int = 0
    asked: list[int] = field(default_factory=list)

    def __call__(self, request: Request[T]) -> T:
        params = request.params
        assert request.path == ("routing_settings/agents" if self.name == "agent_routing_settings" else self.name)
        since, limit = int(params["since_id"]), int(params["limit"])
        assert limit <= 100, "agents answer 400"
        if self.between:
            self.between(self)
        self.requests += 1
        self.asked.append(since)
        size = 10**6 if self.ignores_limit else min(limit, self.cap)
        pages = [sorted(key for key in group if self.ignores_since or key >= since)[:size] for group in self.groups]
        if self.limit_counts == "union":
            union = sorted(key for page in pages for key in page)[:size]
            pages = [[key for key in page if key in union] for page in pages]
        return request.decode(json.dumps(self._body(pages)).encode())

    def _body(self, pages: list[list[int]]) -> Any:
        rows = [[self.row(key) for key in page] for page in pages]
        if self.name == "bans":
            return {"ip_address": rows[0], "visitor": rows[1]}
        if self.envelope == "by id":
            return {"data": {str(key): self.row(key) for key in pages[0]}}
        return rows[0] if self.envelope == "bare" else {"data": rows[0]}

    @property
    def ids(self) -> set[int]:
        return {key for group in self.groups for key in group}

    def row(self, key: int) -> dict[str, Any]:
        content = next(group[key] for group in self.groups if key in group)
        name = "id" if self.name != "agent_routing_settings" else self.own_key
        return content if name == "absent" else {name: str(key) if self.ids_as_text else key, **content}


# How many examples property tests try.

SOAK = float(os.environ.get("SOAK") or 0)
ORDINARY = 0.25


def effort(examples: int) -> settings:
    """Settings for a property with so many examples.

    ``SOAK=50`` in the environment asks for fifty times as many, chosen at random. An ordinary run tries the same few examples
    every time, a quarter of what the property names, so that all tests together stay quick.
    """
    return settings(derandomize=not SOAK, deadline=None, max_examples=max(1, round(examples * (SOAK or ORDINARY))))
