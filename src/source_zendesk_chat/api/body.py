"""The body of an answer as it came, and how it is unpacked."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, Final

try:
    from isal import isal_zlib as fast_zlib  # three times as fast, and the largest part of the work of a page
except ImportError:  # a machine that it is not built for
    import zlib as fast_zlib  # type: ignore[no-redef]  # the same functions

MAX_BODY_BYTES: Final = 512 * 1024 * 1024
GZIP: Final = 31  # zlib's number for the gzip format


class NoAnswerError(Exception):
    """No complete answer came. The text names the cause and holds no URL.

    Attributes:
        received: What came of the body, in pieces as they came.
    """

    def __init__(self, cause: str, received: Sequence[bytes] = ()) -> None:
        super().__init__(cause)
        self.received = received


def unpacked(packed: bytes) -> bytes:
    """The text of one or more gzip members.

    Raises:
        NoAnswerError: It is cut short, or larger than memory should hold.
    """
    texts: list[bytes] = []
    room = MAX_BODY_BYTES
    while True:
        member: Any = fast_zlib.decompressobj(GZIP)
        try:
            texts.append(member.decompress(packed, room + 1))
        except (zlib.error, fast_zlib.error):  # type: ignore[misc]  # its stub hides that the second is an exception
            raise NoAnswerError("the answer was cut short") from None
        room -= len(texts[-1])
        if room < 0:
            raise NoAnswerError(f"the answer is larger than {MAX_BODY_BYTES >> 20} MB")
        if not member.eof:
            raise NoAnswerError("the answer was cut short")
        packed = member.unused_data
        if not packed:
            return texts[0] if len(texts) == 1 else b"".join(texts)
