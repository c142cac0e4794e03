"""The Chat API as one function: an authenticated, rate-limited, retried GET."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import urlsplit

import msgspec

from zendesk_chat._version import __version__
from zendesk_chat.api.auth import TokenSource, TokenStore, hand_over, token_source
from zendesk_chat.api.body import NoAnswerError
from zendesk_chat.api.rate_limit import RateLimiter
from zendesk_chat.api.refusals import error_for, unreadable
from zendesk_chat.api.retry import Outcome, wait_before_retry
from zendesk_chat.api.server_clock import ServerClock
from zendesk_chat.api.transport import HttpTransport, Response, Transport
from zendesk_chat.clock import Clock, Stopped
from zendesk_chat.config import Config
from zendesk_chat.errors import (
    AddressError,
    AuthError,
    ConnectorError,
    EnvelopeError,
    NetworkError,
    ServerError,
    UnavailableError,
    UnreachableError,
)
from zendesk_chat.request import FEW_ATTEMPTS, Request

T = TypeVar("T")
USER_AGENT: Final = f"zendesk-chat/{__version__}"
ONE_AGENT: Final = Request("agents", msgspec.json.Decoder(list[msgspec.Raw]).decode, {"limit": 1, "since_id": 0}, FEW_ATTEMPTS)
MAKE_TOKEN: Final = "Create one in the Chat dashboard under Settings > Account > API & SDKs."  # noqa: S105  no token


class _SupportUser(msgspec.Struct):
    user: dict[str, Any] = {}


class Observer:
    """Is called for the events of a request, in the thread that makes it. This one ignores everything."""

    def sent(self) -> None:
        """Called before a request is sent, and before each retry."""

    def answered(self, path: str, status: int, seconds: float) -> None:
        """An attempt has ended with an HTTP status; with 0 if no answer came."""

    def waited(self, seconds: float, reason: str = "") -> None:
        """Called before a wait. ``reason`` is what failed, or "" if the wait is only for the request quota."""

    def account_answered(self) -> None:
        """Called for a response, even an error, from an account that accepts the token."""


class Decode(Protocol):
    """Decompresses and decodes a response of status 200. It raises what ``Request.decode`` and ``Response.body`` raise."""

    def __call__(self, request: Request[T], answer: Response) -> T:
        """Return the decoded value."""


def decode_body(request: Request[T], answer: Response) -> T:
    """Decompress and decode a response immediately."""
    return request.decode(answer.body)


@dataclass(frozen=True, slots=True)
class _Failure:
    """One failed attempt.

    It is not an exception: that would keep its frames, and so the response body, in memory until the next attempt.
    """

    outcome: Outcome
    error: ConnectorError  # to raise if there is no retry

    @property
    def account_answered(self) -> bool:
        """Whether it concerns this request only: the account exists and accepts the token."""
        if isinstance(self.error, UnavailableError):
            return self.error.by_api
        return self.outcome.status > 0 and not isinstance(self.error, AuthError | AddressError)


class Client:
    """The Chat API of one account, shared by all threads of a run.

    Attributes:
        time: Zendesk's time, once a response has shown it.
        has_answered: Whether a Chat endpoint has returned a page.
    """

    def __init__(self, api_url: str, *, transport: Transport, tokens: TokenSource, limiter: RateLimiter, clock: Clock) -> None:
        self._api_url = api_url
        self._transport = transport
        self._tokens = tokens
        self._limiter = limiter
        self.time = clock if isinstance(clock, ServerClock) else ServerClock(clock)
        self._host = urlsplit(api_url).netloc
        self._refused: AuthError | None = None
        self.has_answered = False

    def get(self, request: Request[T], observer: Observer, decode: Decode = decode_body) -> T:
        """Fetch and decode one page, with retries if needed. Raises ConnectorError, typed by what recovers from it.

        Args:
            request: The request to send.
            observer: Is called for what happens meanwhile.
            decode: Decompresses and decodes a response. Pass one that limits the memory that this takes.
        """
        attempts, spent, renewed = Counter[bool](), 0.0, False  # a 429 uses up no attempt of other failures
        while True:
            if self._refused:
                raise self._refused
            started_at = self._limiter.acquire(observer.waited, self.time.sleep)
            token = self._tokens.token()
            observer.sent()
            began = self.time.monotonic()
            failed = self._attempt(request, token, decode)
            status = failed.outcome.status if isinstance(failed, _Failure) else int(HTTPStatus.OK)
            observer.answered(request.path, status, self.time.monotonic() - began)
            if not isinstance(failed, _Failure):
                self._limiter.passed(started_at)
                self.has_answered = True
                observer.account_answered()
                return failed
            if failed.account_answered:
                observer.account_answered()
            if isinstance(failed.error, AuthError) and not renewed and self._tokens.renew(token):
                renewed = True
                continue
            limited = failed.outcome.is_rate_limit
            episode = self._limiter.refused(started_at) if limited else None
            attempts[limited] += episode is None or episode.counts
            attempt = max(1, attempts[limited])
            spent += 0.0 if limited else self.time.monotonic() - began
            now = self.time.now()
            most = request.attempts if failed.outcome.failure != "refused" or self.has_answered else FEW_ATTEMPTS
            wait = wait_before_retry(failed.outcome, attempt, now, max_attempts=most, episode=episode, spent=spent)
            if wait is None:
                raise self._final(failed.error)
            spent += 0.0 if limited else wait
            observer.waited(wait, f"{request.path}: {_what_failed(failed.error)} Retrying in {wait:.0f} s (attempt {attempt}).")
            # A pause applies to every thread; the next acquire waits for it.
            (self._limiter.pause if limited else self.time.sleep)(wait)

    def free_slots(self) -> int:
        """Return how many requests could start now without waiting."""
        return self._limiter.free_slots()

    def account_answers(self) -> bool:
        """Return whether a Chat endpoint has responded to this client. If none has yet, ask one that every account has."""
        if not self.has_answered:
            with suppress(ConnectorError):
                self.get(ONE_AGENT, Observer())
        return self.has_answered

    def support_status(self) -> Response | None:
        """Send the token to Zendesk Support, on the same host. Its response distinguishes accounts and kinds of tokens."""
        origin = "/".join(self._api_url.split("/")[:3])
        try:
            return self._transport.get(f"{origin}/api/v2/users/me.json", {}, self._tokens.token())
        except (NoAnswerError, ConnectorError, Stopped):
            return None

    def settle(self, seconds: float) -> None:
        """Wait for a renewal of the token in progress, at most this many seconds."""
        self._tokens.settle(seconds)

    def _attempt(self, request: Request[T], token: str, decode: Decode) -> T | _Failure:
        """Send one request and decode its response."""
        sent = self.time.monotonic()
        try:
            response = self._transport.get(f"{self._api_url}/{request.path}", request.params, token)
        except NoAnswerError as reason:
            return _Failure(Outcome(0, reason.kind), no_answer(reason))
        response = replace(response, seconds=self.time.monotonic() - sent)
        self.time.learn(response.headers.get("date", ""), response.seconds)
        if response.status != HTTPStatus.OK:
            refusal = error_for(response, host=self._host, token=token, now=self.time.now())
            return _Failure(Outcome(response.status, "", response.headers), refusal)
        try:
            return decode(request, response)
        except NoAnswerError as reason:  # the body cannot be decompressed
            return _Failure(Outcome(0, reason.kind), no_answer(reason))
        except (msgspec.DecodeError, UnicodeDecodeError):
            response.discard_connection()
            return _Failure(Outcome(HTTPStatus.OK, "body"), ServerError(unreadable(response), status=response.status))
        except EnvelopeError as error:
            response.discard_connection()
            error.__context__ = None  # the context has frames of its own
            return _Failure(Outcome(HTTPStatus.OK, "shape"), error.with_traceback(None))

    def _final(self, error: ConnectorError) -> ConnectorError:
        """Remember a rejected token, so that no other stream sends it again."""
        if not isinstance(error, AuthError):
            return error
        support = self.support_status()
        if support is not None and support.status == HTTPStatus.OK and _is_signed_in(support):
            message = f"This is a Zendesk Support token. Zendesk Chat needs its own token (HTTP 401). {MAKE_TOKEN}"
            error = AuthError(message, status=HTTPStatus.UNAUTHORIZED)
        self._refused = error
        return error


def _what_failed(error: ConnectorError) -> str:
    """Describe an error without its advice to run again later: the client is about to retry."""
    return str(error).partition(" Run again later")[0]


def no_answer(reason: NoAnswerError) -> ConnectorError:
    """Return the error for a missing response."""
    if reason.kind == "lasting":
        return UnreachableError(reason.message)
    return NetworkError(f"The request failed: {reason}. Run again later.")


def _is_signed_in(support: Response) -> bool:
    try:
        return msgspec.json.decode(support.body, type=_SupportUser).user.get("id") is not None
    except (msgspec.DecodeError, NoAnswerError):
        return False


def connect(
    config: Config, clock: Clock, on_rotation: Callable[[dict[str, Any]], None], store: TokenStore | None = None
) -> Client:
    """Return the client for a valid configuration.

    Args:
        config: The configuration of the account.
        clock: Ends every wait when it is stopped.
        on_rotation: Called with the complete new configuration whenever tokens were renewed, before they are used.
        store: Stores renewed tokens instead of ``on_rotation``.
    """
    time = ServerClock(clock)
    transport = HttpTransport(config.origin, timeout=config.timeout, clock=clock, user_agent=USER_AGENT)
    return Client(
        config.api_url,
        transport=transport,
        tokens=token_source(config, transport, time, store or hand_over(config, on_rotation)),
        limiter=RateLimiter(config.requests_per_minute, clock),
        clock=time,
    )
