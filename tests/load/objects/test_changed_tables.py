"""Users change the tables of a file: either sync repairs them, or one sentence reports what is missing and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.load.objects.conftest import BOTH, STREAMS
from tests.support.syncs import NESTED, complete, differing, execute, sync
from zendesk_chat_sandbox import Sandbox

unmeasured = pytest.mark.unmeasured  # complete syncs, which take the paths of other tests


def remade(*changes: str) -> list[str]:
    """Statements that make the table of chats again, with something between its columns."""
    return ["CREATE TABLE copy AS FROM chats", "DROP TABLE chats", *changes, "INSERT INTO chats BY NAME FROM copy"]


GONE = {
    "dropped": ["DROP TABLE {table}"],
    "renamed": ["ALTER TABLE {table} RENAME TO mine"],
}


@BOTH
@pytest.mark.parametrize("table", ["chats", "chat_events", "visitors", "departments"])
@pytest.mark.parametrize("how", GONE)
def test_a_table_that_is_gone_is_filled_from_the_start(
    how: str, table: str, sandbox: Sandbox, path: Path, refresh: tuple[str, ...]
) -> None:
    execute(path, *(statement.format(table=table) for statement in GONE[how]))
    done = complete(sandbox, path, *STREAMS, *refresh)
    assert done.warnings == [f"The table main.{table} no longer exists. It is loaded again from the start."]
    assert differing(sandbox, path) == []
    assert complete(sandbox, path, *STREAMS).warnings == []


UNCHANGED = {
    "the case of the table": ['ALTER TABLE chats RENAME TO "Chats"'],
    "the case of a column": ['ALTER TABLE chats RENAME COLUMN comment TO "Comment"'],
    "the case of the key": ['ALTER TABLE chats RENAME COLUMN id TO "ID"'],
    "a copy": ["CREATE OR REPLACE TABLE chats AS FROM chats"],
    "more text": ["ALTER TABLE chats ALTER visitor TYPE VARCHAR", "ALTER TABLE chats ALTER timestamp TYPE VARCHAR"],
    "a column of their own": ["ALTER TABLE chats ADD COLUMN mine INTEGER DEFAULT 5"],
    "a column that is not null": [
        "ALTER TABLE chats ADD COLUMN mine INTEGER DEFAULT 5",
        "ALTER TABLE chats ALTER mine SET NOT NULL",
    ],
    "indexes": [
        "CREATE UNIQUE INDEX one ON chats (id)",
        "CREATE INDEX two ON chats ((lower(id) || comment))",
        "CREATE UNIQUE INDEX three ON departments (id)",
        "CREATE INDEX four ON chat_events (chat_id)",
        "CREATE UNIQUE INDEX five ON visitors (id)",
    ],
    "primary keys": [f"ALTER TABLE {table} ADD PRIMARY KEY (id)" for table in ("chats", "departments", "agents", "visitors")],
    "system tables": [
        "ALTER TABLE _sync_streams ADD PRIMARY KEY (stream)",
        "DROP TABLE _sync_runs",
        *(f"ALTER TABLE {table} ADD COLUMN mine INTEGER" for table in ("_sync_account", "_sync_run_streams", "_sync_views")),
    ],
    "rows of lists": ["DELETE FROM departments", "INSERT INTO _sync_streams FROM _sync_streams"],
    "columns of lists": ["ALTER TABLE departments DROP name", "ALTER TABLE departments ALTER id TYPE INTEGER USING id % 1000"],
}


@unmeasured
@BOTH
@pytest.mark.parametrize("change", UNCHANGED)
def test_changes_that_need_nobody(change: str, sandbox: Sandbox, path: Path, refresh: tuple[str, ...]) -> None:
    execute(path, *UNCHANGED[change])
    assert complete(sandbox, path, *STREAMS, *refresh).warnings == []
    assert differing(sandbox, path) == []


def test_a_generated_column_and_an_index_remain(sandbox: Sandbox, path: Path) -> None:
    columns = execute(
        path, "SELECT string_agg(column_name || ' ' || data_type) FROM duckdb_columns() WHERE table_name = 'chats'"
    )
    execute(
        path,
        *remade(f"CREATE TABLE chats ({columns[0][0]}, short VARCHAR AS (id[:4]))"),
        "CREATE UNIQUE INDEX key ON chats (id)",
    )
    for refresh in ((), ("--full-refresh",)):
        complete(sandbox, path, *STREAMS, *refresh)
        assert differing(sandbox, path) == []
    assert execute(path, "SELECT count(*) FROM chats WHERE short <> id[:4]") == [(0,)]
    assert execute(path, "SELECT index_name FROM duckdb_indexes()") == [("key",)]


ROWS_ARE_LOADED_AGAIN = "To reload the table, add --full-refresh --streams {}."
NULL = "sync added it. It is NULL in existing rows."
LACKING = {
    "column dropped": ("ALTER TABLE chats DROP comment", f"main.chats had no column comment. {NULL}"),
    "column renamed": ("ALTER TABLE chats RENAME comment TO note", f"main.chats had no column comment. {NULL}"),
    "time dropped": ("ALTER TABLE chats DROP update_timestamp", f"main.chats had no column update_timestamp. {NULL}"),
    "last chat dropped": (
        "ALTER TABLE visitors DROP last_chat_timestamp",
        f"main.visitors had no column last_chat_timestamp. {NULL}",
    ),
    "day": (
        "ALTER TABLE chats ALTER timestamp TYPE DATE",
        (
            "The column timestamp of main.chats was DATE. sync changed it back to TIMESTAMP WITH TIME ZONE. "
            "Existing rows keep the values that fit DATE."
        ),
    ),
    "enum": (
        "CREATE TYPE kind AS ENUM ('chat', 'offline_msg'); ALTER TABLE chats ALTER type TYPE kind",
        (
            "The column type of main.chats was ENUM('chat', 'offline_msg'). sync changed it back to VARCHAR. "
            "Existing rows keep the values that fit ENUM('chat', 'offline_msg')."
        ),
    ),
    "struct": (
        "ALTER TABLE chats ALTER visitor TYPE STRUCT(n VARCHAR) USING {'n': visitor->>'name'}",
        (
            "The column visitor of main.chats was STRUCT(n VARCHAR). sync changed it back to JSON. "
            "Existing rows keep the values that fit STRUCT(n VARCHAR)."
        ),
    ),
    "key": (
        "ALTER TABLE agents ALTER id TYPE VARCHAR",
        (
            "The column id of main.agents was VARCHAR. sync changed it back to BIGINT. "
            "Existing rows keep the values that fit VARCHAR."
        ),
    ),
    "last chat": (
        "ALTER TABLE visitors ALTER last_chat_timestamp TYPE TIMESTAMP",
        (
            "The column last_chat_timestamp of main.visitors was TIMESTAMP. sync changed it back to TIMESTAMP WITH TIME ZONE. "
            "Existing rows keep the values that fit TIMESTAMP."
        ),
    ),
    "rows deleted": (
        "DELETE FROM chats WHERE id IN (SELECT id FROM chats ORDER BY id LIMIT 20)",
        "main.chats has 20 rows, but had 40 after the last sync. Another program changed it.",
    ),
    "table emptied": ("TRUNCATE chats", "main.chats has 0 rows, but had 40 after the last sync. Another program changed it."),
    "rows doubled": (
        "INSERT INTO chats FROM chats",
        "main.chats has 80 rows, but had 40 after the last sync. Another program ",
    ),
    "row added": (
        "INSERT INTO chats (id) VALUES ('mine')",
        "main.chats has 41 rows, but had 40 after the last sync. Another program",
    ),
    "replaced": (
        "CREATE OR REPLACE TABLE chats AS FROM chats LIMIT 1",
        "main.chats has 1 row, but had 40 after the last sync. An",
    ),
}


@unmeasured
@pytest.mark.parametrize("change", LACKING)
def test_what_rows_lack_is_reported_and_a_full_refresh_brings_it_back(change: str, sandbox: Sandbox, path: Path) -> None:
    statement, sentence = LACKING[change]
    execute(path, statement)
    (warning,) = complete(sandbox, path, *STREAMS).warnings
    table = next(name for name in NESTED.split(",") if f"main.{name} " in sentence)
    assert warning.startswith(sentence)
    assert warning.endswith(ROWS_ARE_LOADED_AGAIN.format(table))
    assert complete(sandbox, path, "--full-refresh", "--streams", table).warnings == []
    assert differing(sandbox, path) == []


@unmeasured
@pytest.mark.parametrize("change", LACKING)
def test_a_full_refresh_brings_back_at_once_what_rows_lack(change: str, sandbox: Sandbox, path: Path) -> None:
    execute(path, LACKING[change][0])
    assert complete(sandbox, path, *STREAMS, "--full-refresh").warnings == []
    assert differing(sandbox, path) == []


FROM_THE_START = "Drop or rename the table, then sync again. Sync loads it from the start."
REMOVE = "Remove that from the table, then sync again. No data is lost."
CHATS_RENAMED = "ALTER TABLE chats RENAME TO mine"
RENAME = "Rename it, or choose another schema with --schema NAME."
HIDES = "of this file instead of its own. Drop or rename it, then sync again."
ALL_DROPPED = "; ".join(f"DROP TABLE {name}" for name in NESTED.split(","))
REFUSED = {
    "view in place": (
        "ALTER TABLE chats RENAME TO old; CREATE VIEW chats AS FROM old",
        f"main.chats is a view that sync did not create. {RENAME}",
        "ALTER VIEW chats RENAME TO v",
    ),
    "another table in place": (
        "CREATE OR REPLACE TABLE chats AS SELECT 1 AS a",
        f"The table main.chats no longer has the column id. {FROM_THE_START}",
        CHATS_RENAMED,
    ),
    "key dropped": (
        "ALTER TABLE chats DROP id",
        f"The table main.chats no longer has the column id. {FROM_THE_START}",
        "DROP TABLE chats",
    ),
    "parent dropped": (
        "ALTER TABLE chat_events DROP chat_id",
        f"The table main.chat_events no longer has the column chat_id. {FROM_THE_START}",
        "DROP TABLE chat_events",
    ),
    "extra fields dropped": (
        "ALTER TABLE chats DROP _extra",
        f"The table main.chats no longer has the column _extra. {FROM_THE_START}",
        CHATS_RENAMED,
    ),
    "list replaced": (
        "CREATE OR REPLACE TABLE departments AS SELECT id FROM departments",
        f"The table main.departments no longer has the column _extra. {FROM_THE_START}",
        "DROP TABLE departments",
    ),
    "type that cannot be changed": (
        "ALTER TABLE chats ALTER duration TYPE INTEGER[] USING [1]",
        f"The column duration of main.chats is INTEGER[], but sync needs DOUBLE. {FROM_THE_START}",
        CHATS_RENAMED,
    ),
    "index on a changed column": (
        "ALTER TABLE chats ALTER duration TYPE FLOAT; CREATE INDEX mine ON chats (id)",
        "The column duration of main.chats is FLOAT, but sync needs DOUBLE. Drop the index mine, then sync again.",
        "DROP INDEX mine",
    ),
    "not null": (
        (
            "ALTER TABLE chats ADD COLUMN mine INTEGER DEFAULT 5; ALTER TABLE chats ALTER mine SET NOT NULL; "
            "ALTER TABLE chats ALTER mine DROP DEFAULT"
        ),
        f"The table main.chats rejected a row because of NOT NULL on mine. {REMOVE}",
        "ALTER TABLE chats ALTER mine DROP NOT NULL",
    ),
    "unique": (
        "CREATE UNIQUE INDEX mine ON chats ((CASE comment WHEN 'edited' THEN 1 END))",
        f"The table main.chats rejected a row because of the index mine. {REMOVE}",
        "DROP INDEX mine",
    ),
    "foreign key": (
        (
            "ALTER TABLE chats ADD PRIMARY KEY (id); CREATE TABLE notes (chat VARCHAR REFERENCES chats); INSERT "
            "INTO notes SELECT id FROM chats"
        ),
        (
            "The table main.chats rejected a row because of the foreign key of main.notes or PRIMARY KEY on "
            f"id or NOT NULL on id. {REMOVE}"
        ),
        "DROP TABLE notes",
    ),
    "account dropped": (
        "DROP TABLE _sync_account",
        f"main.chats is a table that sync did not create. {RENAME}",
        ALL_DROPPED,
    ),
    "states dropped": (
        "DROP TABLE _sync_streams",
        (
            "The table main._sync_streams is missing. It records how far sync has read. Restore the file from a copy, or load "
            "into another file or schema."
        ),
        f"{ALL_DROPPED}; DROP TABLE _sync_account",
    ),
    "runs in another form": (
        "ALTER TABLE _sync_runs ALTER run TYPE VARCHAR",
        (
            "sync needs the name main._sync_runs for a table of its own. Rename your object, or choose another schema with "
            "--schema NAME."
        ),
        "ALTER TABLE _sync_runs RENAME TO r",
    ),
    "macros": (
        "CREATE MACRO max(x) AS 'seven'; CREATE MACRO to_timestamp(x) AS x",
        f"DuckDB uses the macro main.max, the macro main.to_timestamp {HIDES}",
        "DROP MACRO max; DROP MACRO to_timestamp",
    ),
    "macro of the catalog": (
        "CREATE MACRO duckdb_columns() AS TABLE SELECT 1 AS a",
        f"DuckDB uses the macro main.duckdb_columns {HIDES}",
        "DROP MACRO TABLE duckdb_columns",
    ),
    "type": (
        "CREATE TYPE json AS ENUM ('a'); DROP TABLE chats",
        f"DuckDB uses the type main.json {HIDES}",
        "DROP TYPE json",
    ),
}


@BOTH
@pytest.mark.parametrize("change", REFUSED)
def test_a_change_that_needs_a_person(change: str, sandbox: Sandbox, path: Path, refresh: tuple[str, ...]) -> None:
    statement, sentence, cure = REFUSED[change]
    execute(path, statement)
    done = sync(sandbox, path, *STREAMS, *refresh)
    assert done.code == 3
    assert done.error == sentence
    execute(path, cure)
    complete(sandbox, path, *STREAMS, *refresh)
    assert differing(sandbox, path) == []
