"""Requests in virtual time: the loader's own rate limiter on a clock whose waits pass at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zendesk_chat.api.rate_limit import RateLimiter
from zendesk_chat_sandbox.rate_limit import RateLimit
from zendesk_chat_sandbox.switches import Switches

REQUESTS_A_MINUTE: Final = 200
AS_THE_API: Final = Switches(rate_limit=REQUESTS_A_MINUTE)


class SimulatedClock:
    """A clock of zendesk_chat.clock's protocol. A wait moves its ``time`` forward."""

    stopped = False

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def check(self) -> None:
        """Nothing stops a simulated run."""

    def stop(self) -> None:
        raise NotImplementedError("a simulated run is not stopped")


class Quota:
    """The quota of one account, as the sandbox implements it: more than 200 requests in a minute are refused."""

    def __init__(self, on_request: Callable[[float], object] = lambda _time: None) -> None:
        self._limit = RateLimit()
        self._on_request = on_request
        self.requests = self.refusals = 0

    def take(self, time: float) -> float | None:
        """Count a request. Returns None, or the seconds of ``Retry-After`` if the API refuses it."""
        refusal = self._limit.refuse(time, AS_THE_API)
        if refusal is not None:
            self.refusals += 1
            return float(refusal.headers["Retry-After"])
        self.requests += 1
        self._on_request(time)
        return None


class Connection:
    """The requests of one sync. Like a process of the loader, it has a limiter of its own; the account's quota outlives it."""

    def __init__(self, quota: Quota, latency_seconds: float) -> None:
        self._quota = quota
        self._latency_seconds = latency_seconds
        self._clock = SimulatedClock()
        self._limiter = RateLimiter(REQUESTS_A_MINUTE, self._clock)

    def send(self, time: float, requests: int) -> float:
        """Send requests concurrently, as soon as the limiter lets them start. Returns the time of the last response."""
        self._clock.time = max(self._clock.time, time)
        return max((self._send_one() for _ in range(requests)), default=time)

    def send_in_turn(self, time: float, requests: int) -> float:
        """Send each request after the response to the one before it."""
        for _ in range(requests):
            time = self.send(time, 1)
        return time

    def _send_one(self) -> float:
        while True:
            started = self._limiter.acquire(lambda _seconds: None)
            wait_seconds = self._quota.take(self._clock.time)
            if wait_seconds is None:
                self._limiter.passed(started)
                return self._clock.time + self._latency_seconds
            self._limiter.refused(started)
            self._limiter.pause(wait_seconds)
