"""Bearer tokens: a fixed one, or OAuth 2.0 with tokens that are renewed and rotate.

The Chat API's token endpoint is ``{origin}/oauth2/chat/token``; a refresh token works once (clients' code, read 2026-11-22).
So a rotated pair is handed to ``on_rotation`` before its access token is used for anything.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from source_zendesk_chat.api.body import NoAnswerError
from source_zendesk_chat.api.retry import Outcome, is_rate_limit, wait_before_retry
from source_zendesk_chat.api.transport import Response, Transport
from source_zendesk_chat.config import AccessToken, Config, OAuth
from source_zendesk_chat.errors import AuthError, NetworkError, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from source_zendesk_chat.clock import Clock

TOKEN_PATH: Final = "/oauth2/chat/token"  # noqa: S105  a path
RENEW_AHEAD_SECONDS: Final = 120
FOREVER_SECONDS: Final = 10 * 366 * 86_400
OK: Final = 200
CLIENT_ERRORS: Final = range(400, 500)


class _TokenAnswer(msgspec.Struct):
    """What the endpoint gives. Only the access token must be well-formed: asking again would find the refresh token used up."""

    access_token: str
    refresh_token: Any = None
    expires_in: Any = None


class TokenSource(Protocol):
    """Gives the token to sign a request with."""

    def token(self) -> str:
        """A token that is valid as far as is known."""
        ...

    def renew(self, refused: str) -> bool:
        """Get another token after the API refused one; False when there is no way to.

        Raises:
            AuthError: The account refuses to give a new one.
            TransientError: It cannot say now.
        """
        ...

    def settle(self, seconds: float) -> None:
        """Give a renewal that is under way so much time to end."""
        ...


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

    def __init__(
        self,
        credentials: OAuth,
        url: str,
        transport: Transport,
        clock: Clock,
        on_rotation: Callable[[OAuth], None],
    ) -> None:
        self._credentials = credentials
        self._url = url
        self._transport = transport
        self._clock = clock
        self._on_rotation = on_rotation
        self._lock = threading.Lock()
        self._dead: AuthError | None = None
        self._renew_at = None if credentials.expires_at is None else credentials.expires_at - RENEW_AHEAD_SECONDS

    def token(self) -> str:
        """The current access token; renewed first when it is missing or about to expire."""
        with self._lock:
            expiring = self._renew_at is not None and self._renew_at <= self._clock.now()
            if self._credentials.access_token is None or (expiring and self._credentials.renewable):
                self._renew()
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

    def settle(self, seconds: float) -> None:
        """Give a renewal that is under way so much time to hand over its tokens, or they would be lost."""
        if self._lock.acquire(timeout=seconds):
            self._lock.release()

    def _renew(self) -> None:
        if self._dead:
            raise self._dead
        self._clock.sleep(0)  # a run that is to end uses up no refresh token any more
        response = self._post(grant(self._credentials))
        if response.status in CLIENT_ERRORS:
            self._dead = AuthError(
                "Zendesk does not renew this OAuth token any more: its refresh token was used, revoked or has expired, "
                "or the client id or secret is wrong. Authenticate again."
            )
            raise self._dead
        answer = msgspec.json.decode(response.body, type=_TokenAnswer)
        life, now = lifetime(answer.expires_in), self._clock.now()
        rotated = answer.refresh_token if isinstance(answer.refresh_token, str) else None
        renewed = replace(
            self._credentials,
            access_token=answer.access_token,
            refresh_token=rotated or self._credentials.refresh_token,
            expires_at=None if life is None else now + life,
        )
        self._on_rotation(renewed)
        self._credentials = renewed
        self._renew_at = None if life is None else now + life - min(RENEW_AHEAD_SECONDS, life / 2)

    def _post(self, form: dict[str, str]) -> Response:
        """Ask for a token, again if no answer comes: had a lost one used the refresh token up, the next answer will say so."""
        attempt = 0
        while True:
            attempt += 1
            try:
                response = self._transport.post_form(self._url, form)
            except NoAnswerError as error:
                outcome, reason = Outcome(0, "network"), str(error)
            else:
                if response.status in CLIENT_ERRORS and not is_rate_limit(Outcome(response.status)):
                    return response
                if response.status == OK and _is_token(response):
                    return response
                outcome, reason = Outcome(response.status, "body", response.headers), f"HTTP {response.status}"
            wait = wait_before_retry(outcome, attempt, self._clock.now(), patient=False)
            if wait is None:
                kind = NetworkError if outcome.failure == "network" else ServerError
                raise kind(f"Zendesk's OAuth service gave no new token ({reason}). Run again later.")
            self._clock.sleep(wait)


def lifetime(expires_in: object) -> float | None:
    """Seconds that a new token lives, given as a number or as its text; None when it is not said."""
    try:
        seconds = float(expires_in) if isinstance(expires_in, int | float | str) else 0.0
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < FOREVER_SECONDS else None


def grant(credentials: OAuth) -> dict[str, str]:
    """The form that asks for a new access token."""
    client = {"client_id": credentials.client_id or "", "client_secret": credentials.client_secret or ""}
    if credentials.refresh_token:
        return {"grant_type": "refresh_token", "refresh_token": credentials.refresh_token, "scope": "read", **client}
    return {"grant_type": "client_credentials", "scope": "read", **client}


def rotated_config(config: Config, credentials: OAuth) -> dict[str, Any]:
    """The whole configuration as the user gave it, with the renewed tokens in their places."""
    tokens: dict[str, Any] = {"access_token": credentials.access_token}
    if credentials.refresh_token:
        tokens["refresh_token"] = credentials.refresh_token
    if credentials.expires_at is not None:
        expiry = datetime.fromtimestamp(credentials.expires_at, UTC)
        tokens["token_expiry_date"] = expiry.strftime("%Y-%m-%dT%H:%M:%SZ")
    given = {k: v for k, v in config.raw["credentials"].items() if k != "token_expiry_date"}
    return {**config.raw, "credentials": {**given, **tokens}}


def token_source(
    config: Config, transport: Transport, clock: Clock, on_rotation: Callable[[dict[str, Any]], None]
) -> TokenSource:
    """The way of signing requests that a configuration asks for."""
    if isinstance(config.credentials, AccessToken):
        return FixedToken(config.credentials.access_token)
    return OAuthTokens(
        config.credentials,
        config.origin + TOKEN_PATH,
        transport,
        clock,
        lambda renewed: on_rotation(rotated_config(config, renewed)),
    )


def _is_token(response: Response) -> bool:
    try:
        return bool(msgspec.json.decode(response.body, type=_TokenAnswer).access_token)
    except (msgspec.DecodeError, NoAnswerError):
        return False
