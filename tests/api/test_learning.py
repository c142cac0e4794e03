"""What a client does, in fake time, at servers that count in their own ways and accounts that are shared."""

from collections.abc import Callable

import pytest

from tests.support.quotas import Account, Bucket, Fixed, Quota, Sliding
from zendesk_chat.errors import RateLimitedError

TEN_MINUTES = 600.0


def in_minute(account: Account, minute: int) -> int:
    return sum(minute * 60 <= time < minute * 60 + 60 for time in account.passed)


def passed_in(account: Account, seconds: float) -> int:
    return sum(time < seconds for time in account.passed)


@pytest.mark.parametrize("threads", [4, 16])
@pytest.mark.parametrize("quota", [Sliding, Fixed])
def test_a_normal_run_sees_no_429_and_uses_the_quota(quota: Callable[[int], Quota], threads: int) -> None:
    account = Account(quota(200))
    account.run(TEN_MINUTES, threads=threads)
    assert account.refused == []
    assert passed_in(account, TEN_MINUTES) >= 0.95 * 2000


@pytest.mark.parametrize("retry_after", [True, False], ids=["retry-after", "no header"])
@pytest.mark.parametrize("threads", [1, 4, 16])
@pytest.mark.parametrize(
    ("quota", "allowed_per_minute", "refusals"),
    [
        (lambda: Bucket(200, burst=10), 200, 16),
        (lambda: Bucket(50, burst=10), 50, 40),
        (lambda: Sliding(100), 100, 45),
        (lambda: Fixed(100), 100, 45),
        (lambda: Sliding(20), 20, 90),
    ],
    ids=["small burst", "small burst and little quota", "half the quota", "half the quota, fixed minutes", "a tenth"],
)
def test_a_server_that_allows_less_than_configured(
    quota: Callable[[], Quota], allowed_per_minute: int, refusals: int, threads: int, retry_after: bool
) -> None:
    account = Account(quota(), retry_after=retry_after)
    account.run(TEN_MINUTES, threads=threads)
    possible = min(10 * allowed_per_minute, threads * TEN_MINUTES / account.latency)
    assert passed_in(account, TEN_MINUTES) >= 0.75 * possible
    assert len(account.refused) <= refusals
    assert account.died == []


def test_a_small_burst_is_learned_at_once_and_the_full_rate_comes_back_without_another_429() -> None:
    account = Account(Bucket(200, burst=10))
    account.run(1800)
    assert len(account.refused) <= 16
    assert max(account.refused) < 5
    assert in_minute(account, 20) >= 0.95 * 200
    assert account.died == []


@pytest.mark.parametrize("retry_after", [True, False], ids=["retry-after", "no header"])
@pytest.mark.parametrize("threads", [4, 16])
@pytest.mark.parametrize(
    "quota", [lambda: Sliding(200), lambda: Fixed(200), lambda: Bucket(200, burst=10)], ids=["sliding", "fixed", "bucket"]
)
@pytest.mark.parametrize("minutes", [10, 3])
def test_another_consumer_takes_half(quota: Callable[[], Quota], minutes: int, threads: int, retry_after: bool) -> None:
    account = Account(quota(), retry_after=retry_after)
    account.run(TEN_MINUTES, lambda: account.other(100, minutes * 60), threads=threads)
    possible = 10 * 200 - account.others
    assert passed_in(account, TEN_MINUTES) >= 0.75 * possible
    assert len(account.refused) <= (30 if minutes == 10 else 20)
    assert account.died == []
    assert minutes == 10 or in_minute(account, 9) >= 0.95 * 200


@pytest.mark.parametrize("retry_after", [True, False], ids=["retry-after", "no header"])
def test_another_consumer_takes_everything_for_three_minutes(retry_after: bool) -> None:
    account = Account(Sliding(200), retry_after=retry_after)
    account.run(TEN_MINUTES, lambda: account.other(400, 180))
    assert account.died == []
    assert len(account.refused) <= 40
    assert in_minute(account, 9) >= 0.95 * 200


@pytest.mark.parametrize("latency", [0.02, 5.0])
def test_fast_and_slow_answers(latency: float) -> None:
    account = Account(Sliding(100), latency=latency)
    account.run(TEN_MINUTES)
    assert passed_in(account, TEN_MINUTES) >= 0.75 * 1000
    assert len(account.refused) <= 60
    assert account.died == []


def test_few_waits_for_each_request() -> None:
    account = Account(Bucket(200, burst=10))
    account.run(TEN_MINUTES)
    assert len(account.waits) <= 1.1 * len(account.sent)


class Never:
    """A server that refuses everything."""

    def refuse(self, now: float) -> float:
        return 30


@pytest.mark.parametrize("retry_after", [True, False], ids=["retry-after", "no header"])
@pytest.mark.parametrize("threads", [1, 16])
def test_a_server_that_never_stops_refusing_is_reported_in_minutes(threads: int, retry_after: bool) -> None:
    account = Account(Never(), retry_after=retry_after)

    def read() -> None:
        with pytest.raises(RateLimitedError):
            account.asker.get()
        account.died.append(account.clock.monotonic())

    account.clock.run(*[read] * threads)
    assert len(account.died) == threads
    assert max(account.died) < 12 * 60
    assert len(account.refused) <= (10 if threads == 1 else 100)
