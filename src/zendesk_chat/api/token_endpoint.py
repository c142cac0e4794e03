"""Requests to the OAuth token endpoint, and what its responses mean. Pure functions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import msgspec

from zendesk_chat.api.body import NoAnswerError
from zendesk_chat.api.transport import Response
from zendesk_chat.config import OAuth
from zendesk_chat.errors import AuthError, ConfigError

SHORTEST_LIFE_SECONDS: Final = 10  # with a shorter one, nearly every request would renew; such a token is used until rejected
FOREVER_SECONDS: Final = 10 * 366 * 86_400
LONGEST_TOKEN: Final = 16_384
CLIENT_ERRORS: Final = range(400, 500)
RETRIED: Final = (408, 409, 425, 429)  # client errors that do not concern the tokens
TOKEN_IN_ANSWER: Final = re.compile(rb'"(access_token|refresh_token)"\s*:\s*("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """The well-formed tokens in a successful response."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    life: float | None = None  # seconds until the access token expires


class _GrantedAnswer(msgspec.Struct):
    """A successful response. Only the access token must be well-formed: at a retry, the refresh token would be used up."""

    access_token: str
    refresh_token: msgspec.Raw = msgspec.Raw(b"null")
    expires_in: msgspec.Raw = msgspec.Raw(b"null")


class _RefusedAnswer(msgspec.Struct):
    error: Any = None  # RFC 6749, section 5.2


def grant(credentials: OAuth) -> dict[str, str]:
    """Return the form that requests a new access token."""
    client = {"client_id": credentials.client_id or "", "client_secret": credentials.client_secret or ""}
    if credentials.refresh_token:
        return {"grant_type": "refresh_token", "refresh_token": credentials.refresh_token, "scope": "read", **client}
    return {"grant_type": "client_credentials", "scope": "read", **client}


def tokens_in(content: bytes) -> TokenAnswer | None:
    """Return the tokens in a response. For an incomplete or damaged one, return them only if it contains both.

    The old refresh token is used up by then, so part of a response is better than none:
    ``{"access_token":"a","refresh_token":"r","sco`` contains all that is needed.
    """
    try:
        answer = msgspec.json.decode(content, type=_GrantedAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = dict(TOKEN_IN_ANSWER.findall(content))
        access, refresh = _token(found.get(b"access_token")), _token(found.get(b"refresh_token"))
        return TokenAnswer(access, refresh) if access and refresh else None
    refresh, life = _token(bytes(answer.refresh_token)), lifetime(_value(bytes(answer.expires_in)))
    return TokenAnswer(answer.access_token, refresh, life) if is_token(answer.access_token) else None


def _token(text: bytes | None) -> str | None:
    value = _value(text or b"null")
    return value if isinstance(value, str) and is_token(value) else None


def _value(text: bytes) -> object:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def is_token(value: object) -> bool:
    """Return whether a value can be sent as a token."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TOKEN:
        return False
    return value.isascii() and value.isprintable() and " " not in value


def lifetime(expires_in: object) -> float | None:
    """Return the lifetime of a new token in seconds, from a number or a string; None if it is missing or makes no sense."""
    try:
        seconds = float(expires_in) if isinstance(expires_in, int | float | str) else 0.0
    except (ValueError, OverflowError):
        return None
    return seconds if SHORTEST_LIFE_SECONDS <= seconds < FOREVER_SECONDS else None


def is_refusal(status: int) -> bool:
    """Return whether an HTTP status of the token endpoint is a refusal, so that a retry would not help."""
    return status in CLIENT_ERRORS and status not in RETRIED


def refusal(response: Response, grant_type: str, lost: str) -> ConfigError:
    """Return what a refusal means and what to do.

    Args:
        response: The response. Messages contain only known values of its ``error``, because the body may contain secrets.
        grant_type: The grant type of the request.
        lost: Why the response to an earlier request was lost; "" if none was lost.
    """
    error, status = error_in(response), response.status
    if error is None and response.content.lstrip()[:1] == b"<":
        return ConfigError(
            f"Zendesk's OAuth service returned a web page (HTTP {status}). Check the subdomain, and whether a proxy or "
            "firewall blocks the request.",
            status=status,
        )
    if error is None and status == HTTPStatus.NOT_FOUND:
        return ConfigError("Zendesk has no OAuth service at this subdomain (HTTP 404). Check the subdomain.", status=status)
    known: str | None = error
    if error == "invalid_scope":
        message = "This OAuth client cannot request the scope `read` (invalid_scope). Allow it, then authenticate again."
    elif error in {"unauthorized_client", "unsupported_grant_type"}:
        message = (
            f"This OAuth client cannot use the grant {grant_type} ({error}). Make the client confidential in the Chat "
            "dashboard, or authenticate with another client."
        )
    elif error == "invalid_client" or grant_type == "client_credentials":
        known = error if error == "invalid_client" else None
        message = (
            f"Zendesk rejected the OAuth client (HTTP {status}). Its client ID or client secret is wrong, or the client was "
            "deleted. Correct client_id and client_secret."
        )
    else:
        known = error if error == "invalid_grant" else None
        message = _rejected_refresh_token(lost, client="" if known else ", or the client ID or secret is wrong")
    return AuthError(message, status=status, code=known)


def _rejected_refresh_token(lost: str, client: str) -> str:
    if lost:
        return (
            f"The response with the renewed OAuth tokens was lost ({lost}), and Zendesk now rejects the old refresh token. "
            "Authenticate again."
        )
    return (
        f"Zendesk no longer renews this OAuth token: its refresh token was used, was revoked or has expired{client}. "
        "Authenticate again."
    )


def error_in(response: Response) -> str | None:
    """Return the ``error`` in a response; None if it is missing or not a string."""
    try:
        error = msgspec.json.decode(response.body, type=_RefusedAnswer).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, NoAnswerError):
        return None
    return error if isinstance(error, str) else None
