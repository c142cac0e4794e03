"""One request, however often it has to be asked: over a fake API, with a clock that only moves when waited for."""

import re
import weakref
from typing import Any, NoReturn

import msgspec
import pytest

from tests.api.test_rate_limit import paces
from tests.support.clock import NOW, FakeClock
from tests.support.http_fakes import TOKEN, Answer, Asker, FakeApi, ok, status, unlimited
from zendesk_chat.api.auth import FixedToken
from zendesk_chat.api.body import NoAnswerError
from zendesk_chat.api.client import Client, Observer
from zendesk_chat.api.rate_limit import RateLimiter
from zendesk_chat.api.transport import Response
from zendesk_chat.clock import Stopped
from zendesk_chat.errors import (
    AddressError,
    AuthError,
    ConfigError,
    ConnectorError,
    DataError,
    EnvelopeError,
    NetworkError,
    RateLimitedError,
    RequestRejectedError,
    ServerError,
    TransientError,
    UnavailableError,
    UnreachableError,
)
from zendesk_chat.request import FEW_ATTEMPTS, MAX_ATTEMPTS, Request

BASE = "https://acme.zendesk.com/api/v2/chat"


class Renewable:
    """A token source that has another token after each renewal."""

    def __init__(self) -> None:
        self.renewals: list[str] = []

    def token(self) -> str:
        return f"token-{len(self.renewals)}"

    def renew(self, refused: str) -> bool:
        self.renewals.append(refused)
        return True

    def settle(self, seconds: float) -> None:
        pass


class Given:
    def __init__(self, *answers: Answer, tokens: Any = None, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.api = FakeApi(answers)
        self.limiter = unlimited(self.clock)
        self.client = Client(
            BASE, transport=self.api, tokens=tokens or FixedToken(TOKEN), limiter=self.limiter, clock=self.clock
        )
        self.asker = Asker(self.client)


def number(body: bytes) -> object:
    return msgspec.json.decode(body)


def test_an_answer() -> None:
    given = Given(ok(b"[1]"))
    assert given.asker.get(number) == [1]
    assert given.api.urls == [f"{BASE}/chats"]
    assert given.api.tokens == [TOKEN]
    assert (given.asker.requests, given.asker.waits) == (1, [])


@pytest.mark.parametrize(
    "failure",
    [status(500), status(502), status(503), status(504), status(408), ok(b"<html>"), ok(b""), NoAnswerError("cut")],
    ids=["500", "502", "503", "504", "408", "html", "empty", "network"],
)
def test_a_fault_is_overcome(failure: Answer) -> None:
    given = Given(failure, failure, ok(b"[1]"))
    assert given.asker.get(number) == [1]
    assert given.asker.requests == 3
    assert given.asker.retries == [1, 2]
    assert given.clock.waits == [1, 2]


@pytest.mark.parametrize(
    ("failure", "kind", "requests", "words"),
    [
        (status(500), ServerError, 6, "HTTP 500"),
        (status(503), ServerError, 6, "HTTP 503"),
        (ok(b"<html>hello</html>"), ServerError, 6, "a web page"),
        (ok(b""), ServerError, 6, "an empty response"),
        (ok(b"[1,"), ServerError, 6, "invalid JSON"),
        (ok(b"\xff\xfe"), ServerError, 6, "invalid JSON"),
        (
            NoAnswerError("the connection broke"),
            NetworkError,
            6,
            r"^The request failed: the connection broke\. Run again later\.$",
        ),
        (
            NoAnswerError("it does not end", "slow"),
            NetworkError,
            2,
            r"^The request failed: it does not end\. Run again later\.$",
        ),
        (NoAnswerError("cannot find x", "lasting", "Check it."), UnreachableError, 2, r"^Cannot find x\. Check it\.$"),
        (status(409), ServerError, 6, "HTTP 409"),
        (status(429), RateLimitedError, 10, "HTTP 429"),
        (status(429, retry_after="86400"), RateLimitedError, 1, "wait of 86400 s"),
        (status(400), RequestRejectedError, 1, "HTTP 400"),
        (status(418), RequestRejectedError, 1, "HTTP 418"),
        (status(204), RequestRejectedError, 1, "HTTP 204"),
        (status(401), AuthError, 1, "HTTP 401"),
        (status(403), UnavailableError, 1, "HTTP 403"),
        (status(404), UnavailableError, 1, "HTTP 404"),
        (status(410), UnavailableError, 1, "HTTP 410"),
        (status(302, location="https://other.example.com/x?token=1"), AddressError, 1, "redirects to other.example.com. The"),
        (status(302, location="/access/login"), AddressError, 1, "redirects to another address"),
        (status(302, location="http://[bad"), AddressError, 1, "redirects to another address"),
        (status(302), AddressError, 1, "redirects to another address"),
    ],
)
def test_a_lasting_fault_has_its_own_error_and_ends(failure: Answer, kind: type[Exception], requests: int, words: str) -> None:
    given = Given(failure)
    with pytest.raises(kind, match=words) as caught:
        given.asker.get(number)
    assert type(caught.value) is kind
    assert given.asker.requests == requests
    assert given.clock.time - NOW <= 5 * 60
    assert TOKEN not in str(caught.value)
    assert "hello" not in str(caught.value)


def test_giving_up_on_a_permanent_500_takes_half_a_minute() -> None:
    given = Given(status(500))
    with pytest.raises(ServerError):
        given.asker.get()
    assert given.clock.time - NOW == 31


def test_a_throttling_episode_uses_up_no_attempt_of_another_fault() -> None:
    given = Given(*[status(429)] * 9, *[status(500)] * 5, ok(b"[1]"))
    assert given.asker.get(number) == [1]


def test_a_request_of_few_attempts_fails_early() -> None:
    given = Given(status(500))
    with pytest.raises(ServerError):
        given.asker.get(attempts=FEW_ATTEMPTS)
    assert given.asker.requests == 3


def test_a_wrong_shape_is_asked_for_again_and_then_reported() -> None:
    def refuse(_: bytes) -> NoReturn:
        raise EnvelopeError("no envelope")

    given = Given(ok(b"null"))
    with pytest.raises(EnvelopeError, match="no envelope"):
        given.asker.get(refuse)
    assert given.asker.requests == 3


def test_an_unexpected_error_of_a_decoder_is_not_hidden() -> None:
    def fail(_: bytes) -> NoReturn:
        raise KeyError

    with pytest.raises(KeyError):
        Given(ok()).asker.get(fail)


def test_a_retry_does_not_advise_to_run_again() -> None:
    given = Given(status(500), ok())
    given.asker.get()
    (reason,) = [wait.reason for wait in given.asker.waits if wait.reason]
    assert re.fullmatch(r"\w+: Zendesk responded with HTTP 500\. Retrying in \d s \(attempt 1\)\.", reason)


def test_429_holds_every_thread_back_not_only_its_own() -> None:
    given = Given(status(429, retry_after="7"), ok())
    given.asker.get()
    assert given.clock.waits == [7]
    assert [wait.seconds for wait in given.asker.waits] == [7, 7]
    assert given.asker.waits[0].reason.endswith("Retrying in 7 s (attempt 1).")
    assert given.asker.waits[1].reason == ""

    given = Given(status(429, retry_after="7"))
    other = Asker(given.client)
    given.api.answers = [status(429, retry_after="7"), ok(), ok()]
    given.limiter.pause(3)
    other.get()
    assert given.clock.time - NOW == 3 + 7


def test_a_fault_of_the_server_does_not_hold_other_threads_back() -> None:
    assert slots_in_waits_after(status(500)) == [10_000 - 1]
    assert slots_in_waits_after(status(429)) == [0]


def slots_in_waits_after(failure: Answer) -> list[int]:
    """How many requests other threads could start while one waits after a failure."""
    slots: list[int] = []

    class Observed(FakeClock):
        def sleep(self, seconds: float) -> None:
            slots.append(given.limiter.free_slots())
            super().sleep(seconds)

    given = Given(failure, ok(), clock=Observed())
    given.asker.get()
    return slots


def test_429_on_every_second_request_is_overcome() -> None:
    answers = [answer for _ in range(50) for answer in (status(429), ok())]
    given = Given(*answers)
    for _ in range(50):
        given.asker.get()
    assert given.asker.requests == 100


def test_429_slows_down_once_for_an_episode_and_again_for_the_next() -> None:
    given = Given(status(429), status(429), ok(), status(429), ok())
    given.asker.get()
    given.asker.get()
    assert given.asker.retries == [1, 2, 1]
    assert paces(given.limiter, given.clock) == pytest.approx(10_000 * 0.7 * 0.7, rel=0.01)


@pytest.mark.parametrize("other", [status(500), NoAnswerError("cut"), ok(b"<html>")])
def test_another_fault_does_not_end_a_throttling_episode(other: Answer) -> None:
    given = Given(status(429), other, status(429), ok(b"[]"))
    given.asker.get(number)
    assert given.asker.retries == [1, 1, 2]
    assert paces(given.limiter, given.clock) == pytest.approx(7_000, rel=0.01)


def test_429_to_requests_under_way_together_uses_up_one_attempt() -> None:
    given = Given(ok())
    let_out = [given.limiter.acquire(lambda _: None) for _ in range(20)]
    given.api.answers = [*[status(429)] * 9, ok()]
    for started_at in let_out:
        given.limiter.refused(started_at)
    given.asker.get()
    assert given.asker.requests == 10


def test_429_to_a_request_older_than_the_last_429_does_not_count_against_it() -> None:
    clock = FakeClock()

    class Overtaken(FakeApi):
        """While it answers, another request is let out and refused."""

        def get(self, url: str, params: Any, token: str) -> Response:
            clock.time += 0.001
            limiter.refused(clock.monotonic())
            return super().get(url, params, token)

    limiter = RateLimiter(200, clock)
    api = Overtaken([*[status(429, retry_after="1")] * 30, ok()])
    asker = Asker(Client(BASE, transport=api, tokens=FixedToken(TOKEN), limiter=limiter, clock=clock))
    asker.get()
    assert asker.requests == 31
    assert all(wait.reason.endswith("(attempt 1).") for wait in asker.waits if wait.reason)


def test_free_slots_is_the_limiters() -> None:
    given = Given(ok(), status(429, retry_after="5"), ok())
    assert given.client.free_slots() == 10_000
    given.asker.get()
    assert given.client.free_slots() == 9_999
    given.limiter.pause(1)
    assert given.client.free_slots() == 0


def test_the_limiter_is_asked_before_each_request() -> None:
    clock = FakeClock()
    limiter = RateLimiter(2, clock)
    client = Client(BASE, transport=FakeApi([ok()]), tokens=FixedToken(TOKEN), limiter=limiter, clock=clock)
    asker = Asker(client)
    for _ in range(5):
        asker.get()
    assert clock.time - NOW == 122
    assert [wait.seconds for wait in asker.waits] == [61, 61]


def test_401_renews_once_and_asks_again_with_the_new_token() -> None:
    tokens = Renewable()
    given = Given(status(401), ok(b"[1]"), tokens=tokens)
    assert given.asker.get(number) == [1]
    assert given.api.tokens == ["token-0", "token-1"]
    assert tokens.renewals == ["token-0"]
    assert given.clock.waits == []


def test_401_twice_is_final_and_no_other_request_is_made() -> None:
    tokens = Renewable()
    given = Given(status(401), tokens=tokens)
    for _ in range(3):
        with pytest.raises(AuthError):
            given.asker.get()
    assert given.api.tokens == ["token-0", "token-1", "token-1"]
    assert [url.rsplit("/", 1)[1] for url in given.api.urls] == ["chats", "chats", "me.json"], "Support knows what it is"


def test_a_fault_between_401_and_the_answer() -> None:
    given = Given(status(401), status(500), ok(), tokens=Renewable())
    given.asker.get()
    assert given.asker.requests == 3


def test_the_support_probe_goes_to_the_same_host() -> None:
    given = Given(status(401))
    answer = given.client.support_status()
    assert answer is not None
    assert answer.status == 401
    assert given.api.urls == ["https://acme.zendesk.com/api/v2/users/me.json"]
    assert Given(NoAnswerError("cut")).client.support_status() is None


@pytest.mark.parametrize("error", [Stopped(), AuthError("dead")])
def test_a_support_probe_that_cannot_be_made(error: Exception) -> None:
    class Broken(Renewable):
        def token(self) -> str:
            raise error

    assert Given(ok(), tokens=Broken()).client.support_status() is None


def test_stopped_ends_a_wait() -> None:
    given = Given(status(500))
    given.clock.stop()
    with pytest.raises(Stopped):
        given.asker.get()
    assert given.asker.requests == 1


def test_every_error_names_its_recovery() -> None:
    for answer in (status(500), status(429), status(400), status(401), status(403), status(302), NoAnswerError("cut")):
        with pytest.raises(ConnectorError) as caught:
            Given(answer).asker.get()
        assert isinstance(caught.value, ConfigError | TransientError | DataError)
        assert str(caught.value).endswith((".", "?"))


def test_a_cause_that_a_wait_does_not_cure_is_tried_twice_and_ends_within_seconds() -> None:
    given = Given(NoAnswerError("cannot find acme.zendesk.com", "lasting", "Check the subdomain."))
    with pytest.raises(UnreachableError):
        given.asker.get()
    assert given.asker.requests == 2
    assert given.clock.time - NOW == 1


class SlowApi(FakeApi):
    """Each answer takes its time."""

    def __init__(self, answer: Answer, clock: FakeClock, seconds: float) -> None:
        super().__init__([answer])
        self._clock = clock
        self._seconds = seconds

    def get(self, url: str, params: Any, token: str) -> Response:
        self._clock.time += self._seconds
        return super().get(url, params, token)


@pytest.mark.parametrize("attempts", [MAX_ATTEMPTS, FEW_ATTEMPTS])
@pytest.mark.parametrize("seconds", [0, 5, 25, 60, 120, 600])
@pytest.mark.parametrize("answer", [status(503), ok(b"<html>"), NoAnswerError("no data"), NoAnswerError("drips", "slow")])
def test_a_request_has_a_budget_of_time(answer: Answer, seconds: float, attempts: int) -> None:
    clock = FakeClock()
    api = SlowApi(answer, clock, seconds)
    client = Client(BASE, transport=api, tokens=FixedToken(TOKEN), limiter=unlimited(clock), clock=clock)
    with pytest.raises((ServerError, NetworkError)):
        Asker(client).get(number, attempts=attempts)
    budget = 300 if attempts == MAX_ATTEMPTS else 60
    assert clock.time - NOW <= budget + 16 + seconds, "a last wait and attempt"


def test_the_connection_of_an_answer_that_cannot_be_used_is_not_trusted() -> None:
    class Discarded(Response):
        def discard_connection(self) -> None:
            discarded.append(self.content)

    def refuse(_: bytes) -> NoReturn:
        raise EnvelopeError("no envelope")

    discarded: list[bytes] = []
    given = Given(Discarded(200, {}, b"<html>"), ok(b"[]"))
    given.asker.get(number)
    given = Given(Discarded(200, {}, b"{}"))
    with pytest.raises(EnvelopeError):
        given.asker.get(refuse)
    assert discarded == [b"<html>", b"{}", b"{}", b"{}"]


@pytest.mark.parametrize("kind", [EnvelopeError, msgspec.DecodeError])
def test_an_answer_that_cannot_be_used_is_not_kept_during_the_wait(kind: type[Exception]) -> None:
    class Decoded:
        """Stands for what is in an answer."""

    kept: list[weakref.ref[Decoded]] = []
    alive: list[object] = []

    def decode(_body: bytes) -> None:
        decoded = Decoded()
        kept.append(weakref.ref(decoded))
        raise kind("of another form")

    class Recording(Observer):
        def waited(self, seconds: float, reason: str = "") -> None:
            alive.extend(reference() for reference in kept)

    with pytest.raises((EnvelopeError, ServerError)):
        Given(ok(b"[]")).client.get(Request("chats", decode), Recording())
    assert alive
    assert set(alive) == {None}
