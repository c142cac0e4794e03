"""Several windows of time side by side: faster where the API is slow, and no more requests than that is worth."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.model import NOW, SECOND, ExportApi, Item, effort
from tests.support.stream_runs import Run, Side, destination, doubles, outcome, read_one, run
from zendesk_chat.request import Request
from zendesk_chat.streams.exports.chats import CHATS
from zendesk_chat.streams.exports.export import Row
from zendesk_chat.streams.exports.page import Page, PageRequest, filled_times
from zendesk_chat.streams.exports.times import RunTimes, TimeFormat
from zendesk_chat.streams.exports.window import Taken
from zendesk_chat.streams.exports.windows import MOST_MISSES, Windows
from zendesk_chat.streams.positions import ExportPosition
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.stream import Bounds, StateBlob

PAGE = 6  # as in conftest
YEAR = 365 * 86_400
START = NOW - 5 * YEAR
SLOTS = 16

Shape = Callable[[float], float]
SHAPES: dict[str, Shape] = {
    "the same all the time": lambda part: part,
    "more and more": lambda part: part**0.3,
    "less and less": lambda part: 1 - part**0.3,
    "most in the last year": lambda part: part if part < 0.15 else 0.8 + (part - 0.15) / 0.85 / 5,
    "long ago, then nothing": lambda part: part / 5,
}


class Slow(Side):
    """Each answer takes a second, however many are asked for at a time."""

    def __init__(self, api: ExportApi, slots: int) -> None:
        super().__init__(api, slots)
        self._ends: list[tuple[float, int, Any, Request[Any]]] = []
        self._count = 0
        self.seconds = 0.0

    def start(self, request: Request[Any], tag: object) -> None:
        self._count += 1
        heapq.heappush(self._ends, (self.seconds + 1, self._count, tag, request))

    def finished(self) -> tuple[Any, Any]:
        self.seconds, _, tag, request = heapq.heappop(self._ends)
        return tag, outcome(self._fetch, request)

    def free_slots(self) -> int:
        return self.limit - len(self._ends) if self.seconds and self.limit > 1 else 0


def account(shape: Shape, pages: int, chance: int = 0) -> ExportApi:
    random = Random(chance)
    span = NOW - 700 - START
    times = sorted(START + int(span * shape(random.random())) for _ in range(pages * PAGE))
    return ExportApi("chats", {number: Item(number, time * SECOND) for number, time in enumerate(times)})


def timed(api: ExportApi, slots: int) -> tuple[float, int]:
    """Seconds and requests of a complete read, in which everything comes once."""
    slow = Slow(api, slots)
    before = api.requests
    records = [record for batch in read_one(STREAMS["chats"], slow, None, Bounds(START, NOW)) for record in batch.records]
    assert len(records) == len(set(records)) == len(api.items)
    return slow.seconds, api.requests - before


@pytest.mark.long
@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("pages", [60, 200])
def test_a_slow_backfill_takes_a_fifth_of_the_time_whatever_the_history(name: str, pages: int) -> None:
    api = account(SHAPES[name], pages)
    alone, least = timed(api, 1)
    seconds, requests = timed(api, SLOTS)
    assert least == pages + 1
    assert seconds * 5 <= alone
    assert requests <= least + 3 * SLOTS


@pytest.mark.parametrize("pages", [1, 2])
def test_a_few_pages_are_asked_for_one_after_another(pages: int) -> None:
    api = account(SHAPES["the same all the time"], pages)
    assert timed(api, SLOTS) == timed(api, 1) == (pages + 1, pages + 1)


def test_a_small_incremental_sync_pays_nothing_for_windows() -> None:
    api = account(SHAPES["more and more"], 20)
    state = run("chats", api, Bounds(START, NOW)).state
    later = NOW + 5 * 86_400
    for number in range(1000, 1000 + 2 * PAGE):
        api.items[number] = Item(number, (NOW + number * 300) * SECOND)
    requests = []
    for slots in (1, SLOTS):
        before = api.requests
        slow = Slow(api, slots)
        position = STREAMS["chats"].load_state(state)
        batches = list(read_one(STREAMS["chats"], slow, position, Bounds(START, later)))
        assert sum(len(batch.records) for batch in batches) == 2 * PAGE
        requests.append(api.requests - before)
    assert requests[0] == requests[1] <= 4


def test_a_history_that_ends_early_does_not_cost_a_request_for_each_empty_window() -> None:
    api = account(lambda part: part / 100, 10)
    _, requests = timed(api, SLOTS)
    assert requests <= 10 + 2 * SLOTS


@effort(60)
@given(st.sampled_from(sorted(SHAPES)), st.integers(2, SLOTS), st.integers(0, 99), st.integers(1, 60), st.integers(1, 60))
def test_a_resumed_backfill_reads_no_finished_window_again(name: str, slots: int, chance: int, first: int, second: int) -> None:
    api = account(SHAPES[name], 30, chance)
    api.parallel, api.chance = slots, chance
    cuts: list[Run] = []
    state: StateBlob | None = None
    for cut in (first, second):
        complete = run("chats", api, Bounds(START, NOW), state)
        cuts.append(complete.cut(1 + cut % len(complete.batches)))
        state = cuts[-1].state
    assert state
    ranges = len(state.get("completed_ranges", ()))
    left = 30 * PAGE - sum(len(part.records) for part in cuts)
    api.parallel, before = 1, api.requests
    rest = run("chats", api, Bounds(START, NOW), state)
    assert len(rest.records) == left
    assert len(destination(*cuts, rest)) == 30 * PAGE
    assert not doubles(*cuts, rest)
    # each range that is already read costs a page that is not full before it, and a request that finds its end at most
    assert api.requests - before <= left / PAGE + 2 * (ranges + 1) + 1


@effort(60)
@given(st.sampled_from(sorted(SHAPES)), st.integers(1, SLOTS), st.integers(0, 99))
def test_every_state_reports_what_is_read_and_where_the_other_connector_resumes(name: str, slots: int, chance: int) -> None:
    api = account(SHAPES[name], 20, chance)
    api.parallel, api.chance = slots, chance
    complete = run("chats", api, Bounds(START, NOW))
    truth = {api.key(item): item.time for item in api.items.values()}
    emitted: set[str] = set()
    for records, state in zip(complete.batches, complete.states, strict=True):
        emitted |= {str(record["id"]) for record in records}
        position = CHATS.load_state("chats", "update_timestamp", state)
        assert position
        assert {key for key, time in truth.items() if time < position.complete_until} <= emitted
        for begin, end in position.completed_ranges:
            assert begin >= position.complete_until
            assert {key for key, time in truth.items() if begin <= time < end} <= emitted
        assert {key for key, time in truth.items() if time < position.time} <= emitted
    assert "completed_ranges" not in complete.state
    assert len(complete.state["recent"]) <= PAGE


def test_never_more_requests_at_a_time_than_there_are_slots_for() -> None:
    api = account(SHAPES["the same all the time"], 100)
    side = Side(api, SLOTS, Random(0))
    list(read_one(STREAMS["chats"], side, None, Bounds(START, NOW)))
    assert side.most == SLOTS


def test_what_moves_during_a_backfill_in_windows_is_read_before_it_ends() -> None:
    """A chat that is edited leaves its old position, perhaps before that is read, and turns up at the end."""
    api = account(SHAPES["the same all the time"], 30)
    api.parallel, chance = SLOTS, Random(3)

    def edit(api: ExportApi) -> None:
        api.now += 1
        victim = chance.choice(sorted(api.items))
        api.items[victim] = Item(victim, int(api.now) * SECOND, api.items[victim].version + 1)

    for seed in range(20):
        api.chance, api.between, began = seed, edit, api.now
        complete = run("chats", api, Bounds(START, began))
        missing = {api.key(item) for item in api.items.values()} - complete.by_key().keys()
        assert not missing


def test_records_without_a_time_belong_where_they_are() -> None:
    times = [None, 10, None, 20, None, None]
    assert filled_times(times, 5) == [5, 10, 10, 20, 20, 20]
    assert filled_times(times[1:2], 5) == [10]
    assert filled_times(times, 15) == [15, 10, 15, 20, 20, 20]
    assert filled_times([], 5) == []


def test_windows_that_reach_into_each_other_are_not_cut_further() -> None:
    run = RunTimes(10_000 * SECOND, 9600 * SECOND, 9000 * SECOND)
    windows = Windows(ExportPosition(0), run, resumed=False)
    (first,) = windows.due(1)
    first.time = 60 * SECOND
    rows = [Row(str(number), number * 10 * SECOND, b"{}") for number in range(PAGE)]
    request = PageRequest(CHATS, TimeFormat(SECOND, inclusive=True), 0, "", PAGE)
    page = Page(request, rows, size=100, skipped=0, end_time=None, end_id="", fraction=False)
    windows.advance(first, page, Taken(0, progressed=True))
    assert len(list(windows.due(3))) == 3
    for _ in range(MOST_MISSES + 1):
        windows.advance(first, page, Taken(0, behind=4, progressed=True))
    assert list(windows.due(3)) == []
    windows.advance(first, page, Taken(0, progressed=True))
    assert len(list(windows.due(3))) == 3


@effort(60)
@given(st.integers(0, 10_000), st.integers(2, 8))
def test_a_page_that_was_long_under_way_does_not_bring_an_older_form_after_a_newer_one(chance: int, slots: int) -> None:
    random = Random(chance)

    def edit(api: ExportApi) -> None:
        api.now += 1
        victim = random.choice(sorted(api.items))
        api.items[victim] = Item(victim, int(api.now) * SECOND, api.items[victim].version + 1)

    items = {number: Item(number, (NOW - YEAR + number * YEAR // 150) * SECOND) for number in range(150)}
    api = ExportApi("chats", items, parallel=slots, chance=chance, between=edit)
    found = run("chats", api, Bounds(START, NOW))
    newest: dict[str, int] = {}
    for record in found.records:
        assert record["version"] >= newest.get(record["id"], 0)
        newest[record["id"]] = record["version"]
