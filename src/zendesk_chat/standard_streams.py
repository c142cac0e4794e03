"""Standard input, output and error of the process, made safe to use: closed ones, full disks, narrow encodings."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STDOUT: Final = "standard output"  # as error messages name it
_INPUT, _OUTPUT, _ERROR = range(3)


class _Output(io.FileIO):
    """Standard output. An error carries its name, as those of files do, and is raised once: later output is discarded."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), _OUTPUT)  # or the interpreter would complain when it exits
            raise OSError(error.errno, error.strerror, STDOUT) from None


class _ErrorOutput(io.FileIO):
    """Standard error. Where it cannot be written, nobody is there to read it, and a long run goes on."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


@contextmanager
def standard_streams() -> Iterator[None]:
    """Use the process's standard streams, and flush standard output at the end.

    Raises:
        OSError: Standard output cannot be written; the error's ``filename`` is ``STDOUT``.
    """
    _open()
    try:
        yield
    finally:
        sys.stdout.flush()


def _open() -> None:
    """Replace Python's own stream objects. Those of a test or of a program that calls ``main`` stay."""
    _fill_gaps()
    if sys.stdout is sys.__stdout__:
        sys.stdout = _text(_Output(_OUTPUT, "wb", closefd=False), sys.stdout, line_buffering=os.isatty(_OUTPUT))
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text(_ErrorOutput(_ERROR, "wb", closefd=False), sys.stderr, line_buffering=True)


def _fill_gaps() -> None:
    """Occupy the numbers of closed streams, so that no database file gets one of them. Writing to them stays an error."""
    for number in (_INPUT, _OUTPUT, _ERROR):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)  # gets the lowest free number


def _text(raw: io.RawIOBase, replaced: io.TextIOBase | None, *, line_buffering: bool) -> io.TextIOWrapper:
    """Return a text stream in the encoding of the one that it replaces. Characters that the encoding lacks become escapes."""
    encoding = "utf-8" if replaced is None else replaced.encoding
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, "backslashreplace", line_buffering=line_buffering)
