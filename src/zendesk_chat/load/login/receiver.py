"""A small HTTP server on this machine's loopback addresses, to which Zendesk sends the browser after a sign-in.

Any web page can make the browser send a request here. So the server accepts only one response, with the right state, and
rejects requests for hosts other than ``localhost``. It keeps no log: the first line of a request contains the code.
"""

from __future__ import annotations

import errno
import queue
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from zendesk_chat.clock import POLL_SECONDS, Clock
from zendesk_chat.errors import ConfigError, TransientError
from zendesk_chat.load.login.pages import hand_over_page, result_page, security_headers
from zendesk_chat.load.login.sign_in import ANSWER_FIELDS, Answer, SignIn, UnusableAnswerError, redirect_url
from zendesk_chat.load.login.terminal import Terminal

WAIT_SECONDS: Final = 300
IDLE_SECONDS: Final = 10  # browsers open connections that they do not use
CLOSE_SECONDS: Final = 3.0  # for the browser to load the last page
LONGEST_FORM: Final = 64 * 1024
MOST_FIELDS: Final = 50
WAITING: Final = "Open the address that zendesk-chat login printed in the terminal."


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a sign-in ended, for the page in the browser."""

    title: str
    text: str
    good: bool = False


class Server(ThreadingHTTPServer):
    """Listens on one address, and handles requests for a receiver once it serves."""

    daemon_threads = True
    allow_reuse_address = sys.platform != "win32"  # there it would let two programs listen on one port
    receiver: Receiver

    def __init__(self, family: socket.AddressFamily, address: str, port: int) -> None:
        self.address_family = family
        super().__init__((address, port), _Handler)

    def server_bind(self) -> None:
        """Bind to this address only, without asking for the name of the host."""
        if sys.platform == "win32":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: a browser that closes its connection is no error, and a traceback may contain the code."""


@contextmanager
def listening(port: int) -> Iterator[list[Server]]:
    """Open a port of 127.0.0.1, and of ::1 if there is one, because browsers may try it first for ``localhost``.

    Port 0 is any free one. Raises ConfigError if the port cannot be opened.
    """
    with ExitStack() as stack:
        try:
            servers = [Server(socket.AF_INET, "127.0.0.1", port)]
            stack.callback(servers[0].server_close)
            try:
                servers.append(Server(socket.AF_INET6, "::1", servers[0].server_address[1]))
                stack.callback(servers[1].server_close)
            except OSError as error:
                if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                    raise  # another program would get the response
        except OSError as error:
            raise ConfigError(_why_closed(port, error)) from None
        yield servers


class Receiver:
    """Takes the response to one sign-in, and shows its outcome in the browser."""

    def __init__(self, sign_in: SignIn, clock: Clock, terminal: Terminal) -> None:
        self.sign_in = sign_in
        self._clock = clock
        self._terminal = terminal
        self._answers = queue.SimpleQueue[Answer | str]()  # a string is a remark for the terminal
        self._taken = threading.Lock()
        self._ended = threading.Event()
        self._shown = threading.Event()
        self._outcome = Outcome("The sign-in was stopped", "Run zendesk-chat login again.")

    @contextmanager
    def serving(self, servers: Sequence[Server]) -> Iterator[None]:
        """Handle requests until the block ends. Then the browser gets the outcome."""
        for server in servers:
            server.receiver = self
            threading.Thread(target=server.serve_forever, args=(POLL_SECONDS / 4,), daemon=True).start()
        try:
            yield
        finally:
            self._ended.set()
            if self._taken.locked():
                self._shown.wait(CLOSE_SECONDS)
            for server in servers:
                server.shutdown()

    def wait(self) -> Answer:
        """Wait for the response. Raises TransientError if it does not arrive in time."""
        deadline = self._clock.monotonic() + WAIT_SECONDS
        remarks: set[str] = set()
        while True:
            try:
                found = self._answers.get_nowait()
            except queue.Empty:
                if self._clock.monotonic() >= deadline:
                    raise TransientError(_no_answer(self.sign_in)) from None
                self._clock.sleep(POLL_SECONDS)
                continue
            if isinstance(found, Answer):
                return found
            if found not in remarks:
                remarks.add(found)
                self._terminal.say(found)

    def remark(self, text: str) -> None:
        """Let the terminal show a remark, once, while it waits."""
        self._answers.put(text)

    def end(self, outcome: Outcome) -> None:
        """Set the outcome that the browser shows."""
        self._outcome = outcome

    def outcome_of(self, fields: Mapping[str, str]) -> tuple[HTTPStatus, Outcome]:
        """Take a response from the browser, in a thread of the server, and wait for the outcome."""
        try:
            answer = self.sign_in.answer_in(fields)
        except UnusableAnswerError as error:
            self.remark(str(error))
            return HTTPStatus.BAD_REQUEST, Outcome("This response cannot be used", str(error))
        if not self._taken.acquire(blocking=False):
            return HTTPStatus.CONFLICT, Outcome("This sign-in has already received a response", "You can close this tab.")
        self._answers.put(answer)
        self._ended.wait()
        return HTTPStatus.OK, self._outcome

    def shown(self) -> None:
        """Note that the browser has received a page."""
        if self._ended.is_set():
            self._shown.set()


class _Handler(BaseHTTPRequestHandler):
    """Handles one request of the browser."""

    timeout = IDLE_SECONDS
    server: Server

    def do_GET(self) -> None:
        """Take a response from the query, or show the page that sends the one in the fragment."""
        parts = self._target()
        if parts is None:
            return
        fields = _fields(parts)
        if not ANSWER_FIELDS.isdisjoint(fields):
            self._show(*self.server.receiver.outcome_of(fields))
        elif self.server.receiver.sign_in.implicit:
            self._send(HTTPStatus.OK, hand_over_page())
        else:
            self._show(HTTPStatus.OK, Outcome("Waiting for a sign-in", WAITING, good=True))

    def do_POST(self) -> None:
        """Take a response that was in the fragment, only from the page of this server."""
        if self._target() is None:
            return
        length = self.headers.get("Content-Length", "")
        own = self.headers.get("Origin") == f"http://{self.headers.get('Host', '').lower()}"
        if not (own and self.server.receiver.sign_in.implicit and length.isdecimal() and int(length) <= LONGEST_FORM):
            self._show(HTTPStatus.FORBIDDEN, Outcome("This request is not allowed", WAITING))
            return
        fields = _fields(self.rfile.read(int(length)).decode("utf-8", "replace"))
        status, outcome = self.server.receiver.outcome_of(fields)
        content = {"title": outcome.title, "text": outcome.text, "good": outcome.good}
        self._send(status, msgspec.json.encode(content).decode(), "application/json")

    def version_string(self) -> str:
        """Return a name without versions."""
        return "zendesk-chat"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name that the base class has
        """Log nothing: the line would contain the code."""

    def do_HEAD(self) -> None:
        """Reject it: a HEAD request could carry the response, which is accepted only once."""
        self.send_error(HTTPStatus.METHOD_NOT_ALLOWED)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002  the base class has it
        """Respond to a malformed request without repeating it."""
        self.close_connection = True
        self.request_version = self.protocol_version  # otherwise a malformed one would get a page without headers
        status = HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else HTTPStatus(code)
        self._show(status, Outcome("Invalid request", WAITING))

    def _target(self) -> str | None:
        """Return the query of a request for the redirect URL. Reject all others."""
        port = self.server.server_address[1]
        if self.headers.get("Host", "").lower() not in {f"{name}:{port}" for name in ("localhost", "127.0.0.1", "[::1]")}:
            self._show(HTTPStatus.FORBIDDEN, Outcome("This request is not allowed", WAITING))
            return None
        try:
            parts = urlsplit(self.path)
        except ValueError:  # as for http://[
            self.send_error(HTTPStatus.BAD_REQUEST)
            return None
        if parts.path not in {"", "/"}:
            self._show(HTTPStatus.NOT_FOUND, Outcome("Nothing here", WAITING))
            return None
        return parts.query

    def _show(self, status: HTTPStatus, outcome: Outcome) -> None:
        self._send(status, result_page(outcome.title, outcome.text, good=outcome.good))

    def _send(self, status: HTTPStatus, text: str, kind: str = "text/html") -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in security_headers().items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, POST")
        self.end_headers()
        try:
            self.wfile.write(b"" if self.command == "HEAD" else body)
        finally:
            self.server.receiver.shown()


def _fields(query: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:  # too many
        return {}


def _why_closed(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is already in use, so the browser could not return here. Stop the other program, or choose another "
            "port with --port and register its redirect URL for your API client."
        )
    return f"Port {port} cannot be opened: {error.strerror}. Choose another with --port."


def _no_answer(sign_in: SignIn) -> str:
    return (
        f"The browser did not return within {WAIT_SECONDS // 60} minutes. If the page at Zendesk showed an error, check "
        f"that the client ID is right and that its redirect URL is exactly {redirect_url(sign_in.port)}. If the browser runs "
        "on another machine, add --no-browser."
    )
