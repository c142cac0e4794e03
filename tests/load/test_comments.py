"""The tables and columns of a file carry the descriptions as comments, for whatever tool shows them."""

from __future__ import annotations

from pathlib import Path

from tests.support.loads import completed, load, page, rows, started
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.tables.describing import SYSTEM_TABLES, column_comments, table_comment
from zendesk_chat.tables.table import StreamTable

TABLES = [StreamTable.of(stream) for stream in STREAMS.values()]


def test_every_table_and_column_has_its_comment(tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    events = [event for name in STREAMS for event in (*started(name), page(name, [], next=1), completed(name))]
    assert load(path, events, tables=TABLES).result == "complete"
    made = {name for (name,) in rows(path, "SELECT table_name FROM duckdb_tables()")}
    system = [table for name, table in SYSTEM_TABLES.items() if name in made]
    assert made == {*STREAMS, *(table.name for table in system)}
    tables = dict(rows(path, "SELECT table_name, comment FROM duckdb_tables()"))
    assert tables == {table.name: table_comment(table) for table in TABLES} | {table.name: table.comment for table in system}
    columns = rows(path, "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal")
    expected = {table.name: column_comments(table) for table in TABLES} | {t.name: t.column_comments() for t in system}
    for name, comments in expected.items():
        assert {column: comment for table, column, comment in columns if table == name} == comments
