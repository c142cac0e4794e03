"""What became of the tables that earlier runs loaded: a user may have dropped one, or one of its columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dlt.common.schema import TTableSchemaColumns
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.impl.filesystem.filesystem import FilesystemClient
from dlt.destinations.job_client_impl import SqlJobClientBase, SqlJobClientWithStagingDataset

from zendesk_chat.errors import DestinationRefusedError
from zendesk_chat.load.warehouse.location import another, has_schemas, location
from zendesk_chat.tables.table import EXTRA, UNPARSED

if TYPE_CHECKING:
    from zendesk_chat.load.warehouse.kinds import Kind
    from zendesk_chat.load.warehouse.opening import Warehouse
    from zendesk_chat.tables.table import StreamTable

_CHEAP: Final = frozenset({"postgres", "mysql", "sqlite"})
"""Kinds whose servers respond so fast that each run may look into each table."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The tables that differ from what dlt's stored schema describes.

    Attributes:
        missing: Tables that no longer exist. A run loads them from the start.
        changed: Tables with a column whose type changes, because a field is redacted now. A run loads them from the start.
        empty: Tables without rows. A run reads their streams from the start, because somebody may have emptied them.
        lacking: Columns that no longer exist, by table. They are added again, and are null in older rows.
    """

    missing: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    lacking: Mapping[str, Sequence[str]] = field(default_factory=dict)
    empty: frozenset[str] = frozenset()

    def warnings(self, full_refresh: bool) -> list[str]:  # noqa: FBT001  one flag
        """Return what the user should know."""
        lines = [f"The table {name} no longer exists. It is loaded again from the start." for name in sorted(self.missing)]
        lines += [
            f"A column of the table {name} gets another type. The table is loaded again from the start."
            for name in sorted(self.changed)
        ]
        if not full_refresh:
            lines += [
                f"The table {name} has lost the column {', '.join(columns)}. It is added again, and is null in the rows that "
                f"were loaded before. To reload them, add --full-refresh --streams {name}."
                for name, columns in self.lacking.items()
            ]
        return lines


def compare_tables(warehouse: Warehouse, tables: Sequence[StreamTable], loaded: Collection[str]) -> Comparison:
    """Compare tables with those in the destination, and create again what is gone.

    ``loaded`` are the streams of which the destination's state has a checkpoint.

    Raises:
        DestinationRefusedError: A table of somebody else has the name of a stream.
    """
    pipeline = warehouse.pipeline
    schema = pipeline.default_schema if pipeline.schema_names else None
    known = {
        table.name: schema.tables[table.name]["columns"]
        for table in tables
        if schema is not None and table.name in loaded and table.name in schema.tables
    }
    described = schema.tables if schema is not None else {}
    changed = frozenset(table.name for table in tables if _differs(table, described.get(table.name, {}).get("columns", {})))
    with pipeline.destination_client() as client:
        if not isinstance(client, SqlJobClientBase | FilesystemClient):
            return Comparison(changed=changed)
        own = list(schema.dlt_table_names()) if schema is not None else []
        found = dict(client.get_storage_tables([*(table.name for table in tables), *own]))
        stored = {name: set(columns) for name, columns in found.items()}
        if warehouse.kind.name == "postgres":  # of others, dlt reads back types that differ from those that it has created
            changed |= {table.name for table in tables if _differs(table, found[table.name])}
        if isinstance(client, SqlJobClientBase):  # of files, the lock has refused others already
            _refuse_others(warehouse, tables, stored, described.keys())
        missing = frozenset(name for name in known if not stored.get(name))
        lacking = {name: sorted(set(known[name]) - stored[name]) for name in known if name not in missing}
        lacking = {name: columns for name, columns in lacking.items() if columns}
        if missing or lacking or any(not stored.get(name) for name in own):
            client.update_stored_schema(only_tables={*known, *own}, force=True)
        if isinstance(client, SqlJobClientBase):
            if schema is None:
                _forget_schema(client)  # somebody deleted the state: dlt compares the tables itself
            _forget_staging(client)
        empty: frozenset[str] = frozenset()
        if isinstance(client, SqlJobClientBase) and warehouse.kind.name in _CHEAP:
            empty = frozenset(name for name in known.keys() - missing if _lacks_rows(client, warehouse.kind, name))
    return Comparison(missing, changed, lacking, empty)


def _differs(table: StreamTable, columns: TTableSchemaColumns) -> bool:
    """Return whether a column has another type than its stream."""
    return any(columns.get(name, {}).get("data_type", kind) != kind for name, kind in table.columns.items())


def is_empty(warehouse: Warehouse, table: str) -> bool:
    """Return whether a table of a database has no rows, or does not exist."""
    with warehouse.pipeline.destination_client() as client:
        return isinstance(client, SqlJobClientBase) and _lacks_rows(client, warehouse.kind, table)


def _lacks_rows(client: SqlJobClientBase, kind: Kind, table: str) -> bool:
    name = client.sql_client.make_qualified_table_name(table)
    sql = f"SELECT TOP 1 1 FROM {name}" if kind.name == "mssql" else f"SELECT 1 FROM {name} LIMIT 1"
    try:
        return not client.sql_client.execute_sql(sql)
    except DatabaseUndefinedRelation:
        return True


def _refuse_others(
    warehouse: Warehouse, tables: Iterable[StreamTable], stored: Mapping[str, set[str]], described: Collection[str]
) -> None:
    """Refuse tables that dlt did not create. A user may have dropped columns of one that it did."""
    kind = warehouse.kind
    where = location(kind, warehouse.pipeline.dataset_name, warehouse.name)
    other = "another schema with --schema NAME" if has_schemas(kind) else f"{another(kind)} with --to"
    for table in tables:
        columns = stored.get(table.name) or {EXTRA}
        known = table.name in described and 2 * len(columns & table.columns.keys()) >= len(table.columns)
        if not columns & {EXTRA, UNPARSED} and not known:
            raise DestinationRefusedError(
                f"{where[0].upper()}{where[1:]} has a table {table.name} that sync did not create. Rename it, or load into "
                f"{other}."
            )


def create_staging(warehouse: Warehouse) -> None:
    """Create dlt's own tables in the staging schema. To drop a table, dlt expects them there if the schema exists."""
    with warehouse.pipeline.destination_client() as client:
        if isinstance(client, SqlJobClientWithStagingDataset):
            with client.with_staging_dataset():
                client.initialize_storage()
                client.update_stored_schema(only_tables={client.schema.version_table_name}, force=True)
                _forget_schema(client)  # the tables of the rows are not there yet


def _forget_staging(client: SqlJobClientBase) -> None:
    """Let dlt compare the tables of its staging schema with what they should be: somebody may have dropped one."""
    if isinstance(client, SqlJobClientWithStagingDataset):
        with client.with_staging_dataset():
            _forget_schema(client)


def _forget_schema(client: SqlJobClientBase) -> None:
    name = client.sql_client.make_qualified_table_name(client.schema.version_table_name)
    with suppress(DatabaseUndefinedRelation):
        client.sql_client.execute_sql(f"DELETE FROM {name} WHERE 1 = 1")  # ClickHouse refuses it without a condition
