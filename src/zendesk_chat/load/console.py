"""Output to the terminal: our own colours, and no control characters from outside."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from zendesk_chat.printable import escape, printable


class PlainConsole(Console):
    """A console that escapes all control characters but its own."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render, and escape everything that is not a control code of this console."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(_escaped(segment.text), segment.style)

    def on_broken_pipe(self) -> None:
        """Let the command decide what it means that nobody reads on; rich would end the process."""
        raise BrokenPipeError


def error_console() -> PlainConsole:
    """Return a console on standard error, for warnings and animations."""
    return PlainConsole(stderr=True, force_terminal=is_terminal(sys.stderr))


def is_terminal(stream: TextIO) -> bool:
    """Return whether this stream is a terminal. No variable decides that: CI sets FORCE_COLOR, which rich trusts."""
    try:
        return stream.isatty()
    except ValueError:  # it is closed
        return False


def say(console: Console, line: str, style: str = "") -> None:
    """Print a line that may contain strings from outside. It stays one line, and markup in it has no effect."""
    console.print(Text(printable(line), style=style), soft_wrap=True)


def _escaped(line: str) -> str:
    return line if line.isprintable() else "\n".join(map(escape, line.split("\n")))
