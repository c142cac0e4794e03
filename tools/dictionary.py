"""Write docs/data-dictionary.md from the code: ``python -m tools.dictionary``. With ``--check``, fail if it differs."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import duckdb

from zendesk_chat.analytics.views import create_views
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.tables.describing import DUCKDB_TYPES, SYSTEM_TABLES, Column, column_comments, table_comment
from zendesk_chat.tables.table import StreamTable

PAGE: Final = Path(__file__).parents[1] / "docs/data-dictionary.md"
TEMPLATE: Final = """\
# Data dictionary

Every table, view and column in a DuckDB file that `zendesk-chat sync` fills. The file holds the same descriptions as comments:

```sql
SELECT table_name, column_name, comment FROM duckdb_columns() WHERE comment IS NOT NULL
```

`make dictionary` generates this page from the code. It describes a file without redaction: a column that you hash is VARCHAR or
JSON, and one that you drop is missing.

- [Tables](#tables): one for each stream. A column is null if the API does not send the field.
- [System tables](#system-tables): the account, the runs and the positions of `sync`.
- [Views](#views): support metrics, in the schema `analytics`. [Query support metrics](analytics.md) has examples.

## Tables

{tables}

## System tables

They are in the same schema as the tables. Read them, but do not change them.

{system_tables}

## Views

{views}
"""


def loading(table: StreamTable) -> str:
    """Describe how rows get into a table, and how they leave it."""
    if table.mirrors:
        return "replaced whenever the list is complete. What is deleted in Zendesk disappears."
    if table.parent_field:
        return f"all rows with the same `{table.parent_field}` are replaced together. Deleted entries disappear."
    if table.latest_by:
        return f"upserted by key; of two records, the one with the later `{table.latest_by}` stays."
    return "upserted by key: a record that changes replaces its row."


def rows_of(columns: Mapping[str, Column]) -> Iterator[str]:
    """Yield the lines of a Markdown table of columns."""
    yield from ("| column | type | description |", "|---|---|---|")
    for name, column in columns.items():
        comment = column.comment.replace("|", r"\|")
        yield f"| `{name}` | {column.type} | {comment} |"


def section(name: str, comment: str, facts: Sequence[str], columns: Mapping[str, Column]) -> str:
    """Return what the page contains about a table or view."""
    return "\n".join([f"### {name}", "", comment, *(["", *facts] if facts else []), "", *rows_of(columns)])


def columns_of(table: StreamTable) -> dict[str, Column]:
    """Return all columns of a stream's table, also those that it has beside the fields."""
    comments = column_comments(table)
    types = {name: DUCKDB_TYPES[kind] for name, kind in table.columns.items()}
    return {name: Column(types.get(name, "JSON"), comment) for name, comment in comments.items()}


def table_section(table: StreamTable) -> str:
    """Return the section on a stream's table."""
    key = ", ".join(f"`{field}`" for field in table.primary_key) or "none, because there is one row"
    cursor = f"`{table.cursor_field}`" if table.cursor_field else "none, because each sync reads it completely"
    facts = [f"- Key: {key}", f"- Cursor: {cursor}", f"- Rows: {loading(table)}"]
    return section(table.name, table_comment(table), facts, columns_of(table))


def views_of(tables: Iterable[StreamTable]) -> Iterator[tuple[str, str, dict[str, Column]]]:
    """Yield the name, comment and columns of each view, by name: DuckDB reports its columns, once there are empty tables."""
    with closing(duckdb.connect()) as database:
        for table in tables:
            columns = ", ".join(f'"{name}" {column.type}' for name, column in columns_of(table).items())
            database.execute(f'CREATE TABLE "{table.name}" ({columns})')
        create_views(database)
        views = database.execute(
            "SELECT view_name, comment FROM duckdb_views() WHERE schema_name = 'analytics' ORDER BY view_name"
        ).fetchall()
        for name, comment in views:
            found = database.execute(
                "SELECT column_name, data_type, comment FROM duckdb_columns() "
                "WHERE schema_name = 'analytics' AND table_name = ? ORDER BY column_index",
                [name],
            ).fetchall()
            yield name, comment, {column: Column(kind, text) for column, kind, text in found}


def page() -> str:
    """Return the page for the current code."""
    tables = [StreamTable.of(stream) for stream in STREAMS.values()]
    return TEMPLATE.format(
        tables="\n\n".join(map(table_section, tables)),
        system_tables="\n\n".join(section(table.name, table.comment, [], table.columns) for table in SYSTEM_TABLES.values()),
        views="\n\n".join(section(f"analytics.{name}", comment, [], columns) for name, comment, columns in views_of(tables)),
    )


def main(arguments: Sequence[str] | None = None, path: Path = PAGE) -> int:
    """Write the page, or check it. Returns 1 if the check fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is out of date")
    if not parser.parse_args(arguments).check:
        path.write_text(page())
    elif not path.exists() or path.read_text() != page():
        print(f"docs/{path.name} is out of date. Run: make dictionary")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
