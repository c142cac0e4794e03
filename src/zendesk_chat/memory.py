"""How the process keeps its memory."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

# Parameters of mallopt(3), and their values.
ARENAS: Final = (-8, 1)
TRIM_BYTES: Final = (-1, 256 * 2**20)
MMAP_BYTES: Final = (-3, 32 * 2**20)


def keep_pages_in_place() -> None:
    """Let all threads make their pages where other threads have freed theirs.

    The allocator of Linux gives each thread an arena of its own. Pages are made in one thread and freed in another, so that
    every arena would grow to the size of the largest page it ever held; with the interpreter's lock, one is as fast. And it
    gives what large pages free back to the system at once, only to ask for it again.
    """
    import ctypes  # noqa: PLC0415  of no use to the commands that only answer

    with suppress(AttributeError, OSError):  # elsewhere there is no such function
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in (ARENAS, TRIM_BYTES, MMAP_BYTES):
            mallopt(parameter, value)
