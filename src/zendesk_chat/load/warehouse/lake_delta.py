"""Delta tables: each load changes a table in one commit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.common.libs.deltalake import deltalake_storage_options, evolve_delta_table_schema

from zendesk_chat.load.warehouse.lake_changes import Change, find_change
from zendesk_chat.load.warehouse.lake_job import LakeJob
from zendesk_chat.tables.sql import quoted

if TYPE_CHECKING:
    from zendesk_chat.load.warehouse.transaction import Part

_REMOVED: Final = "_removed"
_MOST_FILES: Final = 100
"""A table of more files is compacted."""


class DeltaJob(LakeJob):
    """Changes a table by the rows of a load."""

    def write(self, part: Part) -> None:
        """Write the rows in one commit."""
        table = None if part.replace else self._table()
        if table is None:
            self._overwrite()
            return
        change = find_change(part.table, self.rows.to_table(), part.rows.parents, lambda columns: _read(table, columns))
        if change.empty:
            return
        evolve_delta_table_schema(table, change.rows.schema)
        if change.deletes:
            _merge(table, change, part.table.primary_key[0])
        else:
            write_deltalake(table, change.rows, mode="append", schema_mode="merge")
        if len(table.file_uris()) > _MOST_FILES:
            table.optimize.compact()

    def _table(self) -> DeltaTable | None:
        try:
            table: DeltaTable = self._job_client.load_open_table("delta", self.load_table_name)
        except DestinationUndefinedEntity:
            return None
        return table

    def _overwrite(self) -> None:
        client = self._job_client
        write_deltalake(
            client.get_open_table_location("delta", self.load_table_name),
            self.rows.scanner().to_reader(),
            mode="overwrite",
            schema_mode="overwrite",
            storage_options=deltalake_storage_options(client.config.credentials, client.config.deltalake_storage_options),
        )


def _read(table: DeltaTable, columns: Sequence[str]) -> pa.Table:
    rows: pa.Table = table.to_pyarrow_table(columns=list(columns))
    return rows


def _merge(table: DeltaTable, change: Change, key: str) -> None:
    """Replace, insert and delete rows in one commit. Rows to delete are marked in a column of the source."""
    kept = pa.repeat(pa.scalar(value=False), change.rows.num_rows)
    removed = pa.table({key: change.removed, _REMOVED: pa.repeat(pa.scalar(value=True), len(change.removed))})
    source = pa.concat_tables([change.rows.append_column(_REMOVED, kept), removed], promote_options="default")
    values = {quoted(name): f"source.{quoted(name)}" for name in change.rows.column_names}
    (
        table.merge(source, f"target.{quoted(key)} = source.{quoted(key)}", source_alias="source", target_alias="target")
        .when_matched_delete(f"source.{_REMOVED}")
        .when_matched_update(values)
        .when_not_matched_insert(values, f"NOT source.{_REMOVED}")
        .execute()
    )
