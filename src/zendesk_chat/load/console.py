"""What the loader prints: with colours of its own, and without any control character from outside."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from zendesk_chat.printable import escape, printable


class PlainConsole(Console):
    """A console whose control characters are only those that it makes itself."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render, with everything that is not a control of this console escaped."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(_escaped(segment.text), segment.style)


def say(console: Console, line: str, style: str = "") -> None:
    """Print a line that may hold strings from outside: it stays one line, and markup in it is not obeyed."""
    console.print(Text(printable(line), style=style), soft_wrap=True)


def _escaped(text: str) -> str:
    return text if text.isprintable() else "\n".join(map(escape, text.split("\n")))
