"""The compressed body of a response, and its decompression."""

from __future__ import annotations

import zlib
from typing import Final, Literal

try:
    from isal import isal_zlib as fast_zlib  # three times as fast, and decompression is most of the work on a page
except ImportError:  # there is no build for this platform
    import zlib as fast_zlib  # type: ignore[no-redef]  # the same functions

MAX_BODY_BYTES: Final = 512 * 1024 * 1024
GZIP: Final = 31  # zlib's number for the gzip format
FIRST_WINDOW: Final = 1024
Kind = Literal["network", "slow", "refused", "lasting"]


class NoAnswerError(Exception):
    """No complete response arrived.

    Attributes:
        cause: What happened, as a clause without a URL.
        kind: "lasting" if waiting does not help; "refused" if no program listens at the address; "slow" if the response was so
            slow that a retry may be slow too.
        advice: A sentence that describes what to do about a lasting cause.
        received: The part of the body that arrived.
    """

    def __init__(self, cause: str, kind: Kind = "network", advice: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.kind: Kind = kind
        self.advice = advice
        self.received = b""

    def passing(self) -> NoAnswerError:
        """Return the same error as a temporary one, because its cause is known not to last."""
        return NoAnswerError(self.cause, "network", self.advice) if self.kind == "lasting" else self

    @property
    def message(self) -> str:
        """The cause and the advice as sentences."""
        return f"{self.cause[:1].upper()}{self.cause[1:]}. {self.advice}".rstrip()


class TooLargeError(NoAnswerError):
    """A body has more bytes than allowed."""

    def __init__(self) -> None:
        super().__init__(f"the response is larger than {MAX_BODY_BYTES >> 20} MB")


def decompress(compressed: bytes, most: int | None = None) -> bytes:
    """Decompress one or more gzip members.

    Raises TooLargeError if the result has more than ``most`` bytes (by default, ``MAX_BODY_BYTES``), and NoAnswerError if the
    data are incomplete or damaged.
    """
    left = MAX_BODY_BYTES if most is None else most
    pieces: list[bytes] = []
    view, begin, window = memoryview(compressed), 0, len(compressed)
    while begin < len(compressed) or not pieces:
        member = fast_zlib.decompressobj(GZIP)
        while not member.eof:
            given = view[begin : begin + window]
            pieces.append(_piece(member, given, left + 1))
            left -= len(pieces[-1])
            if left < 0:
                raise TooLargeError
            begin += len(given)
            window *= 2
        begin -= len(member.unused_data)
        window = FIRST_WINDOW  # a member copies all input beyond its end, far too much if there are many members
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def beginning(compressed: bytes, most: int) -> bytes:
    """Return the first decompressed bytes, or none if the data are damaged."""
    try:
        return _piece(fast_zlib.decompressobj(GZIP), memoryview(compressed), most)
    except NoAnswerError:
        return b""


def _piece(member: fast_zlib.Decompress, given: memoryview, most: int) -> bytes:
    try:
        piece = member.decompress(given, most)
    except (zlib.error, fast_zlib.error):  # type: ignore[misc]  # the stub hides that the second is an exception
        raise NoAnswerError("the response was incomplete") from None
    if not given:
        raise NoAnswerError("the response was incomplete")
    return piece
