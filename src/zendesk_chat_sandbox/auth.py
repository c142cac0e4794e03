"""Tokens of the sandbox, and what each may do."""

import threading
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final, Literal

from zendesk_chat_sandbox.http_messages import ApiError, Request, Response, json_response
from zendesk_chat_sandbox.switches import Switches

DEFAULT_TOKEN: Final = "sandbox-token"  # noqa: S105 -- opens nothing but the sandbox
AGENT_TOKEN: Final = "sandbox-agent-token"  # noqa: S105 -- likewise
SUPPORT_TOKEN: Final = "sandbox-support-token"  # noqa: S105 -- likewise
EXPIRED_TOKEN: Final = "sandbox-expired-token"  # noqa: S105 -- likewise
WRITE_TOKEN: Final = "sandbox-write-token"  # noqa: S105 -- likewise

Kind = Literal["chat", "support"]
Role = Literal["administrator", "agent"]
_BEARER: Final = "bearer "
_EDGE_DETAIL: Final = "The access token provided is expired, revoked, malformed or invalid for other reasons."


@dataclass(frozen=True, slots=True)
class Token:
    """An access token: for Chat or for Support, of an administrator or an agent, with its scopes."""

    kind: Kind = "chat"
    role: Role = "administrator"
    scopes: str = "read chat"
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """What an authorization code can be exchanged for. An empty ``client_id`` or ``redirect_uri`` means any."""

    scope: str
    role: Role = "administrator"
    client_id: str = ""
    redirect_uri: str = ""
    expires_at: float | None = None


@dataclass(slots=True)
class Tokens:
    """The access tokens that exist, and the grants that can be turned into new ones, each usable once."""

    access: dict[str, Token]
    codes: dict[str, Code] = field(default_factory=lambda: {"sandbox-code": Code("read chat")})
    refresh: dict[str, str] = field(default_factory=lambda: {"sandbox-refresh-token": ""})
    """Refresh tokens, each with the access token that came with it."""
    clients: dict[str, str] = field(default_factory=lambda: {"sandbox-client": "sandbox-secret"})
    redirect_urls: dict[str, frozenset[str]] = field(default_factory=dict)
    """The registered redirect URLs of a client; for one that is not here, any of ``localhost`` and ``127.0.0.1``."""
    minted: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def expire(self, token: str) -> None:
        """Let an access token be expired from now on."""
        self.access[token] = replace(self.access.get(token, Token()), expires_at=0.0)

    def revoke(self, token: str) -> None:
        """Forget an access token."""
        self.access.pop(token, None)

    def valid(self, token: str, now: float) -> Token | None:
        """Return what a token grants, or None when it is unknown or expired."""
        known = self.access.get(token)
        if known is None or (known.expires_at is not None and known.expires_at <= now):
            return None
        return known


def initial_tokens(token: str) -> Tokens:
    """Return the tokens a fresh sandbox knows; ``token`` is the administrator's."""
    return Tokens(
        access={
            token: Token(),
            AGENT_TOKEN: Token(role="agent"),
            SUPPORT_TOKEN: Token(kind="support"),
            EXPIRED_TOKEN: Token(expires_at=0.0),
            WRITE_TOKEN: Token(scopes="write"),
        }
    )


def bearer_of(request: Request) -> str | None:
    """Return the bearer token of a request, or None when it has none."""
    header = request.headers.get("authorization", "")
    return header[len(_BEARER) :].strip() if header[: len(_BEARER)].lower() == _BEARER else None


def unauthorized(switches: Switches) -> Response:
    """Return the response to an invalid token, with the body of today's edge or of the former host."""
    if switches.unauthorized_body == "zopim":
        refused: dict[str, object] = {
            "error": "Unauthorized",
            "description": "The server could not verify that you are authorized to access the requested resource",
        }
    else:
        refused = {
            "error": "invalid_token",
            "error_description": _EDGE_DETAIL,
        }
    headers = {"WWW-Authenticate": 'Bearer realm="sandbox"'}
    return json_response(refused, HTTPStatus.UNAUTHORIZED, headers)


def require_role(token: Token, *, administrator: bool) -> None:
    """Refuse a token that lacks the scope to read or the role for a path.

    Raises:
        ApiError: 403.
    """
    if "read" not in token.scopes.split():
        raise ApiError(HTTPStatus.FORBIDDEN, "The token lacks the scope: read")
    if administrator and token.role != "administrator":
        raise ApiError(HTTPStatus.FORBIDDEN, "Only an administrator may read this")
