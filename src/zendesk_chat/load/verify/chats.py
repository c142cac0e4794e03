"""Compares chats, and the records nested in them, with the account's own responses."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from zendesk_chat.load.verify.answers import Changes
from zendesk_chat.load.verify.comparison import SEVERAL_ROWS, Tally, differing_fields
from zendesk_chat.load.verify.docs import Doc, Loaded
from zendesk_chat.load.verify.rows import ComparedTable, Current, Key, Row
from zendesk_chat.streams.exports.export import Export
from zendesk_chat.streams.records import DAY_SECONDS, SECOND_US
from zendesk_chat.streams.stream import Stream

MAX_WANTED: Final = 5_000
"""How many chats are kept in memory for a repair."""

_IN_PROGRESS_US: Final = DAY_SECONDS * SECOND_US  # an older chat without an end will not get one
_OF_EXPORT: Final = "chat_update_timestamp"  # only the export has the time that this field comes from


@dataclass(slots=True)
class NestedCheck:
    """The comparison of a table of records that are nested in chats."""

    stream: Stream
    table: ComparedTable
    loaded: Loaded
    tally: Tally = field(default_factory=Tally)

    def compare(self, docs: Sequence[Doc], changes: Changes) -> set[str]:
        """Compare the records nested in these chats. Returns the ids of chats whose records differ.

        A list that the chats do not have, such as ``engagements``, is not compared.
        """
        extraction, extractor, parent = self.stream.extraction, self.stream.extractor, self.stream.parent_field
        if extraction is None or extractor is None or parent is None:
            return set()
        found = [doc for doc in docs if extraction.path[0] in doc.fields and not self.loaded.is_newer(doc, changes)]
        children = extractor.extract([doc.record for doc in found])
        complete = set(children.parents)
        stored = self.table.rows_where(parent, complete)
        current = {key: one for key, one in self.table.of_records(children.records).items() if one.row[parent] in complete}
        by_key = self.table.redacted_otherwise(stored.keys() & current.keys())
        self.tally.by_key += len(by_key)
        differing = set()
        self.tally.checked += len(stored.keys() | current.keys())
        for key in (stored.keys() | current.keys()) - by_key:
            if self._differs(key, stored.get(key), current.get(key)):
                row = stored[key] if key in stored else current[key].row
                differing.add(str(row[parent]))
        return differing

    def _differs(self, key: Key, stored: Row | None, current: Current | None) -> bool:
        if stored is None:
            self.tally.missing.append(key)
        elif current is None:
            self.tally.extra.append(key)
        else:
            fields = differing_fields(stored, current.row, current.fields - {_OF_EXPORT})
            if not fields:
                return False
            self.tally.differ(key, fields)
        return True


class ChatCheck:
    """The comparison of the table of chats, and of the tables of records nested in them.

    Attributes:
        tally: The result for the table of chats.
        seen: The ids of all compared chats.
        newer: Chats that the account has and the file does not have yet.
        repeated: Chats with several rows.
        held: Chats that changed lately and whose change was loaded.
        wanted: The chats to repair, by id, as many as fit in memory.
    """

    def __init__(
        self, table: ComparedTable, export: Export, loaded: Loaded, nested: Sequence[NestedCheck], changes: Changes
    ) -> None:
        self.table = table
        self.loaded = loaded
        self.nested = nested
        self.changes = changes
        self.tally = Tally()
        self.seen: set[str] = set()
        self.newer: set[str] = set()
        self.wanted: dict[str, Doc] = {}
        self.export = export
        self.repeated = table.repeated()
        self.held = {identity for identity, time in changes.times.items() if loaded.holds(identity, time)}
        self._given: dict[str, bool] = {}

    def compare(self, raws: Iterable[msgspec.Raw], asked: Collection[str], now_us: int) -> None:
        """Compare the chats of a response.

        Args:
            raws: The chats.
            asked: Ids of requested rows. Those that the response lacks no longer exist.
            now_us: The time of the response.
        """
        found = Doc.read(raws, self.export, now_us)
        self.compare_docs(found, [identity for identity in asked if identity not in found])

    def compare_docs(self, found: Mapping[str, Doc], absent: Collection[str] = ()) -> None:
        """Compare these chats. ``absent`` are ids of rows without a chat."""
        docs = {identity: doc for identity, doc in found.items() if identity not in self.seen}
        gone = [identity for identity in absent if identity not in self.seen]
        self.seen.update(docs, gone)
        rows = self.table.rows_where("id", [*docs, *gone])
        current = self.table.of_records([doc.record for doc in docs.values()])
        by_key = self.table.redacted_otherwise(docs.keys() & rows.keys())
        self.tally.by_key += len(by_key)
        self.tally.checked += len(docs) + len(gone)
        same = [
            doc
            for identity, doc in docs.items()
            if identity in by_key or self._is_same(doc, rows.get(identity), current[identity])
        ]
        for identity in gone:
            self._note_gone(identity, rows[identity])
        for nested in self.nested:
            for identity in nested.compare(same, self.changes):
                self._want(docs[identity])

    def _is_same(self, doc: Doc, stored: Row | None, current: Current) -> bool:
        """Record whether a chat is up to date in the file. Returns true if it is."""
        newer = self.loaded.is_newer(doc, self.changes, stored)
        if stored is None:
            in_progress = not doc.ended and doc.time >= self.loaded.until - _IN_PROGRESS_US
            if newer or in_progress or self.loaded.is_before(doc.time):
                self.tally.newer += 1
                self.newer.add(doc.id)
            else:
                self.tally.missing.append(doc.id)
                self._want(doc)
            return False
        if doc.id in self.repeated:
            self.tally.differ(doc.id, [SEVERAL_ROWS])
            self._want(doc)
            return False
        fields = [name for name in differing_fields(stored, current.row, current.fields) if self._is_comparable(name, stored)]
        if not fields:
            return True
        if newer:
            self.tally.newer += 1
        else:
            self.tally.differ(doc.id, fields)
            self._want(doc)
        return False

    def _is_comparable(self, name: str, stored: Row) -> bool:
        """Return whether the export has a field. If only this endpoint has it, no row has a value in its column."""
        if stored[name] is None and name not in self._given:
            self._given[name] = self.table.has_values(name)
        return stored[name] is not None or self._given[name]

    def _note_gone(self, identity: str, stored: Row) -> None:
        """Record a row whose chat the account no longer has."""
        if stored.get("deleted") is True:
            return
        if self.loaded.is_after(self.changes.times.get(identity, 0)):
            self.tally.newer += 1
        else:
            self.tally.extra.append(identity)

    def _want(self, doc: Doc) -> None:
        if len(self.wanted) < MAX_WANTED:
            self.wanted[doc.id] = doc
