"""dbt in an environment of its own, and a Postgres cluster: `make dbt`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt.postgres import Database, create_database
from tests.dbt.project import MODELS, PACKAGE, Project, Run, create_project
from tests.dbt.relations import Rows, columns_of, duckdb_rows, postgres_rows
from tests.destinations.servers.postgres import Postgres, postgres_server
from tests.support.loaded_account import VIEWS, existing_views


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two runs of dbt on a busy machine take a minute."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(400))


@pytest.fixture(scope="session")
def dbt() -> str:
    executable = os.environ.get("DBT")
    if not executable:
        pytest.skip("dbt has an environment of its own: make dbt")
    return executable


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    with postgres_server() as running:
        yield running


@pytest.fixture(scope="session")
def project(dbt: str, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return create_project(dbt, tmp_path_factory.mktemp("dbt") / "project", {"local": str(PACKAGE)})


@dataclass(frozen=True, slots=True)
class Modelled:
    """An account in a DuckDB file with our views, and the models of it in the file and in Postgres.

    Attributes:
        types: DuckDB's type of each column of each view; the views that the file has not are missing.
        rows: The rows of each model, by target.
        runs: What dbt printed, by target.
    """

    file: Path
    database: Database
    types: dict[str, dict[str, str]]
    views: dict[str, Rows]
    rows: dict[str, dict[str, Rows]]
    runs: dict[str, Run]

    def differences(self) -> dict[str, tuple[Rows, Rows]]:
        """Return the rows that only a view has, and those that only its model has. A model without a view has no rows."""
        found = {}
        for target, models in self.rows.items():
            for name, rows in models.items():
                expected = self.views.get(name, [])
                if rows != expected:
                    missing = [row for row in expected if row not in rows]
                    found[f"{name} on {target}"] = missing, [row for row in rows if row not in expected]
        return found


Modelling = Callable[..., Modelled]


@pytest.fixture(scope="session")
def modelled(server: Postgres, project: Project) -> Modelling:
    """Return a function that runs dbt on a DuckDB file with our views, and on a copy of it in Postgres."""

    def model(file: Path, command: str = "run", *, database: Database | None = None, **variables: Any) -> Modelled:
        name = file.stem
        chosen = replace(project, variables={**project.variables, **variables})
        if database is None:
            database = create_database(server, name)
            with duckdb.connect(str(file), read_only=True) as source:
                database.copy_tables(source, file.parent)
        runs = {
            "duckdb": chosen.run(command, warehouse=str(file)),
            "postgres": chosen.run(command, warehouse=database.name, port=server.port),
        }
        with duckdb.connect(str(file), read_only=True) as source:
            source.execute(f"SET VARIABLE time_zone = '{variables.get('zendesk_chat_time_zone', 'UTC')}'")
            types = {view: columns_of(source, f"analytics.{view}") for view in existing_views(source)}
            columns = {view: columns_of(source, f"{MODELS}.{view}") for view in VIEWS}
            assert {view: columns[view] for view in types} == types
            views = {view: duckdb_rows(source, f"analytics.{view}", types[view]) for view in types}
            in_file = {view: duckdb_rows(source, f"{MODELS}.{view}", columns[view]) for view in VIEWS}
        in_postgres = {view: postgres_rows(database, f"{MODELS}.{view}", columns[view]) for view in VIEWS}
        return Modelled(file, database, columns, views, {"duckdb": in_file, "postgres": in_postgres}, runs)

    return model
