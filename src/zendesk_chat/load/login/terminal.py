"""Questions in the terminal, and what is printed there. Standard output contains only the result."""

from __future__ import annotations

import getpass
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from zendesk_chat.errors import ConfigError
from zendesk_chat.printable import printable

NOTHING: Final = "Nothing was entered. Run `zendesk-chat login` again."


class Terminal(Protocol):
    """A person who reads lines and answers questions."""

    @property
    def interactive(self) -> bool:
        """Whether somebody can answer questions."""

    def say(self, line: str = "") -> None:
        """Print a line for a person."""

    def result(self, line: str) -> None:
        """Print a line of the result, on standard output."""

    def ask(self, question: str, *, hidden: bool = False, missing: str = NOTHING) -> str:
        """Ask for a line; ``hidden``: without showing what is typed. Raises ConfigError(``missing``) if there is none."""


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

    def ask(self, question: str, *, hidden: bool = False, missing: str = NOTHING) -> str:
        """Ask for a line."""
        try:
            with _interrupting():
                line = self._typed(question, hidden=hidden)
        except UnicodeDecodeError:
            raise ConfigError("What was entered is not valid UTF-8.") from None
        if not line:
            raise ConfigError(missing)
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
