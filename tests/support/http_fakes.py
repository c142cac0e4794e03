"""Stand-ins that keep their promises: a clock that only moves when it is waited for, and an API given as a list of answers."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from zendesk_chat.api.body import NoAnswerError
from zendesk_chat.api.client import Client, Observer
from zendesk_chat.api.rate_limit import RateLimiter
from zendesk_chat.api.transport import Response
from zendesk_chat.clock import Stopped, SystemClock
from zendesk_chat.request import MAX_ATTEMPTS, Request

NOW = 1_795_000_000.0
TOKEN = "marked-token-7f3a"


@dataclass
class FakeClock(SystemClock):
    """Waits take no time but are remembered."""

    time: float = NOW
    waits: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        super().__init__()

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time - NOW

    def sleep(self, seconds: float) -> None:
        self.check()
        with self.lock:
            if seconds:
                self.waits.append(seconds)
            self.time += seconds


class HastyClock(SystemClock):
    """Real time, but a wait is over at once and only seems to have taken its time to the thread that waited."""

    def __init__(self) -> None:
        super().__init__()
        self._skipped = threading.local()

    def monotonic(self) -> float:
        return time.monotonic() + getattr(self._skipped, "seconds", 0.0)

    def sleep(self, seconds: float) -> None:
        self._skipped.seconds = getattr(self._skipped, "seconds", 0.0) + seconds
        super().sleep(min(seconds, 0.001))


Answer = Response | NoAnswerError


class Wait(NamedTuple):
    seconds: float
    reason: str


def ok(body: bytes = b"[]", **headers: str) -> Response:
    return Response(200, headers, body)


def status(number: int, body: bytes = b"{}", **headers: str) -> Response:
    return Response(number, {name.replace("_", "-"): value for name, value in headers.items()}, body)


class FakeApi:
    """A transport that gives one answer after the other, the last one for ever."""

    def __init__(self, answers: Iterable[Answer], grants: Iterable[Answer] = ()) -> None:
        self._answers = list(answers)
        self._grants = list(grants)
        self.tokens: list[str] = []
        self.urls: list[str] = []
        self.forms: list[Mapping[str, str]] = []
        self._lock = threading.Lock()

    def get(self, url: str, params: Mapping[str, str | int], token: str) -> Response:
        with self._lock:
            self.urls.append(url)
            self.tokens.append(token)
            return _next(self._answers)

    def post_form(self, url: str, form: Mapping[str, str]) -> Response:
        with self._lock:
            self.urls.append(url)
            self.forms.append(dict(form))
            return _next(self._grants)


def _next(answers: list[Answer]) -> Response:
    answer = answers.pop(0) if len(answers) > 1 else answers[0]
    if isinstance(answer, NoAnswerError):
        raise answer
    return answer


@dataclass
class Asker(Observer):
    """Asks a client and remembers what was reported to it."""

    client: Client
    waits: list[Wait] = field(default_factory=list)
    requests: int = 0

    def get(self, decode: Callable[[bytes], object] = bytes, *, attempts: int = MAX_ATTEMPTS) -> object:
        return self.client.get(Request("chats", decode, attempts=attempts), self)

    def sent(self) -> None:
        self.requests += 1

    def waited(self, seconds: float, reason: str = "") -> None:
        self.waits.append(Wait(seconds, reason))

    @property
    def retries(self) -> Sequence[float]:
        return [wait.seconds for wait in self.waits if wait.reason]


def unlimited(clock: FakeClock) -> RateLimiter:
    return RateLimiter(10_000, clock)


class SharedTime(SystemClock):
    """A clock for several threads of which one runs at a time: when all wait, time moves to the first that is due.

    Attributes:
        late: Gives the seconds that a thread wakes too late.
    """

    def __init__(self, late: Callable[[], float] = lambda: 0.0) -> None:
        self.late = late
        super().__init__()
        self.time = NOW
        self._sleepers: list[tuple[float, int, threading.Semaphore]] = []
        self._order = itertools.count()
        self._errors: list[BaseException] = []

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time - NOW

    def sleep(self, seconds: float) -> None:
        self.check()
        gate = self._gate(seconds + self.late())
        self._wake_next()
        gate.acquire()
        self.check()

    def run(self, *works: Callable[[], object]) -> None:
        """Do all works, each in a thread, and raise the first error of any but Stopped."""
        threads = [threading.Thread(target=self._work, args=(work, self._gate(0))) for work in works]
        for thread in threads:
            thread.start()
        self._wake_next()
        for thread in threads:
            thread.join()
        for error in self._errors:
            raise error

    def _gate(self, seconds: float) -> threading.Semaphore:
        gate = threading.Semaphore(0)
        heapq.heappush(self._sleepers, (self.time + seconds, next(self._order), gate))
        return gate

    def _wake_next(self) -> None:
        if self._sleepers:
            moment, _, gate = heapq.heappop(self._sleepers)
            self.time = moment
            gate.release()

    def _work(self, work: Callable[[], object], gate: threading.Semaphore) -> None:
        gate.acquire()
        try:
            work()
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001  raised by run()
            self._errors.append(error)
        finally:
            self._wake_next()
