"""Records that wait on disk for their transaction, so that memory does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from source_zendesk_chat.streams.stream import RawRecord

SEGMENT_BYTES: Final = 8 * 2**20  # what is in memory at a time, as JSON and again as Arrow


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive records in the file."""

    offset: int
    length: int


class Spool:
    """One stream's records that are not yet in the database, newline-delimited in a file of their own.

    Attributes:
        records: How many.
        length: Bytes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._segments: list[Segment] = []
        self.records = 0
        self.length = 0

    def append(self, records: Sequence[RawRecord]) -> None:
        """Write the records of one page behind the others."""
        if not records:
            return
        if self._file is None:
            self._file = self._path.open("w+b")
        lines = b"".join(record.replace(b"\n", b" ") + b"\n" for record in records)
        self._file.write(lines)
        self._extend(len(lines))
        self.records += len(records)

    def segments_newest_first(self) -> Iterator[list[RawRecord]]:
        """Yield all records in lists of about ``SEGMENT_BYTES``, the latest list first, each in its own order.

        Going backwards lets the reader keep the latest record of each key by remembering which keys it has met.
        """
        for segment in reversed(self._segments):
            assert self._file is not None  # noqa: S101  there are segments, so there is a file
            self._file.seek(segment.offset)
            yield self._file.read(segment.length).removesuffix(b"\n").split(b"\n")

    def clear(self) -> None:
        """Forget all records and give their room on disk back."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self._path.unlink()
        self._segments = []
        self.records = 0
        self.length = 0

    def _extend(self, length: int) -> None:
        last = self._segments[-1] if self._segments else None
        if last is not None and last.length < SEGMENT_BYTES:
            self._segments[-1] = Segment(last.offset, last.length + length)
        else:
            self._segments.append(Segment(self.length, length))
        self.length += length
