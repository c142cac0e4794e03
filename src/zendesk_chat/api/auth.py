"""Bearer tokens: a fixed one, or OAuth 2.0 tokens that are renewed.

The Chat API's token endpoint is ``{origin}/oauth2/chat/token``. A refresh token works only once (seen in the code of existing
clients, 2026-11-22). So a ``TokenStore`` prepares to store the new pair before each renewal, and stores it before it is used.
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
    """Where to store the tokens of one renewal.

    Attributes:
        stored: Credentials that another process may have renewed; None if no other process can renew them.
        save: Stores renewed tokens. They are used only after it returns. Raises ConfigError.
    """

    stored: OAuth | None
    save: Callable[[OAuth], None]


class TokenStore(Protocol):
    """Keeps renewed tokens for later runs."""

    def prepare(self) -> AbstractContextManager[TokenSlot]:
        """Prepare to store tokens. It is entered before each renewal and exited after it.

        Raises ConfigError if new tokens cannot be stored, and TransientError if they cannot be stored right now.
        """


@dataclass(frozen=True, slots=True)
class HandOver:
    """Passes renewed tokens to a function that stores them."""

    save: Callable[[OAuth], None]

    def prepare(self) -> AbstractContextManager[TokenSlot]:
        """Return the slot; there is nothing to prepare."""
        return nullcontext(TokenSlot(None, self.save))


class TokenSource(Protocol):
    """Provides the token for each request."""

    def token(self) -> str:
        """Return a token that should be valid."""

    def renew(self, refused: str) -> bool:
        """Get another token after the API rejected one. Returns False if there is no way to get one.

        Raises ConfigError if the account issues no new token or it cannot be stored, and TransientError if no response arrives.
        """

    def settle(self, seconds: float) -> None:
        """Wait for a renewal in progress, at most this many seconds."""


class FixedToken:
    """An access token that cannot be renewed."""

    def __init__(self, access_token: str) -> None:
        self._token = access_token

    def token(self) -> str:
        """Return the token."""
        return self._token

    def renew(self, refused: str) -> bool:  # noqa: ARG002   there is only one token
        """Return False: there is no other token."""
        return False

    def settle(self, seconds: float) -> None:
        """Return at once: there is no renewal."""


class OAuthTokens:
    """OAuth tokens. One thread at a time renews them, before they expire and when the API rejects them."""

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
        """Return the current access token, renewed first if it is missing or about to expire."""
        with self._lock:
            if self._credentials.access_token is None:
                self._renew()
            elif self._credentials.renewable and self._renew_at is not None and self._renew_at <= self._clock.now():
                try:
                    self._renew()
                except (AuthError, TransientError):  # use the old one until the API rejects it
                    self._renew_at = self._clock.now() + RENEW_AGAIN_SECONDS
            return self._credentials.access_token or ""

    def renew(self, refused: str) -> bool:
        """Renew the tokens, unless another thread has done so since it handed out the refused one."""
        with self._lock:
            if self._credentials.access_token != refused:
                return True
            if not self._credentials.renewable:
                return False
            self._renew()
            return True

    @property
    def renewing(self) -> bool:
        """Whether a renewal is in progress."""
        return self._lock.locked()

    def settle(self, seconds: float) -> None:
        """Wait at most this many seconds for a renewal in progress to store its tokens; otherwise they would be lost."""
        if self._lock.acquire(timeout=seconds):
            self._lock.release()

    def _renew(self) -> None:
        if self._dead:
            raise self._dead
        self._clock.check()  # a run that is stopping must not use up a refresh token
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
            # otherwise another process has renewed them
        self._credentials = current
        life = None if current.expires_at is None else current.expires_at - self._clock.now()
        self._renew_at = None if life is None else self._clock.now() + life - min(RENEW_AHEAD_SECONDS, life / 2)

    def _slot(self, stack: ExitStack) -> TokenSlot:
        try:
            return stack.enter_context(self._store.prepare())
        except ConfigError:
            if self._credentials.refresh_token:
                raise
            return TokenSlot(None, lambda _: None)  # a client secret can be used again, so its tokens need not be stored

    def _renewed(self, credentials: OAuth) -> OAuth:
        answer = self._ask(grant(credentials))
        self._lost = ""
        refresh_token = answer.refresh_token or credentials.refresh_token
        expires_at = None if answer.life is None else self._clock.now() + answer.life
        return replace(credentials, access_token=answer.access_token, refresh_token=refresh_token, expires_at=expires_at)

    def _ask(self, form: Mapping[str, str]) -> TokenAnswer:
        """Request tokens, and retry if no response arrives. If a lost response used up the refresh token, a retry shows it."""
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
                used_up = " If it then rejects the refresh token, authenticate again: the lost response used it up."
                lost = used_up if self._lost and self._credentials.refresh_token else ""
                kind = NetworkError if outcome.failure == "network" else ServerError
                raise kind(f"Zendesk's OAuth service returned no new token ({reason}). Run again later.{lost}")
            self._clock.sleep(wait)

    def _attempt(self, form: Mapping[str, str]) -> tuple[Outcome, str, TokenAnswer | None]:
        """Send one request. Return its outcome, the outcome in words, and the tokens in the response."""
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
    """Wait for each renewal in progress in this process, at most this many seconds. Returns whether there was one."""
    renewing = [tokens for tokens in tuple(_LIVE) if tokens.renewing]
    for tokens in renewing:
        tokens.settle(seconds)
    return bool(renewing)


def rotated_config(raw: Mapping[str, Any], credentials: OAuth) -> dict[str, Any]:
    """Return the user's configuration with the renewed tokens in it."""
    tokens: dict[str, Any] = {"access_token": credentials.access_token}
    if credentials.refresh_token:
        tokens["refresh_token"] = credentials.refresh_token
    if credentials.expires_at is not None:
        expiry = datetime.fromtimestamp(credentials.expires_at, UTC)
        tokens["token_expiry_date"] = expiry.strftime("%Y-%m-%dT%H:%M:%SZ")
    given = {k: v for k, v in raw["credentials"].items() if k != "token_expiry_date"}
    return {**raw, "credentials": {**given, **tokens}}


def token_source(config: Config, transport: Transport, clock: Clock, store: TokenStore) -> TokenSource:
    """Return the source of tokens for a configuration."""
    if isinstance(config.credentials, AccessToken):
        return FixedToken(config.credentials.access_token)
    return OAuthTokens(config.credentials, config.origin + TOKEN_PATH, transport, clock, store)


def hand_over(config: Config, on_rotation: Callable[[dict[str, Any]], None]) -> HandOver:
    """Return a store that passes the complete new configuration to a function."""
    return HandOver(lambda renewed: on_rotation(rotated_config(config.raw, renewed)))
