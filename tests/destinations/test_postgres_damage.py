"""What users do to the tables: the next sync repairs them, and the user's own objects stay."""

from __future__ import annotations

import itertools
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
from dlt.destinations.exceptions import DatabaseTransientException
from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient

from tests.destinations.reading_postgres import execute, of
from tests.destinations.scenario import Loads, loads
from tests.destinations.servers.postgres import Postgres
from tests.support.syncs import edit, logged

CHATS = 40
STREAMS = ("chats", "chat_events", "departments", "visitors")
STATEMENTS = (
    "DROP TABLE zendesk_chat.chats, zendesk_chat.departments",
    "DROP SCHEMA zendesk_chat_staging CASCADE",
    "ALTER TABLE zendesk_chat_staging.chats DROP COLUMN comment",
    "DROP SCHEMA zendesk_chat, zendesk_chat_staging CASCADE",
    "DROP TABLE zendesk_chat_staging.chats, zendesk_chat_staging.chat_events",
    "DROP SCHEMA zendesk_chat CASCADE",
    "DROP TABLE zendesk_chat._dlt_loads",
    "DROP TABLE zendesk_chat._dlt_pipeline_state",
    "DROP TABLE zendesk_chat._dlt_version",
    "DROP TABLE zendesk_chat._dlt_version, zendesk_chat._dlt_loads, zendesk_chat._dlt_pipeline_state",
    "TRUNCATE zendesk_chat._dlt_pipeline_state",
    "TRUNCATE zendesk_chat._dlt_version",
    "DROP INDEX zendesk_chat.chats_id_key",
)
DROPPED_COLUMN = "ALTER TABLE zendesk_chat.chats DROP COLUMN comment"


def change(account: Loads) -> None:
    edit(account.sandbox, account.sandbox.account.chat_ids()[:5], "edited")
    account.sandbox.clock.advance(700)


@pytest.mark.parametrize(
    ("statement", "options"),
    [
        *[(statement, ()) for statement in STATEMENTS],
        *[(statement, ("--full-refresh",)) for statement in STATEMENTS[:4]],
    ],
)
def test_a_sync_repairs(statement: str, options: tuple[str, ...], postgres: Postgres, tmp_path: Path) -> None:
    name = f"{statement[-40:]} {len(options)}"
    with loads(of(postgres, streams=STREAMS), tmp_path, name, CHATS) as account:
        account.complete()
        account.complete("--full-refresh")  # creates the staging schema
        execute(account.url, statement)
        change(account)
        account.load(*options)
        change(account)
        account.load()


def test_a_dropped_column_is_added_and_a_warning_names_it(postgres: Postgres, tmp_path: Path) -> None:
    with loads(of(postgres, streams=STREAMS), tmp_path, "column", CHATS) as account:
        account.load()
        execute(account.url, DROPPED_COLUMN)
        change(account)
        done = account.complete()
        assert [line for line in logged(done.stderr, "WARNING") if "lost the column comment" in line]
        account.check("chats")
        account.load("--full-refresh")


def test_objects_of_the_user_stay(postgres: Postgres, tmp_path: Path) -> None:
    with loads(of(postgres, streams=STREAMS), tmp_path, "objects", CHATS) as account:
        account.load()
        execute(
            account.url,
            "CREATE ROLE analyst_of_chats LOGIN PASSWORD 'secret'",
            "GRANT USAGE ON SCHEMA zendesk_chat TO analyst_of_chats",
            "GRANT SELECT ON zendesk_chat.chats, zendesk_chat.departments TO analyst_of_chats",
            "CREATE VIEW public.rated AS SELECT id, rating FROM zendesk_chat.chats",
            "CREATE VIEW public.names AS SELECT name FROM zendesk_chat.departments",
            "CREATE INDEX of_mine ON zendesk_chat.chats (type)",
            "ALTER TABLE zendesk_chat.chats ADD COLUMN of_mine text",
            "UPDATE zendesk_chat.chats SET of_mine = 'kept' WHERE id = (SELECT max(id) FROM zendesk_chat.chats)",
            "COMMENT ON TABLE zendesk_chat.chats IS 'my comment'",
        )
        account.load()
        assert execute(account.url, "SELECT of_mine FROM zendesk_chat.chats WHERE of_mine IS NOT NULL") == [("kept",)]
        account.load("--full-refresh")
        account.complete("--redact", "chats.zendesk_ticket_id=hash")
        account.check("chats")
        for view, table in (("rated", "chats"), ("names", "departments")):
            ((found,),) = execute(account.url, f"SELECT count(*) FROM public.{view}")
            assert found == len(list(account.rows(table)))
        assert execute(account.url, "SELECT indexname FROM pg_indexes WHERE indexname = 'of_mine'") == [("of_mine",)]
        assert execute(account.url, "SELECT obj_description('zendesk_chat.chats'::regclass)") == [("my comment",)]
        analyst = account.url.replace("postgres:secret", "analyst_of_chats:secret")
        assert execute(analyst, "SELECT count(of_mine) FROM zendesk_chat.chats") == [(0,)]


def test_a_view_on_a_column_that_changes_its_type_is_named(postgres: Postgres, tmp_path: Path) -> None:
    with loads(of(postgres, streams=STREAMS), tmp_path, "view", CHATS) as account:
        account.load()
        execute(account.url, "CREATE VIEW mine AS SELECT zendesk_ticket_id FROM zendesk_chat.chats")
        done = account.sync("--redact", "chats.zendesk_ticket_id=hash")
        assert done.returncode == 3
        (error,) = logged(done.stderr, "ERROR")
        assert "cannot alter type of a column used by a view or rule" in error
        assert "view mine" in error
        execute(account.url, "DROP VIEW mine")
        account.complete("--redact", "chats.zendesk_ticket_id=hash")
        account.check("chats")
        assert {type(row["zendesk_ticket_id"]) for row in account.rows("chats")} <= {str, type(None)}


def test_a_table_of_somebody_else_is_refused(postgres: Postgres, tmp_path: Path) -> None:
    with loads(of(postgres, streams=STREAMS), tmp_path, "foreign", CHATS) as account:
        execute(account.url, "CREATE SCHEMA zendesk_chat", "CREATE TABLE zendesk_chat.chats (id int, mine text)")
        execute(account.url, "INSERT INTO zendesk_chat.chats VALUES (1, 'precious')")
        done = account.sync()
        assert done.returncode == 3
        (error,) = logged(done.stderr, "ERROR")
        assert error == (
            f"The schema zendesk_chat of the database {urlsplit(account.url).path[1:]} on 127.0.0.1 has a table "
            "chats that sync did not create. Rename it, or load into another schema with --schema NAME."
        )
        assert execute(account.url, "SELECT * FROM zendesk_chat.chats") == [(1, "precious")]


def test_changed_redaction_rules_are_reported_until_the_rows_are_loaded_again(postgres: Postgres, tmp_path: Path) -> None:
    rule = ("--redact", "chats.comment=mask")
    with loads(of(postgres, streams=STREAMS), tmp_path, "rules", CHATS) as account:
        account.load()
        changed = "The redaction rules changed. Rows that were loaded before are unchanged: those of chats."
        for _ in range(2):
            change(account)
            assert [line for line in logged(account.complete(*rule).stderr, "WARNING") if line.startswith(changed)]
        account.complete("--full-refresh", "--streams", "chats", *rule)
        assert not [line for line in logged(account.complete(*rule).stderr, "WARNING") if "redaction" in line]
        lost = "This run has no redaction rules for chats, which an earlier run redacted."
        assert [line for line in logged(account.complete().stderr, "WARNING") if line.startswith(lost)]
        account.load("--full-refresh")


def test_doubled_rows_of_an_earlier_version_are_reported_and_repaired(postgres: Postgres, tmp_path: Path) -> None:
    with loads(of(postgres, streams=STREAMS), tmp_path, "doubled", CHATS) as account:
        account.load()
        execute(
            account.url,
            "DROP INDEX zendesk_chat.chats_id_key",
            "INSERT INTO zendesk_chat.chats SELECT * FROM zendesk_chat.chats",
        )
        change(account)
        done = account.complete()
        assert [line for line in logged(done.stderr, "WARNING") if "chats has several rows with the same id" in line]
        account.load("--full-refresh")


def test_an_emptied_table_is_loaded_again(postgres: Postgres, tmp_path: Path) -> None:
    with loads(of(postgres), tmp_path, "emptied", chats=30) as account:
        account.load()
        for table in ("chats", "visitors", "goals"):
            execute(account.url, f"TRUNCATE zendesk_chat.{table}")
        account.load()


def test_a_full_refresh_without_a_state_removes_other_rows(postgres: Postgres, tmp_path: Path) -> None:
    with loads(of(postgres), tmp_path, "ghost", chats=30) as account:
        account.load()
        execute(account.url, "INSERT INTO zendesk_chat.chats (id) VALUES ('ghost')")
        for table in ("_dlt_pipeline_state", "_dlt_loads", "_dlt_version"):
            execute(account.url, f"DROP TABLE zendesk_chat.{table}")
        account.load("--full-refresh")


def test_a_renamed_table_keeps_its_indexes_and_the_new_one_gets_its_own(postgres: Postgres, tmp_path: Path) -> None:
    with loads(of(postgres), tmp_path, "renamed", chats=30) as account:
        account.load()
        execute(account.url, "ALTER TABLE zendesk_chat.chats RENAME TO chats_of_last_year")
        account.load()
        sql = "SELECT tablename, indexname FROM pg_indexes WHERE tablename LIKE 'chats%' AND indexname LIKE 'chats_id%'"
        found = execute(account.url, sql)
        assert sorted(found) == [("chats", "chats_id_key_2"), ("chats_of_last_year", "chats_id_key")]


@pytest.mark.parametrize("commit", [1, 3, 10])
@pytest.mark.parametrize("options", [(), ("--full-refresh",)])
def test_a_commit_whose_response_is_lost_doubles_nothing(
    commit: int, options: tuple[str, ...], postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = itertools.count(1)
    complete = Psycopg2SqlClient.commit_transaction

    def losing_one(client: Psycopg2SqlClient) -> None:
        complete(client)
        if next(commits) == commit:
            client.native_connection.close()
            raise DatabaseTransientException(psycopg2.OperationalError("server closed the connection unexpectedly"))

    with loads(of(postgres), tmp_path, f"lost {commit} {len(options)}", chats=30) as account:
        if options:
            account.load()
        monkeypatch.setattr(Psycopg2SqlClient, "commit_transaction", losing_one)
        assert account.sync(*options).returncode == 1
        monkeypatch.undo()
        account.load()
