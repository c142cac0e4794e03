"""Complete reads, and writes that are on disk when they return."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

PIECE_BYTES: Final = 65_536


def read_all(file: int) -> bytes:
    """Return the content of an open file from its position on."""
    content = b""
    while piece := os.read(file, PIECE_BYTES):
        content += piece
    return content


def write_durably(file: int, content: bytes, at: int = 0) -> None:
    """Write at an offset, and wait until the content is on disk."""
    os.lseek(file, at, os.SEEK_SET)
    while content:
        content = content[os.write(file, content) :]
    os.fsync(file)


def sync_directory(directory: Path) -> None:
    """Wait until renamed and new files of a directory are on disk."""
    with suppress(OSError):  # not every file system supports it
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
