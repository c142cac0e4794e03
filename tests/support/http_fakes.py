"""APIs that give the answers of a test: a transport without a network, and a server that sends exactly these bytes."""

import contextlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from zendesk_chat.api.body import NoAnswerError
from zendesk_chat.api.client import Client, Observer
from zendesk_chat.api.rate_limit import RateLimiter
from zendesk_chat.api.transport import Response
from zendesk_chat.clock import Clock
from zendesk_chat.request import MAX_ATTEMPTS, Request

TOKEN = "marked-token-7f3a"
Answer = Response | NoAnswerError


class Wait(NamedTuple):
    seconds: float
    reason: str


def ok(body: bytes = b"[]", **headers: str) -> Response:
    return Response(200, headers, body)


def status(number: int, body: bytes = b"{}", **headers: str) -> Response:
    return Response(number, {name.replace("_", "-"): value for name, value in headers.items()}, body)


class FakeApi:
    """A transport that gives one answer after the other, the last one for ever."""

    def __init__(self, answers: Iterable[Answer], grants: Iterable[Answer] = ()) -> None:
        self.answers = list(answers)
        self.grants = list(grants)
        self.tokens: list[str] = []
        self.urls: list[str] = []
        self.forms: list[Mapping[str, str]] = []
        self._lock = threading.Lock()

    def get(self, url: str, params: Mapping[str, str | int], token: str) -> Response:
        with self._lock:
            self.urls.append(url)
            self.tokens.append(token)
            return _next(self.answers)

    def post_form(self, url: str, form: Mapping[str, str]) -> Response:
        with self._lock:
            self.urls.append(url)
            self.forms.append(dict(form))
            return _next(self.grants)


def _next(answers: list[Answer]) -> Response:
    answer = answers.pop(0) if len(answers) > 1 else answers[0]
    if isinstance(answer, NoAnswerError):
        raise answer
    return answer


@dataclass
class Asker(Observer):
    """Asks a client and remembers what was reported to it."""

    client: Client
    waits: list[Wait] = field(default_factory=list)
    requests: int = 0

    def get(self, decode: Callable[[bytes], object] = bytes, *, attempts: int = MAX_ATTEMPTS) -> object:
        return self.client.get(Request("chats", decode, attempts=attempts), self)

    def sent(self) -> None:
        self.requests += 1

    def waited(self, seconds: float, reason: str = "") -> None:
        self.waits.append(Wait(seconds, reason))

    @property
    def retries(self) -> Sequence[float]:
        return [wait.seconds for wait in self.waits if wait.reason]


def unlimited(clock: Clock) -> RateLimiter:
    return RateLimiter(10_000, clock)


# On a socket.

CERTS = Path(__file__).parent / "certs"
CA = str(CERTS / "ca.pem")
OLD_CA = str(CERTS / "old_ca.pem")  # without key usage and key identifiers, as Python 3.13 wants them; signed the two others
Script = Callable[[socket.socket, int], object]
"""Deals with one request on a connection; given the number of the request, from 1."""


def answer(body: bytes = b"[]", status: str = "200 OK", *, length: int | None = None, headers: bytes = b"") -> bytes:
    size = len(body) if length is None else length
    return b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s" % (
        status.encode(),
        size,
        headers,
        body,
    )


def reset(connection: socket.socket) -> None:
    """Close with RST rather than FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class WireServer:
    """Serves ``script`` on loopback, one thread per connection; a connection is kept until the script closes it."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self.heads: list[bytes] = []
        self.connections = 0
        self.stopped = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def origin(self) -> str:
        return f"{'https' if self._tls else 'http'}://localhost:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        self._open.append(connection)
        with contextlib.suppress(OSError, ssl.SSLError), connection:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            with connection:
                while head := self._head(connection):
                    with self._lock:
                        self.heads.append(head)
                        number = len(self.heads)
                    self._script(connection, number)

    @staticmethod
    def _head(connection: socket.socket) -> bytes:
        data = b""
        while not _is_complete(data):
            piece = connection.recv(65536)
            if not piece:
                return b""
            data += piece
        return data

    def close(self) -> None:
        self.stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in self._threads:
            thread.join(5)


def _is_complete(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


@contextlib.contextmanager
def serving(script: Script | bytes, tls: ssl.SSLContext | None = None) -> Iterator[WireServer]:
    """A server that answers each request with the same bytes, or as a script does."""
    server = WireServer(script if callable(script) else lambda connection, _: connection.sendall(script), tls)
    try:
        yield server
    finally:
        server.close()


def server_tls(certificate: str = "server.pem") -> ssl.SSLContext:
    """The TLS of a server whose certificate is signed by the CA of the tests, for localhost and acme.zendesk.com."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTS / certificate)
    return context
