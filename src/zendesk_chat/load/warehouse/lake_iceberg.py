"""Iceberg tables: each load changes a table in one commit of its catalog."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import pyarrow as pa
from dlt.common.configuration.specs.mixins import WithPyicebergConfig
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.common.libs.pyiceberg import create_table
from dlt.common.utils import without_none
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.expressions import AlwaysTrue, In
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.table import Table, Transaction
from pyiceberg.utils.config import Config

from zendesk_chat.load.warehouse.lake_changes import Change, find_change
from zendesk_chat.load.warehouse.lake_job import LakeJob

if TYPE_CHECKING:
    from zendesk_chat.load.warehouse.lake import LakeClient
    from zendesk_chat.load.warehouse.transaction import Part

CATALOG: Final = "default"
"""The name of the catalog in pyiceberg's configuration."""
CATALOG_FILE: Final = "catalog.sqlite"
"""The catalog of tables on the local disk, if none is configured."""
_PROPERTIES: Final = {
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "20",
}


class IcebergJob(LakeJob):
    """Changes a table by the rows of a load."""

    def write(self, part: Part) -> None:
        """Write the rows in one commit."""
        table = self._table()
        if part.replace or table.current_snapshot() is None:
            with table.transaction() as transaction:
                _adopt(transaction, self.rows.schema)
                if table.current_snapshot() is not None:
                    transaction.delete(AlwaysTrue())
                transaction.append(self.rows.scanner().to_reader())
            return
        change = find_change(part.table, self.rows.to_table(), part.rows.parents, lambda columns: _read(table, columns))
        if not change.empty:
            _write(table, change, part.table.primary_key[0])

    def _table(self) -> Table:
        client, name = self._job_client, self.load_table_name
        table = open_table(client, name)
        if table is None:
            catalog, identifier = client.get_open_table_catalog("iceberg"), f"{client.dataset_name}.{name}"
            location = client.get_open_table_location("iceberg", name)
            with suppress(NoSuchTableError):
                catalog.drop_table(identifier)  # of which the user has deleted or moved the files
            with suppress(FileNotFoundError):
                client.fs_client.rm(f"{client.get_table_dir(name)}/metadata", recursive=True)  # or it would count as the latest
            create_table(catalog, identifier, location, self.rows.schema, properties=_PROPERTIES)
            table = client.load_open_table("iceberg", name)
        return table


def open_table(client: LakeClient, name: str) -> Table | None:
    """Return a table; None if it does not exist, or if its files were in another folder when they were written.

    Iceberg's metadata contains complete paths, so the files of a folder that was moved or copied are not found there.
    """
    try:
        table: Table = client.load_open_table("iceberg", name)
    except DestinationUndefinedEntity:
        return None
    here = client.get_open_table_location("iceberg", name)
    return table if _has_own_catalog() or table.location().rstrip("/") == here.rstrip("/") else None


def _has_own_catalog() -> bool:
    """Return whether the user has configured a catalog, which decides where its tables are."""
    return Config().get_catalog_config(CATALOG) is not None


def _read(table: Table, columns: Sequence[str]) -> pa.Table:
    rows: pa.Table = table.scan(selected_fields=tuple(columns)).to_arrow()
    return rows


def _write(table: Table, change: Change, key: str) -> None:
    with table.transaction() as transaction:
        _adopt(transaction, change.rows.schema)
        if change.deletes:
            transaction.delete(In(key, [*change.replaced.to_pylist(), *change.removed.to_pylist()]))
        if change.rows.num_rows:
            transaction.append(change.rows)


def _adopt(transaction: Transaction, schema: pa.Schema) -> None:
    """Add columns that the table lacks. One whose type changed is dropped and added: its values are about to be replaced."""
    stored = schema_to_pyarrow(transaction.table_metadata.schema(), include_field_ids=False)
    kinds = {field.name: _plain(field.type) for field in stored}
    changed = [field.name for field in schema if kinds.get(field.name, field.type) != field.type]
    if changed:
        with transaction.update_schema(allow_incompatible_changes=True) as update:
            for name in changed:
                update.delete_column(name)
    if changed or set(schema.names) - kinds.keys():
        with transaction.update_schema() as update:
            update.union_by_name(schema)


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_large_string(kind) else kind


def open_catalog(client: LakeClient) -> Catalog:
    """Open the catalog that pyiceberg's own configuration names, or the default: a SQLite file beside local tables.

    A bucket without a catalog gets one in memory. It registers the latest metadata of each table in the bucket.
    """
    credentials = client.config.credentials
    files = without_none(credentials.to_pyiceberg_fileio_config()) if isinstance(credentials, WithPyicebergConfig) else {}
    if _has_own_catalog():
        return load_catalog(CATALOG, **files)
    path = f"/{client.dataset_path}{CATALOG_FILE}" if client.is_local_filesystem else "/:memory:"
    return load_catalog(CATALOG, type="sql", uri=f"sqlite://{path}", **files)
