"""The compressed body of an answer, and its decompression."""

from __future__ import annotations

import zlib
from typing import Final, Literal

try:
    from isal import isal_zlib as fast_zlib  # three times as fast, and the largest part of the work of a page
except ImportError:  # a machine that it is not built for
    import zlib as fast_zlib  # type: ignore[no-redef]  # the same functions

MAX_BODY_BYTES: Final = 512 * 1024 * 1024
GZIP: Final = 31  # zlib's number for the gzip format
FIRST_WINDOW: Final = 1024
Kind = Literal["network", "slow", "refused", "lasting"]


class NoAnswerError(Exception):
    """No complete answer came.

    Attributes:
        cause: What happened, as a clause without a URL.
        kind: "lasting" if no wait helps; "refused" if nobody listens at the address; "slow" if an answer came so slowly that
            another try may take long too.
        advice: What to do about a lasting cause, in a sentence.
        received: The part of the body that came.
    """

    def __init__(self, cause: str, kind: Kind = "network", advice: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.kind: Kind = kind
        self.advice = advice
        self.received = b""

    def passing(self) -> NoAnswerError:
        """The same, where a lasting cause is known not to be one."""
        return NoAnswerError(self.cause, "network", self.advice) if self.kind == "lasting" else self

    @property
    def message(self) -> str:
        """The cause and the advice as sentences."""
        return f"{self.cause[:1].upper()}{self.cause[1:]}. {self.advice}".rstrip()


class TooLargeError(NoAnswerError):
    """A body has more bytes than allowed."""

    def __init__(self) -> None:
        super().__init__(f"the answer is larger than {MAX_BODY_BYTES >> 20} MB")


def decompress(compressed: bytes, most: int | None = None) -> bytes:
    """Decompress one or more gzip members.

    Raises TooLargeError if the result has more than ``most`` bytes (None: than memory should hold), and NoAnswerError if the
    data are cut short or damaged.
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
        window = FIRST_WINDOW  # a member copies what it is given beyond its end, so that many of them would copy far too much
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def beginning(compressed: bytes, most: int) -> bytes:
    """The first decompressed bytes; none if the data are damaged."""
    try:
        return _piece(fast_zlib.decompressobj(GZIP), memoryview(compressed), most)
    except NoAnswerError:
        return b""


def _piece(member: fast_zlib.Decompress, given: memoryview, most: int) -> bytes:
    try:
        piece = member.decompress(given, most)
    except (zlib.error, fast_zlib.error):  # type: ignore[misc]  # its stub hides that the second is an exception
        raise NoAnswerError("the answer was cut short") from None
    if not given:
        raise NoAnswerError("the answer was cut short")
    return piece
