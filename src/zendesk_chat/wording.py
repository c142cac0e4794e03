"""Numbers in words: counts, durations and sizes."""

from __future__ import annotations

import math
from typing import Final

_TWO_DIGITS: Final = 99
_KILO: Final = 1000
_SHORT_SECONDS: Final = 10  # below this, tenths matter
_MINUTE: Final = 60
_HOUR: Final = 3600


def counted(number: int, noun: str) -> str:
    """Return a number and what it counts: ``1 record``, ``1,200 records``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(seconds: float) -> str:
    """Return a duration for people: ``0.4 s``, ``41 s``, ``2 min 5 s``, ``1 h 3 min``."""
    if round(seconds, 1) < _SHORT_SECONDS:
        return f"{seconds:.1f} s"
    rounded = round(seconds)
    if rounded < _MINUTE:
        return f"{rounded} s"
    if rounded < _HOUR:
        return f"{rounded // _MINUTE} min {rounded % _MINUTE} s"
    return f"{rounded // _HOUR} h {rounded % _HOUR // _MINUTE} min"


def roughly(seconds: float) -> str:
    """Return an estimated duration for people, as exact as an estimate is: ``10 s``, ``40 s``, ``5 min``, ``2 h 10 min``."""
    if seconds < _MINUTE - _SHORT_SECONDS:
        return f"{max(1, math.ceil(seconds / _SHORT_SECONDS)) * _SHORT_SECONDS} s"
    minutes = max(1, round(seconds / _MINUTE))
    if minutes < _MINUTE:
        return f"{minutes} min"
    tens = round(minutes / 10) * 10
    return f"{tens // _MINUTE} h {tens % _MINUTE} min" if tens % _MINUTE else f"{tens // _MINUTE} h"


def about(number: int) -> str:
    """Return an estimated number with two digits that count: ``87``, ``130``, ``31,000``."""
    return f"{round(number, 2 - len(str(number))):,}" if number > _TWO_DIGITS else str(number)


def size(length: int) -> str:
    """Return a number of bytes for people, in decimal units: ``412 KB``, ``38 MB``, ``1.2 GB``."""
    if length < _KILO:
        return counted(length, "byte")
    amount, unit = length / _KILO, "KB"
    for larger in ("MB", "GB", "TB"):
        if round(amount) < _KILO:
            break
        amount, unit = amount / _KILO, larger
    return f"{amount:.1f} {unit}" if unit in {"GB", "TB"} else f"{amount:.0f} {unit}"
