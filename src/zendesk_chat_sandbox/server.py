"""The HTTP server: one thread per connection, on the loopback interface only."""

import socket
import socketserver
import struct
import sys
import threading
from dataclasses import replace
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from zendesk_chat_sandbox.admin import PREFIX, administer
from zendesk_chat_sandbox.faults import REPLACING, Fault, cut_at, replacement
from zendesk_chat_sandbox.http_messages import Request, Response
from zendesk_chat_sandbox.routes import answer
from zendesk_chat_sandbox.tampering import TAMPERING, tampered
from zendesk_chat_sandbox.web_pages import refuse_web_page
from zendesk_chat_sandbox.wire import Compressor, compressed, dated, in_members, prettier, send, send_broken, send_interim
from zendesk_chat_sandbox.world import LoggedRequest, World

LOOPBACK: Final = "127.0.0.1"
_POLL_SECONDS: Final = 0.005
_BREAKING: Final = frozenset({"reset", "reset_body", "hang", "hang_body", "truncated", "drip", "drip_head"})
_LINGER: Final = struct.Struct("ii")


class _Handler(BaseHTTPRequestHandler):
    """Serves the requests of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "SandboxServer"

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Write times of the sandbox's clock, also in the responses of the base class."""
        return formatdate(self.server.world.clock.time() if timestamp is None else timestamp, usegmt=True)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class names it
        """Keep quiet; the sandbox has its own log."""

    def _serve(self) -> None:
        request = self._read()
        world = self.server.world
        refused = refuse_web_page(request, self.server.server_address[1])
        if refused is not None:
            self._respond(request, refused, None, None)
            return
        if request.path.startswith(PREFIX):
            self._respond(request, administer(world, request), None, None)
            return
        fault = world.faults.pick(request)
        if fault is not None and fault.kind in REPLACING:
            response = replacement(fault, world.clock.time())
        else:
            response = answer(world, request)
        broken = fault if fault is not None and fault.kind in _BREAKING else None
        logged = LoggedRequest(
            request.method, request.path, dict(request.query), 0 if broken else response.status, world.clock.time()
        )
        world.requests.append(logged)
        self._respond(request, response, fault, broken)

    def _respond(self, request: Request, response: Response, fault: Fault | None, broken: Fault | None) -> None:
        response = dated(self._prepared(request, response, fault), self.date_time_string())
        if broken is not None:
            self.close_connection = True
            send_broken(self.connection, response, broken, self.server.stopping)
            return
        if fault is not None and fault.kind == "latency":
            self.server.stopping.wait(fault.seconds or 0)
        if fault is not None and fault.kind == "interim":
            send_interim(self.connection, fault, self.server.stopping)
        send(self.connection, request, response, close=self.close_connection)

    def _prepared(self, request: Request, response: Response, fault: Fault | None) -> Response:
        switches = self.server.world.switches
        kind = None if fault is None else fault.kind
        if fault is not None and fault.kind in TAMPERING and response.status == HTTPStatus.OK:
            response = tampered(fault, response)
        if switches.pretty_json and kind not in REPLACING:
            response = prettier(response)
        if fault is not None and kind == "truncated_json":
            response = replace(response, body=response.body[: cut_at(fault, response.body)])
        if fault is not None and kind == "gzip_members":
            return in_members(response, self.server.compressor, cut_at(fault, response.body))
        if switches.gzip or kind == "truncated_gzip":
            response = compressed(response, request, self.server.compressor, force=kind == "truncated_gzip")
        if fault is not None and kind == "truncated_gzip":
            response = replace(response, body=response.body[: cut_at(fault, response.body)])
        return response

    def _read(self) -> Request:
        target = urlsplit(self.path)
        return Request(
            method=self.command,
            path=target.path,
            query=dict(parse_qsl(target.query, keep_blank_values=True)),
            query_string=target.query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            hosts=(self.headers.get("Host", ""), *([target.netloc] if target.netloc else [])),
        )

    # The names that the base class looks for.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 -- http.server's names


class SandboxServer(ThreadingHTTPServer):
    """Serves one world; knows its open connections, so that it can end them all at once."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, world: World, port: int) -> None:
        self.world = world
        self.stopping = threading.Event()
        self.compressor = Compressor()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((LOOPBACK, port), _Handler)

    def server_bind(self) -> None:
        """Bind without looking up the name of the host, which can take seconds."""
        socketserver.TCPServer.server_bind(self)

    def run(self) -> None:
        """Serve until `stop`."""
        self.serve_forever(_POLL_SECONDS)

    def stop(self) -> None:
        """End all connections and threads."""
        self.stopping.set()
        self.shutdown()
        with self._lock:
            for connection in self._open:
                _hang_up(connection)
        self.server_close()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Remember a connection and serve it in its own thread."""
        if isinstance(request, socket.socket):
            with self._lock:
                self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Close a connection, properly unless a fault wants it reset."""
        if not isinstance(request, socket.socket):
            return
        with self._lock:
            self._open.discard(request)
        lingering, _ = _LINGER.unpack(request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER.size))
        if lingering:
            request.close()
        else:
            super().shutdown_request(request)

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Report what is not just a client that has gone away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
