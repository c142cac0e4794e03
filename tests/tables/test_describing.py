"""Tables and columns are described for people who query them."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from zendesk_chat.config import parse_config
from zendesk_chat.json_schema import Schema
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.tables.describing import DUCKDB_TYPES, SYSTEM_TABLES, column_comments, table_comment
from zendesk_chat.tables.table import StreamTable

TABLES = {name: StreamTable.of(stream) for name, stream in STREAMS.items()}
JARGON = re.compile(r"\b(schema|nullable|stream|property|enum|draft)\b", re.IGNORECASE)


@pytest.mark.parametrize("name", TABLES)
def test_every_table_and_column_has_a_comment_in_plain_sentences(name: str) -> None:
    table = TABLES[name]
    comments = column_comments(table)
    assert list(comments) == [*table.columns, "_extra", "_unparsed"]
    for comment in (table_comment(table), *comments.values()):
        assert comment.endswith(".")
        assert "  " not in comment
        assert not JARGON.search(comment)


@pytest.mark.parametrize("name", TABLES)
def test_the_comment_on_a_table_ends_with_its_key(name: str) -> None:
    key = ", ".join(TABLES[name].primary_key)
    assert table_comment(TABLES[name]).endswith(f" Key: {key}.") == bool(key)
    assert ("exactly one record" in table_comment(TABLES[name])) == (not key)


@pytest.mark.parametrize("name", TABLES)
def test_json_columns_are_described_as_json_and_no_others(name: str) -> None:
    table = TABLES[name]
    found = {column for column, comment in column_comments(table).items() if "JSON" in comment}
    assert found == {column for column, kind in table.columns.items() if kind == "json"} | {"_extra", "_unparsed"}


@pytest.mark.parametrize("name", TABLES)
def test_what_a_comment_refers_to_exists(name: str) -> None:
    for comment in (table_comment(TABLES[name]), *column_comments(TABLES[name]).values()):
        for table, column in re.findall(r"\b([a-z]+(?:_[a-z]+)*)\.(id|account_key)\b", comment):
            assert column in TABLES[table].columns


@pytest.mark.parametrize(
    ("table", "column", "comment"),
    [
        ("chats", "duration", "Length of the chat in seconds."),
        ("chats", "end_timestamp", "End of the chat. Null on offline messages."),
        ("chats", "department_id", "Department of the chat: departments.id. Null if none."),
        (
            "chats",
            "response_time",
            "How fast agents responded in the chat, in seconds. A JSON object with first, avg, max.",
        ),
        ("chats", "agent_ids", "Agents in the chat: agents.id, here as text. A JSON array."),
        ("chats", "engagements", "Each agent's part in the chat, also in chat_engagements. A JSON array of objects with id, "),
        ("routing_settings", "chat_limit", "Limit of concurrent chats per agent. JSON: an object with enabled, limit, "),
    ],
)
def test_comments_mention_units_references_and_the_form_of_json(table: str, column: str, comment: str) -> None:
    assert column_comments(TABLES[table])[column].startswith(comment)


def test_a_redacted_table_has_comments_on_the_columns_that_it_has() -> None:
    rules = {"rules": [{"field": "chats.visitor.email", "action": "drop"}, {"field": "chats.comment", "action": "drop"}]}
    config = parse_config({"subdomain": "a", "access_token": "t", "start_date": "2020-01-01T00:00:00Z", "redact": rules})
    table = StreamTable.of(Catalog(config.redaction).streams["chats"])
    comments = column_comments(table)
    assert list(comments) == [*table.columns, "_extra", "_unparsed"]
    assert "comment" not in comments
    assert "id, name, phone" in comments["visitor"]
    assert table_comment(table) == table_comment(TABLES["chats"])


def test_what_the_schema_does_not_describe_gets_no_comment() -> None:
    table = StreamTable("t", ("id",), None, Schema.parse({"properties": {"id": {"type": "string"}, "tags": {"type": "array"}}}))
    assert table_comment(table) == ""
    assert list(column_comments(table)) == ["_extra", "_unparsed"]


def test_the_system_tables_can_be_made_as_they_are_described() -> None:
    with duckdb.connect() as database:
        for table in SYSTEM_TABLES.values():
            columns = ", ".join(f"{name} {column.type}" for name, column in table.columns.items())
            database.execute(f"CREATE TABLE {table.name} ({columns})")
            found = database.execute(f"SELECT column_name, column_type FROM (DESCRIBE {table.name})").fetchall()
            assert dict(found) == {name: column.type for name, column in table.columns.items()}
            assert all(comment.endswith(".") for comment in (table.comment, *table.column_comments().values()))
    assert {"_sync_account", "_sync_streams", "_sync_runs", "_sync_run_streams", "_sync_views"} <= set(SYSTEM_TABLES)


def test_the_types_are_those_that_duckdb_reports() -> None:
    with duckdb.connect() as database:
        for name in DUCKDB_TYPES.values():
            assert database.execute(f"SELECT typeof(NULL::{name})").fetchone() == (name,)


def test_the_module_loads_no_database() -> None:
    source = Path(__file__).parents[2] / "src/zendesk_chat/tables/describing.py"
    assert not re.search(r"import (duckdb|pyarrow|dlt|rich)", source.read_text())
