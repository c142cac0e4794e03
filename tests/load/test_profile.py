"""What is in a database: rows, times, nulls, and what no schema knows; never a value."""

from __future__ import annotations

import json
import re
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console

from tests.support.elsewhere import open_elsewhere
from tests.support.loads import CHATS, DEPARTMENTS, TIME, chat, chat_pages, completed, encode, load, page, started, url
from zendesk_chat.engine.events import SchemaChange
from zendesk_chat.errors import ConfigError, DestinationError
from zendesk_chat.json_schema import Schema
from zendesk_chat.load.profile import (
    ColumnProfile,
    TableProfile,
    duckdb_file,
    profile,
    run_profile,
    to_json,
)
from zendesk_chat.load.profile_report import print_profile
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.stream import Stream
from zendesk_chat.tables.table import StreamTable

Streams = Mapping[str, Stream]


def stream(name: str, cursor: str | None, /, **properties: Any) -> Stream:
    schema = {"type": "object", "properties": properties}
    return replace(STREAMS["chats"], name=name, cursor_field=cursor, load_schema=lambda _: Schema.parse(schema))


def stream_of(table: StreamTable) -> Stream:
    return stream(table.name, table.cursor_field, **{name: field.to_json() for name, field in table.schema.properties.items()})


AGENTS = stream(
    "agents",
    "id",
    id={"type": ["null", "integer"]},
    name={"type": ["null", "string"]},
    last_login=TIME,
    create_date=TIME,
    roles={"type": ["null", "object"], "properties": {"owner": {"type": ["null", "boolean"]}}},
    tags={"type": ["null", "array"], "items": {"type": ["null", "string"]}},
)


def database(path: Path, *statements: str) -> str:
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)
    return str(path)


def agents(path: Path, *rows: str) -> str:
    columns = (
        "id BIGINT, name VARCHAR, last_login TIMESTAMPTZ, roles JSON, tags JSON, _extra JSON, _unparsed JSON, _dlt_id VARCHAR"
    )
    return database(path, f"CREATE TABLE agents ({columns})", *(f"INSERT INTO agents BY NAME SELECT {row}" for row in rows))


drifted = partial(SchemaChange, "chats")
agents_drifted = partial(SchemaChange, "agents")


def only(path: str, *streams: Stream) -> TableProfile:
    (found,) = profile(path, {stream.name: stream for stream in streams})
    return found


def printed(profiles: list[TableProfile], **options: bool) -> str:
    console = Console(file=StringIO(), width=80, color_system=None)
    print_profile(profiles, console, **options)
    text = console.file
    assert isinstance(text, StringIO)
    return text.getvalue()


def options(database: Path | str, streams: str | None = None, *, json: bool = False) -> Namespace:
    return Namespace(database=str(database), streams=streams and [streams], json=json, schema="main")


def test_rows_nulls_and_times_of_what_sync_loaded(tmp_path: Path) -> None:
    records = [chat(n, comment=None if n % 4 else "secret", department_id=n % 3) for n in range(20)]
    load(tmp_path / "chats.duckdb", chat_pages(records))
    found = only(str(tmp_path / "chats.duckdb"), stream_of(CHATS))
    assert (found.stream, found.rows, found.time_field) == ("chats", 20, "update_timestamp")
    assert (found.first, found.last) == ("2026-03-14T09:00:00Z", "2026-03-14T09:00:19Z")
    columns = {column.name: column for column in found.columns}
    assert {name: column.type for name, column in columns.items()} == CHATS.columns
    assert columns["id"] == ColumnProfile("id", "text", 0, 0.0, columns["id"].distinct)
    assert 15 < (columns["id"].distinct or 0) <= 20
    assert columns["comment"] == ColumnProfile("comment", "text", 15, 0.75, 1)
    assert columns["department_id"] == ColumnProfile("department_id", "bigint", 0, 0.0, 3)
    assert columns["never_sent"] == ColumnProfile("never_sent", "bigint", 20, 1.0, 0)
    assert columns["history"] == ColumnProfile("history", "json", 0, 0.0, None)
    assert found.empty_columns == 1
    assert found.drift == ()


def test_columns_that_hold_hashes_are_text(tmp_path: Path) -> None:
    properties = dict.fromkeys(CHATS.schema.properties, Schema(("null", "string")))
    hashed = chat(1, update_timestamp="0a1b", duration="0a1b", department_id="0a1b", visitor="0a1b", history="0a1b")
    load(tmp_path / "chats.duckdb", chat_pages([hashed]), tables=[replace(CHATS, schema=Schema(properties=properties))])
    found = only(str(tmp_path / "chats.duckdb"), stream_of(CHATS))
    assert {column.type for column in found.columns} == {"text"}
    assert (found.rows, found.time_field, found.first, found.drift) == (1, None, None, ())
    assert {column.name: column.nulls for column in found.columns if column.nulls} == {"never_sent": 1}


def test_what_the_schema_does_not_know_of_what_sync_loaded(tmp_path: Path) -> None:
    item = Schema(("null", "object"), {"msg": Schema(("null", "string"))})
    properties = {**CHATS.schema.properties, "history": Schema(("array",), items=item)}
    table = stream_of(replace(CHATS, schema=Schema(properties=properties)))
    records = [
        chat(1, history=[{"msg": "x"}], later={"a": 1}),
        chat(2, history=[{"msg": 7, "novel": True}], later={"a": 2}),
        chat(3, history=[], later="x", duration="long", missed="maybe"),
    ]
    load(tmp_path / "chats.duckdb", chat_pages(records))
    found = only(str(tmp_path / "chats.duckdb"), table)
    assert [drift for drift in found.drift if "history" not in drift.path] == [
        drifted("later", (), "object", 2),
        drifted("later", (), "string", 1),
        drifted("duration", ("number",), "string", 1),
        drifted("missed", ("boolean",), "string", 1),
    ]
    assert {drift for drift in found.drift if "history" in drift.path} >= {
        drifted("history.*.msg", ("string",), "integer"),
        drifted("history.*.novel", (), "boolean"),
    }
    assert found.unknown_fields >= 2


def test_names_that_are_data_are_reported_once_for_all(tmp_path: Path) -> None:
    first = {f"k{number:04d}": number for number in range(5000)}
    second = {"k0000": "x", "jo@example.com": True, "a\nb": 1, "k0001": 1}
    load(tmp_path / "chats.duckdb", chat_pages([chat(1, **first), chat(2, **second)]))
    drift = only(str(tmp_path / "chats.duckdb"), stream_of(CHATS)).drift
    assert drift[:2] == (drifted("a\\nb", (), "integer", 1), drifted("*", (), "boolean"))
    assert drift[2:5] == (
        drifted("k0000", (), "integer", 1),
        drifted("k0000", (), "string", 1),
        drifted("k0001", (), "integer", 2),
    )
    assert drift[-2:] == (drifted("k0048", (), "integer", 1), drifted("*", (), "integer"))
    assert len(drift) == 53


def test_drift_inside_of_json_columns(tmp_path: Path) -> None:
    path = agents(
        tmp_path / "a.duckdb",
        """1 AS id, '{"owner": true, "admin": null}' AS roles, '["x", 7]' AS tags, '{"extra": [1]}' AS _extra""",
        """2 AS id, '{"owner": "yes"}' AS roles, '["x", 7]' AS tags""",
        """3 AS id, '[]' AS roles, '{"id": "x"}' AS _unparsed""",
    )
    found = only(path, AGENTS)
    assert found.drift == (
        agents_drifted("extra", (), "array", 1),
        agents_drifted("id", ("integer",), "string", 1),
        agents_drifted("roles.admin", (), "null"),
        agents_drifted("roles.owner", ("boolean",), "string"),
        agents_drifted("roles", ("object",), "array"),
        agents_drifted("tags.*", ("string",), "integer"),
    )
    assert found.unknown_fields == 2


def test_types_of_unknown_fields(tmp_path: Path) -> None:
    values = {"a": True, "b": -1, "c": 10**30, "d": 1.5, "e": "x", "f": [], "g": {}, 'q"': 1, "dotted.name": 1}
    path = agents(tmp_path / "a.duckdb", f"'{json.dumps(values)}' AS _extra", "'\"no object\"' AS _extra", "NULL AS _extra")
    assert {(drift.path, drift.found) for drift in only(path, AGENTS).drift} == {
        ("a", "boolean"),
        ("b", "integer"),
        ("c", "number"),
        ("d", "number"),
        ("e", "string"),
        ("f", "array"),
        ("g", "object"),
        ('q"', "integer"),
        ("dotted.name", "integer"),
    }


def test_a_stream_whose_cursor_is_no_time_has_that_of_its_first_time(tmp_path: Path) -> None:
    path = agents(
        tmp_path / "a.duckdb",
        "1 AS id, '2024-05-06T10:00:00.75Z' AS last_login",
        "2 AS id, '2023-01-01T01:00:00+02:00' AS last_login",
    )
    found = only(path, AGENTS)
    assert (found.time_field, found.first, found.last) == ("last_login", "2022-12-31T23:00:00Z", "2024-05-06T10:00:00Z")


def test_a_table_without_rows_times_or_some_columns(tmp_path: Path) -> None:
    path = database(tmp_path / "a.duckdb", "CREATE TABLE agents (id BIGINT, name VARCHAR)")
    none = (ColumnProfile("id", "bigint", 0, 0.0, 0), ColumnProfile("name", "text", 0, 0.0, 0))
    assert only(path, AGENTS) == TableProfile("agents", 0, None, None, None, none, ())
    assert only(path, AGENTS).empty_columns == 0


def test_only_tables_that_there_are_in_the_order_of_the_streams(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    events = [*started("departments"), page("departments", [{"id": 1, "name": "Sales"}]), completed("departments", 1)]
    load(path, [*events, *chat_pages([chat(1)])])
    streams = {"departments": stream_of(DEPARTMENTS), "agents": AGENTS, "chats": stream_of(CHATS)}
    reported: list[str] = []
    assert [found.stream for found in profile(str(path), streams, reported.append)] == ["departments", "chats"]
    assert reported == ["departments", "chats"]


def test_the_tables_of_another_schema(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    load(path, chat_pages([chat(1)]))
    load(path, chat_pages([chat(1), chat(2, comment=None, new="x")]), schema="acme-eu")
    (found,) = profile(str(path), {"chats": stream_of(CHATS)}, schema="ACME-eu")
    assert (found.rows, found.unknown_fields) == (2, 1)
    (found,) = profile(str(path), {"chats": stream_of(CHATS)})
    assert (found.rows, found.unknown_fields) == (1, 0)


def test_no_value_is_shown(tmp_path: Path) -> None:
    record = chat(1, comment="Private", visitor={"email": "private@example.com"}, duration="Private", unknown="Private")
    load(tmp_path / "a.duckdb", chat_pages([record]))
    profiles = profile(str(tmp_path / "a.duckdb"), {"chats": stream_of(CHATS)})
    for text in (printed(profiles), printed(profiles, every_column=True), to_json(profiles).decode()):
        assert "chats" in text
        assert "rivate" not in text


COLUMNS = (
    ColumnProfile("id", "text", 0, 0.0, 2000),
    ColumnProfile("rating", "text", 1, 0.0005, 2),
    ColumnProfile("comment", "text", 1999, 0.9995, 1),
    ColumnProfile("session", "json", 1000, 0.5, None),
    ColumnProfile("deleted", "bool", 2000, 1.0, 0),
)
PROFILES = [
    TableProfile(
        "chats",
        2000,
        "update_timestamp",
        "2024-01-02T03:04:05Z",
        "2026-03-14T09:21:01Z",
        COLUMNS,
        (drifted("history.*.[bold]x", (), "object"), drifted("history.*.msg", ("string", "integer"), "array", 1200)),
    ),
    TableProfile("goals", 0, None, None, None, (ColumnProfile("id", "bigint", 0, 0.0, 0),), ()),
]


def cells(text: str) -> list[list[str]]:
    return [line.replace("━", " ").replace("╸", " ").replace("╺", " ").split() for line in text.splitlines()]


def test_print() -> None:
    text = printed(PROFILES)
    assert cells(text) == [
        ["stream", "rows", "from", "to", "columns", "empty", "unknown"],
        ["chats", "2,000", "2024-01-02", "2026-03-14", "5", "1", "1"],
        ["goals", "0", "1", "0", "0"],
        [],
        ["chats"],
        ["column", "type", "null", "distinct"],
        ["rating", "text", "<1%", "~2"],
        ["comment", "text", ">99%", "~1"],
        ["session", "json", "50%"],
        ["deleted", "bool", "100%", "~0"],
        ["never", "null:", "1", "of", "5", "columns"],
        ["differs", "from", "the", "schema:", "history.*.[bold]x:", "unknown,", "object"],
        [
            *[
                "differs",
                "from",
                "the",
                "schema:",
                "history.*.msg:",
                "array,",
                "but",
                "string",
                "or",
                "integer",
                "was",
                "expected,",
                "in",
                "1,200",
                "rows",
            ],
        ],
    ]
    assert max(map(len, text.splitlines()[:-1])) <= 80


def test_print_every_column() -> None:
    lines = cells(printed(PROFILES, every_column=True))
    assert ["id", "text", "0%", "~2,000"] in lines
    assert not any(line[:2] == ["never", "null:"] for line in lines)


def test_json() -> None:
    chats, goals = json.loads(to_json(PROFILES))
    assert goals == {
        "stream": "goals",
        "rows": 0,
        "time_field": None,
        "first": None,
        "last": None,
        "columns": [{"name": "id", "type": "bigint", "nulls": 0, "null_share": 0.0, "distinct": 0}],
        "drift": [],
        "empty_columns": 0,
        "unknown_fields": 0,
    }
    assert (chats["first"], chats["empty_columns"], chats["unknown_fields"]) == ("2024-01-02T03:04:05Z", 1, 1)
    assert chats["drift"][1] == {"path": "history.*.msg", "known": ["string", "integer"], "found": "array", "rows": 1200}


@pytest.mark.parametrize("form", ["{}", "duckdb:///{}"])
def test_a_file_is_named_by_its_path_or_as_sync_takes_it(form: str, tmp_path: Path) -> None:
    path = database(tmp_path / "a.duckdb")
    assert duckdb_file(form.format(path)) == path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nosuch.duckdb", "There is no file nosuch.duckdb"),
        ("duckdb:///nosuch.duckdb", "There is no file nosuch.duckdb"),
        ("postgres://u:secret@host/x", "only DuckDB files"),
        ("nosuch://x", "only DuckDB files"),
        ("duckdb://x.duckdb", "three slashes"),
        (".", "There is no file"),
    ],
)
def test_what_is_no_file(name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message) as caught:
        duckdb_file(name)
    assert "secret" not in str(caught.value)
    assert run_profile(options(name)) == 2
    assert message in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_database(tmp_path: Path, capfd: Any) -> None:
    path = tmp_path / "a.duckdb"
    path.write_bytes(b"something else" * 1000)
    with pytest.raises(DestinationError, match="not a DuckDB database"):
        profile(str(path), {"agents": AGENTS})
    assert run_profile(options(path)) == 1
    assert "not a DuckDB database" in capfd.readouterr().err


def test_a_database_that_another_program_writes_to(tmp_path: Path, capfd: Any) -> None:
    path = database(tmp_path / "a.duckdb", "CREATE TABLE agents (id BIGINT)")
    with open_elsewhere(Path(path)):
        code = run_profile(options(path))
    assert code == 1
    assert re.search(r"is open in .* \(process \d+\)\. Try again when it has finished\.", capfd.readouterr().err)
    assert run_profile(options(path)) == 0


def test_the_file_is_only_read(tmp_path: Path) -> None:
    path = Path(agents(tmp_path / "a.duckdb", "1 AS id"))
    before = path.read_bytes()
    path.chmod(0o400)
    assert run_profile(options(path)) == 0
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_command(tmp_path: Path, capfd: Any) -> None:
    table = "CREATE TABLE agents (id BIGINT, display_name VARCHAR, last_login TIMESTAMPTZ)"
    path = database(tmp_path / "a.duckdb", table, "INSERT INTO agents VALUES (1, 'x', NULL), (2, NULL, NULL)")
    assert run_profile(options(path)) == 0
    text = cells(capfd.readouterr().out)
    assert ["agents", "2", "3", "1", "0"] in text
    assert ["display_name", "text", "50%", "~1"] in text
    assert ["never", "null:", "1", "of", "3", "columns"] in text
    assert run_profile(options(url(Path(path)), "agents")) == 0
    assert ["id", "bigint", "0%", "~2"] in cells(capfd.readouterr().out)
    assert run_profile(options(path, json=True)) == 0
    (found,) = json.loads(capfd.readouterr().out)
    assert (found["stream"], found["rows"]) == ("agents", 2)


@pytest.mark.parametrize(
    ("streams", "message"),
    [(None, "no table for agents"), ("goals,chats", "no table for goals"), ("nosuch", "no such stream: nosuch")],
)
def test_no_table(streams: str | None, message: str, tmp_path: Path, capfd: Any) -> None:
    tables = "CREATE TABLE other (id BIGINT)" if streams is None else "CREATE TABLE chats (id VARCHAR)"
    path = database(tmp_path / "a.duckdb", tables)
    assert run_profile(options(path, streams)) == 2
    assert message.replace("agents", "any stream") in capfd.readouterr().err


def test_json_columns_larger_than_one_read(tmp_path: Path) -> None:
    records = [{"id": n, "tags": ["x"] if n < 1700 else [n]} for n in range(1800)]
    lines = b"\n".join(encode(records)).decode()
    (tmp_path / "rows.json").write_text(lines)
    path = agents(tmp_path / "a.duckdb", f"* FROM read_json('{tmp_path}/rows.json', columns = {{id: 'BIGINT', tags: 'JSON'}})")
    assert only(path, AGENTS).drift == (agents_drifted("tags.*", ("string",), "integer"),)
