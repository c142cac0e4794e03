"""Exports read from a start and to an end: what lies between, to the second, once, however it is divided."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.streams.test_exports import ALL_NAMES, CHATS, CURSORS, OTHERS, START, TIMELINE, apis, rows
from tests.support.model import NOW, SECOND, TO_THE_MICROSECOND, ExportApi, Item, Name, effort
from tests.support.stream_runs import Run, destination, doubles, run
from zendesk_chat.request import Request
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.stream import Bounds

PAGE = 6  # as in conftest
HEAD = NOW - 600
NAMES: tuple[Name, ...] = (CHATS, TIMELINE, *OTHERS)
exactly = effort(120)
times = st.one_of(st.integers(START, NOW), st.integers(NOW - 3020, NOW - 2990), st.integers(NOW - 700, NOW))


def between(api: ExportApi, start: int, end: int) -> dict[str, dict[str, Any]]:
    found = {api.key(item) for item in api.items.values() if start * SECOND <= item.time < end * SECOND}
    return {key: row for key, row in rows(api).items() if key in found}


def known(state: Any, name: Name) -> int:
    return int(loaded(state, name).complete_until)


def loaded(state: Any, name: Name) -> Any:
    return STREAMS[name].load_state(state)


@exactly
@given(apis(), st.lists(times, min_size=2, max_size=4, unique=True))
def test_parts_read_apart_are_the_complete_read_at_once(api: ExportApi, cuts: list[int]) -> None:
    api.rejects_young = False
    start, *ends = sorted(cuts)
    parts: list[Run] = []
    before = start
    for end in ends:
        state = parts[-1].state if parts else None
        parts.append(run(api.name, api, Bounds(start, NOW, end=end), state))
        assert parts[-1].by_key() == between(api, before, end)
        found = known(parts[-1].state, api.name)
        assert found == end * SECOND if end <= HEAD else found <= max(start, HEAD) * SECOND
        before = end
    complete = run(api.name, api, Bounds(start, NOW, end=ends[-1]))
    assert destination(*parts) == complete.by_key() == between(api, start, ends[-1])
    assert not doubles(*parts)
    rest = run(api.name, api, Bounds(start, NOW), parts[-1].state)
    assert rest.by_key() == between(api, ends[-1], NOW + 1)


@exactly
@given(apis(), st.tuples(times, times).map(sorted), st.lists(st.integers(0, 40), min_size=1, max_size=3))
def test_a_closed_backfill_resumes_from_any_checkpoint_and_so_does_what_follows(
    api: ExportApi, cuts: list[int], breaks: list[int]
) -> None:
    api.rejects_young = False
    end, later = cuts
    parts: list[Run] = []
    for at in breaks:
        complete = run(api.name, api, Bounds(START, NOW, end=end), parts[-1].state if parts else None)
        parts.append(complete.cut(1 + at % len(complete.batches)))
    for until in (end, later, None):
        parts.append(run(api.name, api, Bounds(START, NOW, end=until), parts[-1].state))
        assert destination(*parts) == between(api, START, NOW + 1 if until is None else until)
    assert not doubles(*parts)


@exactly
@given(apis(), times, st.integers(0, 40))
def test_an_end_before_what_is_read_reads_nothing_and_keeps_the_state(api: ExportApi, end: int, cut: int) -> None:
    api.rejects_young = False
    complete = run(api.name, api, Bounds(START, NOW))
    part = complete.cut(1 + cut % len(complete.batches))
    position = loaded(part.state, api.name)
    api.requests = 0
    again = run(api.name, api, Bounds(START, NOW, end=end), part.state)
    if min(position.complete_until, position.time) >= end * SECOND:
        assert (again.records, again.state, api.requests) == ([], part.state, 0)
    rest = run(api.name, api, Bounds(START, NOW), again.state)
    assert destination(part, again, rest) == complete.by_key()
    assert not doubles(part, again, rest)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("slots", [1, 5])
def test_a_closed_backfill_does_not_page_through_what_follows(name: Name, slots: int) -> None:
    items = {number: Item(number, (START + 600 * number) * SECOND) for number in range(400)}
    api = ExportApi(name, items, parallel=slots)
    end = START + 600 * 50
    found = run(name, api, Bounds(START, NOW, end=end))
    assert found.by_key() == between(api, START, end)
    progress = [part for part in found.progress if part is not None]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    assert api.requests <= -(-50 // (PAGE - 2)) + 2 + 2 * (slots - 1)
    assert known(found.state, name) == end * SECOND
    assert found.state[CURSORS[name]] == api.row(Item(0, end * SECOND))[CURSORS[name]]


def test_a_backfill_that_ends_after_the_last_record_reports_so() -> None:
    api = ExportApi("chats", {number: Item(number, (START + number) * SECOND) for number in range(8)})
    found = run("chats", api, Bounds(START, NOW, end=NOW - 86_400))
    assert len(found.records) == 8
    assert known(found.state, "chats") == (NOW - 86_400) * SECOND


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("age", [10, 200, 400, 590])
def test_an_end_in_the_last_minutes_leaves_what_becomes_visible_late_to_the_next_run(name: Name, age: int) -> None:
    api = ExportApi(name, {number: Item(number, (NOW - 60 * number) * SECOND) for number in range(30)})
    first = run(name, api, Bounds(START, NOW, end=NOW - age))
    assert first.by_key() == between(api, START, NOW - age)
    assert known(first.state, name) <= HEAD * SECOND
    api.items[99] = Item(99, (NOW - 595) * SECOND + 5 * SECOND // 10)
    second = run(name, api, Bounds(START, NOW + 60, end=NOW - age), first.state)
    assert list(second.by_key()) == [api.key(api.items[99])]
    third = run(name, api, Bounds(START, NOW + 60), second.state)
    assert third.by_key() == between(api, NOW - age, NOW + 1)


def test_an_end_to_come_keeps_out_what_happens_after_it_while_the_run_resumes() -> None:
    def one_more(api: ExportApi) -> None:
        api.now += 10
        api.items[int(api.now)] = Item(int(api.now), int(api.now) * SECOND)

    api = ExportApi("chats", {number: Item(number, (NOW - number) * SECOND) for number in range(20)}, between=one_more)
    found = run("chats", api, Bounds(START, NOW, end=NOW + 15))
    assert max(str(record["update_timestamp"]) for record in found.records) <= "2023-11-14T22:13:34Z"
    api.between = None
    rest = run("chats", api, Bounds(START, NOW + 3600), found.state)
    assert destination(found, rest) == rows(api)
    assert not doubles(found, rest)


@exactly
@given(ALL_NAMES, st.booleans(), st.sampled_from(["seconds", "microseconds"]), st.integers(1, 5), st.data())
def test_start_is_kept_to_the_second(name: Name, exclusive: bool, counts: Any, slots: int, data: st.DataObject) -> None:
    parts = st.sampled_from([0, 1, 499_999, 999_999]) if name in TO_THE_MICROSECOND else st.just(0)
    around = st.builds(lambda second, part: (START + second) * SECOND + part, st.integers(-2, 2), parts)
    times = data.draw(st.lists(around, min_size=1, max_size=4, unique=True))
    api = ExportApi(name, {number: Item(number, time) for number, time in enumerate(times)}, parallel=slots)
    api.start_time = "exclusive" if exclusive and name in TO_THE_MICROSECOND else "inclusive"
    api.agent_events_in = counts
    found = run(name, api, Bounds(START, NOW))
    assert found.by_key() == between(api, START, NOW)


@pytest.mark.parametrize("name", NAMES)
def test_an_end_before_the_start_asks_for_nothing(name: Name) -> None:
    api = ExportApi(name, {1: Item(1, START * SECOND)})
    found = run(name, api, Bounds(START, NOW, end=START))
    assert (found.records, api.requests) == ([], 0)
    assert len(run(name, api, Bounds(START, NOW), found.state).records) == 1


def test_lists_have_no_end() -> None:
    def fetch(request: Request[Any]) -> Any:
        return request.decode(json.dumps([{"id": 1}]).encode())

    assert run("goals", fetch, replace(Bounds(0, NOW), end=1)).records == [{"id": 1}]
