"""One transaction of a load: rows of streams, and the states from which a later run resumes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

import dlt
import duckdb
from dlt.common.schema.typing import TColumnSchema, TWriteDispositionConfig
from dlt.extract import DltResource, make_hints

from zendesk_chat.load.failures import explained
from zendesk_chat.tables.arrow import arrow_schema
from zendesk_chat.tables.merging import merge, merges, naming_rows
from zendesk_chat.tables.table import EXTRA, UNPARSED, StreamTable

if TYPE_CHECKING:
    import pyarrow as pa

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
        table: The table.
        rows: The rows to write.
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
    prepared = [(part, _prepared(target, part)) for part in parts]
    written = [(part, disposition) for part, disposition in prepared if disposition]
    with explained(f"writing to {target.name}"):
        file_format = _file_format(target)
        resources = [_resource(part, disposition, _data(part, disposition, file_format)) for part, disposition in written]
        if written or resumes:
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
    sql = """
        SELECT column_name, data_type FROM duckdb_columns()
        WHERE database_name = current_database() AND schema_name = 'main' AND table_name = ?
    """
    types = dict(connection.execute(sql, [table.name]).fetchall())
    if types.keys() >= {EXTRA, UNPARSED}:  # otherwise the table is not ours
        for name, kind in table.columns.items():
            if kind == "text" and types.get(name, "VARCHAR") != "VARCHAR":
                connection.execute(f'ALTER TABLE main."{table.name}" ALTER COLUMN "{name}" TYPE VARCHAR')


def _prepared(target: Target, part: Part) -> TWriteDispositionConfig | None:
    """Prepare the table for the rows, and return their write disposition."""
    with explained(f"writing to the table {part.table.name} in {target.name}"):
        if target.connection is not None:
            _turn_into_text(target.connection, part.table)
        return _disposition(target, part)


def _disposition(target: Target, part: Part) -> TWriteDispositionConfig | None:
    """Return dlt's write disposition for the rows, or None if they would change nothing.

    Rows that replace none are appended: a merge would write them twice.
    """
    try:
        if target.connection is not None and not _replaces_any(target.connection, part):
            return "append" if part.rows.records else None
    except duckdb.CatalogException:  # the table does not exist yet
        return "append"
    if part.replace:
        return "replace"
    return cast("TWriteDispositionConfig", merge(part.table, target.pipeline.sql_client().make_qualified_table_name))


def _replaces_any(connection: duckdb.DuckDBPyConnection, part: Part) -> bool:
    """Return whether the table has rows that the new ones replace."""
    name = f'main."{part.table.name}"'
    if part.replace:
        return bool(connection.sql(f"SELECT 1 FROM {name} LIMIT 1").fetchall())  # noqa: S608  a stream's name
    given = [columns for columns in (part.rows.keys, part.rows.parents) if columns is not None]
    return any(_has_any(connection, name, columns) for columns in given)


def _has_any(connection: duckdb.DuckDBPyConnection, name: str, columns: pa.Table) -> bool:
    using = ", ".join(f'"{column}"' for column in columns.column_names)
    query = f"SELECT 1 FROM {name} SEMI JOIN given USING ({using}) LIMIT 1"  # noqa: S608  see above
    found = connection.from_arrow(columns).query("given", query)
    return found is not None and bool(found.fetchall())


def _resource(part: Part, disposition: TWriteDispositionConfig, rows: Iterator[object]) -> DltResource:
    columns: dict[str, TColumnSchema] = {name: {"data_type": kind} for name, kind in part.table.columns.items()}
    columns |= {name: {"data_type": "json"} for name in (EXTRA, UNPARSED)}
    for name in part.table.primary_key:
        columns[name]["primary_key"] = True  # not by primary_key=, which would forbid a null where a key did not fit
    hints = make_hints(part.table.name, columns=columns, write_disposition=disposition)
    return DltResource.from_data(rows, part.table.name, _SOURCE, hints)


def _data(part: Part, disposition: TWriteDispositionConfig, file_format: _FileFormat) -> Iterator[object]:
    """Yield the rows for dlt, which loads a Parquet file as it is."""
    rows = part.rows
    if file_format is None or rows.file is None:
        yield from rows.batches
    else:
        yield dlt.mark.with_file_import(str(rows.file), "parquet", rows.records, arrow_schema(part.table).empty_table())
    if merges(disposition) and rows.parents is not None:
        yield naming_rows(part.table, rows.parents)


def _file_format(target: Target) -> _FileFormat:
    formats = target.pipeline.destination.capabilities().supported_loader_file_formats or []
    return "parquet" if "parquet" in formats else None
