"""What a client does, in fake time, at servers that count in their own ways and accounts that are shared."""

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Protocol

import pytest

from tests.support.clock import FakeClock
from tests.support.http_fakes import Asker, Wait, ok, status
from zendesk_chat.api.auth import FixedToken
from zendesk_chat.api.client import Client
from zendesk_chat.api.rate_limit import RateLimiter
from zendesk_chat.api.transport import Response
from zendesk_chat.errors import RateLimitedError

TEN_MINUTES = 600.0


class Quota(Protocol):
    def refuse(self, now: float) -> float:
        """Count a request and return 0, or the seconds until one would pass."""


@dataclass
class Sliding:
    """At most so many in any minute."""

    limit: int
    passed: deque[float] = field(default_factory=deque)

    def refuse(self, now: float) -> float:
        while self.passed and self.passed[0] <= now - 60:
            self.passed.popleft()
        if len(self.passed) >= self.limit:
            return self.passed[0] + 60 - now
        self.passed.append(now)
        return 0


@dataclass
class Fixed:
    """At most so many in each minute of the server's own clock."""

    limit: int
    minute: int = -1
    count: int = 0

    def refuse(self, now: float) -> float:
        minute = int((now + 25) // 60)
        self.count = self.count + 1 if minute == self.minute else 1
        self.minute = minute
        return 0 if self.count <= self.limit else (minute + 1) * 60 - 25 - now


@dataclass
class Bucket:
    """A bucket of ``burst`` that fills evenly."""

    limit: int
    burst: int
    full: float = -1
    at: float = 0

    def refuse(self, now: float) -> float:
        full = self.burst if self.full < 0 else min(self.burst, self.full + (now - self.at) * self.limit / 60)
        self.full, self.at = full, now
        if full < 1:
            return (1 - full) * 60 / self.limit
        self.full -= 1
        return 0


class Account:
    """An account in fake time, with a client that has the given threads and work without end."""

    def __init__(self, quota: Quota, *, per_minute: int = 200, retry_after: bool = True, latency: float = 0.4) -> None:
        self.clock = FakeClock(in_turns=True)
        self.quota = quota
        self.retry_after = retry_after
        self.latency = latency
        self.random = random.Random(7)
        self.sent: list[float] = []
        self.passed: list[float] = []
        self.refused: list[float] = []
        self.others = 0
        self.died: list[float] = []
        self.waits: list[Wait] = []
        self.limiter = RateLimiter(per_minute, self.clock)
        self.client = Client("https://a/api", transport=self, tokens=FixedToken("t"), limiter=self.limiter, clock=self.clock)
        self.asker = Asker(self.client, self.waits)

    def get(self, url: str, params: Mapping[str, str | int], token: str) -> Response:
        self.sent.append(self.clock.monotonic())
        self.clock.sleep(self.latency * self.random.uniform(0.2, 0.8))
        now = self.clock.monotonic()
        seconds = self.quota.refuse(now)
        (self.refused if seconds else self.passed).append(now)
        self.clock.sleep(self.latency * self.random.uniform(0.2, 0.8))
        if not seconds:
            return ok()
        return status(429, retry_after=str(ceil(seconds))) if self.retry_after else status(429)

    def post_form(self, url: str, form: Mapping[str, str]) -> Response:
        raise NotImplementedError

    def read(self, until: float) -> None:
        """What one thread of the client does."""
        while self.clock.monotonic() < until:
            try:
                self.asker.get()
            except RateLimitedError:
                self.died.append(self.clock.monotonic())

    def other(self, per_minute: float, until: float) -> None:
        """Another consumer, evenly."""
        while self.clock.monotonic() < until:
            self.others += not self.quota.refuse(self.clock.monotonic())
            self.clock.sleep(60 / per_minute)

    def run(self, seconds: float, *others: Callable[[], object], threads: int = 16) -> None:
        self.clock.run(*others, *[lambda: self.read(seconds)] * threads)


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
