"""Creates the reporting views of ``views.sql`` over the loaded tables of a DuckDB file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import duckdb

from zendesk_chat.analytics.catalog import Catalog, Found
from zendesk_chat.analytics.definitions import Definition, Definitions, Name, read_definitions
from zendesk_chat.tables.sql import literal, quoted, transaction

_NAMED: Final = 5  # objects of the user that are named individually


class _UnworkableError(Exception):
    """A definition needs columns that are missing or of another type."""

    def __init__(self, definition: Definition) -> None:
        super().__init__(definition.name.text)
        self.definition = definition


def create_views(connection: duckdb.DuckDBPyConnection, schema: str = "main", time_zone: str = "UTC") -> list[str]:
    """Create the views over the tables in ``schema`` of the default database. If they are all up to date, change nothing.

    The views over ``main`` are in the schema ``analytics``, those over ``acme`` in ``acme_analytics``. A view is dropped if
    tables or columns that it needs are missing or of another type. The user's own objects stay, even those with the name of a
    view. Either all changes are made or none. The connection must not be in a transaction.

    Args:
        connection: A connection that can write the database.
        schema: The schema of the tables.
        time_zone: The time zone for days, weekdays, hours and months; see ``check_time_zone``. The session variable
            ``time_zone`` overrides it.

    Returns:
        A sentence for each of the user's objects with the name of a view, which is then not created, and one if the name of
        the file makes the views unusable.

    Raises:
        duckdb.Error: The database cannot be written.
    """
    definitions = read_definitions(schema, time_zone)
    before = Catalog.read(connection, definitions)
    if not before.columns and not before.records:
        return []  # nothing is loaded
    if before.created_from != before.digest(definitions):
        _create(connection, definitions, before)
    return [*_in_the_way(definitions, before.foreign), *_confused(connection, definitions)]


def choose(definitions: Definitions, catalog: Catalog, failed: Collection[Definition]) -> list[Definition]:
    """Return the first definition of each view whose tables and views exist, except those that failed."""
    foreign = {found.name for found in catalog.foreign}
    usable = {name.text for name in foreign}
    chosen: dict[Name, Definition] = {}
    for definition in definitions.statements:
        free = definition.name not in foreign and definition.name not in chosen and definition not in failed
        if free and definition.tables <= catalog.tables and definition.uses <= usable:
            chosen[definition.name] = definition
            usable.add(definition.name.text)
    return list(chosen.values())


def _create(connection: duckdb.DuckDBPyConnection, definitions: Definitions, before: Catalog) -> None:
    """Create all views that work in one transaction. A failure aborts it, so it starts again without that definition."""
    failed: set[Definition] = set()
    while True:
        chosen = choose(definitions, before, failed)
        try:
            with transaction(connection):
                _apply(connection, definitions, before, chosen)
        except _UnworkableError as error:
            failed.add(error.definition)
        else:
            return


def _apply(
    connection: duckdb.DuckDBPyConnection, definitions: Definitions, before: Catalog, chosen: Iterable[Definition]
) -> None:
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(definitions.views_schema)}")
    connection.execute(f"CREATE TABLE IF NOT EXISTS {definitions.records_table} (view VARCHAR, sql VARCHAR)")
    for definition in chosen:
        try:
            connection.execute(definition.sql)
        except (duckdb.BinderException, duckdb.CatalogException) as error:
            raise _UnworkableError(definition) from error
    created = {definition.name for definition in chosen}
    for found in before.objects:
        if found.name not in created and found not in before.foreign:
            connection.execute(f"DROP {found.kind} {_qualified(definitions, found.name)}")
    connection.execute("".join(_comments(connection, definitions, created)))
    records = Catalog.read(connection, definitions).after_creation(definitions, created)
    connection.execute(f"DELETE FROM {definitions.records_table}")
    connection.executemany(f"INSERT INTO {definitions.records_table} VALUES ($1, $2)", list(records.items()))


def _comments(connection: duckdb.DuckDBPyConnection, definitions: Definitions, created: Collection[Name]) -> Iterator[str]:
    """Yield statements that describe the views and their columns in comments. Tools that read the file show them."""
    for name in created:
        kind = "MACRO" if name.is_macro else "VIEW"
        yield f"COMMENT ON {kind} {_qualified(definitions, name)} IS {literal(definitions.comments[name.text])};"
    columns = connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() "
        "WHERE database_name = current_database() AND lower(schema_name) = lower($1)",
        [definitions.views_schema],
    ).fetchall()
    for view, column in columns:
        if (name := Name(view)) in created:
            comment = literal(definitions.columns[column])
            yield f"COMMENT ON COLUMN {_qualified(definitions, name)}.{quoted(column)} IS {comment};"


def _in_the_way(definitions: Definitions, foreign: Sequence[Found]) -> Iterator[str]:
    """Warn about the user's objects that have the names of views, one by one if there are few."""
    schema = definitions.views_schema
    if len(foreign) > _NAMED:
        first = f"{schema}.{foreign[0].name.text}"
        yield (
            f"{len(foreign)} objects in the schema {schema}, such as {first}, are yours, so the reporting views of these names "
            "were not created. Rename or drop yours, then sync again."
        )
        return
    for found in foreign:
        name = f"{schema}.{found.name.text}"
        yield f"The {found.kind} {name} is yours, so the reporting view was not created. Rename or drop it, then sync again."


def _confused(connection: duckdb.DuckDBPyConnection, definitions: Definitions) -> Iterator[str]:
    """Warn if DuckDB will give the database the name of a schema: it names a database after its file."""
    (path,) = connection.execute("SELECT path FROM duckdb_databases() WHERE database_name = current_database()").fetchall()[0]
    file = Path(path or "")
    if file.stem.lower() in {definitions.schema.lower(), definitions.views_schema.lower()} - {"main"}:
        attach = f"ATTACH {literal(file.name)} AS account; USE account"
        yield f"Views in {file.name} fail because a schema has the same name. Rename the file, or open it with: {attach}"


def _qualified(definitions: Definitions, name: Name) -> str:
    return f"{quoted(definitions.views_schema)}.{quoted(name.text)}"
