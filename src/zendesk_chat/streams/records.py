"""Records as raw JSON: framing, keys, times and digests. Decodes no more than is needed."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import blake2b
from math import isfinite
from typing import Final, TypeVar

import msgspec

from zendesk_chat.errors import EnvelopeError

T = TypeVar("T")
DIGEST_BYTES: Final = 8
_PRIVATE: Final = range(0xE000, 0xF900)  # characters without a meaning of their own
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SECOND_US: Final = 1_000_000
DAY_SECONDS: Final = 86_400
UTF8_CHUNK_BYTES: Final = 16 * 1024  # a larger string would get new memory pages each time, which is four times as slow
raw_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode_answer(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode an API response so that each raw record in it is valid JSON and fits on one line of output.

    Raises:
        msgspec.DecodeError: It is not JSON: incomplete, empty, or a web page.
        EnvelopeError: It is JSON with an unexpected structure.
    """
    try:
        try:
            return decoder.decode(_one_line(body))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if isinstance(error, msgspec.ValidationError):
                raise
            return decoder.decode(_repaired(body))
    except msgspec.ValidationError as error:
        raise EnvelopeError(f"Zendesk's response has an unexpected structure: {error}. Please report this.") from None
    except RecursionError:
        raise EnvelopeError("Zendesk's response is nested too deeply. Please report this.") from None


def _one_line(body: bytes) -> bytes:
    if not body.isascii():
        _require_utf8(body)
    if b"\n" in body or b"\r" in body:
        return msgspec.json.format(body, indent=-1)
    return body


def _require_utf8(body: bytes) -> None:
    """Raise UnicodeDecodeError for another encoding. Checks chunks: the complete string may take four times the memory."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(body)
    for begin in range(0, len(body), UTF8_CHUNK_BYTES):
        decoder.decode(view[begin : begin + UTF8_CHUNK_BYTES])
    decoder.decode(b"", final=True)


def _repaired(body: bytes) -> bytes:
    """Repair what messages contain although JSON does not allow it: half a surrogate pair, control characters, odd bytes."""
    text = body.decode(errors="replace")
    # To keep their digits, numbers become strings that begin with a character which does not occur in the body.
    lowered = text.lower()
    mark = next(character for character in map(chr, _PRIVATE) if character not in text and _escaped(character) not in lowered)
    try:
        value = json.loads(text, strict=False, parse_constant=lambda _: None, parse_float=partial(_marked, mark))
    except ValueError:
        raise msgspec.DecodeError("not JSON") from None
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = re.sub(f'"{mark}([^"]*)"', r"\1", text)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _marked(mark: str, digits: str) -> str | None:
    """Return a number as a string, or null for one that no reader can represent."""
    return mark + digits if isfinite(float(digits)) else None


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}"


def digest(record: bytes) -> str:
    """Return a short fingerprint of a record's content, whatever the order of its keys."""
    try:
        canonical = msgspec.json.encode(msgspec.json.decode(record), order="sorted")
    except (msgspec.DecodeError, RecursionError):  # valid JSON, but with a number that is too large to represent
        canonical = record
    return blake2b(canonical, digest_size=DIGEST_BYTES).hexdigest()


def decode_fields(record: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[T], unknown: T) -> T | None:
    """Decode some fields of a record. Returns None if it is not an object.

    Args:
        record: Valid JSON.
        decoder: Decodes a struct with these fields, each of any type.
        unknown: The result if one of them contains a number that Python cannot represent.
    """
    try:
        return decoder.decode(record)
    except msgspec.ValidationError:
        return unknown if bytes(record).startswith(b"{") else None


def with_fields(record: bytes, /, **values: object) -> bytes:
    """Return the record with some top-level fields set. All others keep their bytes."""
    return msgspec.json.encode({**raw_fields.decode(record), **values})


def in_slices(records: Sequence[bytes], most_bytes: int) -> Iterator[Sequence[bytes]]:
    """Yield the records in slices of at most this many bytes, or of one larger record."""
    begin = size = 0
    for end, length in enumerate(map(len, records)):
        if size + length > most_bytes and end > begin:
            yield records[begin:end]
            begin, size = end, 0
        size += length
    if begin < len(records):
        yield records[begin:]


def micros_of(text: object) -> int | None:
    """Return an ISO 8601 time (UTC if it has no zone) as microseconds since 1970, or None if it is unreadable."""
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text)
        passed = (time if time.tzinfo else time.replace(tzinfo=UTC)) - EPOCH
        return (passed.days * DAY_SECONDS + passed.seconds) * SECOND_US + passed.microseconds  # a third faster than a division
    except (ValueError, OverflowError):
        return None


def iso_seconds(micros: int) -> str:
    """Return microseconds since 1970 as ISO 8601, rounded down to the second."""
    return (EPOCH + timedelta(microseconds=micros)).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_micros(micros: int) -> str:
    """Return microseconds since 1970 as ISO 8601 with six decimals."""
    return (EPOCH + timedelta(microseconds=micros)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
