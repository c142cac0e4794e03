"""Figures, dates and names as a reader sees them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Final

from zendesk_chat.report.figures import Ratings
from zendesk_chat.report.period import Range, Step
from zendesk_chat.wording import duration

NONE: Final = "–"
"""Stands for a figure that does not exist, such as the median of no chats."""

PART: Final = " (part)"
"""Marks a month that the data cover only partly."""

LONGEST: Final = 80  # characters of a name in a table
_UNNAMED: Final = "(unnamed)"
_ELLIPSIS: Final = "…"
_JOINERS: Final = "\u200c\u200d"  # parts of words in some scripts, and of emoji
_SPACES: Final = frozenset({"Cc", "Zl", "Zp"})  # controls and separators of lines
_DROPPED: Final = frozenset({"Cf", "Cs"})  # invisible characters and marks of direction, half pairs
_MARKS: Final = 3  # accents on one letter; more would draw over other lines
_LEAST: Final = 0.001
_LEAST_AVERAGE: Final = 0.05


def number(count: int) -> str:
    """Return a count: ``1,889``."""
    return f"{count:,}"


def percent(share: float | None) -> str:
    """Return a share from 0 to 1 as a percentage: ``6.3%``, ``82.0%``. 0% and 100% mean exactly none and all."""
    if share is None:
        return NONE
    if share in {0, 1}:
        return f"{share * 100:.0f}%"
    if 0 < share < _LEAST:
        return "<0.1%"
    if 1 - _LEAST < share < 1:
        return ">99.9%"
    return f"{share * 100:.1f}%"


def average(value: float) -> str:
    """Return an average of counts with one decimal: ``9.4``. Only none is 0."""
    return "<0.1" if 0 < value < _LEAST_AVERAGE else f"{value:,.1f}"


def seconds(value: float | None) -> str:
    """Return a duration: ``26 s``, ``1 min 45 s``."""
    return NONE if value is None else duration(value).replace(".0 s", " s")


def hours(value: float | None) -> str:
    """Return hours with one decimal: ``153.1 h``."""
    return NONE if value is None else f"{value:,.1f} h"


def day(when: date) -> str:
    """Return a date: ``27 Nov 2026``."""
    return f"{when.day} {when:%b} {when.year}"


def long_range(days: Range) -> str:
    """Return days in words: ``29 October to 27 November 2026``."""
    if days.start == days.end:
        return f"{days.end.day} {days.end:%B} {days.end.year}"
    year = f" {days.start.year}" if days.start.year != days.end.year else ""
    month = f" {days.start:%B}" if year or days.start.month != days.end.month else ""
    return f"{days.start.day}{month}{year} to {days.end.day} {days.end:%B} {days.end.year}"


def step_name(start: date, step: Step) -> str:
    """Return one step of a chart: ``Fri 27 Nov 2026``, ``Week of 23 Nov 2026``, ``November 2026``."""
    match step:
        case "day":
            return f"{start:%a} {day(start)}"
        case "week":
            return f"Week of {day(start)}"
        case "month":
            return month(start)


def month(start: date) -> str:
    """Return a month: ``November 2026``."""
    return f"{start:%B} {start.year}"


def rated_month(rated: Ratings) -> str:
    """Return the month of ratings, marked if the data cover it only partly: ``November 2026 (part)``."""
    return f"{month(rated.month)}{PART if rated.is_partial else ''}"


def name(text: str, longest: int = LONGEST) -> str:
    """Return a name from outside, shortened, on one line, without characters that change the text around them."""
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text[: 4 * longest]):
        category = unicodedata.category(character)
        marks = marks + 1 if category.startswith("M") else 0
        if category in _SPACES:
            kept.append(" ")
        elif marks <= _MARKS and (category not in _DROPPED or character in _JOINERS):
            kept.append(character)
    shown = " ".join("".join(kept).split())
    return (shown if len(shown) <= longest else shown[: longest - 1].rstrip() + _ELLIPSIS) or _UNNAMED


def distinct_names(named: Sequence[tuple[str | None, str]], longest: int = LONGEST) -> list[str]:
    """Return the names of these groups, each an id and a name. Groups of the same name get their ids too.

    >>> distinct_names([("11", "Ana"), ("12", "Bo"), ("13", "Ana")])
    ['Ana (11)', 'Bo', 'Ana (13)']
    """
    shown = [name(text, longest) for _, text in named]
    return [
        f"{label} ({name(key, longest)})" if key is not None and key != text and shown.count(label) > 1 else label
        for label, (key, text) in zip(shown, named, strict=True)
    ]
