"""Keeps web pages out: a page in the user's browser can send requests to this machine, but must not reach the sandbox.

A browser names the host of the page's address in ``Host`` (which reveals DNS rebinding), and the page that asks in
``Origin`` or ``Sec-Fetch-Site``. Programs send neither of the latter.
"""

from http import HTTPStatus
from typing import Final

from zendesk_chat_sandbox.http_messages import Request, Response, json_response

_LOOPBACK_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")
_DEFAULT_PORT: Final = 80
_OWN_SITES: Final = frozenset({"same-origin", "none"})


def refuse_web_page(request: Request, port: int) -> Response | None:
    """Respond with 403 if a request may come from a web page, whatever it asks for; None if not."""
    own = {f"{name}:{port}" for name in _LOOPBACK_NAMES}
    if port == _DEFAULT_PORT:
        own |= set(_LOOPBACK_NAMES)
    if not all(host.lower() in own for host in request.hosts):
        return _forbidden(
            f"The sandbox responds at 127.0.0.1:{port} and localhost:{port} only. The Host header names another address."
        )
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "none")
    if site not in _OWN_SITES or (origin is not None and origin not in {f"http://{host}" for host in own}):
        return _forbidden("The sandbox does not respond to web pages of another origin. Use a program such as curl.")
    return None


def _forbidden(reason: str) -> Response:
    return json_response({"error": reason}, HTTPStatus.FORBIDDEN)
