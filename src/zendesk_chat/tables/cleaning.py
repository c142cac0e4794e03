r"""Values that Postgres refuses, changed as little as possible and counted.

Postgres has no NUL in a string, and its jsonb has neither NUL, nor half of a surrogate pair, nor numbers of any size. In
``{"msg": "a\u0000b", "size": 1e400000}``, the string becomes ``"a\ufffdb"``, and the number the string ``"1e400000"``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from zendesk_chat.tables.table import EXTRA, UNPARSED, StreamTable

Column: TypeAlias = "pa.ChunkedArray[Any]"
Mask: TypeAlias = "pa.ChunkedArray[Any] | pa.BooleanArray"
Cause: TypeAlias = Literal["nul", "json", "long", "packet"]

NUL: Final = "\0"
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
LONGEST: Final = 2**28 - 1
"""Bytes in a string of jsonb. A string of any other column may be four times as long, but so may be a row."""

_SUSPECT: Final = r"\\u(?:0000|[dD][89a-fA-F])|[0-9][eE][+-]?0*[1-9][0-9]{3}"
"""What a value of jsonb contains if it may have to be changed, for RE2. Long numbers are found by the length of the value."""
_MOST_DIGITS: Final = 131_072  # before the decimal point
_MOST_DECIMALS: Final = 16_383
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*+"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?', re.DOTALL)
_NUMBER: Final = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
_ESCAPE: Final = re.compile(
    r"(?P<pair>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?P<refused>\\u0000|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r"|\\.",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """What happened to values of a column."""

    stream: str
    column: str
    cause: Cause


_REPORTS: Final[Mapping[Cause, str]] = {
    "nul": "NUL characters became U+FFFD",
    "json": "NUL characters and halves of surrogate pairs in JSON became U+FFFD, and numbers beyond its range became strings",
    "packet": "in rows longer than max_allowed_packet of the server, strings were cut, and JSON became null",
    "long": f"strings were cut to {LONGEST:,} bytes, and JSON of more became null",
}


class Cleaner:
    """Replaces what Postgres refuses in the rows of a table.

    Attributes:
        changes: How many values were changed so far.
    """

    def __init__(self, table: StreamTable, longest: int = LONGEST) -> None:
        self.changes: Counter[Change] = Counter()
        self._stream = table.name
        self._longest = longest
        kinds = {**table.columns, EXTRA: "json", UNPARSED: "json"}
        self._strings = [name for name, kind in kinds.items() if kind == "text"]
        self._json = [name for name, kind in kinds.items() if kind == "json"]

    def clean(self, rows: pa.Table) -> pa.Table:
        """Return rows of ``arrow_schema(table)`` that Postgres accepts."""
        for name in self._strings:
            column = rows.column(name)
            suspect = pc.match_substring(column, NUL)
            if self._counted(name, "nul", suspect):
                rows = _with(rows, name, pc.replace_substring(column, NUL, REPLACEMENT))
        for name in self._json:
            column = rows.column(name)
            suspect = pc.match_substring_regex(column, _SUSPECT)
            if _longest_of(column) > _MOST_DECIMALS:
                suspect = pc.or_(suspect, _longer(column, _MOST_DECIMALS))
            if pc.any(suspect).as_py():
                rows = self._with_clean_json(rows, name, suspect)
        return self._shortened(rows)

    def clean_key(self, key: str) -> str:
        """Return the key of a parent as it is in the table."""
        return clean_text(key)

    def _with_clean_json(self, rows: pa.Table, name: str, suspect: Mask) -> pa.Table:
        column = rows.column(name)
        before = _strings(column, suspect)
        after = [clean_json(value) for value in before]
        changed = sum(old != new for old, new in zip(before, after, strict=True))
        if not changed:
            return rows
        self.changes[Change(self._stream, name, "json")] += changed
        return _with(rows, name, _replaced(column, suspect, after))

    def _shortened(self, rows: pa.Table) -> pa.Table:
        for name in (*self._strings, *self._json):
            column = rows.column(name)
            if _longest_of(column) <= self._longest:
                continue
            long = _longer(column, self._longest)
            self._counted(name, "long", long)
            values = [None if name in self._json else self._cut(value) for value in _strings(column, long)]
            rows = _with(rows, name, _replaced(column, long, values))
        return rows

    def _cut(self, value: str) -> str:
        return value.encode()[: self._longest].decode(errors="ignore")

    def _counted(self, name: str, cause: Cause, found: Mask) -> int:
        count: int = pc.sum(found).as_py() or 0
        if count:
            self.changes[Change(self._stream, name, cause)] += count
        return count


def longest_key(table: StreamTable, rows: pa.Table) -> int:
    """Return the bytes in the longest key of a row or of its parent. An index of Postgres limits them."""
    names = [name for name in (*table.primary_key, table.parent_field) if name and table.columns[name] == "text"]
    return max((_longest_of(rows.column(name)) for name in names), default=0)


def clean_text(text: str) -> str:
    """Return a string that Postgres accepts."""
    return text.replace(NUL, REPLACEMENT)


def clean_json(text: str) -> str:
    """Return JSON that jsonb accepts."""
    return _TOKEN.sub(_clean_token, text)


def about_changes(changes: Mapping[Change, int], title: str = "Postgres") -> str:
    """Return a warning about all changes of a run. ``title`` is the destination's."""
    causes = sorted({change.cause for change in changes}, key=list(_REPORTS).index)
    found = [(_REPORTS[cause], [change for change in sorted(changes) if change.cause == cause]) for cause in causes]
    listed = [
        f"{what}: {', '.join(f'{changes[change]:,} of {change.stream}.{change.column}' for change in those)}"
        for what, those in found
    ]
    return f"{title} does not accept some values, so they were changed. {'. '.join(map(_capitalized, listed))}."


def _capitalized(text: str) -> str:
    return text[0].upper() + text[1:]


def _clean_token(token: re.Match[str]) -> str:
    text = token[0]
    if text.startswith('"'):
        return _ESCAPE.sub(_clean_escape, text) if "\\u" in text else text
    return text if _fits_numeric(text) else f'"{text}"'


def _clean_escape(escape: re.Match[str]) -> str:
    return "\\ufffd" if escape["refused"] else escape[0]


def _fits_numeric(number: str) -> bool:
    """Return whether jsonb accepts so many digits before and after the decimal point.

    For ``12.5e3``: 5 digits before it, none after it.
    """
    if len(number) < len("1e1000"):
        return True
    match = _NUMBER.fullmatch(number)
    if match is None or len(match[3] or "") > len("+100000000"):
        return False
    exponent = int(match[3] or 0)
    return len(match[1].lstrip("0")) + exponent <= _MOST_DIGITS and len(match[2] or "") - exponent <= _MOST_DECIMALS


def _longer(column: Column, limit: int) -> Mask:
    lengths: Any = pc.binary_length(column)
    longer: Mask = pc.greater(lengths, pa.scalar(limit))
    return longer


def _strings(column: Column, mask: Mask) -> list[str]:
    return [value for value in column.filter(mask).to_pylist() if value is not None]


def _longest_of(column: Column) -> int:
    return pc.max(pc.binary_length(column)).as_py() or 0


def _replaced(column: Column, mask: Mask, values: Sequence[str | None]) -> Column:
    chosen: Any = pc.fill_null(mask, pa.scalar(False))  # noqa: FBT003  # Arrow's types know no mask in chunks
    replaced: Any = pc.replace_with_mask(column.combine_chunks(), chosen.combine_chunks(), pa.array(values, pa.string()))
    return pa.chunked_array([replaced])


def _with(rows: pa.Table, name: str, column: Column) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), column)
