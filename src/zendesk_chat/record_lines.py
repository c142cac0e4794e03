"""Records as lines of a protocol: the bytes of each record, unchanged, between a head and a tail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Final

BYTES_PER_WRITE: Final = 2**20
RECORDS_PER_WRITE: Final = 16  # about as much as a pipe holds; joining a complete page would take more time and memory


def write_records(out: IO[bytes], head: bytes, records: Sequence[bytes], tail: bytes) -> None:
    """Write each record between ``head`` and ``tail``, which ends with the end of the line."""
    between = tail + head
    for at in range(0, len(records), RECORDS_PER_WRITE):
        few = records[at : at + RECORDS_PER_WRITE]
        if sum(map(len, few)) <= BYTES_PER_WRITE:
            out.write(head + between.join(few) + tail)
        else:  # joining them would take the same amount of memory again
            for record in few:
                out.writelines((head, record, tail))
