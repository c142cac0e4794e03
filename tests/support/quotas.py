"""Servers that refuse, each counting in its own way, and an account's two users: the client under test and another consumer."""

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Protocol

from tests.support.http_fakes import Asker, SharedTime, Wait, ok, status
from zendesk_chat.api.auth import FixedToken
from zendesk_chat.api.client import Client
from zendesk_chat.api.rate_limit import RateLimiter
from zendesk_chat.api.transport import Response
from zendesk_chat.errors import RateLimitedError


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
        self.clock = SharedTime()
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
