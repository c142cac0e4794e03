"""HTTP connections whose answers end at a deadline, and which never pass one request's answer off as another's.

``http.client`` skips only 100 of the interim answers, reads a head, a chunk line or a trailer for as long as it drips, and
drops what it has read beyond an answer.
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
MAX_HEAD_BYTES: Final = 2**20  # interim answers included
MAX_WIRE_BYTES: Final = 2 * MAX_BODY_BYTES  # chunk lines and trailers included


class DeadlineError(TimeoutError):
    """An answer took longer in all than it may, though bytes kept coming."""


class EndlessError(HTTPException):
    """The head, the interim answers or the framing of an answer do not end."""


class _Wire(io.RawIOBase):
    """The bytes of one answer, until its deadline."""

    def __init__(self, sock: socket.socket, connection: Connection) -> None:
        self._sock = sock
        # Not the socket itself: a file keeps it open until the answer is read, though the connection is closed meanwhile.
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
            return None  # "nothing now", so that a peek shows what was read ahead and no more
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
    """Reads a wire, and notices on closing whether more came than the answer."""

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
    """An answer that skips interim ones."""

    def __init__(self, sock: socket.socket, connection: Connection, method: str | None) -> None:
        super().__init__(sock, method=method)
        self.fp.close()
        self._wire = _Wire(sock, connection)
        self.fp = _Stream(self._wire, connection)

    def begin(self) -> None:
        """Read the head of the final answer."""
        for _ in range(MAX_INTERIM_ANSWERS):
            super().begin()  # skips 100 by itself
            if self.status == HTTPStatus.SWITCHING_PROTOCOLS:
                raise HTTPException("another protocol than the one asked for")
            if self.status >= HTTPStatus.OK:
                self._wire.bytes_left = MAX_WIRE_BYTES
                return
            self.headers = self.msg = None  # type: ignore[assignment]  # as before the first head, or it would not read another
        raise EndlessError


class Connection(HTTPConnection):
    """A connection.

    Attributes:
        clock: Time.
        answer_seconds: How long an answer may take in all.
        spoiled: Whether it must not carry another request, because what comes next on it cannot be trusted.
    """

    def __init__(self, *args: Any, clock: Clock, answer_seconds: float, **options: Any) -> None:  # noqa: ANN401  urllib3's own
        super().__init__(*args, **options)
        self.clock = clock
        self.answer_seconds = answer_seconds
        self.spoiled = False

    def response_class(  # type: ignore[override]  # http.client calls it as the class that it declares
        self, sock: socket.socket, *_: object, method: str | None = None
    ) -> HTTPResponse:
        """The answer to a request, or to the CONNECT before it."""
        return _Answer(sock, self, method)

    @property
    def is_connected(self) -> bool:
        """Whether it can carry another request; urllib3 asks before it takes a connection out of its pool again."""
        decrypted = getattr(self.sock, "pending", int)()  # bytes of TLS that the socket below does not show any more
        return not self.spoiled and not decrypted and super().is_connected

    def close(self) -> None:
        """Close it. urllib3 may open it again."""
        super().close()
        self.spoiled = False


class TlsConnection(Connection, HTTPSConnection):
    """A connection over TLS, maybe in the tunnel of a proxy."""
