"""What ``verify --repair`` writes: current chats and lists from the account. The states to resume from stay unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import duckdb

from zendesk_chat.errors import RequestRejectedError
from zendesk_chat.load.failures import explained
from zendesk_chat.load.file.merging import Merger, Rows, named
from zendesk_chat.load.file.pages import Pages
from zendesk_chat.load.file.system import System
from zendesk_chat.load.file.tables import find_tables, fit_columns, require_own
from zendesk_chat.load.file.visitors import correct_visitors
from zendesk_chat.load.verify.answers import Requests, complete_chats
from zendesk_chat.load.verify.chats import ChatCheck
from zendesk_chat.load.verify.docs import Doc
from zendesk_chat.load.verify.verifying import CHATS, Verifying
from zendesk_chat.streams.exports.export import Export
from zendesk_chat.streams.exports.page import decode_row
from zendesk_chat.streams.exports.times import RECENT_US
from zendesk_chat.streams.stream import Children, RawRecord, Stream
from zendesk_chat.tables.arrow import RecordReader
from zendesk_chat.tables.sql import quoted, transaction
from zendesk_chat.tables.table import StreamTable
from zendesk_chat.wording import counted

MAX_SEARCHES: Final = 200
CHATS_A_SEARCH: Final = 200


@dataclass(frozen=True, slots=True)
class Repair:
    """What to write.

    Attributes:
        tables: The streams to write into.
        complete: Chats from the export.
        partial: Chats that were not found in the export. They lack the fields and nested records that only the export has.
        stored: The partial chats that have a row. Its other columns are kept.
        lists: The complete lists to replace, by stream.
    """

    tables: Mapping[str, Stream]
    complete: Mapping[str, RawRecord] = field(default_factory=dict)
    partial: Mapping[str, Doc] = field(default_factory=dict)
    stored: frozenset[str] = frozenset()
    lists: Mapping[str, Sequence[RawRecord]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.complete or self.partial or self.lists)


def prepare(verifying: Verifying) -> Repair:
    """Return what to write for the differences that were found. Raises ConnectorError."""
    lists = {check.stream.name: check.records for check in verifying.lists if check.tally.differs and check.table.is_repairable}
    streams = {name: verifying.catalog.streams[name] for name in lists}
    check = verifying.chats
    if check is None or not check.wanted:
        return Repair(streams, lists=lists)
    source = verifying.catalog.streams[CHATS].source
    for name, stream in verifying.catalog.streams.items():
        table = verifying.table(name) if stream.source == source else None
        if table is not None and table.is_repairable:
            streams[name] = stream
    if CHATS not in streams or not isinstance(source, Export):
        return Repair(streams, lists=lists)
    verifying.fetch.note(f"Reading {len(check.wanted):,} chats again ...")
    complete = _search(check, source, verifying.fetch)
    partial = {identity: doc for identity, doc in check.wanted.items() if identity not in complete}
    stored = {str(identity) for identity in check.table.known(partial.keys())}
    return Repair(streams, complete, partial, frozenset(stored), lists)


def about_incomplete(repair: Repair) -> Iterator[str]:
    """Yield a sentence about the chats that were written without the data that only the export has."""
    count = len(repair.partial.keys() - repair.stored)
    if count:
        yield (
            f"{counted(count, 'chat')} lack the data that only the export has, such as update_timestamp and engagements. To "
            "load these chats completely, run sync with --full-refresh."
        )


def write(connection: duckdb.DuckDBPyConnection, schema: str, repair: Repair) -> dict[str, int]:
    """Write everything in one transaction. Return the number of records written, by stream.

    Raises:
        DestinationError: It cannot be written. Nothing was written.
    """
    written: dict[str, int] = {}
    with explained("writing the repaired rows"), transaction(connection):
        found = find_tables(connection, schema)
        for name, stream in repair.tables.items():
            table = StreamTable.of(stream)
            require_own(schema, table, found[name], made=True)
            fit_columns(connection, schema, table, found[name])
            merger = Merger(connection, table, quoted(schema, name), quoted(schema, "_sync_outdated"))
            if name in repair.lists:
                merger.replace(_rows(table, Children(repair.lists[name])))
                System(connection, schema).forget_outdated(name)
                written[name] = len(repair.lists[name])
            else:
                written[name] = _write_chats(merger, schema, stream, repair)
    return written


def _write_chats(merger: Merger, schema: str, stream: Stream, repair: Repair) -> int:
    """Write the chats, or the records nested in them."""
    listed = stream.extraction.path[0] if stream.extraction else ""
    docs = [doc for doc in repair.partial.values() if not listed or listed in doc.fields]
    if stream.extractor is None:
        records = [*repair.complete.values(), *(doc.record for doc in docs if doc.id not in repair.stored)]
        merger.upsert(_rows(merger.table, Children(records)))
        for doc in docs:
            if doc.id in repair.stored:
                _update(merger, doc)
        return len(records) + len(repair.stored)
    children = stream.extractor.extract([*repair.complete.values(), *(doc.record for doc in docs)])
    rows = _rows(merger.table, children)
    merger.upsert(rows)
    if stream.latest_by:
        correct_visitors(merger, schema, rows, chats_are_current=CHATS in repair.tables)  # written before visitors
    return len(children.records)


def _update(merger: Merger, doc: Doc) -> None:
    """Write the fields of a chat into its row, and keep the other columns."""
    names = [quoted(name) for name in merger.table.columns if name in doc.fields and name != "id"]
    values = ", ".join(f"{name} = new.{name}" for name in names)
    if values:
        with named(merger.connection, "_sync_rows", RecordReader(merger.table).read([doc.record])) as new:
            merger.connection.execute(f"UPDATE {merger.target} AS old SET {values} FROM {new} AS new WHERE old.id = new.id")


def _rows(table: StreamTable, children: Children) -> Rows:
    pages = Pages(table)
    pages.append(children.records, children.parents)
    return pages.rows()


def _search(check: ChatCheck, export: Export, fetch: Requests) -> dict[str, RawRecord]:
    """Search the export for the chats to repair, each from the time of its last known change on."""
    found: dict[str, RawRecord] = {}
    rows = check.table.rows_where("id", check.wanted.keys())
    times = {
        identity: _changed_at(rows.get(identity, {}).get("update_timestamp"), doc) for identity, doc in check.wanted.items()
    }
    searches = 0
    for identity, time in sorted(times.items(), key=lambda item: item[1]):
        if identity in found or searches == MAX_SEARCHES or time > fetch.now_us - RECENT_US:
            continue
        searches += 1
        try:
            page = fetch(complete_chats(time, CHATS_A_SEARCH))
        except RequestRejectedError:  # the time is too recent for the API
            continue
        chats = [row for raw in page.rows if (row := decode_row(export, raw))]
        found |= {row.key: row.record for row in chats if row.key in check.wanted}
    return found


def _changed_at(stored: object, doc: Doc) -> int:
    return max(stored, doc.time) if isinstance(stored, int) else doc.time
