"""One limiter for all threads."""

import threading
import time
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.fakes import FakeClock
from source_zendesk_chat.api.rate_limit import RateLimiter
from source_zendesk_chat.clock import Stopped, SystemClock


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
    told: list[float] = []
    limiter.acquire(told.append)
    assert told == [30.0]
    assert clock.waits == [30.0]
    limiter.acquire(told.append)
    assert told == [30.0]


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
    stopped = threading.Event()
    limiter = RateLimiter(1, SystemClock(stopped))
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
    stopped.set()
    for thread in threads:
        thread.join(5)
    assert ended == ["stopped"] * 3
