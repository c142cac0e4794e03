"""One quota for several processes, in a file."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.clock import FakeClock
from zendesk_chat.api.rate_limit import WINDOW_SECONDS, RateLimiter
from zendesk_chat.api.shared_quota import SharedQuota
from zendesk_chat.clock import SystemClock
from zendesk_chat.errors import ConfigError


@given(
    limit=st.integers(1, 5),
    requests=st.lists(st.tuples(st.integers(0, 2), st.one_of(st.just(0.0), st.floats(0, 90))), min_size=1, max_size=40),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_processes_never_start_more_than_the_limit_in_a_minute(
    tmp_path_factory: pytest.TempPathFactory, limit: int, requests: list[tuple[int, float]]
) -> None:
    clock, path = FakeClock(), tmp_path_factory.mktemp("quota") / "acme"
    limiters = [RateLimiter(limit, clock, SharedQuota(path, limit, clock)) for _ in range(3)]
    starts = []
    for process, gap in requests:
        clock.time += gap
        limiters[process].acquire(lambda _: None)
        starts.append(clock.time)
    assert all(later - earlier >= 60 for earlier, later in zip(starts, starts[limit:], strict=False))


def test_processes_wait_no_longer_than_one_that_sends_all_requests(tmp_path: Path) -> None:
    clock = FakeClock()
    limiters = [RateLimiter(4, clock, SharedQuota(tmp_path / "acme", 4, clock)) for _ in range(3)]
    began = clock.time
    for number in range(20):
        limiters[number % 3].acquire(lambda _: None)
    assert clock.time - began == pytest.approx(4 * WINDOW_SECONDS, abs=0.1)


def test_a_pause_is_for_all(tmp_path: Path) -> None:
    clock = FakeClock()
    one, other = (RateLimiter(4, clock, SharedQuota(tmp_path / "acme", 4, clock)) for _ in range(2))
    began = clock.time
    one.pause(20)
    other.acquire(lambda _: None)
    assert clock.time - began == pytest.approx(20, abs=0.1)


def test_free_slots_are_those_that_no_process_used(tmp_path: Path) -> None:
    clock = FakeClock()
    one, other = (RateLimiter(4, clock, SharedQuota(tmp_path / "acme", 4, clock)) for _ in range(2))
    for expected in (4, 3, 2, 1, 0):
        assert other.free_slots() == expected
        if expected:
            one.acquire(lambda _: None)
    clock.time += WINDOW_SECONDS
    assert other.free_slots() == 4


def test_a_clock_that_is_set_back_delays_nothing(tmp_path: Path) -> None:
    clock = FakeClock()
    quota = SharedQuota(tmp_path / "acme", 2, clock)
    assert [quota.start(61), quota.start(61)] == [0, 0]
    quota.pause(300)
    clock.time -= 86_400
    assert quota.start(61) == 0


def test_processes_share_a_file(tmp_path: Path) -> None:
    script = """
import sys
from zendesk_chat.api.shared_quota import SharedQuota
from zendesk_chat.clock import SystemClock
quota = SharedQuota(sys.argv[1], 50, SystemClock())
print(sum(quota.start(600) == 0 for _ in range(40)))
"""
    path = str(tmp_path / "acme quota")
    running = [subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert sum(int(process.communicate()[0]) for process in running) == 50
    waits = [SharedQuota(path, 50, SystemClock()).start(600) for _ in range(2)]
    assert all(500 < wait <= 600 for wait in waits)
    assert all(later <= earlier for earlier, later in pairwise(waits))


@pytest.mark.parametrize("what", ["text", "folder", "missing/folder", "", "/dev/null", "a\0b"])
def test_a_path_that_cannot_be_a_quota_file(tmp_path: Path, what: str) -> None:
    (tmp_path / "text").write_text("notes of a user\n" * 1000)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match=r"^quota: .* (cannot be used: .*|is not a regular file)\. Name another file\.$"):
        SharedQuota(tmp_path / what, 200, SystemClock()).start(61)
    assert (tmp_path / "text").read_text() == "notes of a user\n" * 1000


def test_a_database_of_the_user_stays_as_it_is(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "mine.sqlite")) as connection:
        connection.execute("CREATE TABLE mine (id INTEGER)")
    with pytest.raises(ConfigError, match=r"is another database\. Name another file\.$"):
        SharedQuota(tmp_path / "mine.sqlite", 200, SystemClock())
    with closing(sqlite3.connect(tmp_path / "mine.sqlite")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]
