"""Make a record readable for a strict JSON reader without losing it."""

from __future__ import annotations

import json
import re
from typing import Final

_ESCAPE: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair of surrogates: one character
    r"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r"|\\."
)
_UNREADABLE: Final = "_unreadable"


def repair_text(record: bytes) -> str:
    """Return the record with each invalid byte and each lone surrogate replaced by U+FFFD.

    Half of a surrogate pair is what is left of an emoji that somebody cut in two. Nothing else is changed: not the
    order of the fields, not a number's digits.
    """
    return _ESCAPE.sub(_repair_escape, record.decode("utf-8", "replace"))


def wrap_unreadable(record: bytes) -> str:
    """Return an object that holds the record's text as a string, for a record that is no JSON at all."""
    return json.dumps({_UNREADABLE: record.decode("utf-8", "replace")})


def _repair_escape(match: re.Match[str]) -> str:
    return r"\ufffd" if match["lone"] else match[0]
