"""Bearer tokens: a fixed one, or OAuth 2.0 with tokens that rotate.

The Chat API's token endpoint is ``{origin}/oauth2/chat/token``; a refresh token works once (clients' code, read 2026-11-22).
So before each renewal a ``TokenStore`` gets ready to store the new pair, and it stores the pair before anything uses it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from weakref import WeakSet

from zendesk_chat.api.body import NoAnswerError
from zendesk_chat.api.retry import Outcome, wait_before_retry
from zendesk_chat.api.token_endpoint import TokenAnswer, grant, is_refusal, refusal, tokens_in
from zendesk_chat.api.transport import Transport
from zendesk_chat.clock import Clock
from zendesk_chat.config import AccessToken, Config, OAuth
from zendesk_chat.errors import AuthError, ConfigError, ConnectorError, NetworkError, ServerError, TransientError
from zendesk_chat.request import FEW_ATTEMPTS

TOKEN_PATH: Final = "/oauth2/chat/token"  # noqa: S105  a path
RENEW_AHEAD_SECONDS: Final = 120
RENEW_AGAIN_SECONDS: Final = 60
OK: Final = 200
SERVER_ERRORS: Final = 500


@dataclass(frozen=True, slots=True)
class TokenSlot:
    """Where the tokens of one renewal go.

    Attributes:
        stored: The credentials that another process may have renewed; None if no other process can.
        save: Stores renewed tokens. They are used only after it returns. Raises ConfigError.
    """

    stored: OAuth | None
    save: Callable[[OAuth], None]


class TokenStore(Protocol):
    """Keeps renewed tokens for later runs."""

    def prepare(self) -> AbstractContextManager[TokenSlot]:
        """Get ready to store tokens: entered before each renewal and left after it.

        Raises ConfigError if new tokens could not be stored, and TransientError if they cannot be stored now.
        """


@dataclass(frozen=True, slots=True)
class HandOver:
    """Hands renewed tokens to a function, which stores them."""

    save: Callable[[OAuth], None]

    def prepare(self) -> AbstractContextManager[TokenSlot]:
        """Nothing has to be prepared."""
        return nullcontext(TokenSlot(None, self.save))


class TokenSource(Protocol):
    """Gives the token to sign a request with."""

    def token(self) -> str:
        """A token that should be valid."""

    def renew(self, refused: str) -> bool:
        """Get another token after the API refused one; False when there is no way to.

        Raises ConfigError if the account gives no new one or it cannot be stored, and TransientError if no answer comes.
        """

    def settle(self, seconds: float) -> None:
        """Give a renewal that is under way so much time to end."""


class FixedToken:
    """An access token that cannot be renewed."""

    def __init__(self, access_token: str) -> None:
        self._token = access_token

    def token(self) -> str:
        """The token."""
        return self._token

    def renew(self, refused: str) -> bool:  # noqa: ARG002  there is only the one
        """There is no other token."""
        return False

    def settle(self, seconds: float) -> None:
        """There is no renewal."""


class OAuthTokens:
    """Tokens of an OAuth client, renewed by one thread at a time, ahead of expiry and when refused."""

    def __init__(self, credentials: OAuth, url: str, transport: Transport, clock: Clock, store: TokenStore) -> None:
        self._credentials = credentials
        self._url = url
        self._transport = transport
        self._clock = clock
        self._store = store
        self._lock = threading.Lock()
        self._dead: ConnectorError | None = None
        self._lost = ""
        self._renew_at = None if credentials.expires_at is None else credentials.expires_at - RENEW_AHEAD_SECONDS
        _LIVE.add(self)

    def token(self) -> str:
        """The current access token; renewed first when it is missing or about to expire."""
        with self._lock:
            if self._credentials.access_token is None:
                self._renew()
            elif self._credentials.renewable and self._renew_at is not None and self._renew_at <= self._clock.now():
                try:
                    self._renew()
                except (AuthError, TransientError):  # use the old one until the API refuses it
                    self._renew_at = self._clock.now() + RENEW_AGAIN_SECONDS
            return self._credentials.access_token or ""

    def renew(self, refused: str) -> bool:
        """Renew, unless another thread has done so since the refused token was handed out."""
        with self._lock:
            if self._credentials.access_token != refused:
                return True
            if not self._credentials.renewable:
                return False
            self._renew()
            return True

    @property
    def renewing(self) -> bool:
        """Whether a renewal is under way."""
        return self._lock.locked()

    def settle(self, seconds: float) -> None:
        """Give a renewal that is under way so much time to store its tokens, or they would be lost."""
        if self._lock.acquire(timeout=seconds):
            self._lock.release()

    def _renew(self) -> None:
        if self._dead:
            raise self._dead
        self._clock.check()  # a run that is to end uses up no refresh token any more
        with ExitStack() as stack:
            slot = self._slot(stack)
            current = slot.stored or self._credentials
            if current.access_token in {None, self._credentials.access_token}:
                current = self._renewed(current)
                try:
                    slot.save(current)
                except ConnectorError as error:
                    self._dead = error  # the old refresh token is used up
                    raise
            # else another process has renewed them
        self._credentials = current
        life = None if current.expires_at is None else current.expires_at - self._clock.now()
        self._renew_at = None if life is None else self._clock.now() + life - min(RENEW_AHEAD_SECONDS, life / 2)

    def _slot(self, stack: ExitStack) -> TokenSlot:
        try:
            return stack.enter_context(self._store.prepare())
        except ConfigError:
            if self._credentials.refresh_token:
                raise
            return TokenSlot(None, lambda _: None)  # a client's secret works again, so its tokens need not be stored

    def _renewed(self, credentials: OAuth) -> OAuth:
        answer = self._ask(grant(credentials))
        self._lost = ""
        refresh_token = answer.refresh_token or credentials.refresh_token
        expires_at = None if answer.life is None else self._clock.now() + answer.life
        return replace(credentials, access_token=answer.access_token, refresh_token=refresh_token, expires_at=expires_at)

    def _ask(self, form: Mapping[str, str]) -> TokenAnswer:
        """Ask for tokens, again if no answer comes. If a lost answer used up the refresh token, the next one shows it."""
        attempt = 0
        while True:
            attempt += 1
            outcome, reason, answer = self._attempt(form)
            if answer:
                return answer
            if outcome.status in {0, OK} or outcome.status >= SERVER_ERRORS:
                self._lost = reason
            wait = wait_before_retry(outcome, attempt, self._clock.now(), max_attempts=FEW_ATTEMPTS)
            if wait is None:
                used_up = " If the refresh token is rejected then, authenticate again: a lost answer uses it up."
                lost = used_up if self._lost and self._credentials.refresh_token else ""
                kind = NetworkError if outcome.failure == "network" else ServerError
                raise kind(f"Zendesk's OAuth service gave no new token ({reason}). Run again later.{lost}")
            self._clock.sleep(wait)

    def _attempt(self, form: Mapping[str, str]) -> tuple[Outcome, str, TokenAnswer | None]:
        """Send one request; return its outcome, the same in words, and the tokens in its answer."""
        try:
            response = self._transport.post_form(self._url, form)
            if is_refusal(response.status):
                self._dead = refusal(response, form["grant_type"], self._lost)
                raise self._dead
            answer = tokens_in(response.body) if response.status == OK else None
        except NoAnswerError as error:
            return Outcome(0, "network"), str(error), tokens_in(error.received)
        return Outcome(response.status, "body", response.headers), f"HTTP {response.status}", answer


_LIVE: Final = WeakSet[OAuthTokens]()


def settle_all(seconds: float) -> bool:
    """Give each renewal that is under way in this process so much time to end. Returns whether there was one."""
    renewing = [tokens for tokens in tuple(_LIVE) if tokens.renewing]
    for tokens in renewing:
        tokens.settle(seconds)
    return bool(renewing)


def rotated_config(raw: Mapping[str, Any], credentials: OAuth) -> dict[str, Any]:
    """The configuration as the user gave it, with the renewed tokens in it."""
    tokens: dict[str, Any] = {"access_token": credentials.access_token}
    if credentials.refresh_token:
        tokens["refresh_token"] = credentials.refresh_token
    if credentials.expires_at is not None:
        expiry = datetime.fromtimestamp(credentials.expires_at, UTC)
        tokens["token_expiry_date"] = expiry.strftime("%Y-%m-%dT%H:%M:%SZ")
    given = {k: v for k, v in raw["credentials"].items() if k != "token_expiry_date"}
    return {**raw, "credentials": {**given, **tokens}}


def token_source(config: Config, transport: Transport, clock: Clock, store: TokenStore) -> TokenSource:
    """The way of signing requests that a configuration asks for."""
    if isinstance(config.credentials, AccessToken):
        return FixedToken(config.credentials.access_token)
    return OAuthTokens(config.credentials, config.origin + TOKEN_PATH, transport, clock, store)


def hand_over(config: Config, on_rotation: Callable[[dict[str, Any]], None]) -> HandOver:
    """The store that hands the complete new configuration to a function."""
    return HandOver(lambda renewed: on_rotation(rotated_config(config.raw, renewed)))
