"""Chats as their own endpoints return them, in contrast to chats from the export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from zendesk_chat.load.verify.answers import Changes
from zendesk_chat.load.verify.rows import Row
from zendesk_chat.streams.exports.export import Export
from zendesk_chat.streams.exports.page import decode_row
from zendesk_chat.streams.positions import ExportPosition, TimeRange
from zendesk_chat.streams.records import SECOND_US, micros_of, raw_fields
from zendesk_chat.streams.stream import RawRecord

CLOCK_TOLERANCE_US: Final = 300 * SECOND_US


class _Item(msgspec.Struct):
    timestamp: object = None


class _Times(msgspec.Struct):
    type: object = None
    timestamp: object = None
    end_timestamp: object = None
    update_timestamp: object = None
    history: msgspec.Raw = msgspec.Raw(b"null")


_times: Final = msgspec.json.Decoder(_Times)
_history: Final = msgspec.json.Decoder(list[_Item] | None)


@dataclass(frozen=True, slots=True)
class Doc:
    """A chat in its current form.

    Attributes:
        record: The chat as ``sync`` would load it: redacted, with a key.
        fields: The names of its fields.
        time: The latest time in it, in microseconds since 1970; its last change was not before. 0 if it has none.
        ended: False for a chat that has no end yet.
    """

    id: str
    record: RawRecord
    fields: frozenset[str]
    time: int
    ended: bool

    @classmethod
    def read(cls, raws: Iterable[msgspec.Raw], export: Export, now_us: int) -> dict[str, Doc]:
        """Return the chats of a response by id. ``export`` is the export that they are loaded from."""
        docs: dict[str, Doc] = {}
        for raw in raws:
            row = decode_row(export, raw)
            if row is not None:
                time, ended = _time_and_end(raw, now_us)
                docs[row.key] = cls(row.key, row.record, frozenset(raw_fields.decode(row.record)), time, ended)
        return docs


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a table has, by times in microseconds since 1970.

    Attributes:
        ranges: The times for which it has every change: from the first (inclusive) to the second (exclusive).
        emitted: The times of the last changes that it has, by chat. Some are at the end of the last range.
    """

    ranges: tuple[TimeRange, ...]
    emitted: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, position: ExportPosition, horizon: int) -> Loaded:
        """Return what is loaded at a position.

        A position ends at the last change, and not at the last run. If it remembers the records at its end, no end date stopped
        it there. Then all changes up to the ``horizon``, up to which the last complete run read everything, are loaded.
        """
        start, until = position.complete_from or 0, position.complete_until
        is_quiet = bool(position.recent) or until <= start
        if is_quiet and not position.completed_ranges:
            until = max(until, horizon)
        emitted = {identity: time for identity, (time, _) in position.recent.items()}
        return cls(((start, until), *position.completed_ranges), emitted)

    @property
    def start(self) -> int:
        """The time of the first change that was read; 0 if all were read."""
        return self.ranges[0][0]

    @property
    def until(self) -> int:
        """The time up to which all changes were read."""
        return self.ranges[0][1]

    def is_before(self, time: int) -> bool:
        """Return whether the time of a change is before all changes that were read."""
        return time < self.start

    def is_after(self, time: int) -> bool:
        """Return whether a change at a time may not be loaded yet."""
        return time >= self.until and not any(begin <= time < end for begin, end in self.ranges)

    def holds(self, identity: str, time: int) -> bool:
        """Return whether a chat's change was loaded at the end of the last range. Exports have times to the second."""
        return time // SECOND_US <= self.emitted.get(identity, -SECOND_US) // SECOND_US

    def is_newer(self, doc: Doc, changes: Changes, stored: Row | None = None) -> bool:
        """Return whether a chat changed after it was loaded, also in comparison with its row if the file has one."""
        time = max(doc.time, changes.times.get(doc.id, 0))
        updated = stored.get("update_timestamp") if stored else None
        if self.holds(doc.id, time):
            return False
        return self.is_after(time) and not (isinstance(updated, int) and time <= updated)


def _time_and_end(raw: msgspec.Raw, now_us: int) -> tuple[int, bool]:
    times = _times.decode(raw)
    own = (times.timestamp, times.end_timestamp, times.update_timestamp)
    found = [time for text in (*own, *_times_in(times.history)) if (time := micros_of(text)) is not None]
    latest = max((time for time in found if time <= now_us + CLOCK_TOLERANCE_US), default=0)
    return latest, times.type != "chat" or times.end_timestamp is not None


def _times_in(history: msgspec.Raw) -> Iterator[object]:
    try:
        items = _history.decode(history)
    except msgspec.DecodeError:  # a history in another form
        return
    for item in items or ():
        yield item.timestamp
