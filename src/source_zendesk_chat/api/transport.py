"""The HTTP seam: one GET or form POST to one origin, over TLS, with time-outs. The only module that knows urllib3."""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, IncompleteRead
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import unquote, urlencode, urlsplit

import certifi
import urllib3

from source_zendesk_chat.api.body import MAX_BODY_BYTES, NoAnswerError, unpacked
from source_zendesk_chat.config import LOOPBACK_HOSTS
from source_zendesk_chat.errors import ConfigError

if TYPE_CHECKING:
    from source_zendesk_chat.clock import Clock

CONNECT_TIMEOUT_SECONDS: Final = 15.0
BODY_DEADLINE_FACTOR: Final = 5  # a body may take this many time-outs in all, however steadily it drips
READ_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer.

    Attributes:
        status: Of HTTP.
        headers: By lower-case names.
        content: As it came, perhaps packed.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> bytes:
        """The content, unpacked each time that it is asked for. Raises NoAnswerError where that cannot be done."""
        return unpacked(self.content) if "gzip" in self.headers.get("content-encoding", "").lower() else self.content


class Transport(Protocol):
    """Sends one request and returns its whole answer, or raises NoAnswerError."""

    def get(self, url: str, params: Mapping[str, str | int], token: str) -> Response:
        """GET with a bearer token."""
        ...

    def post_form(self, url: str, form: Mapping[str, str]) -> Response:
        """POST a form."""
        ...


class HttpTransport:
    """Connections to one origin, kept open, shared by all threads.

    Redirects are never followed: the token stays with the account's own host. Certificates are always checked, against
    the bundle of certifi, the system's store and ``SSL_CERT_FILE``. ``HTTPS_PROXY`` and ``NO_PROXY`` are obeyed.
    """

    def __init__(self, origin: str, *, timeout: float, clock: Clock, user_agent: str, connections: int = 32) -> None:
        self._origin = origin
        self._clock = clock
        self._deadline = timeout * BODY_DEADLINE_FACTOR
        self._headers = {"User-Agent": user_agent, "Accept": "application/json"}
        options: dict[str, Any] = {
            "maxsize": connections,
            "retries": False,
            "timeout": urllib3.Timeout(connect=min(CONNECT_TIMEOUT_SECONDS, timeout), read=timeout),
        }
        if origin.startswith("https://"):
            options["ssl_context"] = _tls_context()
        proxy = proxy_for(origin)
        self._pool = _proxied(proxy, options) if proxy else urllib3.PoolManager(**options)

    def get(self, url: str, params: Mapping[str, str | int], token: str) -> Response:
        """GET with a bearer token."""
        query = f"?{urlencode(params)}" if params else ""
        return self._send("GET", url + query, None, {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"})

    def post_form(self, url: str, form: Mapping[str, str]) -> Response:
        """POST a form."""
        return self._send("POST", url, urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})

    def _send(self, method: str, url: str, body: str | None, headers: dict[str, str]) -> Response:
        if not url.startswith(self._origin + "/"):
            raise NoAnswerError("refused to send a request to another host than the account's own")
        response: urllib3.BaseHTTPResponse | None = None
        received: list[bytes] = []
        try:
            response = self._pool.urlopen(
                method, url, body=body, headers=self._headers | headers, preload_content=False, redirect=False
            )
            content = self._read(response, received)
        except (urllib3.exceptions.HTTPError, OSError, ValueError, NoAnswerError) as error:
            if response is not None:
                response.close()
            raise NoAnswerError(describe(error), received) from None
        response.release_conn()
        return Response(response.status, {name.lower(): value for name, value in response.headers.items()}, content)

    def _read(self, response: urllib3.BaseHTTPResponse, pieces: list[bytes]) -> bytes:
        """Read the body piece by piece, so that neither a drip nor a flood holds the process."""
        began = self._clock.monotonic()
        size = 0
        while piece := response.read1(READ_BYTES, decode_content=False):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_BODY_BYTES:
                raise NoAnswerError(f"the answer is larger than {MAX_BODY_BYTES >> 20} MB")
            if self._clock.monotonic() - began > self._deadline:
                raise TimeoutError
        return b"".join(pieces)


def proxy_for(origin: str) -> str | None:
    """The proxy that the environment names for an origin; none for this machine itself."""
    parts = urlsplit(origin)
    if parts.hostname in LOOPBACK_HOSTS or urllib.request.proxy_bypass(parts.netloc):
        return None
    proxy = urllib.request.getproxies().get(parts.scheme)
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"


def _proxied(proxy: str, options: Mapping[str, Any]) -> urllib3.ProxyManager:
    """Connections through a proxy, which is given the user and password of its address."""
    unusable = ConfigError("HTTPS_PROXY: give the address of an HTTP proxy, such as http://proxy.example.com:3128.")
    try:
        parts = urlsplit(proxy)
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
        headers = urllib3.make_headers(proxy_basic_auth=user) if user else None
        manager = urllib3.ProxyManager(proxy, proxy_headers=headers, **options)
    except (ValueError, urllib3.exceptions.HTTPError):
        raise unusable from None
    if not parts.hostname:
        raise unusable
    return manager


def describe(error: BaseException) -> str:
    """Name a network failure in words, without the URL that libraries put into theirs."""
    if isinstance(error, NoAnswerError):
        return str(error)
    while isinstance(error, urllib3.exceptions.ProtocolError) and error.args[1:]:
        error = error.args[1]
    causes = (
        (urllib3.exceptions.NameResolutionError, "there is no such host; check the subdomain"),
        (urllib3.exceptions.ProxyError, "the proxy refuses, or could not be reached"),
        (urllib3.exceptions.NewConnectionError, "the connection was refused"),  # is a ConnectTimeoutError too
        (urllib3.exceptions.ConnectTimeoutError, "connecting took too long"),
        (
            (urllib3.exceptions.SSLError, ssl.SSLError),
            "TLS failed; if your company's network has a certificate authority of its own, set SSL_CERT_FILE to it",
        ),
        ((urllib3.exceptions.ReadTimeoutError, TimeoutError), "no data came for too long"),
        (IncompleteRead, "the answer was cut short"),
        ((ConnectionError, urllib3.exceptions.ProtocolError), "the connection broke"),
        (HTTPException, "the answer is no valid HTTP"),
    )
    return next((words for kinds, words in causes if isinstance(error, kinds)), f"{type(error).__name__}")


def _tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
