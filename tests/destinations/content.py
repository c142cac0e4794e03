"""What the tables of a destination should contain: every value of the account, converted here and not by the connector."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.support.sandbox import truth
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.tables.table import StreamTable
from zendesk_chat_sandbox import Sandbox

ALL = tuple(STREAMS)
Row = Mapping[str, Any]
Read = Callable[[str], Iterable[Row]]
"""Returns the rows of a table, as the destination's own driver returns them."""


def expected(sandbox: Sandbox, stream: str) -> list[str]:
    """The rows of a stream's table, as lines of JSON in a fixed order."""
    columns = StreamTable.of(STREAMS[stream]).columns
    records = (json.loads(_valid(json.dumps(record, ensure_ascii=False))) for record in truth(sandbox, stream))
    return sorted(_line({name: _converted(record.get(name), kind) for name, kind in columns.items()}) for record in records)


def _valid(text: str) -> str:
    """Replace half a surrogate pair, which is no text, by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def found(rows: Iterable[Row], stream: str) -> list[str]:
    """The rows of a destination in the same form."""
    columns = StreamTable.of(STREAMS[stream]).columns
    return sorted(_line({name: _read(row[name], kind) for name, kind in columns.items()}) for row in rows)


def check_content(sandbox: Sandbox, read: Read, streams: Iterable[str] = ALL) -> None:
    """Compare each table with the account. Fails with the first rows that differ, and the columns in which they do."""
    for stream in streams:
        wanted, present = Counter(expected(sandbox, stream)), Counter(found(read(stream), stream))
        missing, surplus = sorted((wanted - present).elements()), sorted((present - wanted).elements())
        if missing or surplus:
            pytest.fail(
                f"{stream}: {len(missing)} rows are missing, {len(surplus)} are not of the account. {_first(missing, surplus)}"
            )


def _first(missing: list[str], surplus: list[str]) -> str:
    if not missing or not surplus:
        return f"missing {missing[:1]}, surplus {surplus[:1]}"
    wanted, present = json.loads(missing[0]), json.loads(surplus[0])
    return "; ".join(
        f"{name}: {wanted[name]!r:.300} is {present[name]!r:.300}" for name in wanted if wanted[name] != present[name]
    )


def _line(row: Row) -> str:
    return json.dumps(row, sort_keys=True, ensure_ascii=False)


def _converted(value: Any, kind: str) -> Any:  # noqa: PLR0911  one for each type
    """A value of the API as its column should have it; what does not fit is null."""
    if value is None:
        return None
    match kind:
        case "text":
            return value if isinstance(value, str) else json.dumps(value)
        case "timestamp":
            return _time(datetime.fromisoformat(value)) if value else None
        case "double":
            return float(value) if not isinstance(value, bool | str) else None
        case "bigint":
            return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None
        case "bool":
            return bool(value)
        case _:
            return _plain(value)


def _read(value: Any, kind: str) -> Any:  # noqa: PLR0911  one for each type
    """A value of a driver in the same form."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    match kind:
        case "timestamp":
            return _time(datetime.fromisoformat(value) if isinstance(value, str) else value)
        case "double":
            return float(value)
        case "bool":
            return bool(value)
        case "json":
            return _plain(json.loads(value) if isinstance(value, str | bytes) else value)
        case "bigint":
            return int(value)
        case _:
            return value


def _time(value: datetime | date) -> str:
    assert isinstance(value, datetime)
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="microseconds")


def _plain(value: Any) -> Any:
    """Numbers that are equal become the same: a destination may write 5.0 as 5."""
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, float | Decimal) and value == int(value):
        return int(value)
    return float(value) if isinstance(value, Decimal) else value
