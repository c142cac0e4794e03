"""Zendesk's time is learned from the first answer that has a date."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import NOW, FakeClock
from tests.support.http_fakes import FakeApi, ok, status, unlimited
from zendesk_chat.api.auth import FixedToken
from zendesk_chat.api.client import Client, Observer
from zendesk_chat.api.server_clock import NEGLIGIBLE_SECONDS, ServerClock
from zendesk_chat.request import Request


@given(
    ahead=st.floats(-400_000, 400_000),
    took=st.floats(0, 300),
    written=st.floats(0, 1),  # at which part of the request the server wrote the date
)
def test_the_time_is_the_servers_whenever_it_wrote_the_date(ahead: float, took: float, written: float) -> None:
    clock = FakeClock()
    server_now = clock.now() - ahead
    time = ServerClock(clock)
    time.learn(formatdate(server_now - took * (1 - written), usegmt=True), took)
    uncertain = took + 1 + 1e-6
    assert abs(time.now() - server_now) <= uncertain + NEGLIGIBLE_SECONDS
    if abs(ahead) > uncertain + NEGLIGIBLE_SECONDS:
        assert abs(time.ahead) <= abs(ahead) + 1e-6, "never more than it must be"
        assert time.ahead * ahead > 0
    if not ahead:
        assert time.ahead == 0


def test_only_the_first_date_counts() -> None:
    time = ServerClock(FakeClock())
    for date in ("", "yesterday", "Mon, 99 Jan 2026 00:00:00 GMT", formatdate(NOW - 900, usegmt=True), formatdate(NOW)):
        time.learn(date, 0)
    assert time.ahead == pytest.approx(900, abs=1)
    assert time.now() == pytest.approx(NOW - 900, abs=1)


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (0, None),
        (9, None),
        (55, None),
        (-55, None),
        (70, "a minute ahead of"),
        (900, "15 minutes ahead of"),
        (-900, "15 minutes behind"),
        (3 * 3600, "3 hours ahead of"),
        (-3 * 86_400, "3 days behind"),
    ],
)
def test_a_warning_when_it_is_off_by_more_than_a_minute(ahead: float, words: str | None) -> None:
    time = ServerClock(FakeClock())
    time.learn(formatdate(NOW - ahead, usegmt=True), 0)
    warning = time.warning()
    assert warning is None if words is None else warning is not None and f"clock is {words} Zendesk's" in warning


@pytest.mark.parametrize("year", [1, 1970, 2018, 2099, 9999])
def test_a_date_that_cannot_be_right_is_ignored(year: int) -> None:
    time = ServerClock(FakeClock())
    time.learn(f"Thu, 01 Jan {year:04} 00:00:00 GMT", 0)
    assert time.now() == NOW
    time.learn(formatdate(NOW - 900, usegmt=True), 0)
    assert time.ahead == pytest.approx(900, abs=1), "the next one counts"


def test_a_machine_without_a_clock_takes_the_servers() -> None:
    time = ServerClock(FakeClock(time=0.0))
    time.learn(formatdate(NOW, usegmt=True), 0)
    assert time.now() == pytest.approx(NOW, abs=2)


def test_a_date_to_try_again_at_is_one_of_zendesks_clock() -> None:
    clock = FakeClock()
    date, later = formatdate(NOW - 3600, usegmt=True), formatdate(NOW - 3600 + 20, usegmt=True)
    api = FakeApi([status(503, date=date, retry_after=later), ok(b"[1]")])
    client = Client("https://a/api", transport=api, tokens=FixedToken("t"), limiter=unlimited(clock), clock=clock)
    assert client.get(Request("x", bytes), Observer()) == b"[1]"
    assert clock.waits == [pytest.approx(20, abs=1.5)]
