"""The body of an answer as it came, and how it is unpacked."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, Final, Literal

try:
    from isal import isal_zlib as fast_zlib  # three times as fast, and the largest part of the work of a page
except ImportError:  # a machine that it is not built for
    import zlib as fast_zlib  # type: ignore[no-redef]  # the same functions

MAX_BODY_BYTES: Final = 512 * 1024 * 1024
GZIP: Final = 31  # zlib's number for the gzip format
FIRST_WINDOW: Final = 1024


Kind = Literal["network", "slow", "lasting"]


class NoAnswerError(Exception):
    """No complete answer came.

    Attributes:
        cause: What happened, as a clause without a URL.
        kind: "lasting" where no wait helps; "slow" where an answer came too slowly, so that another try may take long too.
        advice: What to do about a lasting cause, in a sentence.
        received: What came of the body, in pieces as they came.
    """

    def __init__(self, cause: str, kind: Kind = "network", advice: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.kind: Kind = kind
        self.advice = advice
        self.received: Sequence[bytes] = ()

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


def unpacked(packed: bytes, most: int | None = None) -> bytes:
    """The text of one or more gzip members.

    Args:
        packed: The members.
        most: How many bytes the text may have; None for what memory should hold at most.

    Raises:
        TooLargeError: It has more.
        NoAnswerError: It is cut short, or damaged.
    """
    room = MAX_BODY_BYTES if most is None else most
    texts: list[bytes] = []
    view, begin, window = memoryview(packed), 0, len(packed)
    while begin < len(packed) or not texts:
        member: Any = fast_zlib.decompressobj(GZIP)
        while not member.eof:
            given = view[begin : begin + window]
            texts.append(_text(member, given, room + 1))
            room -= len(texts[-1])
            if room < 0:
                raise TooLargeError
            begin += len(given)
            window *= 2
        begin -= len(member.unused_data)
        window = FIRST_WINDOW  # a member copies what it is given beyond its end, so that many of them would copy far too much
    return texts[0] if len(texts) == 1 else b"".join(texts)


def beginning(packed: bytes, most: int) -> bytes:
    """The first bytes of the text of gzip; none where it is damaged."""
    try:
        return _text(fast_zlib.decompressobj(GZIP), memoryview(packed), most)
    except NoAnswerError:
        return b""


def _text(member: Any, given: memoryview, most: int) -> bytes:  # noqa: ANN401  the two libraries have no type in common
    try:
        text: bytes = member.decompress(given, most)
    except (zlib.error, fast_zlib.error):  # type: ignore[misc]  # its stub hides that the second is an exception
        raise NoAnswerError("the answer was cut short") from None
    if not given:
        raise NoAnswerError("the answer was cut short")
    return text
