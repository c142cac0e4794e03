"""docs/analytics.md describes the views as the file does, and its examples are what the file answers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.loaded_account import VIEWS

pytestmark = pytest.mark.unmeasured  # many queries or complete syncs

PAGE = (Path(__file__).parent.parent.parent / "docs/analytics.md").read_text()
EXAMPLES = re.findall(r"```sql\n(.*?)```\n\n```text\n(.*?)```\n", PAGE, re.DOTALL)
HELPERS = {"local_time"}


def comments(database: duckdb.DuckDBPyConnection, of: str, name: str) -> list[tuple[Any, ...]]:
    return database.execute(f"SELECT {name}, comment FROM {of}() WHERE schema_name = 'analytics'").fetchall()


def test_tools_see_what_each_view_and_column_means_and_so_does_the_page(database: duckdb.DuckDBPyConnection) -> None:
    views = {f"analytics.{name}": comment for name, comment in comments(database, "duckdb_views", "view_name")}
    documented = dict(re.findall(r"^\| `(analytics\.\w+)` \| (.+?)\.? \|", PAGE, re.MULTILINE))
    assert documented == {name: comment.rstrip(".") for name, comment in views.items()}
    columns = set(comments(database, "duckdb_columns", "column_name"))
    assert None not in {comment for _, comment in columns} | set(views.values())
    assert set(re.findall(r"^\| `(\w+)` \| (.+?) \|$", PAGE, re.MULTILINE)) == columns


def test_the_page_lists_the_columns_of_each_view(database: duckdb.DuckDBPyConnection) -> None:
    listed = re.findall(r"^\| `analytics\.(\w+)` \| .+ \| (`.+`) \|$", PAGE, re.MULTILINE)
    assert sorted(name for name, _ in listed) == sorted(VIEWS)
    for name, columns in listed:
        found = database.execute(f"SELECT column_name FROM (DESCRIBE analytics.{name})").fetchall()
        assert columns == ", ".join(f"`{column}`" for (column,) in found)


def shown(database: duckdb.DuckDBPyConnection, query: str) -> str:
    """Return the answer of the last statement, as the page shows it."""
    done = database.execute(query)
    rows = [
        [column[0] for column in done.description or []],
        *(["" if v is None else str(v) for v in row] for row in done.fetchall()),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join(
        "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip() + "\n" for row in rows
    )


@pytest.mark.parametrize(("query", "output"), EXAMPLES)
def test_an_example_of_the_page(database: duckdb.DuckDBPyConnection, query: str, output: str) -> None:
    assert shown(database, query) == output


def test_each_view_has_an_example() -> None:
    asked = set(re.findall(r"analytics\.(\w+)", " ".join(query for query, _ in EXAMPLES)))
    assert asked - HELPERS == set(VIEWS)
