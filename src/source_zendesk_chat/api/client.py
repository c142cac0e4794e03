"""The Chat API as one function: an authenticated, limited, retried GET."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from source_zendesk_chat import __version__
from source_zendesk_chat.api.auth import TokenSource, token_source
from source_zendesk_chat.api.body import NoAnswerError
from source_zendesk_chat.api.rate_limit import RateLimiter
from source_zendesk_chat.api.retry import Outcome, is_rate_limit, retry_after, wait_before_retry
from source_zendesk_chat.api.transport import HttpTransport, Response, Transport
from source_zendesk_chat.clock import Stopped
from source_zendesk_chat.errors import (
    AuthError,
    ConfigError,
    ConnectorError,
    EnvelopeError,
    NetworkError,
    RateLimitedError,
    RequestRejectedError,
    ServerError,
    UnavailableError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from source_zendesk_chat.clock import Clock
    from source_zendesk_chat.config import Config

T = TypeVar("T")
USER_AGENT: Final = f"source-zendesk-chat/{__version__}"
OK: Final = 200
UNAUTHORIZED: Final = 401
UNAVAILABLE: Final = (403, 404, 410)
REDIRECTS: Final = range(300, 400)
FAULTS_OF_THE_SERVER: Final = (408, 409, *range(500, 600))


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause before a request goes out (again).

    Attributes:
        seconds: How long.
        reason: What failed; "" when it only waits for the quota of requests.
    """

    seconds: float
    reason: str = ""


class _FailedAttempt(Exception):  # noqa: N818  it is not an error yet
    """One attempt failed; ``error`` is what to raise if it is not repeated."""

    def __init__(self, outcome: Outcome, error: ConnectorError) -> None:
        super().__init__()
        self.outcome = outcome
        self.error = error


class Client:
    """One account's Chat API; shared by all threads of a run."""

    def __init__(
        self,
        api_url: str,
        *,
        transport: Transport,
        tokens: TokenSource,
        limiter: RateLimiter,
        clock: Clock,
    ) -> None:
        self._api_url = api_url
        self._transport = transport
        self._tokens = tokens
        self._limiter = limiter
        self._clock = clock
        self._refused: AuthError | None = None

    def get(
        self,
        path: str,
        params: Mapping[str, str | int],
        decode: Callable[[Response], T],
        *,
        on_wait: Callable[[Wait], None],
        on_request: Callable[[], None],
        patient: bool = True,
    ) -> T:
        """Fetch and decode one page, however often it has to be asked for.

        Args:
            path: Below the API's root.
            params: Query parameters.
            decode: As in ``streams.stream.Fetch``, but of an answer whose body is not unpacked yet.
            on_wait: Told before each wait.
            on_request: Told before each request.
            patient: As in ``streams.stream.Fetch``.

        Raises:
            ConnectorError: Typed by what recovers from it.
        """
        attempts, spent, renewed = Counter[bool](), 0.0, False  # a spell of 429 uses up no attempt of another fault
        while True:
            if self._refused:
                raise self._refused
            let_out = self._limiter.acquire(lambda seconds: on_wait(Wait(seconds)), self._clock.sleep)
            token = self._tokens.token()
            on_request()
            began = self._clock.monotonic()
            try:
                page = self._attempt(path, params, token, decode)
            except _FailedAttempt as failed:
                if isinstance(failed.error, AuthError) and not renewed and self._tokens.renew(token):
                    renewed = True
                    continue
                limited = is_rate_limit(failed.outcome)
                spell = self._limiter.refused(let_out) if limited else None
                attempts[limited] += spell is None or spell.news
                attempt = max(1, attempts[limited])
                spent += 0.0 if limited else self._clock.monotonic() - began
                wait = wait_before_retry(failed.outcome, attempt, self._clock.now(), patient=patient, spell=spell, spent=spent)
                if wait is None:
                    raise self._final(failed.error) from None
                spent += 0.0 if limited else wait
                self._wait(failed, wait, attempt, on_wait)
            else:
                self._limiter.passed(let_out)
                return page

    def room(self) -> int:
        """How many requests could start now without waiting."""
        return self._limiter.room()

    def support_status(self) -> Response | None:
        """What Zendesk Support, at the same host, says to the token: it tells accounts and kinds of tokens apart."""
        origin = "/".join(self._api_url.split("/")[:3])
        try:
            return self._transport.get(f"{origin}/api/v2/users/me.json", {}, self._tokens.token())
        except (NoAnswerError, ConnectorError, Stopped):
            return None

    def settle(self, seconds: float) -> None:
        """Give a renewal of the token that is under way so much time to end."""
        self._tokens.settle(seconds)

    def _attempt(self, path: str, params: Mapping[str, str | int], token: str, decode: Callable[[Response], T]) -> T:
        """One request and its decoding; every failure is a _FailedAttempt."""
        try:
            response = self._transport.get(f"{self._api_url}/{path}", params, token)
            if response.status != OK:
                refusal = error_for(path, response, self._clock.now())
                raise _FailedAttempt(Outcome(response.status, "", response.headers), refusal)
            return decode(response)
        except NoAnswerError as reason:
            raise _FailedAttempt(Outcome(0, reason.kind), no_answer(path, reason)) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            response.discard_connection()
            raise _FailedAttempt(Outcome(OK, "body"), ServerError(unreadable(path, response))) from None
        except EnvelopeError as error:
            response.discard_connection()
            raise _FailedAttempt(Outcome(OK, "shape"), error) from None

    def _wait(self, failed: _FailedAttempt, seconds: float, attempt: int, on_wait: Callable[[Wait], None]) -> None:
        on_wait(Wait(seconds, f"{failed.error} Trying again in {seconds:.0f} s (attempt {attempt})."))
        if is_rate_limit(failed.outcome):
            self._limiter.pause(seconds)  # for every thread; the next acquire waits for it
        else:
            self._clock.sleep(seconds)

    def _final(self, error: ConnectorError) -> ConnectorError:
        """Remember a refused token, so that no other stream asks with it again."""
        if isinstance(error, AuthError):
            self._refused = error
        return error


def no_answer(path: str, reason: NoAnswerError) -> ConnectorError:
    """The error that a missing answer stands for. A lasting reason is the same for every path, so it names none."""
    if reason.kind == "lasting":
        return UnreachableError(reason.message)
    return NetworkError(f"No answer for {path}: {reason}.")


def error_for(path: str, response: Response, now: float) -> ConnectorError:
    """The error that an answer other than 200 stands for, as if it were final."""
    status = response.status
    if status == UNAUTHORIZED:
        return AuthError(
            "Zendesk Chat does not accept the token (HTTP 401): it is mistyped, expired or revoked, or it is a token of "
            "Zendesk Support, which Chat does not take. Make a Chat token, or authenticate again."
        )
    if status in UNAVAILABLE:
        return UnavailableError(unavailable(path, response), status=status, html=is_html(response))
    if is_rate_limit(Outcome(status)):
        asked = retry_after(response.headers, now)
        until = "" if asked is None else f" It asks to wait {asked:.0f} s."
        return RateLimitedError(f"Zendesk's limit of requests is used up ({path}, HTTP 429).{until}")
    if status in REDIRECTS:
        return ConfigError(
            f"{path} redirects to {redirect_host(response)}, where the token is not sent. Check the subdomain: has the "
            "account been renamed?"
        )
    if status in FAULTS_OF_THE_SERVER:
        return ServerError(f"Zendesk answers HTTP {status} for {path}. Run again later.")
    return RequestRejectedError(f"Zendesk refuses the request for {path} (HTTP {status}). Please report this.")


def unavailable(path: str, response: Response) -> str:
    """Say what is missing for a resource that answers 403 or 404."""
    if response.status == 403:  # noqa: PLR2004  as in the HTTP standard
        return (
            f"{path}: this token's agent may not read it (HTTP 403). Give the agent the Administrator role or the account "
            "a plan that has it, or deselect the stream."
        )
    return (
        f"{path}: not found (HTTP {response.status}). The account's plan does not have it, or the subdomain is wrong or "
        "has no Chat. Deselect the stream if the others work."
    )


def unreadable(path: str, response: Response) -> str:
    """Say what came instead of JSON."""
    kind = "a web page" if is_html(response) else "an empty answer" if not response.beginning.strip() else "no valid JSON"
    return f"Zendesk sent {kind} for {path}. Run again later; if it stays so, check the subdomain and proxies."


def is_html(response: Response) -> bool:
    """Whether a web page came where JSON was expected."""
    return "html" in response.headers.get("content-type", "").lower() or response.beginning.lstrip()[:1] == b"<"


def redirect_host(response: Response) -> str:
    """The host that a redirect names."""
    try:
        return urlsplit(response.headers.get("location", "")).hostname or "another address"
    except ValueError:
        return "another address"


def connect(config: Config, clock: Clock, on_rotation: Callable[[dict[str, Any]], None]) -> Client:
    """The client for a configuration.

    Args:
        config: Valid configuration.
        clock: Time.
        on_rotation: Given the whole new configuration whenever tokens were renewed, before they are used.
    """
    transport = HttpTransport(config.origin, timeout=config.timeout, clock=clock, user_agent=USER_AGENT)
    return Client(
        config.api_url,
        transport=transport,
        tokens=token_source(config, transport, clock, on_rotation),
        limiter=RateLimiter(config.requests_per_minute, clock),
        clock=clock,
    )
