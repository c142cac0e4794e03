"""The token endpoint: code, refresh token or client credentials for an access token."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from zendesk_chat_sandbox.auth import Code, Role, Token
from zendesk_chat_sandbox.http_messages import Request, Response, json_response
from zendesk_chat_sandbox.world import World

TOKEN_PATH: Final = "/oauth2/chat/token"  # noqa: S105 -- a path

Form = Mapping[str, str]


def _refused(error: str, description: str, status: int = HTTPStatus.BAD_REQUEST) -> Response:
    return json_response({"error": error, "error_description": description}, status)


def exchange(world: World, request: Request) -> Response:
    """Respond to a form-encoded POST to the token endpoint."""
    if request.method != "POST":
        return _refused("invalid_request", "The token endpoint takes POST", HTTPStatus.METHOD_NOT_ALLOWED)
    form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    grant = _GRANTS.get(form.get("grant_type", ""))
    with world.tokens.lock:
        secret = world.tokens.clients.get(form.get("client_id", ""))
        if secret is None or secret != form.get("client_secret", ""):
            return _refused("invalid_client", "Unknown client or wrong secret", HTTPStatus.UNAUTHORIZED)
        if grant is None:
            return _refused("unsupported_grant_type", "Not a grant type of this endpoint")
        return grant(world, form)


def _by_code(world: World, form: Form) -> Response:
    code = world.tokens.codes.pop(form.get("code", ""), None)
    if code is None or not _is_for(code, form, world.clock.time()):
        return _refused("invalid_grant", "The authorization code is invalid, expired or already used")
    return _mint(world, form.get("scope") or code.scope, code.role, refreshable=True)


def _is_for(code: Code, form: Form, now: float) -> bool:
    """Return whether a code belongs to the client and redirect URL that exchange it now."""
    if code.expires_at is not None and code.expires_at <= now:
        return False
    return code.client_id in {"", form.get("client_id")} and code.redirect_uri in {"", form.get("redirect_uri")}


def _by_refresh_token(world: World, form: Form) -> Response:
    tokens = world.tokens
    old = form.get("refresh_token", "")
    if old not in tokens.refresh:
        return _refused("invalid_grant", "The refresh token is invalid, expired or already used")
    role = tokens.access.get(tokens.refresh[old], Token()).role
    if world.switches.refresh_revokes_access:
        tokens.revoke(tokens.refresh[old])
    if world.switches.refresh_single_use:
        del tokens.refresh[old]
    return _mint(world, form.get("scope") or "read chat", role, refreshable=True)


def _by_client(world: World, form: Form) -> Response:
    return _mint(world, form.get("scope") or "read", "administrator", refreshable=False)


def issue(world: World, scope: str, role: Role) -> str:
    """Create a new access token that lives as long as the switches choose."""
    tokens, life = world.tokens, world.switches.token_expires_in
    tokens.minted += 1
    access = f"sandbox-access-{tokens.minted}"
    tokens.access[access] = Token(role=role, scopes=scope, expires_at=world.clock.time() + life if life else None)
    return access


def lifetime(world: World) -> dict[str, str]:
    """Return the field of a response that has the lifetime of a new token, if it ends."""
    life = world.switches.token_expires_in
    return {"expires_in": str(life)} if life else {}


def _mint(world: World, scope: str, role: Role, *, refreshable: bool) -> Response:
    tokens, life = world.tokens, world.switches.token_expires_in
    access = issue(world, scope, role)
    answer: dict[str, object] = {"access_token": access, "token_type": "Bearer", "scope": scope}
    if refreshable:
        answer["refresh_token"] = f"sandbox-refresh-{tokens.minted}"
        tokens.refresh[f"sandbox-refresh-{tokens.minted}"] = access
    if life:
        answer["expires_in"] = life
    return json_response(answer, headers={"Cache-Control": "no-store"})


_GRANTS: Final[Mapping[str, Callable[[World, Form], Response]]] = {
    "authorization_code": _by_code,
    "refresh_token": _by_refresh_token,
    "client_credentials": _by_client,
}
