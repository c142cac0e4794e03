"""Questions in the terminal, and what is printed there. Standard output contains only the result."""

from __future__ import annotations

import getpass
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from zendesk_chat.errors import ConfigError
from zendesk_chat.printable import printable


class Terminal(Protocol):
    """A person who reads lines and answers questions."""

    @property
    def interactive(self) -> bool:
        """Whether somebody can answer questions."""

    def say(self, line: str = "") -> None:
        """Print a line for a person."""

    def result(self, line: str) -> None:
        """Print a line of the result, on standard output."""

    def ask(self, question: str, *, hidden: bool = False) -> str:
        """Ask for a line; ``hidden``: without showing what is typed. Raises ConfigError if there is none."""


@dataclass(frozen=True, slots=True)
class StandardTerminal:
    """The terminal of this process; or a pipe, from which one line can be read."""

    @property
    def interactive(self) -> bool:
        """Whether somebody can answer questions."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

    def say(self, line: str = "") -> None:
        """Print a line on standard error."""
        sys.stderr.write(f"{printable(line)}\n")

    def result(self, line: str) -> None:
        """Print a line on standard output."""
        sys.stdout.write(f"{printable(line)}\n")

    def ask(self, question: str, *, hidden: bool = False) -> str:
        """Ask for a line."""
        try:
            with _interrupting():
                line = self._typed(question, hidden=hidden)
        except UnicodeDecodeError:
            raise ConfigError(f"{question.rstrip(': ')}: this is not valid UTF-8.") from None
        if not line:
            raise ConfigError(f"{question.rstrip(': ')}: nothing was entered.")
        return line.strip().strip("\ufeff")

    def _typed(self, question: str, *, hidden: bool) -> str:
        """Return a line with its end; "" at the end of the input."""
        if hidden and self.interactive:
            try:
                return f"{getpass.getpass(question, sys.stderr)}\n"
            except EOFError:
                return ""
        sys.stderr.write(printable(question))
        if not question.endswith(" "):
            sys.stderr.write(" ")
        sys.stderr.flush()
        line = "" if sys.stdin is None else sys.stdin.readline()
        if not self.interactive:
            sys.stderr.write("\n")
        return line


@contextmanager
def _interrupting() -> Iterator[None]:
    """Let Ctrl-C end a question at once, with KeyboardInterrupt, which also shows typed characters again."""
    try:
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
    except ValueError:  # not in the main thread, the only one that gets signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
