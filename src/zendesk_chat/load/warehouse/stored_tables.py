"""What became of the tables that earlier runs loaded: a user may have dropped one, or one of its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dlt.destinations.impl.filesystem.filesystem import FilesystemClient
from dlt.destinations.job_client_impl import SqlJobClientBase

if TYPE_CHECKING:
    from zendesk_chat.load.warehouse.opening import Warehouse
    from zendesk_chat.tables.table import StreamTable


@dataclass(frozen=True, slots=True)
class Comparison:
    """The tables that differ from what dlt's stored schema describes.

    Attributes:
        missing: Tables that no longer exist. A run loads them from the start.
        changed: Tables with a column whose type changes, because a field is redacted now. A run loads them from the start.
        lacking: Columns that no longer exist, by table. They are added again, and are null in older rows.
    """

    missing: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    lacking: Mapping[str, Sequence[str]] = field(default_factory=dict)

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


def compare_tables(warehouse: Warehouse, tables: Sequence[StreamTable]) -> Comparison:
    """Compare tables that were loaded before with those in the destination, and create again what is gone.

    ``tables`` are those of which the destination's state has a checkpoint.
    """
    pipeline = warehouse.pipeline
    if not tables or not pipeline.schema_names:
        return Comparison()
    schema = pipeline.default_schema
    known = {table.name: schema.tables[table.name]["columns"] for table in tables if table.name in schema.tables}
    changed = frozenset(
        table.name
        for table in tables
        for column, kind in table.columns.items()
        if known.get(table.name, {}).get(column, {}).get("data_type", kind) != kind
    )
    with pipeline.destination_client() as client:
        if not isinstance(client, SqlJobClientBase | FilesystemClient):
            return Comparison(changed=changed)
        stored = {name: set(columns) for name, columns in client.get_storage_tables(known)}
        missing = frozenset(name for name in known if not stored.get(name))
        lacking = {name: sorted(set(known[name]) - stored[name]) for name in known if name not in missing}
        lacking = {name: columns for name, columns in lacking.items() if columns}
        if missing or lacking:
            client.update_stored_schema(only_tables=set(known), force=True)
    return Comparison(missing, changed, lacking)
