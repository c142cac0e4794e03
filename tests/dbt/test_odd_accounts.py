"""The models stay equal to the views where tables, columns, names and values are not as expected."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.dbt.conftest import Modelling
from tests.support.loaded_account import load_account
from zendesk_chat.analytics.views import create_views

Change = Callable[[duckdb.DuckDBPyConnection], object]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("odd")


@pytest.fixture
def path(folder: Path) -> Path:
    """A file that does not exist yet. It has always the same name, so dbt parses the project once."""
    file = folder / "odd.duckdb"
    file.unlink(missing_ok=True)
    return file


def changed(path: Path, change: Change) -> Path:
    """Create the small account in a file, change its tables, and create the views over them."""
    load_account(path)
    with duckdb.connect(str(path)) as connection:
        change(connection)
        assert create_views(connection) == []
    return path


def delete_all_rows(connection: duckdb.DuckDBPyConnection) -> None:
    for table in ("agents", "departments", "agent_timeline", "chats", "conversions"):
        connection.execute(f"DELETE FROM {table}")


def rename_people(connection: duckdb.DuckDBPyConnection) -> None:
    """Deleted agents, namesakes, names that people sort in another order than by code, other versions of conversions."""
    connection.execute("DELETE FROM agents WHERE id = 11; UPDATE agents SET display_name = 'Cy'")
    connection.execute("UPDATE departments SET name = '' WHERE id = 2; DELETE FROM departments WHERE id = 1")
    connection.execute("UPDATE chats SET engagements = replace(engagements, 'Anna', 'ängel') WHERE id = 'c2'")
    connection.execute(
        """UPDATE chats SET agent_names = '["Zoë", "cyril"]', timestamp = '2026-03-14 09:10:00Z' WHERE id = 'c8'"""
    )
    connection.execute("UPDATE chats SET department_name = 'orders' WHERE id = 'c2'")
    connection.execute("""UPDATE chats SET tags = '["b", "B", "a", "_", "ä", "Z", "10", "9", 7, ""]' WHERE id = 'c3'""")
    connection.execute("""UPDATE chats SET session = '{"country_code": "pt", "country_name": "portugal"}' WHERE id = 'c4'""")
    connection.execute("UPDATE conversions SET goal_id = 501, goal_name = 'Ärger' WHERE id = 'k1'")
    connection.execute(
        "UPDATE conversions SET goal_id = 501, goal_name = 'zebra', timestamp = '2026-03-20 08:00:00Z' WHERE id = 'k2'"
    )
    connection.execute("INSERT INTO conversions (id, goal_name) VALUES (NULL, 'Lost'), (NULL, '')")


def drop_columns(*names: str) -> Change:
    def change(connection: duckdb.DuckDBPyConnection) -> None:
        for name in names:
            connection.execute(f"ALTER TABLE chats DROP COLUMN {name}")

    return change


def hash_identifiers(connection: duckdb.DuckDBPyConnection) -> None:
    """What redaction leaves: identifiers that are strings, and a number that is one."""
    for table, column in (("departments", "id"), ("chats", "department_id"), ("agent_timeline", "agent_id")):
        hashed = f"substr(md5({column}::VARCHAR), 1, 8)"
        connection.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * REPLACE ({hashed} AS {column}) FROM {table}")
    connection.execute("ALTER TABLE chats DROP COLUMN history; ALTER TABLE agent_timeline ALTER duration TYPE VARCHAR")


ODD_JSON = [
    "null",
    "{}",
    '"text"',
    "7",
    "[]",
    "[null]",
    "[7]",
    '[["a"]]',
    '[{"agent_id": 5, "duration": "x", "timestamp": 5, "id": true, "name": "7"}]',
    '[{"agent_id": 11, "duration": "90.5", "accepted": "false", "response_time": {"first": "3"}, "timestamp": "2026-03-14"}]',
    '[{"agent_id": 11, "duration": 1e400, "accepted": 0, "response_time": 7, "timestamp": "2026-02-30T00:00:00Z"}]',
    '[{"agent_id": 11, "duration": -1, "accepted": 2, "response_time": [], "timestamp": "2026-03-14T09:00:60Z"}]',
    '[null, {"agent_id": "11", "agent_name": "", "id": "k1", "type": "chat.msg", "msg": "\\"a\\", \\\\ \\n", "name": "7"}]',
    '{"id": "v-c1", "first": 1e300, "country_code": "", "country_name": 5, "name": {"a":1}}',
    '{"id": 5, "first": "12e-1", "country_code": null, "country_name": "", "name": "7"}',
]


def drift(connection: duckdb.DuckDBPyConnection) -> None:
    """A chat for each odd value, which all its JSON columns have."""
    columns = (
        "engagements",
        "history",
        "conversions",
        "agent_ids",
        "agent_names",
        "response_time",
        "visitor",
        "session",
        "tags",
    )
    for number, text in enumerate(ODD_JSON):
        connection.execute(
            f"INSERT INTO chats (id, timestamp, duration, {', '.join(columns)}) "
            f"VALUES ('odd{number:02}', '2026-03-14 10:00:00Z', 60, {', '.join('$1' for _ in columns)})",
            [text],
        )


TIMES = [
    "2026-03-14T09:00:00Z",
    "2026-03-14T09:00:00",
    "2026-03-14 09:00:00.123456Z",
    "2026-03-14T09:00:00.1234567Z",
    "2026-03-14T09:00:00.9999999Z",
    "2026-03-14T09:00",
    "2026-03-14",
    " 2026-03-14T09:00:00Z ",
    "2024-02-29T23:59:59.5Z",
    "2026-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-03-14T25:00:00Z",
    "2026-03-14T09:61:00Z",
    "2026-03-14T",
    "1969-12-31T23:30:00Z",
    "9999-12-31T23:59:59Z",
    "soon",
    "",
]


def odd_times(connection: duckdb.DuckDBPyConnection) -> None:
    """Times and lengths that cannot be, in columns and in JSON."""
    rows = [  # start, end, duration, first response
        ("1969-12-31T23:30:00Z", "1970-01-01T00:30:00Z", 3600, "60"),
        ("9999-12-31T23:00:00Z", "9999-12-31T23:30:00Z", 1800, "10"),
        ("2026-05-01T10:00:00Z", "2026-05-01T09:00:00Z", -3600, "-5"),
        ("2026-05-01T10:00:00Z", None, 7200, "20"),
        ("2026-05-01T10:00:00Z", "9999-12-31T23:59:59Z", 0.0000015, "0.05"),
        ("2026-05-01T10:00:00Z", None, float("inf"), "1e9"),
        ("2026-05-01T10:00:00Z", None, float("nan"), "0.35"),
        (None, "2026-05-01T09:00:00Z", 1e12, "1e12"),
    ]
    for number, (start, end, duration, first) in enumerate(rows):
        connection.execute(
            "INSERT INTO chats (id, type, timestamp, end_timestamp, duration, abandon_time, response_time) "
            "VALUES ($1, 'chat', $2, $3, $4, $4, $5)",
            [f"x{number}", start, end, duration, f'{{"first": {first}}}'],
        )
    engagements = [
        {"id": f"t{number}", "agent_id": "11", "timestamp": time, "duration": 90} for number, time in enumerate(TIMES)
    ]
    messages = [{"type": "chat.msg", "timestamp": time, "msg": time} for time in TIMES]
    connection.execute(
        "INSERT INTO chats (id, type, timestamp, engagements, history) VALUES ('times', 'chat', '2026-03-14', $1, $2)",
        [json.dumps(engagements), json.dumps(messages)],
    )


@pytest.mark.parametrize(
    "change",
    [
        delete_all_rows,
        rename_people,
        drift,
        odd_times,
        hash_identifiers,
        drop_columns("comment", "visitor", "agent_names", "department_name", "session", "tags", "zendesk_ticket_id", "message"),
        drop_columns("engagements"),
        drop_columns("missed", "conversions"),
    ],
    ids=["empty", "renamed", "drift", "times", "hashed", "optional_columns", "engagements", "needed_columns"],
)
def test_models_are_equal_to_views(change: Change, modelled: Modelling, path: Path) -> None:
    assert modelled(changed(path, change)).differences() == {}
