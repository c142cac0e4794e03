"""The models answer what the views answer: of an account worked out by hand, and of a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from tests.analytics import test_measures
from tests.dbt.conftest import Modelled, Modelling
from tests.dbt.postgres import Database, create_database
from tests.dbt.project import MODELS
from tests.destinations.servers.postgres import Postgres
from tests.support.commands import run_here
from tests.support.loaded_account import VIEWS, load_account
from tests.support.sandbox import still
from tests.support.syncs import sync

BY_HAND = {name: test for name, test in vars(test_measures).items() if name.startswith("test_")}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory, modelled: Modelling) -> Modelled:
    """The small account of the tests of the views, built with all tests of the package."""
    file = tmp_path_factory.mktemp("account") / "acme.duckdb"
    assert load_account(file) == VIEWS
    return modelled(file, "build")


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def answers(request: pytest.FixtureRequest, account: Modelled) -> Iterator[duckdb.DuckDBPyConnection]:
    """The models in the schema ``analytics`` of a DuckDB database, where the tests of the views read them."""
    with closing(duckdb.connect()) as connection:
        connection.execute(f"ATTACH '{account.file}' AS file (READ_ONLY); CREATE SCHEMA analytics")
        for view, columns in account.types.items():
            connection.execute(f"CREATE TABLE analytics.{view} AS FROM file.{MODELS}.{view}")
            if request.param == "postgres":
                connection.execute(f"DELETE FROM analytics.{view}")
                copy_rows(account.database, connection, view, columns)
        yield connection


def copy_rows(database: Database, connection: duckdb.DuckDBPyConnection, view: str, columns: dict[str, str]) -> None:
    selected = ", ".join(
        f"CAST({f'to_jsonb({name})' if kind == 'VARCHAR[]' else name} AS text)" for name, kind in columns.items()
    )
    casts = ", ".join("CAST(CAST(? AS JSON) AS VARCHAR[])" if kind == "VARCHAR[]" else "?" for kind in columns.values())
    for row in database.rows(f"SELECT {selected} FROM {MODELS}.{view}"):
        connection.execute(f"INSERT INTO analytics.{view} VALUES ({casts})", list(row))


@pytest.mark.parametrize("test", BY_HAND.values(), ids=BY_HAND)
def test_answers_worked_out_by_hand(answers: duckdb.DuckDBPyConnection, test: Callable[..., None]) -> None:
    test(answers)


def test_every_row_and_column_is_that_of_the_view(account: Modelled) -> None:
    assert account.differences() == {}


def test_the_tests_of_the_package_pass_without_a_warning(account: Modelled) -> None:
    for run in account.runs.values():
        assert "WARN=0 ERROR=0 SKIP=0" in run.output
        assert "one_row_for_each" in run.output
        assert "Deprecat" not in run.output


def test_models_and_columns_have_their_descriptions(account: Modelled) -> None:
    with duckdb.connect(str(account.file), read_only=True) as source:
        described = "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE schema_name = ? ORDER BY ALL"
        views = source.execute(described, ["analytics"]).fetchall()
        models = source.execute(described, [MODELS]).fetchall()
        relations = source.execute(
            "SELECT view_name, comment FROM duckdb_views() WHERE schema_name = 'analytics' ORDER BY ALL"
        ).fetchall()
    in_postgres = account.database.rows(
        "SELECT relname, attname, col_description(attrelid, attnum) "
        "FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
        f"WHERE relnamespace = '{MODELS}'::regnamespace AND relkind IN ('r', 'v') AND attnum > 0"
    )
    relations_in_postgres = account.database.rows(
        f"SELECT relname, obj_description(oid) FROM pg_class WHERE relnamespace = '{MODELS}'::regnamespace "
        "AND relkind IN ('r', 'v')"
    )
    assert sorted(relations_in_postgres) == relations
    expected = [row for row in views if row[1] != "weekday"]
    assert [row for row in models if row[1] != "weekday"] == expected
    assert sorted(row for row in in_postgres if row[1] != "weekday") == expected
    assert {row[2] for row in [*models, *in_postgres] if row[1] == "weekday"} == {
        "Day of the week on which the chat started, in the account's time zone. In DuckDB it sorts from Monday."
    }


def test_a_sandbox_that_sync_loaded_into_postgres(server: Postgres, modelled: Modelling, tmp_path: Path) -> None:
    file = tmp_path / "sandbox.duckdb"
    database = create_database(server, "sandbox")
    with still(2000) as sandbox:
        assert sync(sandbox, file).code == 0
        account = ["--subdomain", "acme", "--token", sandbox.token, "--api-url", sandbox.url]
        done = run_here(["sync", "--to", database.url, "--schema", "main", *account], tmp_path)
        assert done.returncode == 0, done.stderr
    built = modelled(file, "build", database=database, zendesk_chat_time_zone="America/St_Johns")
    assert built.differences() == {}
    assert all("ERROR=0 SKIP=0" in run.output for run in built.runs.values())
