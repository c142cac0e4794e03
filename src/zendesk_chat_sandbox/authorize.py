"""The authorize page: a person signs in and allows or denies a client, and the browser is redirected with the response."""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from zendesk_chat_sandbox.auth import Code, Role
from zendesk_chat_sandbox.http_messages import Request, Response, html_response
from zendesk_chat_sandbox.oauth import issue, lifetime
from zendesk_chat_sandbox.world import World

AUTHORIZE_PATH: Final = "/oauth2/chat/authorizations/new"
_CODE_SECONDS: Final = 600
_LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1"})
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # with no-referrer the form would come from the origin `null`
    "X-Frame-Options": "DENY",
    # No form-action: browsers would also apply it to the redirect after the form.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
}
_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in - Zendesk Chat sandbox</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: flex; align-items: center; justify-content: center;
  background: light-dark(#f3f4f6, #14161a); }
main { box-sizing: border-box; width: min(28rem, 100%% - 2rem); padding: 2rem; border-radius: 12px;
  background: light-dark(#fff, #1f2329); color: light-dark(#1f2329, #e6e8eb); border: 1px solid light-dark(#d8dce1, #363c45); }
h1 { font-size: 1.25rem; margin: 0 0 1rem; }
code { overflow-wrap: anywhere; }
label, select { display: block; width: 100%%; box-sizing: border-box; }
select { font: inherit; padding: .5rem; margin: .25rem 0 1.5rem; }
.buttons { display: flex; gap: .75rem; }
button { flex: 1; font: inherit; padding: .6rem; border-radius: 8px; cursor: pointer;
  border: 1px solid light-dark(#b8bfc8, #4b535f); background: none; color: inherit; }
button[value=allow] { background: #17655a; border-color: #17655a; color: #fff; }
</style>
</head>
<body>
<main>
<h1>Zendesk Chat sandbox</h1>
<p>The client <code>%(client_id)s</code> requests access to this simulated account with the scope <code>%(scope)s</code>.</p>
<form method="post" action="%(action)s">
%(hidden)s
<label>Sign in as <select name="role">%(roles)s</select></label>
<div class="buttons">
<button name="decision" value="deny">Deny</button>
<button name="decision" value="allow">Allow</button>
</div>
</form>
</main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The request of a client, and where its response goes."""

    client_id: str
    redirect_uri: str
    response_type: str
    scope: str
    state: str

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Self:
        return cls(*(fields.get(name, "") for name in ("client_id", "redirect_uri", "response_type", "scope", "state")))


def authorize(world: World, request: Request) -> Response:
    """Show the page, or process its form. If the client cannot be trusted, the browser is not redirected."""
    posted = request.method == "POST"
    fields = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)) if posted else request.query
    asked = _Asked.of(fields)
    if asked.client_id not in world.tokens.clients:
        return _refused("There is no API client with this client ID.")
    if not _is_registered(world, asked):
        return _refused("The redirect URL is not the one that is registered for this API client.")
    if asked.response_type not in {"code", "token"}:
        return _send_back(asked, {"error": "unsupported_response_type"})
    if "read" not in asked.scope.split():
        return _send_back(asked, {"error": "invalid_scope"})
    decision = fields.get("decision", "") if posted else world.switches.authorize
    role: Role = "agent" if (fields.get("role") or world.switches.authorize_role) == "agent" else "administrator"
    if decision == "allow":
        return _send_back(asked, _granted(world, asked, role))
    return _send_back(asked, {"error": "access_denied"}) if decision == "deny" else _page(asked, world.switches.authorize_role)


def _granted(world: World, asked: _Asked, role: Role) -> dict[str, str]:
    with world.tokens.lock:
        if asked.response_type == "token":
            token = issue(world, asked.scope, role)
            return {"access_token": token, "token_type": "Bearer", "scope": asked.scope, **lifetime(world)}
        world.tokens.minted += 1
        code = f"sandbox-code-{world.tokens.minted}"
        expires_at = world.clock.time() + _CODE_SECONDS
        world.tokens.codes[code] = Code(asked.scope, role, asked.client_id, asked.redirect_uri, expires_at)
        return {"code": code}


def _is_registered(world: World, asked: _Asked) -> bool:
    registered = world.tokens.redirect_urls.get(asked.client_id)
    if registered is not None:
        return asked.redirect_uri in registered
    try:
        parts = urlsplit(asked.redirect_uri)
    except ValueError:
        return False
    return parts.scheme == "http" and parts.hostname in _LOOPBACK_HOSTS and not parts.query and not parts.fragment


def _send_back(asked: _Asked, answer: Mapping[str, str]) -> Response:
    """Redirect the browser: a code in the query, a token in the fragment."""
    sign = "#" if asked.response_type == "token" else "?"
    fields = {**answer, "state": asked.state} if asked.state else answer
    return Response(HTTPStatus.FOUND, b"", headers={**_HEADERS, "Location": f"{asked.redirect_uri}{sign}{urlencode(fields)}"})


def _refused(reason: str) -> Response:
    return html_response(HTTPStatus.BAD_REQUEST, "Invalid request", reason)


def _page(asked: _Asked, role: Role) -> Response:
    names = ("client_id", "redirect_uri", "response_type", "scope", "state")
    values = {name: html.escape(getattr(asked, name)) for name in names}
    hidden = "\n".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in values.items())
    options = {"administrator": "an administrator", "agent": "an agent without administrator rights"}
    roles = "".join(
        f'<option value="{name}"{" selected" if name == role else ""}>{text}</option>' for name, text in options.items()
    )
    page = _PAGE % {**values, "hidden": hidden, "roles": roles, "action": AUTHORIZE_PATH}
    return Response(HTTPStatus.OK, page.encode(), content_type="text/html; charset=utf-8", headers=_HEADERS)
