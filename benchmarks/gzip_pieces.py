"""Gzip bodies glued from pieces that were compressed once, so that a page from any start costs next to nothing.

A piece is a deflate stream that was fully flushed: it ends on a byte and refers to nothing before it. What the trailer needs,
the checksum of the complete page, follows from those of the pieces as in zlib's own crc32_combine.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

LEVEL: Final = 1
RAW: Final = -15  # zlib's number for deflate without a header
HEADER: Final = bytes.fromhex("1f8b08000000000000ff")
END: Final = b"\x03\x00"  # an empty last block
POLYNOMIAL: Final = 0xEDB88320
TOP_BIT: Final = 1 << 31  # the polynomial 1, as bits are reversed


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a body.

    Attributes:
        deflated: Compressed.
        size: Of the plain text.
        checksum: Of the plain text.
        shift: What a checksum is multiplied by when this piece comes after.
    """

    deflated: bytes
    size: int
    checksum: int
    shift: int


def pack(plain: bytes) -> Piece:
    """Compress a part."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, RAW)
    deflated = compressor.compress(plain) + compressor.flush(zlib.Z_FULL_FLUSH)
    return Piece(deflated, len(plain), zlib.crc32(plain), _shift(len(plain)))


def glue(pieces: Iterable[Piece]) -> bytes:
    """One gzip member that holds the parts one after the other."""
    body, size, checksum = [HEADER], 0, 0
    for piece in pieces:
        body.append(piece.deflated)
        size += piece.size
        checksum = _times(piece.shift, checksum) ^ piece.checksum
    return b"".join((*body, END, struct.pack("<II", checksum, size & 0xFFFFFFFF)))


def _shift(size: int) -> int:
    """The polynomial x to the number of bits of so many bytes."""
    shift = TOP_BIT
    for bit in range(size.bit_length()):
        if size >> bit & 1:
            shift = _times(_power(bit + 3), shift)
    return shift


@cache
def _power(exponent: int) -> int:
    """The polynomial x to the power of two to the exponent."""
    if exponent == 0:
        return TOP_BIT >> 1
    half = _power(exponent - 1)
    return _times(half, half)


def _times(left: int, right: int) -> int:
    """The product of two polynomials, modulo that of the checksum."""
    product = 0
    while left:
        if left & TOP_BIT:
            product ^= right
        left = left << 1 & 0xFFFFFFFF
        right = right >> 1 ^ (POLYNOMIAL if right & 1 else 0)
    return product
