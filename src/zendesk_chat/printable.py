"""Strings from outside, made safe to show: they cannot control or hide anything in a terminal or a log viewer.

A name, a header or a server's message may contain an escape sequence that clears the screen, a carriage return that overwrites
a line, a line break that fakes a log line, or a mark that reverses the order of letters. So all output for people is escaped
here.
"""

from __future__ import annotations

import unicodedata
from typing import Final

LONGEST_MESSAGE: Final = 2_000
LONGEST_REPORT: Final = 10_000  # of several messages in one
LONGEST_NAME: Final = 100
ELLIPSIS: Final = "..."
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # controls, invisible and directional marks, half pairs, separators


def escape(text: str) -> str:
    r"""Replace each character that a terminal would interpret with its escape: ``\x1b``, ``\n``, ``\u202e``."""
    return text if text.isprintable() else "".join(map(_escape, text))


def printable(text: str, longest: int = LONGEST_MESSAGE) -> str:
    """Return ``text`` escaped, on one line, and with at most ``longest`` characters."""
    shown = escape(text[: longest + 1])
    return shown if len(shown) <= longest else shown[: longest - len(ELLIPSIS)] + ELLIPSIS


def _escape(character: str) -> str:
    return ascii(character)[1:-1] if unicodedata.category(character) in _UNSAFE else character
