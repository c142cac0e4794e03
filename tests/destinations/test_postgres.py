"""Postgres contains what the account contains."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.destinations.reading_postgres import execute, of
from tests.destinations.scenario import SCENARIOS, Scenario, loads, name_of
from tests.destinations.servers.postgres import Postgres


@pytest.mark.quick
@pytest.mark.parametrize("scenario", SCENARIOS, ids=name_of)
def test_scenario(scenario: Scenario, postgres: Postgres, tmp_path: Path) -> None:
    scenario(of(postgres), tmp_path)


@pytest.mark.quick
def test_tables_have_keys_indexes_comments_and_jsonb(postgres: Postgres, tmp_path: Path) -> None:
    with loads(of(postgres), tmp_path, "shape", chats=40) as account:
        account.load()
        indexes = dict(
            execute(account.url, "SELECT indexname, indexdef FROM pg_indexes WHERE indexdef LIKE '%zendesk\\_chat.chat%'")
        )
        assert indexes == {
            "chats_id_key": "CREATE UNIQUE INDEX chats_id_key ON zendesk_chat.chats USING btree (id)",
            "chats_update_timestamp_idx": (
                "CREATE INDEX chats_update_timestamp_idx ON zendesk_chat.chats USING btree (update_timestamp)"
            ),
        } | {
            name: definition
            for table in ("chat_events", "chat_engagements", "chat_webpaths", "chat_conversions")
            for name, definition in {
                f"{table}_id_key": f"CREATE UNIQUE INDEX {table}_id_key ON zendesk_chat.{table} USING btree (id)",
                f"{table}_chat_id_idx": f"CREATE INDEX {table}_chat_id_idx ON zendesk_chat.{table} USING btree (chat_id)",
                f"{table}_chat_update_timestamp_idx": (
                    f"CREATE INDEX {table}_chat_update_timestamp_idx ON zendesk_chat.{table} "
                    "USING btree (chat_update_timestamp)"
                ),
            }.items()
        }
        kinds = dict(
            execute(
                account.url,
                "SELECT column_name, data_type FROM information_schema.columns "
                "WHERE table_schema = 'zendesk_chat' AND table_name = 'chats'",
            )
        )
        assert kinds["visitor"] == kinds["_extra"] == "jsonb"
        assert kinds["timestamp"] == "timestamp with time zone"
        ((table, column),) = execute(
            account.url,
            "SELECT obj_description('zendesk_chat.chats'::regclass), col_description('zendesk_chat.chats'::regclass, 1)",
        )
        assert "chat" in table
        assert column


def test_the_staging_schema_is_empty_after_a_sync(postgres: Postgres, tmp_path: Path) -> None:
    with loads(of(postgres), tmp_path, "staging", chats=40) as account:
        account.load()
        account.load("--full-refresh")
        for (table,) in execute(
            account.url,
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_schema = 'zendesk_chat_staging' AND table_name NOT LIKE '\\_dlt%'",
        ):
            assert execute(account.url, f"SELECT count(*) FROM zendesk_chat_staging.{table}") == [(0,)], table


@pytest.mark.parametrize("schema", ["acme-eu", "Acme", "acme", "select", "é" * 27])
def test_a_schema_has_exactly_the_name_that_the_user_wrote(schema: str, postgres: Postgres, tmp_path: Path) -> None:
    name = f"schema {schema}"
    with loads(of(postgres, "--schema", schema, streams=("departments",)), tmp_path, name, chats=5) as account:
        account.complete()
        account.complete()
        found = execute(
            account.url, "SELECT DISTINCT table_schema FROM information_schema.tables WHERE table_name = 'departments'"
        )
        assert sorted(found) == sorted([(schema,), (f"{schema}_staging",)]) or found == [(schema,)]


def test_a_name_that_postgres_would_cut_is_refused(postgres: Postgres, tmp_path: Path) -> None:
    with loads(of(postgres, "--schema", "a" * 56, streams=("departments",)), tmp_path, "long", chats=5) as account:
        done = account.sync()
        assert done.returncode == 2
        assert "at most 55 characters" in done.stderr


def test_two_schemas_are_loaded_at_the_same_time(postgres: Postgres, tmp_path: Path) -> None:
    with loads(of(postgres, streams=("chats", "chat_events")), tmp_path, "schemas", chats=40) as account:
        processes = [account.start("--schema", schema) for schema in ("one", "two")]
        for process in processes:
            output = process.communicate(timeout=120)
            assert process.returncode == 0, output
        one, two = (execute(account.url, f"SELECT id FROM {schema}.chat_events ORDER BY 1") for schema in ("one", "two"))
        assert one == two
