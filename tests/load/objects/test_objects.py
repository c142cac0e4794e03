"""Objects of users in a file: either a sync works and leaves them, or one sentence names one and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.load.objects.conftest import BOTH, STREAMS
from tests.support.syncs import complete, differing, execute, sync
from zendesk_chat_sandbox import Sandbox

OWN = [
    "CREATE SCHEMA main_staging; CREATE TABLE main_staging.own AS SELECT 'staging' AS text",
    "CREATE SCHEMA zendesk; CREATE TABLE zendesk.chats AS SELECT 'another schema' AS id",
    "CREATE SCHEMA memory; CREATE SCHEMA temp; CREATE SCHEMA zendesk_chat_file; CREATE TABLE memory.chats AS SELECT 2 AS id",
    "CREATE TABLE analytics.mine AS SELECT 'a table' AS text; CREATE VIEW analytics.my_view AS SELECT 'a view' AS text",
    *(f"CREATE TABLE {name} AS SELECT '{name}' AS text" for name in ("_sync_rows", "_sync_parents", "rows", "new", "old")),
    *(f"CREATE TABLE {name} AS SELECT '{name}' AS text" for name in ("held", "parent", "memory", "zendesk_chat_file")),
    "CREATE VIEW duckdb_tables AS SELECT 'not those' AS table_name",
    "CREATE VIEW latest AS SELECT id, comment FROM chats WHERE comment = 'edited'",
    "CREATE SEQUENCE own_numbers START 5; CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE MACRO twice(x) AS 2 * x",
    "COMMENT ON TABLE chats IS 'my comment'; COMMENT ON COLUMN chats.id IS 'my key'",
]
OWN_ROWS = [
    "FROM main_staging.own",
    "FROM zendesk.chats",
    "FROM chats.memory.chats",
    "FROM analytics.mine",
    "FROM analytics.my_view",
    *(f"FROM {name}" for name in ("_sync_rows", "_sync_parents", "rows", "new", "old", "held", "parent")),
    "FROM chats.main.memory",
    "FROM chats.main.zendesk_chat_file",
    "FROM chats.main.duckdb_tables",
    "SELECT nextval('own_numbers'), 'good'::mood, twice(4)",
    "SELECT comment FROM duckdb_tables() WHERE schema_name = 'main' AND table_name = 'chats'",
    "SELECT comment FROM duckdb_columns() WHERE schema_name = 'main' AND table_name = 'chats' AND column_name = 'id'",
]


@BOTH
def test_a_users_own_objects_stay(sandbox: Sandbox, path: Path, refresh: tuple[str, ...]) -> None:
    execute(path, *OWN)
    before = [execute(path, query) for query in OWN_ROWS]
    done = complete(sandbox, path, *STREAMS, *refresh)
    assert done.warnings == []
    assert differing(sandbox, path) == []
    after = [execute(path, query) for query in OWN_ROWS]
    assert (before.pop(-3), after.pop(-3)) == ([(5, "good", 8)], [(6, "good", 8)])
    assert before == after
    assert len(execute(path, "FROM latest")) == 8


NAMES = {
    "table": ("CREATE TABLE chats (id INTEGER)", "main.chats is a table that sync did not create."),
    "upper case": ('CREATE TABLE "CHATS" (id VARCHAR, _extra JSON, _unparsed JSON)', "main.CHATS is a table that sync did not"),
    "view": ("CREATE VIEW Chats AS SELECT 1 AS id", "main.Chats is a view that sync did not create."),
    "a list": ("CREATE TABLE departments AS SELECT 5 AS id", "main.departments is a table that sync did not create."),
    "runs": ("CREATE TABLE _sync_runs (run BIGINT)", "sync needs the name main._sync_runs for a table of its own."),
    "runs as a view": ("CREATE VIEW _SYNC_RUNS AS SELECT 1 AS run", "sync needs the name main._sync_runs"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_a_user_took_before_the_first_sync(name: str, sandbox: Sandbox, tmp_path: Path) -> None:
    statement, sentence = NAMES[name]
    path = tmp_path / "chats.duckdb"
    execute(path, statement, "CHECKPOINT")
    before = path.read_bytes()
    done = sync(sandbox, path, *STREAMS)
    assert done.code == 3
    assert done.error.startswith(sentence)
    assert done.error.endswith("or choose another schema with --schema NAME.")
    assert path.read_bytes() == before
    complete(sandbox, path, *STREAMS, "--schema", "acme")
    assert differing(sandbox, path, schema="acme") == []
    kind, taken = statement.split()[1:3]
    execute(path, f"ALTER {kind} {taken} RENAME TO mine")
    complete(sandbox, path, *STREAMS)
    assert differing(sandbox, path) == []
    assert execute(path, "SELECT count(*) FROM mine")[0][0] < 2


@pytest.mark.parametrize("kind", ["TABLE", "VIEW"])
def test_a_name_that_a_full_refresh_needs(kind: str, sandbox: Sandbox, path: Path) -> None:
    execute(path, f"CREATE {kind} _sync_new_chats AS SELECT 'mine' AS id")
    complete(sandbox, path, *STREAMS)
    assert differing(sandbox, path) == []
    done = sync(sandbox, path, *STREAMS, "--full-refresh")
    assert done.code == 3
    assert done.error.startswith(f"main._sync_new_chats is a {kind.lower()} that sync did not create. Rename it, or ")
    assert execute(path, "FROM _sync_new_chats") == [("mine",)]
    execute(path, f"ALTER {kind} _sync_new_chats RENAME TO mine")
    complete(sandbox, path, *STREAMS, "--full-refresh")
    assert execute(path, "FROM mine") == [("mine",)]
