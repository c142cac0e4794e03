"""HTTP connections that end each response at a deadline, and never mistake one request's response for another's.

``http.client`` skips only interim responses of status 100. It reads a head, a chunk line or a trailer for as long as bytes
trickle in, and discards what it has read beyond a response.
"""

from __future__ import annotations

import io
import socket
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import Any, Final

from urllib3.connection import HTTPConnection, HTTPSConnection

from zendesk_chat.api.body import MAX_BODY_BYTES
from zendesk_chat.clock import Clock

MAX_INTERIM_ANSWERS: Final = 20
MAX_HEAD_BYTES: Final = 2**20  # including interim responses
MAX_WIRE_BYTES: Final = 2 * MAX_BODY_BYTES  # including chunk lines and trailers


class DeadlineError(TimeoutError):
    """A response took too long in total, although bytes kept arriving."""


class EndlessError(HTTPException):
    """The head, the interim responses or the framing of a response do not end."""


class _Wire(io.RawIOBase):
    """The bytes of one response, until its deadline."""

    def __init__(self, sock: socket.socket, connection: Connection) -> None:
        self._sock = sock
        # Not the socket itself: a file keeps it open until the response is read, even if the connection is closed meanwhile.
        self._file: Any = sock.makefile("rb", buffering=0)
        self._idle_seconds = sock.gettimeout() or connection.answer_seconds
        self._clock = connection.clock
        self._deadline = self._clock.monotonic() + connection.answer_seconds
        self.bytes_left = MAX_HEAD_BYTES
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401  a writable buffer, which has no type before Python 3.12
        if self.ended:
            return None  # "nothing now", so that a peek shows only what was read ahead
        seconds = self._deadline - self._clock.monotonic()
        if seconds <= 0:
            raise DeadlineError
        self._sock.settimeout(min(seconds, self._idle_seconds))
        try:
            count: int = self._file.readinto(buffer)
        except TimeoutError:
            raise (DeadlineError if seconds < self._idle_seconds else TimeoutError) from None
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise EndlessError
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


class _Stream(io.BufferedReader):
    """Reads a wire. When it is closed, it notices whether more than the response arrived."""

    def __init__(self, wire: _Wire, connection: Connection) -> None:
        super().__init__(wire)
        self._wire = wire
        self._connection = connection

    def close(self) -> None:
        if not self.closed:
            self._wire.ended = True
            if self.peek():
                self._connection.spoiled = True
        super().close()


class _Answer(HTTPResponse):
    """A response that skips interim ones."""

    def __init__(self, sock: socket.socket, connection: Connection, method: str | None) -> None:
        super().__init__(sock, method=method)
        self.fp.close()
        self._wire = _Wire(sock, connection)
        self.fp = _Stream(self._wire, connection)

    def begin(self) -> None:
        """Read the head of the final response."""
        for _ in range(MAX_INTERIM_ANSWERS):
            super().begin()  # skips status 100 itself
            if self.status == HTTPStatus.SWITCHING_PROTOCOLS:
                raise HTTPException("switched to a protocol that was not requested")
            if self.status >= HTTPStatus.OK:
                self._wire.bytes_left = MAX_WIRE_BYTES
                return
            self.headers = self.msg = None  # type: ignore[assignment]  # as before the first head; otherwise it would not read another
        raise EndlessError


class Connection(HTTPConnection):
    """An HTTP connection.

    Attributes:
        clock: The source of time.
        answer_seconds: How long a response may take in total.
        spoiled: Whether it must not carry another request, because later bytes on it cannot be trusted.
    """

    def __init__(self, *args: Any, clock: Clock, answer_seconds: float, **options: Any) -> None:  # noqa: ANN401  urllib3's own
        super().__init__(*args, **options)
        self.clock = clock
        self.answer_seconds = answer_seconds
        self.spoiled = False

    def response_class(  # type: ignore[override]  # http.client calls it as the class that it declares
        self, sock: socket.socket, *_: object, method: str | None = None
    ) -> HTTPResponse:
        """Return the response to a request, or to the CONNECT before it."""
        return _Answer(sock, self, method)

    @property
    def is_connected(self) -> bool:
        """Whether it can carry another request. urllib3 asks before it reuses a connection from its pool."""
        decrypted = getattr(self.sock, "pending", int)()  # decrypted bytes, which the socket below no longer shows
        return not self.spoiled and not decrypted and super().is_connected

    def close(self) -> None:
        """Close it. urllib3 may open it again."""
        super().close()
        self.spoiled = False


class TlsConnection(Connection, HTTPSConnection):
    """A connection over TLS, possibly through a proxy's tunnel."""
