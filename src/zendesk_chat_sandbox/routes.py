"""From a request to its response: which host it is, who asks, how often, and for what."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote

from zendesk_chat_sandbox.auth import bearer_of, require_role, unauthorized
from zendesk_chat_sandbox.authorize import AUTHORIZE_PATH, authorize
from zendesk_chat_sandbox.chat_routes import chat, chats, visitor
from zendesk_chat_sandbox.exports import EXPORTS, export_page
from zendesk_chat_sandbox.http_messages import API, ApiError, Request, Response, html_response, json_response, not_found
from zendesk_chat_sandbox.lists import LIST_HANDLERS, Handler
from zendesk_chat_sandbox.oauth import TOKEN_PATH, exchange
from zendesk_chat_sandbox.search import search
from zendesk_chat_sandbox.switches import Switches
from zendesk_chat_sandbox.world import World

ROUTES: Final[dict[str, Handler]] = {
    **LIST_HANDLERS,
    **{f"incremental/{name}": export_page for name in EXPORTS},
    "chats": chats,
    "chats/search": search,
    "chats/*": chat,
    "visitors/*": visitor,
}
# Anyone with a token may see who they are; everything else is an administrator's.
_FOR_AGENTS: Final = frozenset({"agents/me", "routing_settings/agents/me"})
_NO_HELP_DESK: Final = {
    "title": "No help desk at sandbox.zendesk.com",
    "message": "There is no help desk configured at this address. This means that the address is available and that you can "
    "claim it at http://www.zendesk.com/signup",
}
# States of the account in which every path has the same response.
_ANSWERS_EVERYWHERE: Final = {
    "no_account": html_response(HTTPStatus.NOT_FOUND, "Not found", "There is no help desk at this address."),
    "wrong_subdomain": json_response({"error": _NO_HELP_DESK}, HTTPStatus.NOT_FOUND),
    "blocked": html_response(HTTPStatus.FORBIDDEN, "Access denied", "This page is blocked by your organisation."),
}
_SUPPORT_PROBES: Final = frozenset({"/api/v2/users/me.json", "/api/v2/users/me"})


def _patterns(parts: Sequence[str]) -> Sequence[str]:
    """Return the routes that could be meant, the most exact first."""
    return ("/".join(parts), "/".join((*parts[:-1], "*")))


def _resolve(parts: Sequence[str]) -> Handler:
    for pattern in _patterns(parts):
        if pattern in ROUTES:
            return ROUTES[pattern]
    raise not_found()


def _chat_api(world: World, request: Request) -> Response:
    bearer = bearer_of(request)
    token = world.tokens.valid(bearer, world.clock.time()) if bearer else None
    if bearer is None or token is None or token.kind != "chat":
        return unauthorized(world.switches)
    refused = world.rate_limit.refuse(world.clock.time(), world.switches)
    if refused is not None:
        return refused
    path = request.path[len(API) :].strip("/")
    status = world.switches.unavailable_status(path)
    if status is not None:
        return json_response({"error": HTTPStatus(status).phrase}, status)
    parts = [unquote(part) for part in path.split("/")]
    handler = _resolve(parts)
    if request.method not in {"GET", "HEAD"}:
        raise ApiError(HTTPStatus.METHOD_NOT_ALLOWED, "The sandbox is read with GET; change it under /_sandbox/")
    require_role(token, administrator=path not in _FOR_AGENTS)
    return handler(world, request, parts)


def _support_user(world: World, request: Request) -> Response:
    """Respond to the help desk's own probe, which takes Support tokens only."""
    bearer = bearer_of(request)
    if bearer is None:
        return json_response({"error": "Couldn't authenticate you"}, HTTPStatus.UNAUTHORIZED)
    token = world.tokens.valid(bearer, world.clock.time())
    if token is None or token.kind != "support":
        return unauthorized(Switches())
    user: dict[str, object] = {"id": 360_700_000_001, "name": "Ana Almeida", "role": "admin", "active": True}
    return json_response({"user": user})


def _area(path: str) -> Callable[[World, Request], Response] | None:
    if path == API or path.startswith(f"{API}/"):
        return _chat_api
    if path == TOKEN_PATH:
        return exchange
    if path == AUTHORIZE_PATH:
        return authorize
    return _support_user if path in _SUPPORT_PROBES else None


def answer(world: World, request: Request) -> Response:
    """Respond to a request as the API would."""
    everywhere = _ANSWERS_EVERYWHERE.get(world.switches.account_state)
    if everywhere is not None:
        return everywhere
    area = _area(request.path)
    if area is _chat_api and world.switches.account_state == "no_chat":
        return not_found().response
    if area is None:
        return not_found().response
    try:
        return area(world, request)
    except ApiError as error:
        return error.response
