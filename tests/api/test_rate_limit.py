"""One limiter for all threads."""

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import FakeClock
from zendesk_chat.api.rate_limit import (
    LATE_SECONDS,
    SLOWEST_PER_MINUTE,
    RateLimiter,
    next_start,
    recovered,
    slower,
)
from zendesk_chat.clock import Stopped, SystemClock


def busiest_minute(starts: list[float]) -> int:
    window: deque[float] = deque()
    busiest = 0
    for start in starts:
        window.append(start)
        while window[0] <= start - 60:
            window.popleft()
        busiest = max(busiest, len(window))
    return busiest


@given(
    limit=st.integers(1, 8),
    gaps=st.lists(st.one_of(st.just(0.0), st.floats(0, 45), st.floats(59, 62)), min_size=1, max_size=60),
)
def test_never_more_than_the_limit_in_any_minute(limit: int, gaps: list[float]) -> None:
    clock = FakeClock()
    limiter = RateLimiter(limit, clock)
    starts = []
    for gap in gaps:
        clock.time += gap
        limiter.acquire(lambda _: None)
        starts.append(clock.time)
    assert busiest_minute(starts) <= limit


@given(limit=st.integers(1, 8), requests=st.integers(1, 40))
def test_waits_no_longer_than_needed(limit: int, requests: int) -> None:
    clock = FakeClock()
    limiter = RateLimiter(limit, clock)
    for _ in range(requests):
        limiter.acquire(lambda _: None)
    assert clock.monotonic() == pytest.approx(61 * ((requests - 1) // limit))


def test_many_threads_share_the_limit() -> None:
    clock = FakeClock()
    limiter = RateLimiter(5, clock)
    starts: list[float] = []
    lock = threading.Lock()

    def work() -> None:
        for _ in range(10):
            limiter.acquire(lambda _: None)
            with lock:
                starts.append(clock.monotonic())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(starts) == 80
    assert clock.monotonic() >= 61 * 15  # 80 requests of 5 a minute


def test_a_pause_holds_everyone_back_and_a_shorter_one_does_not_cut_it() -> None:
    clock = FakeClock()
    limiter = RateLimiter(100, clock)
    limiter.pause(30)
    limiter.pause(5)
    reported: list[float] = []
    limiter.acquire(reported.append)
    assert reported == [30.0]
    assert clock.waits == [30.0]
    limiter.acquire(reported.append)
    assert reported == [30.0]


def test_a_pause_holds_threads_that_ask_later() -> None:
    clock = SystemClock()
    limiter = RateLimiter(1000, clock)
    limiter.pause(0.3)
    began = time.monotonic()
    passed: list[float] = []

    def work() -> None:
        limiter.acquire(lambda _: None)
        passed.append(time.monotonic() - began)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 5
    assert min(passed) >= 0.29


def test_stopping_ends_all_waits() -> None:
    clock = SystemClock()
    limiter = RateLimiter(1, clock)
    limiter.acquire(lambda _: None)
    ended: list[str] = []

    def work() -> None:
        try:
            limiter.acquire(lambda _: None)
        except Stopped:
            ended.append("stopped")

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    clock.stop()
    for thread in threads:
        thread.join(5)
    assert ended == ["stopped"] * 3


def starts_of(clock: FakeClock, limiter: RateLimiter, gaps: list[list[float]], *more: Callable[[], object]) -> list[float]:
    """When requests start, asked for by one thread for each list of seconds between them."""
    starts: list[float] = []

    def work(between: list[float]) -> None:
        for seconds in between:
            clock.sleep(seconds)
            starts.append(limiter.acquire(lambda _: None))

    clock.run(*more, *[lambda between=between: work(between) for between in gaps])
    return starts


GAPS = st.lists(st.lists(st.one_of(st.just(0.0), st.floats(0, 20)), min_size=1, max_size=15), min_size=1, max_size=6)


@given(
    limit=st.integers(1, 20),
    gaps=GAPS,
    refusals=st.lists(st.tuples(st.floats(0, 60), st.floats(0.1, 70), st.booleans()), max_size=5),
    latenesses=st.lists(st.sampled_from([0.0, 0.001, 0.1, 0.3, 5.0]), min_size=1, max_size=5),
)
def test_never_more_than_the_limit_in_any_minute_whatever_happens(
    limit: int, gaps: list[list[float]], refusals: list[tuple[float, float, bool]], latenesses: list[float]
) -> None:
    late = itertools.cycle(latenesses)
    clock = FakeClock(in_turns=True, late=lambda: next(late))
    limiter = RateLimiter(limit, clock)

    def refuse() -> None:
        for seconds, asked, passed in refusals:
            clock.sleep(seconds)
            limiter.refused(clock.monotonic())
            limiter.pause(asked)
            if passed:
                limiter.passed(inf)

    starts = starts_of(clock, limiter, gaps, refuse)
    assert len(starts) == sum(map(len, gaps))
    assert starts == sorted(starts)
    assert busiest_minute(starts) <= limit


@given(limit=st.integers(1, 300), gaps=GAPS, asked=st.floats(0.1, 100))
def test_never_faster_than_the_learned_pace(limit: int, gaps: list[list[float]], asked: float) -> None:
    clock = FakeClock(in_turns=True)
    limiter = RateLimiter(limit, clock)
    limiter.refused(clock.monotonic())
    limiter.pause(asked)
    starts = starts_of(clock, limiter, gaps)
    assert starts[0] >= asked - 0.001
    for first, last in itertools.combinations(range(len(starts)), 2):
        seconds = starts[last] - starts[first] + LATE_SECONDS + 0.001
        assert last - first <= seconds * recovered(slower(limit, limit), limit, starts[last] - asked) / 61 + 1e-6


@given(limit=st.integers(1, 300), refusals=st.integers(1, 30))
def test_the_pace_recovers_to_the_limit_and_stays_even(limit: int, refusals: int) -> None:
    clock = FakeClock()
    limiter = RateLimiter(limit, clock)
    for _ in range(refusals):
        limiter.refused(clock.monotonic())
        clock.time += 0.01
        limiter.passed(clock.monotonic())
        clock.time += 0.01
    clock.time += 9.5 * 60  # ten steps of a tenth at most, and it never begins at nothing
    clock.time += 60
    assert limiter.free_slots() == 1
    times = [limiter.acquire(lambda _: None) for _ in range(5)]
    assert times[4] - times[1] == pytest.approx(3 * 61 / limit, abs=0.2)


def test_the_pace_in_numbers() -> None:
    assert slower(200, 200) == 140
    assert slower(140, 200) == pytest.approx(98)
    assert slower(13, 200) == SLOWEST_PER_MINUTE == 12
    assert slower(12, 200) == 12
    assert slower(5, 5) == 5
    assert recovered(140, 200, 0) == 140
    assert recovered(140, 200, -10) == 140
    assert recovered(140, 200, 60) == 160
    assert recovered(140, 200, 180) == 200
    assert recovered(140, 200, 9999) == 200
    assert next_start([], 2, 3) == -inf
    assert next_start([10], 2, 0) == -inf
    assert next_start([10], 2, 3) == 13
    assert next_start([10, 12], 2, 3) == 71
    assert next_start([10, 70], 2, 3) == 73


def test_an_incident_counts_once() -> None:
    clock = FakeClock()
    limiter = RateLimiter(200, clock)
    under_way = [limiter.acquire(lambda _: None) for _ in range(16)]
    episodes = [limiter.refused(started_at) for started_at in under_way]
    assert [episode.counts for episode in episodes] == [True] + [False] * 15
    assert {episode.refusals for episode in episodes} == {1}
    limiter.pause(1)
    assert paces(limiter, clock) == pytest.approx(140, abs=1)


def paces(limiter: RateLimiter, clock: FakeClock) -> float:
    """Requests per minute by the time between two."""
    limiter.acquire(lambda _: None)
    first = limiter.acquire(lambda _: None)
    return 61 / (limiter.acquire(lambda _: None) - first)


def test_an_episode_slows_down_once_and_the_next_one_again() -> None:
    clock = FakeClock()
    limiter = RateLimiter(200, clock)
    for refusals in (1, 2, 3):
        started_at = limiter.acquire(lambda _: None)
        clock.time += 0.5
        episode = limiter.refused(started_at)
        assert (episode.counts, episode.refusals) == (True, refusals)
        limiter.pause(2)
    assert episode.seconds == pytest.approx(5)
    assert paces(limiter, clock) == pytest.approx(140, abs=3)
    limiter.passed(started_at)  # before the last 429: the episode continues
    started_at = limiter.acquire(lambda _: None)
    assert limiter.refused(started_at).refusals == 4
    limiter.pause(2)
    limiter.passed(limiter.acquire(lambda _: None))
    episode = limiter.refused(limiter.acquire(lambda _: None))
    assert (episode.refusals, episode.seconds) == (1, 0)
    assert paces(limiter, clock) == pytest.approx(98, abs=4)


def test_free_slots_without_refusals() -> None:
    clock = FakeClock()
    limiter = RateLimiter(3, clock)
    assert limiter.free_slots() == 3
    limiter.acquire(lambda _: None)
    clock.time += 10
    limiter.acquire(lambda _: None)
    assert limiter.free_slots() == 1
    limiter.acquire(lambda _: None)
    assert limiter.free_slots() == 0
    clock.time += 51
    assert limiter.free_slots() == 1
    limiter.pause(20)
    assert limiter.free_slots() == 0
    clock.time += 20
    assert limiter.free_slots() == 3


def test_free_slots_when_spaced() -> None:
    clock = FakeClock()
    limiter = RateLimiter(61, clock)
    limiter.refused(0)
    limiter.pause(5)
    assert limiter.free_slots() == 0
    clock.time += 5
    assert limiter.free_slots() == 1
    limiter.acquire(lambda _: None)
    assert limiter.free_slots() == 0
    clock.time += 1.43
    assert limiter.free_slots() == 1


@given(
    limit=st.integers(1, 12),
    steps=st.lists(st.one_of(st.floats(0, 30), st.sampled_from(["ask", "refuse", "pass", "pause"])), max_size=40),
)
def test_free_slots_is_what_starts_without_waiting(limit: int, steps: list[float | str]) -> None:
    clock = FakeClock()
    limiter = RateLimiter(limit, clock)
    started_at = 0.0
    for step in steps:
        match step:
            case "ask":
                started_at = limiter.acquire(lambda _: None)
            case "refuse":
                limiter.refused(started_at)
            case "pass":
                limiter.passed(started_at)
            case "pause":
                limiter.pause(3)
            case float():
                clock.time += step
    slots = limiter.free_slots()
    waits: list[float] = []
    for _ in range(slots):
        limiter.acquire(waits.append)
    assert waits == []
    limiter.acquire(waits.append)
    assert waits


def test_those_in_line_have_taken_their_slots() -> None:
    clock = FakeClock(in_turns=True)
    limiter = RateLimiter(2, clock)
    rooms: list[int] = []

    def count_slots() -> None:
        for _ in range(5):
            clock.sleep(0.01)
            rooms.append(limiter.free_slots())
            clock.sleep(60.99)

    starts_of(clock, limiter, [[0.0]] * 7, count_slots)
    assert rooms == [0, 0, 0, 1, 2]


@pytest.mark.parametrize("spaced", [False, True])
def test_each_waiter_sleeps_once_and_learns_how_long(spaced: bool) -> None:
    clock = FakeClock(in_turns=True)
    limiter = RateLimiter(20, clock)
    if spaced:
        limiter.refused(0)
        limiter.pause(0.1)
    reported: list[list[float]] = [[] for _ in range(160)]

    def work(number: int) -> None:
        asked = clock.monotonic()
        assert limiter.acquire(reported[number].append) == pytest.approx(asked + sum(reported[number]), abs=0.01)

    clock.run(*[lambda number=number: work(number) for number in range(160)])
    assert sum(not waits for waits in reported) == (0 if spaced else 20)
    assert max(len(waits) for waits in reported) == 1
    assert len({round(waits[0], 3) for waits in reported if waits}) == (160 if spaced else 7)


def test_a_pause_that_begins_meanwhile_holds_those_who_wait_already() -> None:
    clock = FakeClock(in_turns=True)
    limiter = RateLimiter(2, clock)
    waits: list[float] = []
    starts: list[float] = []

    def refuse() -> None:
        clock.sleep(30)
        limiter.refused(0)
        limiter.pause(100)

    clock.run(refuse, *[lambda: starts.append(limiter.acquire(waits.append))] * 6)
    assert starts[:2] == [0, 0]
    assert starts[2:] == pytest.approx([130, 160.5, 191, 221.5], abs=0.01)
    assert len(waits) <= 2 * 4


def test_nobody_starves() -> None:
    clock = FakeClock(in_turns=True)
    limiter = RateLimiter(60, clock)
    served = dict.fromkeys(range(16), 0)
    longest = [0.0]

    def work(number: int) -> None:
        while clock.monotonic() < 1800:
            asked = clock.monotonic()
            started_at = limiter.acquire(lambda _: None)
            longest[0] = max(longest[0], started_at - asked)
            served[number] += 1
            clock.sleep(0.1 * number)
            if served[0] == 10:
                limiter.refused(started_at)
                limiter.pause(1)

    clock.run(*[lambda number=number: work(number) for number in range(16)])
    assert min(served.values()) >= 0.9 * max(served.values())
    assert longest[0] <= 62


def test_a_thread_that_is_held_up_in_line_holds_nobody_else_up() -> None:
    clock = FakeClock(in_turns=True)
    limiter = RateLimiter(60, clock)
    limiter.refused(0)
    starts: list[float] = []

    def work() -> None:
        while clock.monotonic() < 120:
            starts.append(limiter.acquire(lambda _: None))

    clock.run(*[lambda: limiter.acquire(lambda _: clock.sleep(100))] * 3, work, work)
    assert len(starts) >= 0.95 * (42 + 46)  # 60 x 0.7 in the first minute; then a tenth of 60 more


def test_one_who_stops_leaves_the_line_to_the_others() -> None:
    clock = FakeClock(in_turns=True)
    limiter = RateLimiter(60, clock)
    limiter.refused(0)
    limiter.pause(10)

    def stop(seconds: float) -> None:
        raise Stopped

    for _ in range(5):
        with pytest.raises(Stopped):
            limiter.acquire(lambda _: None, stop)
    assert starts_of(clock, limiter, [[0.0]] * 3) == pytest.approx([10, 11.45, 12.9], abs=0.05)


def test_one_whose_listener_fails_leaves_the_line_to_the_others() -> None:
    limiter = RateLimiter(1, FakeClock())
    limiter.acquire(lambda _: None)

    def fail(_: float) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        limiter.acquire(fail)
    assert limiter.acquire(lambda _: None) == pytest.approx(61)
