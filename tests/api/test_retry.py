"""When a request is repeated, as tables."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from zendesk_chat.api.retry import (
    MAX_RATE_LIMIT_ATTEMPTS,
    MAX_RETRY_AFTER_SECONDS,
    Outcome,
    ThrottlingEpisode,
    retry_after,
    wait_before_retry,
)
from zendesk_chat.request import FEW_ATTEMPTS, MAX_ATTEMPTS

NOW = 1_795_000_000.0


def outcome(status: int, failure: str = "", retry_after: str | None = None) -> Outcome:
    return Outcome(status, failure, {} if retry_after is None else {"retry-after": retry_after})


def all_waits(made: Outcome, max_attempts: int = MAX_ATTEMPTS) -> list[float]:
    waits: list[float] = []
    while (wait := wait_before_retry(made, len(waits) + 1, NOW, max_attempts=max_attempts)) is not None:
        waits.append(wait)
    return waits


@pytest.mark.parametrize(
    ("made", "max_attempts", "waits"),
    [
        (outcome(500), MAX_ATTEMPTS, [1, 2, 4, 8, 16]),
        (outcome(502), MAX_ATTEMPTS, [1, 2, 4, 8, 16]),
        (outcome(503), MAX_ATTEMPTS, [1, 2, 4, 8, 16]),
        (outcome(504), MAX_ATTEMPTS, [1, 2, 4, 8, 16]),
        (outcome(599), MAX_ATTEMPTS, [1, 2, 4, 8, 16]),
        (outcome(408), MAX_ATTEMPTS, [1, 2, 4, 8, 16]),
        (outcome(409), MAX_ATTEMPTS, [1, 2, 4, 8, 16]),
        (outcome(0, "network"), MAX_ATTEMPTS, [1, 2, 4, 8, 16]),
        (outcome(200, "body"), MAX_ATTEMPTS, [1, 2, 4, 8, 16]),
        (outcome(200, "shape"), MAX_ATTEMPTS, [1, 2]),
        (outcome(0, "slow"), MAX_ATTEMPTS, [1]),
        (outcome(0, "lasting"), MAX_ATTEMPTS, [1]),
        (outcome(0, "lasting"), FEW_ATTEMPTS, [1]),
        (outcome(503), FEW_ATTEMPTS, [1, 2]),
        (outcome(0, "network"), FEW_ATTEMPTS, [1, 2]),
        (outcome(200, "body"), FEW_ATTEMPTS, [1, 2]),
        (outcome(200, "shape"), FEW_ATTEMPTS, [1, 2]),
        (outcome(429), MAX_ATTEMPTS, [1, 2, 4, 8, 16, 32, 32, 32, 32]),
        (outcome(429), FEW_ATTEMPTS, [1, 2, 4, 8, 16, 32, 32, 32, 32]),
        (outcome(429, retry_after="7"), MAX_ATTEMPTS, [7] * (MAX_RATE_LIMIT_ATTEMPTS - 1)),
        (outcome(503, retry_after="7"), MAX_ATTEMPTS, [7] * (MAX_ATTEMPTS - 1)),
        *[(outcome(status), MAX_ATTEMPTS, []) for status in (301, 302, 304, 400, 401, 403, 404, 405, 410, 422)],
    ],
)
def test_waits_until_giving_up(made: Outcome, max_attempts: int, waits: list[float]) -> None:
    assert all_waits(made, max_attempts) == waits


def http_date(seconds_from_now: float) -> str:
    return format_datetime(datetime.fromtimestamp(NOW + seconds_from_now, UTC), usegmt=True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("2", 2),
        ("1.5", 1.5),
        (" 30 ", 30),
        ("-5", 0),
        ("1e3", 1000),
        ("inf", float("inf")),
        ("-inf", 0),
        ("", None),
        ("nan", None),
        ("soon", None),
        ("Mon, 99 Nov 2026 08:00:00 GMT", None),
        ("Mon, 23 Nov 99999999 08:00:00 GMT", None),
        ("\u0665", 5),
        (http_date(90), 90),
        (http_date(-90), 0),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}, NOW) == seconds


@pytest.mark.parametrize("zone", [" GMT", " -0000", " +0000", ""])
def test_a_date_without_zone_is_utc_wherever_the_machine_is(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        text = datetime.fromtimestamp(NOW + 60, UTC).strftime("%a, %d %b %Y %H:%M:%S") + zone
        assert retry_after({"retry-after": text}, NOW) == 60
    finally:
        monkeypatch.undo()
        time.tzset()


def test_no_header_no_answer() -> None:
    assert retry_after({}, NOW) is None
    assert wait_before_retry(Outcome(429), 1, NOW) == 1


@pytest.mark.parametrize("text", ["601", "86400", "inf", "1e300", http_date(3600)])
@pytest.mark.parametrize("status", [429, 503])
def test_an_absurdly_long_wait_is_left_to_the_scheduler(status: int, text: str) -> None:
    assert wait_before_retry(outcome(status, retry_after=text), 1, NOW) is None


def test_the_longest_wait_obeyed() -> None:
    assert wait_before_retry(outcome(429, retry_after="600"), 1, NOW) == MAX_RETRY_AFTER_SECONDS


@pytest.mark.parametrize("text", ["0", "-9", http_date(-5)])
def test_zero_still_pauses_briefly(text: str) -> None:
    assert wait_before_retry(outcome(429, retry_after=text), 1, NOW) == 0.1


@pytest.mark.parametrize("text", ["soon", "", "nan"])
def test_garbage_falls_back_to_our_own_pace(text: str) -> None:
    assert wait_before_retry(outcome(429, retry_after=text), 3, NOW) == 4


def test_the_attempts_end_whatever_the_server_asks() -> None:
    assert wait_before_retry(outcome(429, retry_after="1"), MAX_RATE_LIMIT_ATTEMPTS, NOW) is None
    assert wait_before_retry(outcome(503, retry_after="1"), MAX_ATTEMPTS, NOW) is None


@pytest.mark.parametrize(("refusals", "wait"), [(1, 1), (2, 2), (5, 16), (6, 32), (7, 32), (5000, 32)])
def test_waits_grow_with_the_throttling_episode_not_with_the_attempt(refusals: int, wait: float) -> None:
    episode = ThrottlingEpisode(counts=True, refusals=refusals, seconds=5)
    assert wait_before_retry(outcome(429), 1, NOW, episode=episode) == wait
    assert wait_before_retry(outcome(429), 9, NOW, episode=episode) == wait
    assert wait_before_retry(outcome(429), 10, NOW, episode=episode) is None


@pytest.mark.parametrize(("refusals", "seconds", "wait"), [(9, 9999, 7), (10, 599, 7), (10, 600, None), (5000, 9999, None)])
def test_an_episode_that_is_long_in_refusals_and_in_time_ends_every_request(
    refusals: int, seconds: float, wait: float | None
) -> None:
    episode = ThrottlingEpisode(counts=False, refusals=refusals, seconds=seconds)
    assert wait_before_retry(outcome(429, retry_after="7"), 1, NOW, episode=episode) == wait


@pytest.mark.parametrize(
    ("spent", "max_attempts", "wait"),
    [(0, 6, 2), (299, 6, 2), (300, 6, None), (6_000, 6, None), (0, 3, 2), (59, 3, 2), (60, 3, None)],
)
def test_no_attempt_follows_when_the_time_of_a_request_is_used_up(spent: float, max_attempts: int, wait: float | None) -> None:
    assert wait_before_retry(outcome(503), 2, NOW, max_attempts=max_attempts, spent=spent) == wait
    assert wait_before_retry(outcome(0, "network"), 2, NOW, max_attempts=max_attempts, spent=spent) == wait


def test_the_budget_is_not_that_of_429() -> None:
    assert wait_before_retry(outcome(429, retry_after="500"), 1, NOW, spent=10_000) == 500


def test_a_long_wait_that_the_server_asks_for_is_obeyed_once() -> None:
    assert wait_before_retry(outcome(503, retry_after="500"), 1, NOW, spent=1) == 500
    assert wait_before_retry(outcome(503, retry_after="500"), 2, NOW, spent=502) is None
