"""Compares a row of the file with the account's record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from zendesk_chat.json_types import Json
from zendesk_chat.load.verify.rows import Key, Row

SEVERAL_ROWS: Final = "(several rows)"
"""Replaces the name of the different field if a key has several rows."""


@dataclass(slots=True)
class Tally:
    """What the comparison of one stream has found so far.

    Attributes:
        checked: Records compared, of the file and of the account.
        missing: Keys of records that the file lacks.
        extra: Keys of rows that the account lacks.
        different: Keys of rows that differ from the account's record.
        fields: How often each field differed.
        newer: How many differ because they began or changed after the last sync.
        by_key: How many were compared by key only, because the row was loaded with other redaction rules.
    """

    checked: int = 0
    missing: list[Key] = field(default_factory=list)
    extra: list[Key] = field(default_factory=list)
    different: list[Key] = field(default_factory=list)
    fields: Counter[str] = field(default_factory=Counter)
    newer: int = 0
    by_key: int = 0

    @property
    def differs(self) -> bool:
        """Whether anything is missing, extra or different."""
        return bool(self.missing or self.extra or self.different)

    def differ(self, key: Key, fields: Collection[str]) -> None:
        """Record a row that differs in these fields."""
        self.different.append(key)
        self.fields.update(fields)


def differing_fields(stored: Row, current: Row, given: Collection[str] | None = None) -> list[str]:
    """Return the columns in which a row differs from the account's record.

    Args:
        stored: The row in the file.
        current: The record, as a row.
        given: The fields that the record has, if its endpoint has fewer than ``sync`` reads. Then only these are compared, and
            in objects only the fields that both have. None to compare everything.
    """
    partial = given is not None
    return [
        name
        for name, value in stored.items()
        if value != current[name]
        and _is_compared(name, value, current[name], given)
        and not same(value, current[name], partial=partial)
    ]


def same(stored: Json, current: Json, *, partial: bool = False) -> bool:
    """Return whether two values are the same. Null equals an absent field, and 12 equals "12".

    With ``partial``, objects are the same if the fields that both have are the same.
    """
    if stored == current:
        return True
    if isinstance(stored, dict) and isinstance(current, dict):
        names = stored.keys() & current.keys() if partial else stored.keys() | current.keys()
        return all(same(stored.get(name), current.get(name), partial=partial) for name in names)
    if isinstance(stored, list) and isinstance(current, list):
        return len(stored) == len(current) and all(
            same(one, other, partial=partial) for one, other in zip(stored, current, strict=True)
        )
    scalars = isinstance(stored, str | int | float) and isinstance(current, str | int | float)
    return scalars and isinstance(stored, str) != isinstance(current, str) and str(stored) == str(current)


def _is_compared(name: str, stored: Json, current: Json, given: Collection[str] | None) -> bool:
    """Return whether a column is compared. ``_extra`` and ``_unparsed`` each contain some fields."""
    if given is None:
        return True
    return stored is not None and current is not None if name.startswith("_") else name in given
