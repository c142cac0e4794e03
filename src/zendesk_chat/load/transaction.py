"""One transaction of a load: rows of streams, and the states from which a later run resumes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import dlt
import duckdb
from dlt.common.schema.typing import TWriteDispositionConfig
from dlt.extract import DltResource

from zendesk_chat.load.destination import column_types
from zendesk_chat.load.failures import explained
from zendesk_chat.tables.arrow import arrow_schema
from zendesk_chat.tables.merging import merge, naming_rows, table_hints
from zendesk_chat.tables.table import EXTRA, UNPARSED, StreamTable

if TYPE_CHECKING:
    from zendesk_chat.load.destination import Target
    from zendesk_chat.streams.stream import StateBlob
    from zendesk_chat.tables.spool import Rows

_SOURCE: Final = "zendesk_chat"
_FileFormat: TypeAlias = Literal["parquet"] | None


@dataclass(frozen=True, slots=True)
class Resume:
    """The stored state of a stream with a cursor.

    Attributes:
        state: The state to resume from, or None to start from the beginning.
        replace: Whether the next records replace the table's contents: a full refresh has begun, and none of its records
            are in the table yet.
    """

    state: StateBlob | None
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Rows for one table.

    Attributes:
        replace: Whether the rows replace all others, or only those with equal keys and parents.
    """

    table: StreamTable
    rows: Rows
    replace: bool


def read_states(target: Target) -> dict[str, StateBlob]:
    """Return the state of each stream after the last transaction, for the engine to resume from."""
    return {name: resume.state for name, resume in read_resumes(target).items() if resume.state is not None}


def read_resumes(target: Target) -> dict[str, Resume]:
    """Return the stored state of each stream."""
    stored = target.pipeline.state.get("sources", {}).get(_SOURCE, {}).get("streams", {})
    return {name: Resume(**json.loads(text)) for name, text in stored.items()}


def commit(target: Target, parts: Sequence[Part], resumes: Mapping[str, Resume]) -> None:
    """Write the parts and then the resumes.

    dlt writes its state into the same load package, and counts a package only when every table in it is written. So a kill
    leaves at worst rows that a later run, which resumes from the older state, reads and upserts again.

    Raises:
        DestinationError: No resume is stored; some of the parts may be written.
    """
    dispositions = [_prepare(target, part) for part in parts]
    with explained(f"writing to {target.name}"):
        formats = target.pipeline.destination.capabilities().supported_loader_file_formats or []
        file_format: _FileFormat = "parquet" if "parquet" in formats else None
        resources = [
            DltResource.from_data(
                _data(part, disposition, file_format), part.table.name, _SOURCE, table_hints(part.table, disposition)
            )
            for part, disposition in zip(parts, dispositions, strict=True)
            if disposition
        ]
        if resources or resumes:
            package = _package([*resources, dlt.resource(_store(resumes), name="states")])
            target.pipeline.extract(package, loader_file_format=file_format)
            target.pipeline.normalize()
            target.pipeline.load()


def _store(resumes: Mapping[str, Resume]) -> Iterator[object]:
    """Put the resumes into dlt's state. It is a resource without rows, because only these can access the state."""
    streams = dlt.current.source_state().setdefault("streams", {})
    streams.update({name: json.dumps({"state": r.state, "replace": r.replace}) for name, r in resumes.items()})
    yield from ()


@dlt.source(name=_SOURCE)
def _package(resources: Sequence[DltResource]) -> Sequence[DltResource]:
    """Return what is written together. dlt keeps this function, so it must not refer to any data."""
    return resources


def _turn_into_text(connection: duckdb.DuckDBPyConnection, table: StreamTable) -> None:
    """Change columns of numbers, times or booleans to text if the stream has text there now, because it is hashed."""
    types = column_types(connection, table.name)
    if types.keys() >= {EXTRA, UNPARSED}:  # otherwise the table is not ours
        for name, kind in table.columns.items():
            if kind == "text" and types.get(name, "VARCHAR") != "VARCHAR":
                connection.execute(f'ALTER TABLE main."{table.name}" ALTER COLUMN "{name}" TYPE VARCHAR')


def _prepare(target: Target, part: Part) -> TWriteDispositionConfig | None:
    """Prepare the table for the rows. Returns dlt's write disposition for them, or None if they would change nothing.

    Rows that replace none are appended: a merge would write them twice.
    """
    with explained(f"writing to the table {part.table.name} in {target.name}"):
        if target.connection is not None:
            _turn_into_text(target.connection, part.table)
            try:
                if not _replaces_any(target.connection, part):
                    return "append" if part.rows.records else None
            except duckdb.CatalogException:  # the table does not exist yet
                return "append"
        return "replace" if part.replace else merge(part.table, target.pipeline.sql_client().make_qualified_table_name)


def _replaces_any(connection: duckdb.DuckDBPyConnection, part: Part) -> bool:
    """Return whether the table has rows that the new ones replace."""
    name = f'main."{part.table.name}"'
    if part.replace:
        return bool(connection.sql(f"SELECT 1 FROM {name} LIMIT 1").fetchall())
    for given in (part.rows.keys, part.rows.parents):
        if given is not None:
            using = ", ".join(f'"{column}"' for column in given.column_names)
            query = f"SELECT 1 FROM {name} SEMI JOIN given USING ({using}) LIMIT 1"
            found = connection.from_arrow(given).query("given", query)
            if found is not None and found.fetchall():
                return True
    return False


def _data(part: Part, disposition: TWriteDispositionConfig, file_format: _FileFormat) -> Iterator[object]:
    """Yield the rows for dlt, which loads a Parquet file as it is."""
    rows = part.rows
    if file_format is None or rows.file is None:
        yield from rows.batches
    else:
        yield dlt.mark.with_file_import(str(rows.file), "parquet", rows.records, arrow_schema(part.table).empty_table())
    if isinstance(disposition, dict) and rows.parents is not None:
        yield naming_rows(part.table, rows.parents)
