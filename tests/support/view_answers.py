"""What a view answers, in a form that a test can compare, and the times in the small account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import duckdb

D13, D14, D15 = date(2026, 3, 13), date(2026, 3, 14), date(2026, 3, 15)
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


def answer(database: duckdb.DuckDBPyConnection, view: str, columns: str = "*") -> list[tuple[Any, ...]]:
    """Return the rows of a view in order, with four decimals."""
    return [rounded(row) for row in database.execute(f"SELECT {columns} FROM analytics.{view} ORDER BY ALL").fetchall()]


def rounded(row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(round(value, 4) if isinstance(value, float) else value for value in row)


def hour(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00:00")


def epoch(text: str) -> float:
    return datetime.fromisoformat(f"{text}:00+00:00").timestamp()
