"""Rows that are longer than a server of MySQL or MariaDB accepts, shortened as little as possible and counted.

A server accepts statements of at most ``max_allowed_packet`` bytes, and each row is one statement at least.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from zendesk_chat.tables.cleaning import Change
from zendesk_chat.tables.table import EXTRA, UNPARSED, StreamTable

_OTHER_BYTES: Final = 2**17
"""For the statement itself, and for columns that are not strings."""
_ESCAPED: Final = 2
"""In a statement, a quote is two bytes, as is every other character that has to be escaped."""


class Shortener:
    """Cuts the longest strings of a row that is too long. JSON becomes null, because a part of it is not valid.

    Attributes:
        changes: How many values were changed so far.
    """

    def __init__(self, table: StreamTable, longest_row: int) -> None:
        self.changes: Counter[Change] = Counter()
        self._stream = table.name
        self._budget = max(longest_row - _OTHER_BYTES, longest_row // 2) // _ESCAPED
        kinds = {**table.columns, EXTRA: "json", UNPARSED: "json"}
        self._json = {name for name, kind in kinds.items() if kind == "json"}
        self._strings = [name for name, kind in kinds.items() if kind in ("text", "json")]

    def clean(self, rows: pa.Table) -> pa.Table:
        """Return rows of ``arrow_schema(table)`` that the server accepts."""
        if rows.nbytes <= self._budget:
            return rows
        lengths = {name: pc.fill_null(pc.binary_length(rows.column(name)), 0).to_pylist() for name in self._strings}
        long = [index for index, row in enumerate(zip(*lengths.values(), strict=True)) if sum(row) > self._budget]
        if not long:
            return rows
        values = rows.select(self._strings).to_pydict()
        for index in long:
            for name, most in self._limits({name: lengths[name][index] for name in self._strings}).items():
                values[name][index] = None if name in self._json else _cut(values[name][index], most)
                self.changes[Change(self._stream, name, "packet")] += 1
        for name in {change.column for change in self.changes}:
            rows = rows.set_column(rows.schema.get_field_index(name), name, pa.array(values[name], pa.string()))
        return rows

    def clean_key(self, key: str) -> str:
        """Return the key of a parent: it is short."""
        return key

    def _limits(self, lengths: dict[str, int]) -> dict[str, int]:
        """Return the bytes that remain of each value that is too long. The shortest values stay, and the others share the rest.

        With a budget of 10, ``{"a": 2, "b": 5, "c": 9}`` becomes ``{"b": 4, "c": 4}``.
        """
        rest, left = self._budget, len(lengths)
        limits: dict[str, int] = {}
        for name, length in sorted(lengths.items(), key=lambda item: item[1]):
            share = rest // left
            if length > share:
                limits[name] = share
            rest, left = rest - min(length, share), left - 1
        return limits


def _cut(value: str, most: int) -> str:
    return value.encode()[:most].decode(errors="ignore")
