"""Several streams out of the same pages: each gets everything once, whatever each of them has had before."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.support.model import NOW, SECOND, ExportApi, Item, effort
from tests.support.stream_runs import MANY_REQUESTS, Run, Side, destination, doubles
from zendesk_chat.streams.exports.chats import CHATS
from zendesk_chat.streams.exports.shared_pages import common_position, later_position
from zendesk_chat.streams.positions import ExportPosition
from zendesk_chat.streams.stream import Bounds, StateBlob

PAGE = 6  # as in conftest
START = NOW - 3 * 86_400
STREAMS = ("one", "two", "three")
dump = partial(CHATS.dump_state, "update_timestamp")
load = partial(CHATS.load_state, "chats", "update_timestamp")


def run_together(api: ExportApi, bounds: Bounds, states: Sequence[StateBlob | None]) -> list[Run]:
    """Read to the end; a run for each stream."""
    runs = [Run("chats") for _ in states]
    positions = [load(state) if state else None for state in states]
    for batches in CHATS.read(Side(api, api.parallel, Random(api.chance)), positions, bounds):
        for run, batch in zip(runs, batches, strict=True):
            assert len(batch.records) + batch.unchanged + batch.outside == batch.received
            run.batches.append([json.loads(record) for record in batch.records])
            run.states.append(json.loads(json.dumps(dump(batch.position))))
            run.notes.extend(batch.notes)
        assert len(runs[0].batches) < MANY_REQUESTS, "does not end"
    return runs


@st.composite
def apis(draw: st.DrawFn) -> ExportApi:
    ages = st.one_of(st.integers(0, 700), st.integers(3000, 3010), st.integers(0, NOW - START))
    ties = draw(st.lists(st.tuples(ages, st.integers(1, PAGE - 1)), max_size=14, unique_by=lambda timestamp: timestamp[0]))
    times = [(NOW - age) * SECOND for age, tie in ties for _ in range(tie)]
    return ExportApi(
        "chats",
        {number: Item(number, time) for number, time in enumerate(times)},
        start_id=draw(st.sampled_from(["exclusive", "inclusive", "ignored"])),
        rejects_young=draw(st.booleans()),
        parallel=draw(st.integers(1, 5)),
        chance=draw(st.integers(0, 9)),
    )


def rows(api: ExportApi, until: float) -> dict[str, object]:
    return {api.key(item): api.row(item) for item in api.items.values() if item.time <= until * SECOND}


def change(api: ExportApi, chance: Random, now: int) -> None:
    """Some records are edited and some are new, at times that a run at ``now`` sees."""
    for _ in range(chance.randrange(4)):
        number, time = chance.choice([*api.items, len(api.items)]), (now - chance.randrange(300)) * SECOND
        old = api.items.get(number)
        ties = sum(item.time == time for item in api.items.values())  # a page holds more, or nobody gets past them
        if ties < PAGE - 1 and (old is None or old.time < time):
            api.items[number] = Item(number, time, old.version + 1 if old else 0)


ROUNDS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(range(len(STREAMS))), min_size=1, unique=True),  # the streams that are selected
        st.integers(0, 40),  # where the run is cut
        st.integers(0, 3),  # how many of them have stored the last state
        st.sampled_from([0, 1, 200, 4000]),  # seconds to the next run
    ),
    max_size=4,
)


@effort(400)
@given(apis(), ROUNDS, st.integers(0, 9))
def test_each_stream_gets_everything_once_whatever_was_selected_and_cut_before(
    api: ExportApi, rounds: list[tuple[list[int], int, int, int]], chance: int
) -> None:
    random, now = Random(chance), NOW
    states: list[StateBlob | None] = [None for _ in STREAMS]
    kept: list[list[Run]] = [[] for _ in STREAMS]

    def read(selected: Sequence[int], cut: Callable[[int, int], int]) -> None:
        runs = run_together(api, Bounds(START, now), [states[stream] for stream in selected])
        for position, stream in enumerate(selected):
            part = runs[position].cut(cut(position, len(runs[position].batches)))
            kept[stream].append(part)
            states[stream] = part.state if part.states else states[stream]

    def at(where: int, stored: int) -> Callable[[int, int], int]:
        return lambda position, batches: where % (batches + 1) + (position < stored)

    for selected, where, stored, seconds in rounds:
        read(selected, at(where, stored))
        now += seconds
        api.now = now
        change(api, random, now)
    now += 4000
    api.now = now
    everyone = range(len(STREAMS))
    read(everyone, lambda _, batches: batches)
    for stream in everyone:
        assert rows(api, now).items() <= destination(*kept[stream]).items()
        assert not doubles(*kept[stream])
    read(everyone, lambda _, batches: batches)
    assert [kept[stream][-1].records for stream in everyone] == [[], [], []]


@effort(100)
@given(apis())
def test_streams_at_one_position_cost_as_many_requests_as_one(api: ExportApi) -> None:
    (alone,) = run_together(api, Bounds(START, NOW), [None])
    requests, api.requests = api.requests, 0
    runs = run_together(api, Bounds(START, NOW), [None, None, None])
    assert api.requests == requests
    assert [run.batches for run in runs] == [alone.batches] * 3
    assert [run.states for run in runs] == [alone.states] * 3
    api.requests, api.now = 0, NOW + 60
    (alone,) = run_together(api, Bounds(START, NOW + 60), [alone.state])
    requests, api.requests = api.requests, 0
    run_together(api, Bounds(START, NOW + 60), [run.state for run in runs])
    assert api.requests == requests


def account(records: int) -> ExportApi:
    return ExportApi("chats", {number: Item(number, (START + 600 * number) * SECOND) for number in range(records)})


def test_a_stream_added_later_catches_up_alone_and_then_joins() -> None:
    api = account(10 * PAGE)
    (first,) = run_together(api, Bounds(START, NOW), [None])
    later = NOW + 86_400
    for number in range(100, 100 + 3 * PAGE):
        api.items[number] = Item(number, (NOW + number * 60) * SECOND)
    api.requests = 0
    old, new = run_together(api, Bounds(START, later), [first.state, None])
    assert api.requests == 14  # 13 pages, and one that shows the end
    assert sorted(row["id"] for row in old.records) == sorted(api.key(Item(n, 0)) for n in range(100, 100 + 3 * PAGE))
    assert sorted(row["id"] for row in new.records) == sorted(map(api.key, api.items.values()))
    assert [len(batch) for batch in old.batches[:10]] == [0] * 10
    assert {str(state["complete_until"]) for state in old.states[:10]} == {str(first.state["complete_until"])}
    assert old.state == new.state


def test_what_is_not_read_yet_is_not_reported_to_be_when_a_run_ends_before_a_stream_has_caught_up() -> None:
    api = account(10 * PAGE)
    (first,) = run_together(api, Bounds(START, NOW), [None])
    old, new = (run.cut(4) for run in run_together(api, Bounds(START, NOW), [first.state, None]))
    assert old.records == []
    assert len(new.records) == 4 * PAGE
    api.requests = 0
    rest_of_old, rest_of_new = run_together(api, Bounds(START, NOW), [old.state, new.state])
    assert rest_of_old.records == []
    assert len(rest_of_new.records) == 6 * PAGE
    assert api.requests <= 8


def test_a_state_in_the_future_is_reported_once() -> None:
    api = account(2 * PAGE)
    future: StateBlob = {"update_timestamp": "2099-01-01T00:00:00Z"}
    runs = run_together(api, Bounds(START, NOW), [None, future])
    assert [note for run in runs for note in run.notes if "future" in note] == runs[0].notes
    assert len(runs[0].notes) == 1
    assert len(runs[0].records) == 2 * PAGE


POSITIONS = st.builds(
    lambda time, back, seen, ahead: ExportPosition(
        time + back, "", time, {str(key): (time + key, str(key % 3)) for key in seen}, tuple(ahead)
    ),
    st.integers(0, 50),
    st.integers(0, 9),
    st.sets(st.integers(0, 30), max_size=5),
    st.lists(st.tuples(st.integers(60, 70), st.integers(71, 80)), max_size=1),
)


def emitted(position: ExportPosition, key: str, time: int, fingerprint: str) -> bool:
    """Whether a record was emitted, by what a position reports."""
    passed = time < position.complete_until or any(begin <= time < end for begin, end in position.completed_ranges)
    return passed or position.recent.get(key, (0, ""))[1] == fingerprint


RECORDS = st.tuples(st.integers(0, 30).map(str), st.integers(0, 90), st.integers(0, 2).map(str))


@effort(500)
@given(st.lists(POSITIONS, min_size=2, max_size=3), RECORDS)
def test_a_common_position_reports_of_no_record_more_than_each_of_them(
    positions: list[ExportPosition], record: tuple[str, int, str]
) -> None:
    key, time, fingerprint = record
    common = common_position(positions)
    if emitted(common, key, time, fingerprint):
        # A record in `recent` is one that was met with this time and this digest.
        reported = key in common.recent and common.recent[key][1] == fingerprint
        assert all(emitted(position, key, common.recent[key][0] if reported else time, fingerprint) for position in positions)


@effort(500)
@given(POSITIONS, POSITIONS, RECORDS)
def test_a_later_position_knows_what_either_does(
    saved: ExportPosition, read: ExportPosition, record: tuple[str, int, str]
) -> None:
    key, time, _ = record
    later = later_position(saved, read)
    passed = [time < p.complete_until or any(begin <= time < end for begin, end in p.completed_ranges) for p in (saved, read)]
    assert (time < later.complete_until or any(begin <= time < end for begin, end in later.completed_ranges)) == any(passed)
    assert later.time == max(saved.time, read.time, later.complete_until)
    reported = max((p.recent[key] for p in (saved, read) if key in p.recent), default=None, key=lambda entry: entry[0])
    if reported and reported[0] >= later.complete_until:
        assert later.recent[key][0] == reported[0]
