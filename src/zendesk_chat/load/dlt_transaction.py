"""One transaction of a load: rows of streams, and the states from which a later run resumes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import dlt
from dlt.common.schema.typing import TWriteDispositionConfig
from dlt.extract import DltResource

from zendesk_chat.load.failures import explained
from zendesk_chat.tables.arrow import arrow_schema
from zendesk_chat.tables.merging import merge, naming_rows, table_hints
from zendesk_chat.tables.table import StreamTable

if TYPE_CHECKING:
    from zendesk_chat.load.dlt_destination import Target
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


def read_resumes(target: Target) -> dict[str, Resume]:
    """Return the stored state of each stream."""
    stored = target.pipeline.state.get("sources", {}).get(_SOURCE, {}).get("streams", {})
    return {name: Resume(**json.loads(text)) for name, text in stored.items()}


def commit(target: Target, parts: Sequence[Part], resumes: Mapping[str, Resume]) -> None:
    """Write the parts and then the resumes.

    dlt writes its state into the same load package, and a package only takes effect when every table in it is written. So at
    worst, a kill leaves rows that a later run, which resumes from the older state, reads and upserts again.

    Raises:
        DestinationError: No resume is stored; some of the parts may be written.
    """
    qualify = target.pipeline.sql_client().make_qualified_table_name
    dispositions = ["replace" if part.replace else merge(part.table, qualify) for part in parts]
    with explained(f"writing to {target.name}"):
        formats = target.pipeline.destination.capabilities().supported_loader_file_formats or []
        file_format: _FileFormat = "parquet" if "parquet" in formats else None
        resources = [
            DltResource.from_data(
                _data(part, disposition, file_format), part.table.name, _SOURCE, table_hints(part.table, disposition)
            )
            for part, disposition in zip(parts, dispositions, strict=True)
        ]
        if resources or resumes:
            package = _package([*resources, dlt.resource(_store(resumes), name="states")])
            target.pipeline.extract(package, loader_file_format=file_format)
            target.pipeline.normalize()
            target.pipeline.load()


def _store(resumes: Mapping[str, Resume]) -> Iterator[object]:
    """Put the resumes into dlt's state. This is a resource without rows, because only resources can access the state."""
    streams = dlt.current.source_state().setdefault("streams", {})
    streams.update({name: json.dumps({"state": r.state, "replace": r.replace}) for name, r in resumes.items()})
    yield from ()


@dlt.source(name=_SOURCE)
def _package(resources: Sequence[DltResource]) -> Sequence[DltResource]:
    """Return what is written together. dlt keeps this function, so it must not refer to any data."""
    return resources


def _data(part: Part, disposition: TWriteDispositionConfig, file_format: _FileFormat) -> Iterator[object]:
    """Yield the rows for dlt, which loads a Parquet file unchanged."""
    rows = part.rows
    if file_format is None or rows.file is None:
        yield from rows.batches
    else:
        yield dlt.mark.with_file_import(str(rows.file), "parquet", rows.records, arrow_schema(part.table).empty_table())
    if isinstance(disposition, dict) and rows.parents is not None:
        yield naming_rows(part.table, rows.parents)
