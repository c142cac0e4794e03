"""Bytes on the wire: responses written in one piece, and the faults that need the connection itself."""

import json
import socket
import struct
import threading
import zlib
from collections import OrderedDict
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from zendesk_chat_sandbox.faults import Fault, cut_at
from zendesk_chat_sandbox.http_messages import Request, Response

_GZIP_LEVEL: Final = 1
_GZIP_LEAST: Final = 860
_GZIP_WINDOW: Final = 31  # zlib's number for a gzip header
_REMEMBERED: Final = 256
_DRIP_PIECE: Final = 64
_DRIP_SECONDS: Final = 0.01
_BODILESS: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_LINGER_NONE: Final = struct.pack("ii", 1, 0)


class Compressor:
    """Compresses bodies and remembers the latest, as pages are asked for again and again."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def compress(self, body: bytes) -> bytes:
        """Return a body as gzip."""
        key = (len(body), hash(body))
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
        compressed = compressor.compress(body) + compressor.flush()
        with self._lock:
            self._known[key] = compressed
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return compressed


def prettier(response: Response) -> Response:
    """Indent a JSON body, which must not matter to a client."""
    if not response.body or response.content_type != "application/json":
        return response
    return replace(response, body=json.dumps(json.loads(response.body), indent=2).encode())


def compressed(response: Response, request: Request, compressor: Compressor, *, force: bool = False) -> Response:
    """Compress a body if the client takes gzip and it is worth it, or in any case."""
    wanted = "gzip" in request.headers.get("accept-encoding", "") and len(response.body) >= _GZIP_LEAST
    if not (wanted or force):
        return response
    headers = {**response.headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return replace(response, body=compressor.compress(response.body), headers=headers)


def in_members(response: Response, compressor: Compressor, size: int) -> Response:
    """Compress a body as one gzip file of several members, each of ``size`` bytes of it."""
    step = max(1, size)
    pieces = [response.body[begin : begin + step] for begin in range(0, len(response.body), step)]
    headers = {**response.headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return replace(response, body=b"".join(map(compressor.compress, pieces)), headers=headers)


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"


def head_of(response: Response, *, close: bool, length: int | None = None) -> bytes:
    """Write the status line and the headers."""
    lines = [f"HTTP/1.1 {response.status} {_phrase(response.status)}", "Server: zendesk-chat-sandbox"]
    if response.status not in _BODILESS:
        lines.append(f"Content-Type: {response.content_type}")
        lines.append(f"Content-Length: {len(response.body) if length is None else length}")
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    if close:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def dated(response: Response, date: str) -> Response:
    """Add the header ``Date``, unless the response has one."""
    if any(name.lower() == "date" for name in response.headers):
        return response
    return replace(response, headers={"Date": date, **response.headers})


def reset(connection: socket.socket) -> None:
    """Make the close of a connection a reset (RST) in place of a proper end (FIN)."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)


def send(connection: socket.socket, request: Request, response: Response, *, close: bool) -> None:
    """Send a complete response in one write."""
    head = head_of(response, close=close)
    bodiless = request.method == "HEAD" or response.status in _BODILESS
    connection.sendall(head if bodiless else head + response.body)


def send_interim(connection: socket.socket, fault: Fault, stopping: threading.Event) -> None:
    """Send the interim responses of a fault. A final response must follow."""
    for status in fault.interim:
        links = "Link: </style.css>; rel=preload\r\n" if status == HTTPStatus.EARLY_HINTS else ""
        connection.sendall(f"HTTP/1.1 {status} {_phrase(status)}\r\n{links}\r\n".encode())
        if fault.seconds and stopping.wait(fault.seconds):
            return


def send_broken(connection: socket.socket, response: Response, fault: Fault, stopping: threading.Event) -> None:
    """Send what a fault leaves of a response. The connection cannot be used afterwards."""
    kind = fault.kind
    if kind in {"hang_body", "reset_body", "truncated"}:
        connection.sendall(head_of(response, close=kind == "truncated") + response.body[: cut_at(fault, response.body)])
    elif kind == "drip":
        connection.sendall(head_of(response, close=True))
        _drip(connection, response.body, fault, stopping)
    elif kind == "drip_head":
        _drip(connection, head_of(response, close=True) + response.body, fault, stopping)
    if kind in {"hang", "hang_body"}:
        stopping.wait(fault.seconds)
    if kind in {"reset", "reset_body"}:
        reset(connection)


def _drip(connection: socket.socket, content: bytes, fault: Fault, stopping: threading.Event) -> None:
    piece = fault.size or _DRIP_PIECE
    for begin in range(0, len(content), piece):
        if stopping.wait(_DRIP_SECONDS if fault.seconds is None else fault.seconds):
            return
        connection.sendall(content[begin : begin + piece])
