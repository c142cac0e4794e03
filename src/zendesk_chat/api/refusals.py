"""What a response other than 200 means: the typed error, with the server's own reason."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from zendesk_chat.api.body import NoAnswerError
from zendesk_chat.api.retry import retry_after
from zendesk_chat.api.transport import Response
from zendesk_chat.errors import (
    AddressError,
    AuthError,
    ConnectorError,
    RateLimitedError,
    RequestRejectedError,
    ServerError,
    UnavailableError,
)
from zendesk_chat.printable import LONGEST_NAME, printable

UNAVAILABLE: Final = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
REDIRECTS: Final = (301, 302, 303, 307, 308)
CLIENT_ERRORS: Final = range(400, 500)
FAULTS_OF_THE_SERVER: Final = (408, 409, *range(500, 600))
REASON_BYTES: Final = 16 * 1024  # a larger body is not an error message
REASON_LENGTH: Final = 200
REASON_KEYS: Final = ("description", "error_description", "message", "detail", "title", "error")
SHORTEST_SECRET: Final = 4
SHORTEST_TOKEN: Final = 12
SURELY_NO_WORD: Final = 32
HIDDEN: Final = "****"
DATE: Final = re.compile(r"\W*\d{4}-\d\d-\d\dT[\d:.]+Z?\W*$")


def error_for(response: Response, *, host: str, token: str, now: float) -> ConnectorError:
    """Return the error for a response other than 200, as if it were final.

    Args:
        response: The response.
        host: The account's host, for messages.
        token: The token of the request. It never appears in a message, even if the server repeats it.
        now: Seconds since 1970, to read a ``Retry-After`` that is a date.
    """
    status, reason = response.status, _quoted(reason_of(response), token)
    if status in REDIRECTS:
        target = _redirect_host(response)
        message = f"{host} redirects to {target}. The token is not sent there. Check the subdomain: was the account renamed?"
        return AddressError(message, status=status)
    if status in UNAVAILABLE:
        return _unavailable(response, host, reason)
    if status == HTTPStatus.UNAUTHORIZED:
        return AuthError(
            "Zendesk Chat rejected the token (HTTP 401). It may be mistyped, expired or revoked, or a Zendesk Support token, "
            f"which Chat does not accept.{reason} Create a Chat token, or authenticate again.",
            status=status,
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        asked = retry_after(response.headers, now)
        until = "" if asked is None else f" Zendesk asks for a wait of {asked:.0f} s."
        message = f"Zendesk's request limit is used up (HTTP 429).{until}{reason} Run again later."
        return RateLimitedError(message, status=status)
    if status in FAULTS_OF_THE_SERVER:
        return ServerError(f"Zendesk responded with HTTP {status}.{reason} Run again later.", status=status)
    return RequestRejectedError(f"Zendesk rejected the request (HTTP {status}).{reason} Please report this.", status=status)


def _unavailable(response: Response, host: str, reason: str) -> ConnectorError:
    """Return the error for a 403, 404 or 410."""
    status, page, fields = response.status, _is_html(response), _fields(response)
    # Zendesk responds like this if nobody uses the subdomain. Its ``error`` is an object; those of the API are strings.
    if status == HTTPStatus.NOT_FOUND and isinstance(fields.get("error"), Mapping):
        return AddressError(f"There is no Zendesk account at {host} (HTTP 404). Check the subdomain.", status=status)
    if page and status == HTTPStatus.FORBIDDEN:
        text = f"A proxy or firewall blocks {host}: it returned a web page (HTTP 403). Allow this machine to connect to {host}."
    elif page:
        text = (
            f"{host} returned a web page (HTTP {status}). Either there is no Zendesk account at that address, or a proxy "
            "responded instead. Check the subdomain and proxies."
        )
    elif status == HTTPStatus.FORBIDDEN:
        text = (
            f"The token's user is not allowed to read this (HTTP 403).{reason} Use an administrator's token with the scope "
            "`read`, or exclude this stream if your plan does not include it."
        )
    else:
        text = (
            f"Zendesk has no such data for this account (HTTP {status}).{reason} The plan may not include it, or the subdomain "
            "is wrong or has no Chat. If other streams work, exclude this one."
        )
    # The servers in front of the API send ``detail`` or ``title``, and no ``error``.
    of_the_edge = "error" not in fields and not fields.keys().isdisjoint({"detail", "title"})
    return UnavailableError(text, status=status, by_api=not page and not of_the_edge)


def unreadable(response: Response) -> str:
    """Describe what arrived instead of JSON."""
    kind = "a web page" if _is_html(response) else "an empty response" if not response.beginning.strip() else "invalid JSON"
    return f"Zendesk sent {kind}. Run again later. If it happens again, check the subdomain and proxies."


def _is_html(response: Response) -> bool:
    """Return whether a web page arrived where JSON was expected."""
    return "html" in response.headers.get("content-type", "").lower() or response.beginning.lstrip()[:1] == b"<"


def _redirect_host(response: Response) -> str:
    """Return the host that a redirect names."""
    try:
        return printable(urlsplit(response.headers.get("location", "")).hostname or "", LONGEST_NAME) or "another address"
    except ValueError:
        return "another address"


def reason_of(response: Response) -> str:
    """Return the server's own words in a 4xx response, or "".

    Only fields that are known to contain them are used, because a body may contain anything. Known forms:
    ``{"error": "Bad Request", "description": "..."}`` and ``{"error": "...", "error_description": "..."}`` from the API,
    ``{"error": {"title": "...", "message": "..."}}`` and ``{"title": "...", "detail": "..."}`` from Zendesk's edge servers.
    """
    if response.status not in CLIENT_ERRORS:
        return ""
    return next((text for text in _reasons(_fields(response)) if text), "")


def _reasons(fields: Mapping[str, Any]) -> Iterator[str]:
    for key in REASON_KEYS:
        value = fields.get(key)
        if isinstance(value, str):
            yield printable(" ".join(value.split()), REASON_LENGTH)
        elif isinstance(value, Mapping):
            yield from _reasons(value)


def _quoted(reason: str, token: str) -> str:
    """Return a sentence with the server's reason, without possible secrets and addresses; "" if it gave none."""
    if len(token) >= SHORTEST_SECRET:
        reason = reason.replace(token, HIDDEN)
    words = [HIDDEN if _may_be_secret(word) else word for word in reason.split()]
    return f' The server says: "{" ".join(words).rstrip(".")}".' if words else ""


def _may_be_secret(word: str) -> bool:
    """Return whether a word looks like a token or an e-mail address: a server may repeat parts of a request or a record."""
    mixed = any(map(str.isdigit, word)) and any(map(str.isalpha, word))
    return "@" in word or len(word) >= SURELY_NO_WORD or (mixed and len(word) >= SHORTEST_TOKEN and not DATE.match(word))


def _fields(response: Response) -> Mapping[str, Any]:
    if response.size > REASON_BYTES:
        return {}
    try:
        fields = msgspec.json.decode(response.body_within(REASON_BYTES))
    except (NoAnswerError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return fields if isinstance(fields, Mapping) else {}
