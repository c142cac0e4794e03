"""A start date that is moved back: the records before the old one are read, each once, and the rest is not read again."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.streams.test_end import NAMES, between, times
from tests.streams.test_exports import CURSORS, START, apis
from tests.streams.test_feed import apis as feed_apis
from tests.streams.test_feed import rows as feed_rows
from tests.streams.test_feed import run_together
from tests.support.model import NOW, SECOND, ExportApi, Item, Name, effort
from tests.support.stream_runs import Run, destination, doubles, run
from zendesk_chat.streams.stream import Bounds

exactly = effort(150)


@exactly
@given(apis(), st.lists(times, min_size=2, max_size=4), st.lists(st.integers(0, 40), min_size=4, max_size=4))
def test_wherever_runs_start_and_are_cut_everything_since_the_earliest_start_arrives_once(
    api: ExportApi, starts: list[int], cuts: list[int]
) -> None:
    api.rejects_young = False
    parts: list[Run] = []
    for start, cut in zip(starts, cuts, strict=False):
        complete = run(api.name, api, Bounds(start, NOW), parts[-1].state if parts else None)
        parts.append(complete.cut(1 + cut % len(complete.batches)))
    earliest = min(starts)
    parts.append(run(api.name, api, Bounds(earliest, NOW), parts[-1].state))
    assert destination(*parts) == between(api, earliest, NOW + 1)
    assert not doubles(*parts)
    assert run(api.name, api, Bounds(earliest, NOW), parts[-1].state).records == []


@exactly
@given(
    feed_apis(),
    st.lists(
        st.tuples(times, st.sets(st.integers(0, 2), min_size=1), st.integers(0, 40), st.integers(0, 2)),
        min_size=1,
        max_size=4,
    ),
)
def test_so_does_everything_of_streams_that_share_pages(api: ExportApi, rounds: list[tuple[int, set[int], int, int]]) -> None:
    kept: list[list[Run]] = [[], [], []]

    def read(selected: Sequence[int], start: int, cut: int | None, stored: int) -> None:
        states = [kept[stream][-1].state if kept[stream] else None for stream in selected]
        for position, (stream, one) in enumerate(zip(selected, run_together(api, Bounds(start, NOW), states), strict=True)):
            at = len(one.batches) if cut is None else cut % len(one.batches) + (position < stored)
            if at:
                kept[stream].append(one.cut(at))

    api.rejects_young = False
    for start, selected, cut, stored in rounds:
        read(sorted(selected), start, cut, stored)
    earliest = min(start for start, *_ in rounds)
    read([0, 1, 2], earliest, None, 0)
    expected = {key for key in feed_rows(api, NOW) if api.items[int(key[5:])].time >= earliest * SECOND}
    for runs in kept:
        assert set(destination(*runs)) == expected
        assert not doubles(*runs)


@pytest.mark.parametrize("name", NAMES)
def test_the_gap_costs_as_many_requests_as_its_pages_and_the_user_is_warned(name: Name) -> None:
    api = ExportApi(name, {number: Item(number, (START + 600 * number) * SECOND) for number in range(400)})
    middle = START + 600 * 360
    first = run(name, api, Bounds(middle, NOW))
    api.requests = 0
    second = run(name, api, Bounds(middle - 600 * 20, NOW), first.state)
    assert second.by_key() == between(api, middle - 600 * 20, middle)
    assert api.requests <= 10  # 20 records, 6 a page, and what is in the lookback
    (note,) = second.notes
    assert "start_date was 2023-11-1" in note
    assert second.state[CURSORS[name]] == first.state[CURSORS[name]], "Airbyte's connector resumes where it could before"
    third = run(name, api, Bounds(middle, NOW), second.state)
    assert (third.records, third.notes) == ([], [])


@pytest.mark.parametrize("name", NAMES)
def test_a_state_that_does_not_say_where_it_began_counts_as_complete_and_the_user_is_warned(name: Name) -> None:
    api = ExportApi(name, {number: Item(number, (START + 600 * number) * SECOND) for number in range(40)})
    foreign = {CURSORS[name]: api.row(Item(0, (START + 600 * 30) * SECOND))[CURSORS[name]]}
    first = run(name, api, Bounds(START + 600 * 20, NOW), foreign)
    assert first.by_key() == between(api, START + 600 * 30, NOW)
    (note,) = first.notes
    assert "does not contain the start_date that it was read from" in note
    second = run(name, api, Bounds(START + 600 * 10, NOW), first.state)
    assert second.by_key() == between(api, START + 600 * 10, START + 600 * 20), "from now on it is known"
