"""The account as a dlt source, for your own pipeline."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, cast

import dlt
import pyarrow as pa
from dlt.common.destination import AnyDestination
from dlt.common.schema.typing import TWriteDispositionConfig
from dlt.extract import DltResource, DltSource

from zendesk_chat.library.account import Account
from zendesk_chat.library.arrow import to_arrow
from zendesk_chat.library.catalog import chosen
from zendesk_chat.library.reading import StreamsFailedError, read_several
from zendesk_chat.tables.merging import merge, naming_rows, table_hints
from zendesk_chat.tables.spool import Spool
from zendesk_chat.tables.table import StreamTable

SOURCE: Final = "zendesk_chat"
STATE: Final = "state"
_MERGED: Final = cast("TWriteDispositionConfig", {"disposition": "merge", "deduplicated": True})  # by the spool


def dlt_source(account: Account, streams: Iterable[str] | None = None) -> DltSource:
    """Return a dlt source with a resource for each stream, with its key and types.

    Streams with a cursor are merged by key and resume where the pipeline's last run ended: dlt stores the state in the same
    load package as the records. If the destination merges by SQL, the records of an edited chat replace its previous ones, and
    the visitor of a later chat replaces that of an earlier one. In other destinations, dlt merges by key or appends. Streams
    without a cursor replace their table. With the write disposition "replace", a stream is read from the start. If a stream
    fails, the run fails and loads nothing.

    ``streams`` are names. Default: all streams that the account has.
    """
    selected = chosen(account, streams)
    groups: dict[object, list[StreamTable]] = {}  # streams that share their pages
    for stream in selected:
        groups.setdefault(stream.source, []).append(StreamTable.of(stream))
    resources: dict[str, DltResource] = {}
    for group in groups.values():
        resources |= _Feed(account, tuple(group), required=streams is not None).resources()
    return DltSource(dlt.Schema(SOURCE), SOURCE, [resources[stream.name] for stream in selected])


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of one stream, on their way from the feed to the stream's resource."""

    stream: str
    table: pa.Table


@dataclass(frozen=True, slots=True)
class _Feed:
    """Streams that share their pages. Each page is read once for all selected ones.

    Attributes:
        required: Whether it is an error if the account lacks one of the streams.
    """

    account: Account
    tables: tuple[StreamTable, ...]
    required: bool

    def resources(self) -> dict[str, DltResource]:
        """Return a resource for each stream, which takes its rows from the common ones."""
        pages = DltResource.from_data(self.rows, f"pages_of_{self.tables[0].name}", SOURCE, selected=False).parallelize()
        resources = {}
        for table in self.tables:
            hints = table_hints(table, "replace" if table.mirrors else _MERGED)
            rows = partial(_tables_of, table.name)
            resources[table.name] = DltResource.from_data(rows, table.name, SOURCE, hints, data_from=pages)
        return resources

    def rows(self) -> Iterator[_Rows]:
        """Read the selected streams, and yield their rows when all are read.

        Until then the rows wait on disk, because dlt cannot know which of two rows with the same key is newer.
        """
        resources = dlt.current.source().selected_resources
        selected = [table for table in self.tables if table.name in resources]
        memories = {table.name: dlt.current.resource_state(table.name) for table in selected}
        stored = {
            name: json.loads(memory[STATE]) if STATE in memory and not _replaces(resources[name]) else None
            for name, memory in memories.items()
        }
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zendesk-chat-")))
            spools = {table.name: Spool(directory / f"{table.name}.parquet", table) for table in selected}
            for spool in spools.values():
                stack.callback(spool.clear)
            states: dict[str, dict[str, object]] = {}
            try:
                for batch in to_arrow(self.account, read_several(self.account, stored, required=self.required)):
                    spools[batch.stream].append(batch.table, batch.parents)
                    states[batch.stream] = batch.state
            except StreamsFailedError as failed:
                raise failed from next(iter(failed.errors.values()))
            for table in selected:
                if table.name in states:  # otherwise the account lacks it
                    yield from _rows_of(table, spools[table.name], resources[table.name])
        for name, state in states.items():
            if state:
                memories[name][STATE] = json.dumps(state)


def _tables_of(stream: str, rows: _Rows) -> Iterator[pa.Table]:
    if rows.stream == stream:
        yield rows.table


def _rows_of(table: StreamTable, spool: Spool, resource: DltResource) -> Iterator[_Rows]:
    """Yield a stream's rows. Set how dlt merges them if merging by key is not enough."""
    rows = spool.rows()
    qualify = _qualifier() if _merges_by_key(resource) and (table.parent_field or table.latest_by) else None
    if qualify is not None:
        resource.apply_hints(write_disposition=merge(table, qualify))
    yield from (_Rows(table.name, batch) for batch in rows.batches)
    if qualify is not None and rows.parents is not None:
        yield _Rows(table.name, naming_rows(table, rows.parents))


def _qualifier() -> Callable[[str], str] | None:
    """Return a function that qualifies table names in the destination's SQL; None if it does not merge by SQL."""
    pipeline = dlt.current.pipeline()
    destination = cast("AnyDestination | None", pipeline.destination)
    strategies = destination.capabilities().supported_merge_strategies if destination else None
    return pipeline.sql_client().make_qualified_table_name if "delete-insert" in (strategies or ()) else None


def _merges_by_key(resource: DltResource) -> bool:
    """Return whether the user has set no merge strategy."""
    given = resource.write_disposition
    return isinstance(given, dict) and given["disposition"] == "merge" and given.get("strategy") in {None, "delete-insert"}


def _replaces(resource: DltResource) -> bool:
    given = resource.write_disposition
    return (given["disposition"] if isinstance(given, dict) else given) == "replace"
