"""The hints of a resource, adapted to the destination of each run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

import dlt
from dlt import destinations
from dlt.common.schema.utils import get_columns_names_with_prop
from dlt.common.storages.exceptions import CurrentLoadPackageStateNotAvailable
from dlt.extract.exceptions import DataItemRequiredForDynamicTableHints

from zendesk_chat.library.account import logger
from zendesk_chat.tables.merging import merge, replace_children
from zendesk_chat.tables.table import EXTRA, UNPARSED

if TYPE_CHECKING:
    import pyarrow as pa
    from dlt.common.destination import AnyDestination
    from dlt.common.schema.typing import TTableSchema, TWriteDispositionConfig
    from dlt.extract import DltResource

    from zendesk_chat.tables.table import StreamTable

MERGED: Final = cast("TWriteDispositionConfig", {"disposition": "merge", "deduplicated": True})
"""The disposition of streams with a cursor. A run writes each key once."""


@dataclass(frozen=True, slots=True)
class Hints:
    """The hints that depend on the destination.

    Attributes:
        disposition: How dlt writes the rows, as a dictionary.
        file_format: The format of the files that dlt loads; "" if the destination chooses.
        json_columns: The type of each column that contains JSON.
    """

    disposition: Mapping[str, Any]
    file_format: str
    json_columns: Mapping[str, str]

    @classmethod
    def of(cls, resource: DltResource, schema: TTableSchema, table: StreamTable) -> Hints:
        """Return the hints of a resource whose table has this schema."""
        given = resource.write_disposition
        names = [*(name for name, kind in table.columns.items() if kind == "json"), EXTRA, UNPARSED]
        types = {name: str(schema["columns"][name].get("data_type")) for name in names}
        return cls(given if isinstance(given, dict) else {"disposition": given}, schema.get("file_format") or "", types)

    def apply(self, resource: DltResource) -> None:
        """Set them."""
        columns = cast("Mapping[str, Any]", resource.columns)
        resource.apply_hints(
            write_disposition=cast("TWriteDispositionConfig", self.disposition),
            file_format=cast("Any", self.file_format),  # "" removes the hint
            columns={name: columns[name] | {"data_type": kind} for name, kind in self.json_columns.items()},
        )

    def stored_by(self, destination: AnyDestination) -> Hints:
        """Return hints with which a destination of dlt stores the same values."""
        if isinstance(destination, destinations.postgres):
            if self.file_format == "csv":
                logger.warning("Postgres stores empty strings as NULL if dlt loads CSV files. Remove the file format csv.")
            return replace(self, file_format=self.file_format or "insert_values")  # by default, dlt loads Arrow tables as CSV
        if isinstance(destination, destinations.sqlalchemy):  # it would encode the JSON again
            types = {name: "text" if kind == "json" else kind for name, kind in self.json_columns.items()}
            return replace(self, json_columns=types)
        return self

    @property
    def deletes_by_naming_rows(self) -> bool:
        """Whether the merge deletes the children of the parents that rows name."""
        return "source_filter" in self.disposition and self.disposition.get("strategy") == "delete-insert"

    @property
    def merges_by_key(self) -> bool:
        """Whether rows are merged by key, and the user has set no conditions."""
        given = self.disposition
        strategies = {None, "delete-insert"}
        return (
            given["disposition"] == "merge"
            and given.get("strategy") in strategies
            and not given.keys() & {"source_filter", "destination_scope"}
        )


class Adapter:
    """Adapts the resource of a stream.

    dlt keeps the hints of a resource for its later runs, which may be into another destination. So each run begins with the
    hints that the user has set.
    """

    def __init__(self, table: StreamTable) -> None:
        self._table = table
        self._last: dict[str, tuple[Hints, Hints]] = {}  # by the name of the resource: what was given, and what was applied

    def adapt(self, resource: DltResource, parents: pa.Table | None) -> bool:
        """Set the hints for the current run. Return whether the rows must name the parents, as ``naming_rows`` does.

        Args:
            resource: The resource that writes the rows.
            parents: The parents whose children the rows are, if the table has parents.
        """
        pipeline = _pipeline()
        try:
            schema = resource.compute_table_schema()
        except DataItemRequiredForDynamicTableHints:  # the user computes hints from each item
            return False
        current = Hints.of(resource, schema, self._table)
        given, applied = self._last.get(resource.name, (current, current))
        if current != applied:
            given = current
        wanted = given if pipeline is None or pipeline.destination is None else self._wanted(given, schema, pipeline, parents)
        if wanted != current:
            wanted.apply(resource)
        self._last[resource.name] = (given, wanted)
        is_loaded = resource.name in dlt.current.source().selected_resources  # or it only feeds a transformer
        return is_loaded and wanted.deletes_by_naming_rows

    def _wanted(self, given: Hints, schema: TTableSchema, pipeline: dlt.Pipeline, parents: pa.Table | None) -> Hints:
        wanted = given.stored_by(pipeline.destination)
        if not given.merges_by_key:
            return wanted
        if tuple(get_columns_names_with_prop(schema, "primary_key")) != self._table.primary_key:
            return replace(wanted, disposition={"disposition": "merge"})  # dlt keeps one row for each of the user's keys
        disposition = _merged(self._table, schema, pipeline, parents)
        return replace(wanted, disposition=cast("Mapping[str, Any]", disposition)) if disposition else wanted


def loads_into_postgres() -> bool:
    """Return whether the destination of the current run is Postgres."""
    pipeline = _pipeline()
    return pipeline is not None and isinstance(pipeline.destination, destinations.postgres)


def needs_table(resource: DltResource) -> bool:
    """Return whether to write a file without rows, so that the destination creates the table of a resource."""
    if resource.has_dynamic_table_name:
        return False
    schema = resource.compute_table_schema()
    # dlt cannot load a Parquet file without rows into Postgres.
    return _is_new(str(schema["name"])) and not (schema.get("file_format") == "parquet" and loads_into_postgres())


def _is_new(table: str) -> bool:
    """Return whether the current run is the first that writes a table."""
    schema = dlt.current.source_schema()
    pipeline = _pipeline()
    if pipeline is None or schema.name not in pipeline.schema_names:
        return True
    name = schema.naming.normalize_table_identifier(table)
    # The source may have been in another pipeline, or the pipeline may be about to drop the table.
    return schema.is_new_table(name) or pipeline.schemas[schema.name].is_new_table(name)


def _pipeline() -> dlt.Pipeline | None:
    """Return the pipeline that runs; None if rows are iterated without a run."""
    try:
        dlt.current.load_package_state()
    except CurrentLoadPackageStateNotAvailable:
        return None
    return dlt.current.pipeline()


def _merged(
    table: StreamTable, schema: TTableSchema, pipeline: dlt.Pipeline, parents: pa.Table | None
) -> TWriteDispositionConfig | None:
    """Return how a destination merges rows, if merging by key is not enough or not what it does by default."""
    name = str(schema["name"])
    destination = pipeline.destination
    if schema.get("table_format") == "delta" and isinstance(destination, destinations.filesystem):
        return None if _is_new(name) or parents is None or not parents.num_rows else replace_children(table, parents)
    if "delete-insert" not in (destination.capabilities().supported_merge_strategies or ()):
        return None
    source_schema = dlt.current.source_schema()
    named = replace(table, name=source_schema.naming.normalize_table_identifier(name))
    if table.latest_by and not _is_new(name):
        return merge(named, pipeline.sql_client(source_schema.name).make_qualified_table_name)
    return merge(named, str) if table.parent_field else None
