"""One transaction of a load: the rows of some streams, and with them the states from which a later run resumes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import dlt
import duckdb

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


@dataclass(frozen=True, slots=True)
class Resume:
    """What is stored for a stream with a cursor.

    Attributes:
        state: Where to resume, or None to begin at the start.
        replace: Whether the table's contents are stale, so that the next records replace them: a full refresh has
            begun and none of its records are in the table.
    """

    state: StateBlob | None
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Rows for one table.

    Attributes:
        table: Which.
        rows: To write.
        replace: Whether the rows take the place of all others, or of those with equal keys and parents only.
    """

    table: StreamTable
    rows: Rows
    replace: bool


def read_states(target: Target) -> dict[str, StateBlob]:
    """Return the state of each stream as of the last transaction, for the engine to resume from."""
    return {name: resume.state for name, resume in read_resumes(target).items() if resume.state is not None}


def read_resumes(target: Target) -> dict[str, Resume]:
    """Return what is stored for each stream."""
    stored = target.pipeline.state.get("sources", {}).get(_SOURCE, {}).get("streams", {})
    return {name: Resume(**json.loads(text)) for name, text in stored.items()}


def commit(target: Target, parts: Sequence[Part], resumes: Mapping[str, Resume]) -> None:
    """Write the parts and then the resumes.

    dlt writes its state into the same load package and counts a package only when every table in it is written, so
    a kill leaves at worst rows that the older state makes a later run read and upsert again.

    Raises:
        DestinationError: Nothing of the resumes is stored; some of the parts may be written.
    """

    def remember() -> Iterator[Any]:
        streams = dlt.current.source_state().setdefault("streams", {})
        streams.update({name: json.dumps({"state": r.state, "replace": r.replace}) for name, r in resumes.items()})
        yield from ()

    prepared = [(part, _prepared(target, part)) for part in parts]
    written = [(part, disposition) for part, disposition in prepared if disposition]
    with explained(f"writing to {target.name}"):
        file_format = _file_format(target)

        resources = [_resource(part, disposition, _data(part, disposition, file_format)) for part, disposition in written]
        if written or resumes:
            package = _package([*resources, dlt.resource(remember(), name="states")])
            target.pipeline.extract(package, loader_file_format=file_format)
            target.pipeline.normalize()
            target.pipeline.load()


@dlt.source(name=_SOURCE)
def _package(resources: Sequence[Any]) -> Any:  # noqa: ANN401  dlt's own type is as loose
    """What is written together. dlt remembers the function, and with it what that refers to: here nothing."""
    return resources


def _turn_into_text(connection: duckdb.DuckDBPyConnection, table: StreamTable) -> None:
    """Turn columns that were made for numbers, times or booleans into text where the stream has text: it is hashed since."""
    sql = """
        SELECT column_name, data_type FROM duckdb_columns()
        WHERE database_name = current_database() AND schema_name = 'main' AND table_name = ?
    """
    types = dict(connection.execute(sql, [table.name]).fetchall())
    if types.keys() >= {EXTRA, UNPARSED}:  # or the table is somebody else's
        for name, kind in table.columns.items():
            if kind == "text" and types.get(name, "VARCHAR") != "VARCHAR":
                connection.execute(f'ALTER TABLE main."{table.name}" ALTER COLUMN "{name}" TYPE VARCHAR')


def _prepared(target: Target, part: Part) -> Any:  # noqa: ANN401  see above
    """Make the table fit for the rows, and return their disposition."""
    with explained(f"writing to the table {part.table.name} in {target.name}"):
        if target.connection is not None:
            _turn_into_text(target.connection, part.table)
        return _disposition(target, part)


def _disposition(target: Target, part: Part) -> Any:  # noqa: ANN401  see above
    """Return dlt's word for how the rows get into the table, or None where they would change nothing.

    Rows that displace none are not merged, which would write them twice.
    """
    try:
        if target.connection is not None and not _displaces(target.connection, part):
            return "append" if part.rows.records else None
    except duckdb.CatalogException:  # there is no such table yet
        return "append"
    return "replace" if part.replace else merge(part.table, target.pipeline.sql_client().make_qualified_table_name)


def _displaces(connection: duckdb.DuckDBPyConnection, part: Part) -> bool:
    """Whether the table has rows whose place the new ones take."""
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


def _resource(part: Part, disposition: Any, rows: Iterator[Any]) -> Any:  # noqa: ANN401  see above
    columns: dict[str, Any] = {name: {"data_type": kind} for name, kind in part.table.columns.items()}
    columns |= {name: {"data_type": "json"} for name in (EXTRA, UNPARSED)}
    for name in part.table.primary_key:
        columns[name]["primary_key"] = True  # not by primary_key=, which would forbid a null where a key did not fit
    return dlt.resource(
        rows,
        name=part.table.name,
        columns=columns,
        write_disposition=disposition,
    )


def _data(part: Part, disposition: Any, file_format: str | None) -> Iterator[Any]:  # noqa: ANN401  see above
    """Return the rows for dlt, which takes a Parquet file as it is rather than write it again."""
    rows = part.rows
    if file_format is None or rows.file is None:
        yield from rows.batches
    else:
        yield dlt.mark.with_file_import(str(rows.file), "parquet", rows.records, arrow_schema(part.table).empty_table())
    if merges(disposition) and rows.parents is not None:
        yield naming_rows(part.table, rows.parents)


def _file_format(target: Target) -> Any:  # noqa: ANN401  a literal type of dlt's
    formats = target.pipeline.destination.capabilities().supported_loader_file_formats or []
    return "parquet" if "parquet" in formats else None
