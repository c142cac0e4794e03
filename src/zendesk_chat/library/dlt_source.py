"""The account as a source of dlt, for a pipeline of the user's own."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dlt
import pyarrow as pa
from dlt.extract import DltResource, DltSource

from zendesk_chat.library.account import Account
from zendesk_chat.library.arrow import to_arrow
from zendesk_chat.library.catalog import chosen
from zendesk_chat.library.reading import Batch, StreamsFailedError, read_several
from zendesk_chat.streams.stream import Stream
from zendesk_chat.tables.merging import merge, naming_rows
from zendesk_chat.tables.spool import Spool
from zendesk_chat.tables.table import EXTRA, UNPARSED, StreamTable

SOURCE: Final = "zendesk_chat"
STATE: Final = "state"


def dlt_source(account: Account, streams: Iterable[str] | None = None) -> DltSource:
    """Make a dlt source: a resource for each stream, with its key and its types.

    Streams with a cursor are merged by key and go on where the pipeline's last run ended: the state is dlt's own, in the same
    load package as the records. The parts of an edited chat take the place of those it had, and the visitor of a later chat
    that of an earlier one, where the destination merges by SQL; elsewhere dlt merges by key or appends. Other streams replace
    their table. With the write disposition "replace", a stream is read from the start. A stream that fails fails the run, and
    nothing of the run is loaded.

    Args:
        account: Where from.
        streams: Their names; by default all that the account has.
    """
    selected = chosen(account, streams)

    @dlt.source(name=SOURCE)
    def source() -> Any:  # noqa: ANN401  dlt's own type is as loose
        resources: dict[str, DltResource] = {}
        for together in _read_together(selected):
            tables = [StreamTable.of(stream) for stream in together]
            feed = _feed(account, tables, required=streams is not None)
            resources |= {table.name: _resource(table, feed) for table in tables}
        return [resources[stream.name] for stream in selected]

    made: DltSource = source()
    return made


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of one stream, on their way from the feed to its resource."""

    stream: str
    table: pa.Table


def _read_together(streams: Sequence[Stream]) -> list[list[Stream]]:
    """Group the streams that are cut from the same pages."""
    groups: dict[object, list[Stream]] = {}
    for stream in streams:
        groups.setdefault(stream.source, []).append(stream)
    return list(groups.values())


def _resource(table: StreamTable, feed: DltResource) -> DltResource:
    columns: dict[str, Any] = {name: {"data_type": kind} for name, kind in table.columns.items()}
    columns |= {name: {"data_type": "json"} for name in (EXTRA, UNPARSED)}
    for name in table.primary_key:
        columns[name]["primary_key"] = True  # not by primary_key=, which would forbid a null where a key did not fit

    def rows(item: _Rows) -> Iterator[pa.Table]:
        if item.stream == table.name:
            yield item.table

    merged: Any = {"disposition": "merge", "deduplicated": True}  # by the spool
    resource: DltResource = dlt.transformer(
        rows, data_from=feed, name=table.name, columns=columns, write_disposition="replace" if table.mirrors else merged
    )
    return resource


def _feed(account: Account, tables: Sequence[StreamTable], *, required: bool) -> DltResource:
    """Read those of the streams that are selected, once for all of them.

    Their rows wait on disk until all are whole, because dlt does not know which of two rows with one key is newer.
    """

    def rows() -> Iterator[_Rows]:
        resources = dlt.current.source().selected_resources
        selected = [table for table in tables if table.name in resources]
        memories = {table.name: dlt.current.resource_state(table.name) for table in selected}
        stored = {name: None if _replaces(resources[name]) else _stored(memory) for name, memory in memories.items()}
        with contextlib.ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zendesk-chat-")))
            spools = {table.name: Spool(directory / f"{table.name}.parquet", table) for table in selected}
            for spool in spools.values():
                stack.callback(spool.clear)
            states = _read_into(account, spools, read_several(account, stored, required=required))
            for table in selected:
                if table.name in states:  # or the account lacks it
                    yield from _rows_of(table, spools[table.name], resources[table.name])
        for name, state in states.items():
            if state:
                memories[name][STATE] = json.dumps(state)

    resource: DltResource = dlt.resource(rows, name=f"pages_of_{tables[0].name}", selected=False, parallelized=True)
    return resource


def _read_into(
    account: Account, spools: Mapping[str, Spool], batches: Generator[Batch, None, None]
) -> dict[str, dict[str, Any]]:
    """Read to the end. Returns the last state of each stream."""
    states: dict[str, dict[str, Any]] = {}
    try:
        for batch in to_arrow(account, batches):
            spools[batch.stream].append(batch.table, batch.parents)
            states[batch.stream] = batch.state
    except StreamsFailedError as failed:
        raise failed from next(iter(failed.errors.values()))
    return states


def _rows_of(table: StreamTable, spool: Spool, resource: DltResource) -> Iterator[_Rows]:
    """Yield a stream's rows, and say how they are to be merged where a key alone does not tell."""
    rows = spool.rows()
    qualify = _qualifier() if _merges_by_key(resource) and (table.parent_field or table.latest_by) else None
    if qualify is not None:
        disposition: Any = merge(table, qualify)
        resource.apply_hints(write_disposition=disposition)
    yield from (_Rows(table.name, batch) for batch in rows.batches)
    if qualify is not None and rows.parents is not None:
        yield _Rows(table.name, naming_rows(table, rows.parents))


def _qualifier() -> Callable[[str], str] | None:
    """How a table is named in the SQL of the pipeline's destination, or None where it does not merge by SQL."""
    pipeline: Any = dlt.current.pipeline()
    if pipeline.destination is None or "delete-insert" not in (
        pipeline.destination.capabilities().supported_merge_strategies or ()
    ):
        return None
    qualify: Callable[[str], str] = pipeline.sql_client().make_qualified_table_name
    return qualify


def _merges_by_key(resource: DltResource) -> bool:
    """Whether the user leaves it to us how the resource is merged."""
    given: Any = resource.write_disposition
    return isinstance(given, dict) and given["disposition"] == "merge" and given.get("strategy") in {None, "delete-insert"}


def _replaces(resource: DltResource) -> bool:
    given: Any = resource.write_disposition
    return bool((given["disposition"] if isinstance(given, dict) else given) == "replace")


def _stored(memory: Mapping[str, Any]) -> dict[str, Any] | None:
    return json.loads(memory[STATE]) if STATE in memory else None
