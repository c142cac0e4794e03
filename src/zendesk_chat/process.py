"""The process of a command: its standard streams, its signals and its memory."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_INPUT, _OUTPUT, _ERROR = range(3)
SECONDS_TO_END: Final = 5.0
SECONDS_TO_END_ALL: Final = 12.0  # for several accounts, which save after each other if they share a file
SECONDS_TO_RENEW: Final = 15.0  # more while tokens are being renewed; in total less than the 30 that Kubernetes allows
# Parameters of mallopt(3), and their values.
ARENAS: Final = (-8, 1)
TRIM_BYTES: Final = (-1, 256 * 2**20)
MMAP_BYTES: Final = (-3, 32 * 2**20)


class _Output(io.FileIO):
    """Standard output. Its errors name it, as those of files do, and are raised once: later output is discarded."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), _OUTPUT)  # otherwise the interpreter would complain when it exits
            raise OSError(error.errno, error.strerror, "standard output") from None


class _ErrorOutput(io.FileIO):
    """Standard error. If it cannot be written, nobody is reading it, and a long run continues."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


@contextmanager
def standard_streams() -> Iterator[None]:
    """Make standard output and error safe to use even if closed, full, or of a narrow encoding. Flush output at the end.

    Python's own stream objects are replaced. Those of a test, or of a program that calls ``main``, are kept.
    """
    _fill_gaps()
    if sys.stdout is sys.__stdout__:
        sys.stdout = _text(_Output(_OUTPUT, "wb", closefd=False), sys.stdout, line_buffering=os.isatty(_OUTPUT))
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text(_ErrorOutput(_ERROR, "wb", closefd=False), sys.stderr, line_buffering=True)
    try:
        yield
    finally:
        sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class StopSignals:
    """Ends a command soon after SIGTERM, SIGINT or SIGHUP. The consumer may finish its event, but a stuck one is not awaited.

    A second signal does not wait for the consumer at all. Either way, a renewal of tokens may end.
    """

    stop: Callable[[], object]  # asks the command to end
    on_kill: Callable[[], object] = lambda: None  # announces that it is not awaited
    seconds_to_end: float = SECONDS_TO_END
    received: list[int] = field(default_factory=list)  # numbers of the signals so far

    def install(self) -> None:
        """Start to handle these signals."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle)
        if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # ignored under nohup
            signal.signal(signal.SIGHUP, self._handle)

    def exit_code(self, otherwise: int) -> int:
        """Return a command's exit code: 128 plus the number of the first signal, as shells report it, or its own."""
        return 128 + self.received[0] if self.received else otherwise

    def _handle(self, number: int, _frame: object) -> None:
        wait_seconds = 0.0 if self.received else self.seconds_to_end
        self.received.append(number)
        last_resort = threading.Timer(wait_seconds, end_at_once, (self.exit_code(number), self.on_kill))
        last_resort.daemon = True
        with suppress(RuntimeError):  # the operating system refuses another thread
            last_resort.start()
        self.stop()  # last, because it may print a line that nobody reads


def end_at_once(code: int, on_kill: Callable[[], object] = lambda: None) -> None:
    """Exit although the main thread is stuck. Let a renewal of tokens end first; otherwise they would be lost."""
    from zendesk_chat.api.auth import settle_all  # noqa: PLC0415  no command but a stuck one needs it

    if settle_all(SECONDS_TO_RENEW):
        time.sleep(1)  # so that the main thread can store the new tokens
    with suppress(Exception):  # nothing may keep it from exiting
        on_kill()
    os._exit(code)


def keep_pages_in_place() -> None:
    """Let all threads allocate their pages in memory that other threads have freed.

    On Linux, the allocator gives each thread its own arena. Pages are allocated in one thread and freed in another, so each
    arena would grow to the size of the largest page that it ever held. Because of the interpreter's lock, one arena is as
    fast. The allocator also returns the memory of large pages to the system immediately, only to request it again.
    """
    import ctypes  # noqa: PLC0415  of no use to most commands

    with suppress(AttributeError, OSError):  # other systems have no such function
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in (ARENAS, TRIM_BYTES, MMAP_BYTES):
            mallopt(parameter, value)


def _fill_gaps() -> None:
    """Occupy the numbers of closed streams, so that no database file gets one of them. Writing to them remains an error."""
    for number in (_INPUT, _OUTPUT, _ERROR):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)  # gets the lowest free number


def _text(raw: io.RawIOBase, replaced: io.TextIOBase | None, *, line_buffering: bool) -> io.TextIOWrapper:
    """Return a stream in the encoding of the one that it replaces. Characters that the encoding lacks are escaped."""
    encoding = "utf-8" if replaced is None else replaced.encoding
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, "backslashreplace", line_buffering=line_buffering)
