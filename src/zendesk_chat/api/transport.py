"""The HTTP seam: one GET or form POST to one origin, over TLS, with timeouts."""

from __future__ import annotations

import io
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlencode, urlsplit

import certifi
import urllib3

from zendesk_chat.api.body import MAX_BODY_BYTES, NoAnswerError, TooLargeError, beginning, decompress
from zendesk_chat.api.connection import Connection, TlsConnection
from zendesk_chat.api.failures import Host, Route
from zendesk_chat.api.proxies import PORTS, proxy_for
from zendesk_chat.clock import Clock
from zendesk_chat.errors import ConfigError
from zendesk_chat.printable import printable

CONNECT_TIMEOUT_SECONDS: Final = 15.0
ANSWER_TIMEOUTS: Final = 5  # a response may take this many timeouts in total, even if bytes keep trickling in,
ANSWER_SECONDS: Final = 120.0  # but no longer than this, unless the timeout itself is longer
READ_BYTES: Final = 64 * 1024
BEGINNING_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Response:
    """A complete response.

    Attributes:
        headers: By lower-case name.
        content: As received, possibly compressed.
        seconds: From sending the request to having the complete response.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    connection: Connection | None = field(default=None, repr=False, compare=False)
    seconds: float = 0.0

    @property
    def body(self) -> bytes:
        """The content, decompressed at each access. Raises NoAnswerError if it is damaged."""
        return self.body_within(None)

    @property
    def size(self) -> int:
        """The size of the body in bytes, as the content states it. It may be too small, so decompress with ``body_within``."""
        stated = int.from_bytes(self.content[-4:], "little") if self._compressed else 0
        return max(len(self.content), stated)

    def body_within(self, most: int | None) -> bytes:
        """Return the body. Raises TooLargeError if it has more than this many bytes decompressed."""
        if not self._compressed:
            return self.content
        try:
            return decompress(self.content, most)
        except TooLargeError:
            raise
        except NoAnswerError:
            self.discard_connection()
            raise

    @property
    def beginning(self) -> bytes:
        """The first bytes of the body, enough to see what it is; none if it is damaged."""
        return beginning(self.content, BEGINNING_BYTES) if self._compressed else self.content[:BEGINNING_BYTES]

    @property
    def _compressed(self) -> bool:
        return "gzip" in self.headers.get("content-encoding", "").lower()

    def discard_connection(self) -> None:
        """Let no other request use its connection. Call it for a response that does not match the request."""
        if self.connection:
            self.connection.spoiled = True


class Transport(Protocol):
    """Sends one request and returns its complete response, or raises NoAnswerError."""

    def get(self, url: str, params: Mapping[str, str | int], token: str) -> Response:
        """GET with a bearer token."""

    def post_form(self, url: str, form: Mapping[str, str]) -> Response:
        """POST a form."""


def answer_seconds(timeout: float) -> float:
    """Return how long a response may take in total if the server may be silent for ``timeout`` seconds."""
    return max(timeout, min(timeout * ANSWER_TIMEOUTS, ANSWER_SECONDS))


class HttpTransport:
    """Connections to one origin, kept open and shared by all threads.

    It never follows redirects, so that the token is sent to the account's own host only. It always verifies certificates,
    against certifi's bundle, the system's store and ``SSL_CERT_FILE``. It respects ``HTTPS_PROXY`` and ``NO_PROXY``.
    """

    def __init__(self, origin: str, *, timeout: float, clock: Clock, user_agent: str, connections: int = 32) -> None:
        self._origin = origin
        self._headers = {"User-Agent": user_agent, "Accept": "application/json"}
        self._reached = False
        context = tls_context() if origin.startswith("https://") else None
        options: dict[str, Any] = {
            "maxsize": connections,
            "retries": False,
            "timeout": urllib3.Timeout(connect=min(CONNECT_TIMEOUT_SECONDS, timeout), read=timeout),
            **({"ssl_context": context} if context else {}),
        }
        proxy = proxy_for(origin)
        manager = _proxied(proxy, context, options) if proxy else urllib3.PoolManager(**options)
        self._route = Route(
            Host(_address(origin), "Check the subdomain and your network."),
            Host(f"the proxy {_address(proxy)}", "Check HTTPS_PROXY.") if proxy else None,
        )
        self._pool = manager.connection_from_url(origin)
        kind = TlsConnection if context else Connection
        self._pool.ConnectionCls = partial(kind, clock=clock, answer_seconds=answer_seconds(timeout))  # type: ignore[assignment]  # no class

    def get(self, url: str, params: Mapping[str, str | int], token: str) -> Response:
        """GET with a bearer token."""
        query = f"?{urlencode(params)}" if params else ""
        return self._send("GET", url + query, None, {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"})

    def post_form(self, url: str, form: Mapping[str, str]) -> Response:
        """POST a form."""
        return self._send("POST", url, urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})

    def _send(self, method: str, url: str, body: str | None, headers: dict[str, str]) -> Response:
        if not url.startswith(self._origin + "/"):
            raise NoAnswerError("refused to send a request to a host other than the account's own")
        response: urllib3.BaseHTTPResponse | None = None
        received = io.BytesIO()  # its bytes can be taken without a copy
        try:
            response = self._pool.urlopen(
                method,
                url.removeprefix(self._origin),
                body=body,
                headers=self._headers | headers,
                preload_content=False,
                redirect=False,
            )
            connection = response.connection  # before the end of the body, when the response gives it up
            while piece := response.read1(READ_BYTES, decode_content=False):
                received.write(piece)
                if received.tell() > MAX_BODY_BYTES:
                    raise TooLargeError
        except (urllib3.exceptions.HTTPError, OSError, ValueError, NoAnswerError) as error:
            if response is not None:
                response.close()
            failure = self._route.failure(error)
            if self._reached:  # it worked before, so no cause is known to last
                failure = failure.passing()
            failure.received = received.getvalue()
            raise failure from None
        response.release_conn()
        self._reached = True
        names = {name.lower(): printable(value) for name, value in response.headers.items()}
        on = connection if isinstance(connection, Connection) else None
        return Response(response.status, names, received.getvalue(), on)


def _proxied(proxy: str, context: ssl.SSLContext | None, options: Mapping[str, Any]) -> urllib3.ProxyManager:
    """Return connections through a proxy, with the user and password in its address."""
    unusable = ConfigError("HTTPS_PROXY: must be the address of an HTTP proxy, such as http://proxy.example.com:3128.")
    try:
        parts = urlsplit(proxy)
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
        headers = urllib3.make_headers(proxy_basic_auth=user) if user else None
        manager = urllib3.ProxyManager(proxy, proxy_headers=headers, proxy_ssl_context=context, **options)
    except (ValueError, urllib3.exceptions.HTTPError):
        raise unusable from None
    if not parts.hostname:
        raise unusable
    return manager


def _address(url: str) -> str:
    """Return the host of a URL, with its port unless that is the default."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else str(parts.hostname)
    return host if parts.port in {None, PORTS.get(parts.scheme)} else f"{host}:{parts.port}"


def tls_context() -> ssl.SSLContext:
    """Return a TLS context that verifies certificates, but no more strictly than curl does.

    Since 3.13, Python rejects certificates that lack what RFC 5280 requires, such as an Authority Key Identifier. Many
    companies that inspect TLS in their network use such certificates.
    """
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
