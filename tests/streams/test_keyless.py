"""Rows without a usable key, and rows that are no records: they cost no other record, and are themselves not lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.model import NOW, SECOND, ExportApi, Item, Name, effort
from tests.support.stream_runs import Run, destination, doubles, read_one, run
from zendesk_chat.errors import PaginationStuckError, RecordShapeError
from zendesk_chat.request import Request
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.stream import Bounds

T = TypeVar("T")
INCREMENTAL = Bounds(0, NOW)
FULL = Bounds(0, NOW, incremental=False)
BY_ID = ("agents", "bans", "agent_routing_settings")
COMPLETE = ("departments", "goals", "roles", "skills", "triggers", "shortcuts")
EXPORTS: tuple[Name, ...] = ("chats", "agent_timeline", "conversions", "department_events", "agent_events")
NO_KEYS: st.SearchStrategy[object] = st.sampled_from([..., None, "", [], {}, True, 1.5])
JUNK = st.sampled_from([None, 5, "text", [], [{"id": 1}], False])
CONTENTS = st.sampled_from("abcdef")
exactly = effort(150)


@dataclass
class Server:
    """A list of rows, paged by ``since_id`` where they have numbers for ids; others come with the first page or with each."""

    name: str
    ordered: list[dict[str, Any]]
    odd: list[Any]
    always: bool = True
    size: int = 100
    requests: list[Mapping[str, Any]] = field(default_factory=list)

    def __call__(self, request: Request[T]) -> T:
        params = request.params
        self.requests.append(params)
        since, limit = int(params.get("since_id", 0)), min(self.size, int(params.get("limit", 10**6)))
        page: list[Any] = [row for row in self.ordered if int(row[key_of(self.name)]) >= since][:limit]
        page += self.odd if self.always or since == 0 else []
        return request.decode(json.dumps({"visitor": page} if self.name == "bans" else page).encode())


def key_of(name: str) -> str:
    return STREAMS[name].primary_key[0]


@st.composite
def servers(draw: st.DrawFn) -> Server:
    name = draw(st.sampled_from(BY_ID))
    key = key_of(name)
    ordered = [{key: number, "name": draw(CONTENTS)} for number in sorted(draw(st.sets(st.integers(1, 40), max_size=12)))]
    keyless = [{"name": draw(CONTENTS), **keyed(key, draw(NO_KEYS))} for _ in range(draw(st.integers(0, 4)))]
    strings = [{key: text, "name": draw(CONTENTS)} for text in draw(st.sets(st.sampled_from(["x", "-1", "²", "9" * 50])))]
    odd = draw(st.permutations([*keyless, *strings, *draw(st.lists(JUNK, max_size=2))]))
    return Server(name, ordered, odd, always=draw(st.booleans()), size=draw(st.sampled_from([1, 2, 5, 100])))


def keyed(key: str, value: object) -> dict[str, object]:
    return {} if value is ... else {key: value}


def is_keyless(row: Any, key: str) -> bool:
    value = row.get(key) if isinstance(row, dict) else None
    return isinstance(row, dict) and (not isinstance(value, str | int) or isinstance(value, bool) or value == "")


def contents(found: Run, key: str) -> set[str]:
    """What was emitted, without the ids that were made."""
    return {as_text(record, key) for record in found.records}


def as_text(record: dict[str, Any], key: str) -> str:
    value = record.get(key)
    made = is_keyless(record, key) or (isinstance(value, int) and value < 0) or str(value).startswith("no-id-")
    return json.dumps({name: value for name, value in record.items() if not (made and name == key)}, sort_keys=True)


@exactly
@given(servers(), st.booleans())
def test_a_list_by_id_gives_every_object_once_and_a_second_run_nothing(server: Server, incremental: bool) -> None:
    key = key_of(server.name)
    sent = [row for row in (*server.ordered, *server.odd) if isinstance(row, dict)]
    if not sent and server.odd:
        with pytest.raises(RecordShapeError):
            run(server.name, server, INCREMENTAL)
        return
    found = run(server.name, server, INCREMENTAL if incremental else FULL)
    assert contents(found, key) == {as_text(row, key) for row in sent}
    assert not doubles(found)
    assert all(record[key] not in (None, "") for record in found.records)
    without, skipped = any(is_keyless(row, key) for row in sent), len(sent) < len(server.ordered) + len(server.odd)
    assert sorted("skipped" in note for note in found.notes) == [False] * without + [True] * skipped
    again = run(server.name, server, INCREMENTAL, found.state)
    assert again.records == []


@exactly
@given(servers(), st.integers(0, 20))
def test_a_run_that_is_cut_loses_none_of_them(server: Server, cut: int) -> None:
    if not any(isinstance(row, dict) for row in (*server.ordered, *server.odd)):
        return
    complete = run(server.name, server, INCREMENTAL)
    part = complete.cut(1 + cut % len(complete.batches))
    rest = run(server.name, server, INCREMENTAL, part.state)
    assert destination(part, rest) == complete.by_key()
    assert not doubles(part, rest)


def test_a_key_that_was_made_is_emitted_though_the_state_is_another_connectors() -> None:
    server = Server("agents", [{"id": 5}, {"id": 9}], [{"name": "x"}])
    assert [record.get("name") for record in run("agents", server, INCREMENTAL, {"id": 9}).records] == ["x"]


def test_a_list_without_numbers_for_ids_is_read_unless_there_may_be_more() -> None:
    rows = [{"id": f"a{number}"} for number in range(99)]
    assert len(run("agents", Server("agents", [], rows), INCREMENTAL).records) == 99
    part, cut = Run("agents"), Server("agents", [], [*rows, {"id": "z"}])

    def fetch(request: Request[Any]) -> Any:
        return request.decode(json.dumps(cut.odd[: int(request.params["limit"])]).encode())

    with pytest.raises(PaginationStuckError, match="has a numeric id"):
        run("agents", fetch, INCREMENTAL, into=part)
    assert len(part.records) == 100


@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.parametrize("key", [..., None, "", [], {}, 1.5, True])
def test_a_list_in_one_answer_gives_its_rows_without_a_key(name: str, key: object) -> None:
    rows = [{"id": 1, "name": "a"}, keyed("id", key) | {"message": "b"}, 7, {"id": 2, "name": "c"}]
    found, again = (run(name, Server(name, [], rows), INCREMENTAL) for _ in range(2))
    first, made, last = found.records
    assert (first, last) == (rows[0], rows[3])
    assert made == {"message": "b", "id": made["id"]}
    assert str(made["id"]).startswith("no-id-") if name == "shortcuts" else -(2**53) <= made["id"] < 0
    assert found.records == again.records
    assert found.notes == [
        f"{name}: Zendesk sent records without `id`. Their ids are derived from their content.",
        f"{name}: Zendesk sent rows that are not JSON objects. They are skipped. The other rows are read.",
    ]


def test_a_shortcut_without_an_id_is_known_by_its_name() -> None:
    rows = [{"name": "help", "message": "x"}, {"id": "hi", "name": "hello"}, {"name": "bye"}]
    found = run("shortcuts", Server("shortcuts", [], rows), INCREMENTAL)
    assert [record["id"] for record in found.records] == ["help", "hi", "bye"]
    assert found.notes == ["shortcuts: Zendesk sent records without `id`. Their `name` is used as their id."]


def test_an_account_without_its_key_is_a_record() -> None:
    found = run("accounts", lambda request: request.decode(b'{"status": "active"}'), INCREMENTAL)
    assert found.records[0]["account_key"].startswith("no-id-")
    assert len(found.notes) == 1


class Keyless(ExportApi):
    """Some records have no key, and each page begins with a row that is no object."""

    junk = False

    def row(self, item: Item) -> dict[str, Any]:
        row = super().row(item)
        if item.number % 3 == 0:
            row = {name: value for name, value in row.items() if name not in ("id", "agent_id")} | {"content": item.number}
        return row

    def _answer(self, start: int, start_id: str, limit: int) -> bytes:
        page = json.loads(super()._answer(start, start_id, limit))
        page[self.name] = [5] * self.junk + page[self.name]
        return json.dumps(page | {"count": len(page[self.name])}).encode()


@pytest.mark.parametrize("junk", [False, True])
@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_gives_its_records_without_a_key_once_and_a_second_run_nothing(name: Name, junk: bool) -> None:
    api = Keyless(name, {number: Item(number, (NOW - 5000 + 240 * number) * SECOND) for number in range(20)})
    api.junk = junk
    bounds = Bounds(NOW - 10_000, NOW)
    found = run(name, api, bounds)
    assert len(found.by_key()) == len(found.records) == 20
    assert sorted(record["content"] for record in found.records if record["id"].startswith("no-id-")) == list(range(0, 20, 3))
    assert [note.split(": ")[0] for note in found.notes] == [name] * (1 + junk)
    assert run(name, api, bounds, found.state).records == []


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_of_nothing_but_rows_that_are_no_objects_is_an_error(name: Name) -> None:
    body = json.dumps({name: [5], "count": 1}).encode()
    with pytest.raises(RecordShapeError):
        run(name, lambda request: request.decode(body), INCREMENTAL)


CHAT = {
    "visitor": {"id": "v1", "name": "Vi"},
    "history": [{"type": "chat.msg", "timestamp": "2024-05-06T10:00:00Z", "msg": "hi"}],
    "engagements": [{"id": "e1"}],
    "webpath": [{"to": "https://shop.example.com/"}],
    "conversions": [{"id": "k1"}],
}


@pytest.mark.parametrize("name", [name for name, stream in STREAMS.items() if stream.extraction])
def test_a_chat_without_an_id_has_no_children_and_takes_none_from_others(name: str) -> None:
    body = json.dumps({"chats": [CHAT, {**CHAT, "id": "c1"}]}).encode()
    chats = [batch for batch in read_one(STREAMS["chats"], Once(body), None, INCREMENTAL) if batch.records]
    extractor = STREAMS[name].extractor
    assert extractor is not None
    children = extractor.extract(chats[0].records)
    assert len(chats[0].records) == 2
    assert [json.loads(record).get("chat_id", "c1") for record in children.records] == ["c1"]
    assert list(children.parents) == ["c1"]


class Once:
    """One page, and then empty ones."""

    def __init__(self, body: bytes) -> None:
        self._bodies = [body]
        self._started: list[tuple[Request[Any], object]] = []

    def __call__(self, request: Request[Any]) -> Any:
        return request.decode(self._bodies.pop() if self._bodies else b'{"chats": []}')

    def start(self, request: Request[Any], tag: object) -> None:
        self._started.append((request, tag))

    def finished(self) -> tuple[Any, Any]:
        request, tag = self._started.pop()
        return tag, self(request)

    def free_slots(self) -> int:
        return 0
