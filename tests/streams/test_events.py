"""Conversions, department events and agent events: what is not known of these exports, and how they are read all the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.streams.test_exports import START, contains, rows
from tests.support.model import NOW, SECOND, ExportApi, Item, Name, effort
from tests.support.stream_runs import Run, destination, doubles, probe, run, stream_of
from zendesk_chat.errors import EnvelopeError, PaginationStuckError
from zendesk_chat.request import Request
from zendesk_chat.streams.exports.agent_timeline import AGENT_TIMELINE
from zendesk_chat.streams.exports.chats import CHATS
from zendesk_chat.streams.exports.events import AGENT_EVENTS, CONVERSIONS, DEPARTMENT_EVENTS
from zendesk_chat.streams.exports.export import Export, Row
from zendesk_chat.streams.keys import is_made
from zendesk_chat.streams.records import with_fields
from zendesk_chat.streams.stream import Bounds

Unit = Literal["seconds", "microseconds"]
UNITS: tuple[Unit, ...] = ("seconds", "microseconds")
exactly = effort(150)


def events(count: int, **choices: Any) -> ExportApi:
    return ExportApi(
        "agent_events", {number: Item(number, (START + 60 * number) * SECOND) for number in range(count)}, **choices
    )


@pytest.mark.parametrize("counts", UNITS)
@pytest.mark.parametrize("slots", [1, 4])
def test_the_unit_of_agent_events_is_found_out_by_one_small_request(counts: Unit, slots: int) -> None:
    asked: list[dict[str, Any]] = []

    class Observed(ExportApi):
        def __call__(self, request: Request[Any]) -> Any:
            asked.append(dict(request.params))
            return ExportApi.__call__(self, request)

    items = {number: Item(number, (START + 60 * number) * SECOND) for number in range(40)}
    api = Observed("agent_events", items, agent_events_in=counts, parallel=slots)
    found = run("agent_events", api, Bounds(START, NOW))
    assert found.by_key() == rows(api)
    assert not doubles(found)
    small, *others = asked
    assert small == {"limit": 1, "start_time": NOW - 600}
    assert all((params["start_time"] > 10**14) == (counts == "microseconds") for params in others)


@pytest.mark.parametrize("counts", UNITS)
def test_the_unit_is_found_out_though_the_envelope_reports_no_end(counts: Unit) -> None:
    api = events(40, agent_events_in=counts, ends="absent")
    assert run("agent_events", api, Bounds(START, NOW)).by_key() == rows(api)


@pytest.mark.parametrize("counts", UNITS)
def test_all_agent_events_of_the_last_minutes_are_read(counts: Unit) -> None:
    api = ExportApi("agent_events", {number: Item(number, (NOW - 20 * number) * SECOND + 7) for number in range(20)})
    api.agent_events_in = counts
    assert run("agent_events", api, Bounds(START, NOW)).by_key() == rows(api)


@exactly
@given(st.lists(st.sampled_from(UNITS), min_size=2, max_size=4), st.integers(0, 30))
def test_an_api_that_changes_its_unit_between_runs_loses_nothing(counts: list[Unit], cut: int) -> None:
    api = events(25)
    runs: list[Run] = []
    for number, unit in enumerate(counts):
        api.agent_events_in = unit
        api.items[100 + number] = Item(100 + number, (NOW - 1000 + number) * SECOND + 500_000)
        part = run("agent_events", api, Bounds(START, NOW), runs[-1].state if runs else None)
        runs.append(part if number == len(counts) - 1 else part.cut(1 + cut % len(part.batches)))
    assert destination(*runs) == rows(api)
    assert not doubles(*runs)


@exactly
@given(st.data(), st.sampled_from(["number", "text"]), st.sampled_from(["ids", "inclusive", "exclusive"]))
def test_a_second_may_hold_more_agent_events_than_a_page(data: st.DataObject, ends: Any, start: Any) -> None:
    crowds = data.draw(st.dictionaries(st.integers(0, 3), st.sets(st.integers(0, 999_999), max_size=30), max_size=3))
    times = [(START + second) * SECOND + micros for second, crowd in crowds.items() for micros in sorted(crowd)]
    api = ExportApi(
        "agent_events",
        {number: Item(number, time) for number, time in enumerate(times)},
        ends=ends,
        start_time="inclusive" if start == "ids" else start,
        events_have_ids=start == "ids",
        cap=data.draw(st.integers(3, 9)),
        parallel=data.draw(st.integers(1, 4)),
    )
    runs = []
    if data.draw(st.booleans()):
        part = run("agent_events", api, Bounds(START, NOW))
        runs.append(part.cut(data.draw(st.integers(1, len(part.batches)))))
    runs.append(run("agent_events", api, Bounds(START, NOW), runs[-1].state if runs else None))
    assert destination(*runs) == rows(api)
    assert not doubles(runs[-1])


@pytest.mark.parametrize("ids", [False, True])
def test_many_agent_events_in_one_second_cost_few_requests_more_than_their_pages(
    ids: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zendesk_chat.streams.exports.page.PAGE_SIZE", 100)
    items = {number: Item(number, START * SECOND + 4999 * number) for number in range(200)}
    api = ExportApi("agent_events", items, events_have_ids=ids)
    found = run("agent_events", api, Bounds(START, NOW))
    assert found.by_key() == rows(api)
    assert not doubles(found)
    assert api.requests <= 6


def test_a_probe_of_agent_events_asks_in_seconds_which_either_api_accepts() -> None:
    for counts in UNITS:
        api = events(3, rejects_young=True)
        api.agent_events_in = counts
        probe("agent_events", api, Bounds(START, NOW))
        assert api.requests == 1


@st.composite
def reordered(draw: st.DrawFn) -> ExportApi:
    """A server that orders records by a later change, of which they report nothing."""
    name: Name = draw(st.sampled_from(["conversions", "department_events"]))
    ages = st.integers(0, 400) | st.integers(3000, 3010) | st.integers(0, NOW - START + 50)
    found = draw(st.lists(st.tuples(ages, ages), max_size=25))
    items = {
        number: Item(number, (NOW - max(pair)) * SECOND, changed=(NOW - min(pair)) * SECOND)
        for number, pair in enumerate(found)
    }
    return ExportApi(
        name,
        {number: item for number, item in items.items() if sum(item.changed == other.changed for other in items.values()) < 3},
        start_id=draw(st.sampled_from(["exclusive", "inclusive", "ignored"])),
        ends=draw(st.sampled_from(["number", "text"])),
        cap=draw(st.integers(4, 8)),
        parallel=draw(st.integers(1, 5)),
        chance=draw(st.integers(0, 9)),
    )


@exactly
@given(reordered(), st.lists(st.integers(0, 40), max_size=2), st.sampled_from([None, 5, 3005, 90_000]))
def test_records_that_are_older_than_their_position_all_arrive(api: ExportApi, cuts: list[int], age: int | None) -> None:
    runs: list[Run] = []
    for cut in cuts:
        part = run(api.name, api, Bounds(START, NOW, end=None if age is None else NOW - age), runs[-1].state if runs else None)
        runs.append(part.cut(1 + cut % len(part.batches)))
        until = NOW + 1 if age is None else NOW - age
        assert all(record["timestamp"] < api.row(Item(0, until * SECOND))["timestamp"] for record in part.records)
    runs.append(run(api.name, api, Bounds(START, NOW), runs[-1].state if runs else None))
    assert destination(*runs) == rows(api)
    old = sorted(api.items)[: len(api.items) // 2]
    for number in old:
        item = api.items[number]
        api.items[number] = replace(item, version=1, changed=(NOW + 1000 + number) * SECOND)
    api.now += 86_400
    runs.append(run(api.name, api, Bounds(START, NOW + 86_400), runs[-1].state))
    assert contains(destination(*runs), rows(api))
    settled = run(api.name, api, Bounds(START, NOW + 86_400), runs[-1].state)
    assert contains(rows(api), settled.by_key())
    assert run(api.name, api, Bounds(START, NOW + 86_400), settled.state).records == []


@pytest.mark.parametrize("count", [90, 250])
def test_a_change_of_many_old_records_in_one_go_is_read(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zendesk_chat.streams.exports.page.PAGE_SIZE", 100)
    api = ExportApi("conversions", {number: Item(number, (START + number) * SECOND) for number in range(count)})
    first = run("conversions", api, Bounds(START, NOW))
    api.items = {number: Item(number, item.time, 1, (NOW + 50 + number // 90) * SECOND) for number, item in api.items.items()}
    api.now += 3600
    second = run("conversions", api, Bounds(START, NOW + 3600), first.state)
    assert second.by_key() == rows(api)


def test_a_server_that_ignores_start_time_is_an_error_and_no_loop() -> None:
    api = ExportApi("conversions", {number: Item(number, (START + number) * SECOND) for number in range(20)})
    api.start_time, api.start_id = "ignored", "ignored"
    with pytest.raises(PaginationStuckError):
        run("conversions", api, Bounds(START, NOW))
    assert api.requests < 20


@pytest.mark.parametrize("export", [CONVERSIONS, DEPARTMENT_EVENTS, AGENT_EVENTS])
def test_a_row_is_the_record_as_it_came_with_its_id_and_time(export: Export) -> None:
    record = b'{"timestamp": "2026-03-14T12:33:50.140101Z",  "value":1, "id": "R1.x"}'
    row = export.row(msgspec.Raw(record))
    assert row is not None
    assert (row.key, row.time, row.record) == ("R1.x", 1_773_491_630_140_101, record)
    assert export.row(msgspec.Raw(b'{"id": 7, "timestamp": 5}')) == Row("7", None, b'{"id": 7, "timestamp": 5}')


@pytest.mark.parametrize("export", [CONVERSIONS, DEPARTMENT_EVENTS, AGENT_EVENTS])
def test_a_record_without_an_id_gets_one_and_what_is_no_object_is_no_record(export: Export) -> None:
    for record in (b"{}", b'{"id": ""}', b'{"id": null}', b'{"id": ["x"]}'):
        row = export.row(msgspec.Raw(record))
        assert row is not None
        assert is_made(row.key)
        assert msgspec.json.decode(row.record) == {"id": row.key}
    assert export.row(msgspec.Raw(b"7")) is export.row(msgspec.Raw(b"[]")) is None


@pytest.mark.parametrize("export", [CONVERSIONS, DEPARTMENT_EVENTS, AGENT_EVENTS])
def test_another_envelope_is_an_error(export: Export) -> None:
    with pytest.raises(EnvelopeError):
        export.decode(b'{"chats": []}')


def masked(record: bytes) -> bytes:
    """A redactor that hides the version, and an agent's id."""
    found = msgspec.json.decode(record)
    hidden: dict[str, Any] = {"version": "#", "value": "#", "duration": "#"} | {"agent_id": "#7"}
    return with_fields(record, **{key: value for key, value in hidden.items() if key in found})


@pytest.mark.parametrize(
    ("export", "cursor_field"),
    [(CHATS, "update_timestamp"), (AGENT_TIMELINE, "start_time"), (CONVERSIONS, "timestamp"), (AGENT_EVENTS, "timestamp")],
)
def test_keys_digests_and_states_are_those_of_the_redacted_record(export: Export, cursor_field: str) -> None:
    name: Any = export.stream
    stream = stream_of(replace(export, redact=masked), cursor_field)
    api = ExportApi(name, {number: Item(number, (NOW - 20 * number) * SECOND, version=number) for number in range(20)})
    found = run(stream, api, Bounds(START, NOW))
    assert len(found.by_key()) == 20
    assert {str(record.get("version", record.get("value", record.get("duration")))) for record in found.records} == {"#"}
    if name == "agent_timeline":
        assert all(str(record["id"]).startswith("#7|") for record in found.records)
    assert found.state["recent"].keys() <= found.by_key().keys()
    api.items = {number: replace(item, version=99) for number, item in api.items.items()}
    assert run(stream, api, Bounds(START, NOW), found.state).records == [], "what is hidden makes no difference"
