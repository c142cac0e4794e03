"""What a misspelt name was meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from zendesk_chat.printable import LONGEST_NAME, printable


def did_you_mean(name: str, known: Collection[str]) -> str | None:
    """Return the known name that is nearest to ``name``; None where none is near.

    >>> did_you_mean("startdate", ["start_date", "end_date"])
    'start_date'
    """
    plain = printable(name, LONGEST_NAME).strip().lower().replace("-", "_").replace(" ", "_")
    return next(iter(difflib.get_close_matches(plain, known, n=1)), None)
