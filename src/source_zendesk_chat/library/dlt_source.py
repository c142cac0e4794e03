"""The account as a source of dlt, for a pipeline of the user's own."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import dlt
import pyarrow as pa
from dlt.extract import DltResource, DltSource

from source_zendesk_chat.library.account import Account
from source_zendesk_chat.library.arrow import read_arrow, stream_table
from source_zendesk_chat.library.catalog import chosen
from source_zendesk_chat.load.arrow import arrow_schema, keep_latest
from source_zendesk_chat.load.spool import Spool
from source_zendesk_chat.load.tables import EXTRA, UNPARSED, StreamTable

SOURCE: Final = "zendesk_chat"
STATE: Final = "state"


def dlt_source(account: Account, streams: Iterable[str] | None = None) -> DltSource:
    """Make a dlt source: a resource for each stream, with its key and its types.

    Streams with a cursor are merged by key and go on where the pipeline's last run ended: the state is dlt's own, in the same
    load package as the records. Other streams replace their table. With the write disposition "replace", a stream is read from
    the start. A stream that fails fails the run, and nothing of the run is loaded.

    Args:
        account: Where from.
        streams: Their names; by default all.
    """
    tables = [stream_table(info) for info in chosen(streams)]

    @dlt.source(name=SOURCE)
    def source() -> Any:  # noqa: ANN401  dlt's own type is as loose
        return [_resource(account, table) for table in tables]

    made: DltSource = source()
    return made


def _resource(account: Account, table: StreamTable) -> DltResource:
    columns: dict[str, Any] = {name: {"data_type": kind} for name, kind in table.columns.items()}
    columns |= {name: {"data_type": "json"} for name in (EXTRA, UNPARSED)}
    for name in table.primary_key:
        columns[name]["primary_key"] = True  # not by primary_key=, which would forbid a null where a key did not fit
    merge = {"disposition": "merge", "deduplicated": True}  # by _latest_rows
    disposition: Any = "replace" if table.mirrors else merge

    def rows() -> Iterator[pa.Table]:
        memory = dlt.current.resource_state(table.name)
        given = dlt.current.resource().write_disposition  # by the user, perhaps
        replacing = (given.get("disposition") if isinstance(given, dict) else given) == "replace"
        stored = None if replacing or STATE not in memory else json.loads(memory[STATE])
        yield from _latest_rows(account, table, stored, memory)

    resource: DltResource = dlt.resource(
        rows, name=table.name, columns=columns, write_disposition=disposition, parallelized=True
    )
    return resource


def _latest_rows(account: Account, table: StreamTable, stored: Any, memory: dict[str, Any]) -> Iterator[pa.Table]:  # noqa: ANN401  JSON
    """Yield the latest row of each key, and then remember the state.

    They wait on disk until the stream is whole, because dlt does not know which of two rows with one key is newer.
    """
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zendesk-chat-")))
        spool = Spool(directory / f"{table.name}.parquet", arrow_schema(table), table.primary_key)
        stack.callback(spool.clear)
        state: dict[str, Any] = {}
        for batch in read_arrow(account, table.name, stored):
            spool.append(batch.table)
            state = batch.state
        yield from keep_latest(table, spool.segments_newest_first())
    if state:
        memory[STATE] = json.dumps(state)
