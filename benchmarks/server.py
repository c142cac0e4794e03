"""The server that every program reads: the sandbox with a large and quick `incremental/chats`, over TLS with a certificate.

Run as a process of its own, it prints its URL and serves until its standard input ends. `POST /_bench/history` and
`POST /_bench/reset` change it, `GET /_bench/counters` reports what it saw since the last reset.
"""

from __future__ import annotations

import argparse
import gzip
import json
import socket
import ssl
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from benchmarks.export import ChatExport
from benchmarks.history import History
from zendesk_chat_sandbox.auth import DEFAULT_TOKEN, bearer_of, unauthorized
from zendesk_chat_sandbox.http_messages import API, ApiError, Request, Response, json_response
from zendesk_chat_sandbox.routes import answer
from zendesk_chat_sandbox.sandbox import Sandbox
from zendesk_chat_sandbox.wire import send

EXPORT: Final = f"{API}/incremental/chats"
CONTROL: Final = "/_bench/"
AGE_SECONDS: Final = 3600  # of the youngest chat
OTHER_RECORDS_OF: Final = 2000  # chats; as many events, spans and conversions as the sandbox makes for them


class BenchServer(ThreadingHTTPServer):
    """Serves one account on the loopback interface."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int = 0, certificate: Path | None = None) -> None:
        self.export = ChatExport(History(0, int(time.time()) - AGE_SECONDS))
        self.world = Sandbox(chats=OTHER_RECORDS_OF).world
        self._tls = None
        if certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self._lock = threading.Lock()
        self.reset({})
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"{'https' if self._tls else 'http'}://localhost:{self.server_address[1]}"

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; its own thread shakes hands, when it reads."""
        connection, address = super().get_request()
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """Report what is not just a client that has gone away."""
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # what the base class itself gave

    def control(self, call: str, options: dict[str, Any]) -> dict[str, Any]:
        """Answer a call of the runner."""
        if call == "history":
            self.export = ChatExport(History(options["chats"], int(time.time()) - AGE_SECONDS))
            self.export.warm()
            return {"begins": self.export.history.begins}
        if call == "reset":
            self.reset(options)
        return self.counters()

    def reset(self, options: dict[str, Any]) -> None:
        """Begin to count anew, with ``latency_seconds`` before each answer and at most ``requests_per_minute`` (0: any)."""
        with self._lock:
            self.latency_seconds = options.get("latency_seconds", 0)
            self.world.switches = self.world.switches.changed({"rate_limit": options.get("requests_per_minute", 200)})
            self.world.rate_limit.clear()
            self._requests = self._refused = 0
            self._cpu_from = time.process_time()

    def counters(self) -> dict[str, Any]:
        """What happened since the last reset."""
        with self._lock:
            cpu_seconds = time.process_time() - self._cpu_from
            return {"requests": self._requests, "refused": self._refused, "cpu_seconds": cpu_seconds}

    def respond(self, request: Request) -> Response:
        """Answer a request of a program."""
        if self.latency_seconds:
            time.sleep(self.latency_seconds)
        response = self._export(request) if request.path == EXPORT else answer(self.world, request)
        with self._lock:
            self._requests += 1
            self._refused += response.status == HTTPStatus.TOO_MANY_REQUESTS
        return response

    def _export(self, request: Request) -> Response:
        token = bearer_of(request)
        if token != DEFAULT_TOKEN:
            return unauthorized(self.world.switches)
        refused = self.world.rate_limit.refuse(time.time(), self.world.switches)
        if refused:
            return refused
        try:
            compressed = self.export.page(request.query, self.url + request.path)
        except ApiError as error:
            return error.response
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(HTTPStatus.OK, gzip.decompress(compressed))
        return Response(HTTPStatus.OK, compressed, headers={"Content-Encoding": "gzip"})


class _Handler(BaseHTTPRequestHandler):
    """Serves the requests of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: BenchServer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
        """Keep quiet."""

    def _serve(self) -> None:
        target = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        query = dict(parse_qsl(target.query, keep_blank_values=True))
        request = Request(self.command, target.path, query, target.query, headers, body, (urlsplit(self.server.url).netloc,))
        if target.path.startswith(CONTROL):
            call = target.path.removeprefix(CONTROL)
            response = json_response(self.server.control(call, json.loads(body or b"{}")))
        else:
            response = self.server.respond(request)
        send(self.connection, request, response, close=self.close_connection)

    do_GET = do_POST = _serve  # noqa: N815  the base class looks for these names


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificate", type=Path, required=True, help="a PEM file with a certificate and its key")
    server = BenchServer(certificate=parser.parse_args().certificate)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
