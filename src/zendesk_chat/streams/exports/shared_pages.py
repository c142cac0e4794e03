"""Several streams from one sequence of pages: each page is fetched once for all streams that still need it.

Each stream has its own position, because it may have been added later, and because a run may have ended between two states.
The pages are read from a position that is right for all of them, and each stream skips what it already has.

Example, with times as hours: ``chats`` has everything until 18:00. ``visitors`` was added later: it has everything until
03:00, and from 12:00 to 15:00. Their common position is that of ``visitors``, because ``chats`` has those hours too::

    common    complete_until=03:00  completed_ranges=((12:00, 15:00),)

A page from 03:00 to 04:00 is read for both. ``chats`` skips its records, because it has them, and stays at 18:00. ``visitors``
emits them and is at 04:00. At 12:00, the reader jumps to 15:00. From 18:00 on, both emit every record.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from operator import attrgetter

import msgspec

from zendesk_chat.streams.exports.export import Export
from zendesk_chat.streams.exports.reader import read_export, starting_position
from zendesk_chat.streams.exports.times import RunTimes
from zendesk_chat.streams.exports.windows import MAX_REMEMBERED, latest_entries
from zendesk_chat.streams.positions import ExportPosition, TimeRange, joined
from zendesk_chat.streams.records import digest
from zendesk_chat.streams.stream import AnyFetcher, Batch, Bounds, PageRecords


def read_together(
    export: Export, fetch: AnyFetcher, positions: Sequence[ExportPosition | None], bounds: Bounds
) -> Iterator[Sequence[Batch[ExportPosition]]]:
    """Read an export for several streams at once, each from its own position."""
    if all(position == positions[0] for position in positions):
        for batch in read_export(export, fetch, positions[0], bounds):
            records = PageRecords(batch.records)
            yield [replace(batch, records=records), *(replace(batch, records=records, notes=()) for _ in positions[1:])]
        return
    latest = RunTimes.of(bounds, export.unit).latest
    started = [starting_position(export, position, bounds, latest) for position in positions]
    saved = [position for position, _ in started]
    notes = tuple(dict.fromkeys(chain.from_iterable(notes for _, notes in started)))
    common = common_position(saved)
    fresh = common == starting_position(export, None, bounds, latest)[0]
    for batch in read_export(export, fetch, None if fresh else common, bounds):
        shares = [_share(export, position, common, batch) for position in saved]
        yield [replace(shares[0], notes=(*notes, *batch.notes)), *(replace(share, notes=()) for share in shares[1:])]
        notes = ()


def common_position(positions: Sequence[ExportPosition]) -> ExportPosition:
    """Return a position at which only those records count as emitted that all streams have. All have the same start date."""
    lowest = min(positions, key=attrgetter("complete_until"))
    others = [position for position in positions if position is not lowest]
    if all(_emitted_the_same(position, lowest) for position in others):
        return lowest
    ranges = joined(lowest.completed_ranges)
    for other in others:
        both = ((max(a, c), min(b, d)) for a, b in ranges for c, d in _complete(other))
        ranges = joined((begin, end) for begin, end in both if begin < end)
    recent = {key: entry for key, entry in lowest.recent.items() if all(_emitted(other, key, *entry) for other in others)}
    return ExportPosition(lowest.complete_until, "", lowest.complete_until, recent, tuple(ranges), lowest.complete_from)


def later_position(saved: ExportPosition, read: ExportPosition) -> ExportPosition:
    """Return the position of a stream that was at ``saved``, after the part that it lacked was read up to ``read``."""
    ranges = joined([*_complete(saved), *_complete(read)])
    until = ranges.pop(0)[1] if ranges and ranges[0][0] == 0 else 0
    newer = {key: entry for key, entry in saved.recent.items() if key not in read.recent or entry[0] > read.recent[key][0]}
    recent = {key: entry for key, entry in {**read.recent, **newer}.items() if entry[0] >= until}
    if len(recent) > MAX_REMEMBERED:
        recent = latest_entries(recent)
    time = max(saved.time, read.time, until)
    # An id is only valid at its own time. From any other time, the stream resumes from `complete_until`.
    exact = next((position for position in (read, saved) if (position.time, position.complete_until) == (time, until)), None)
    return ExportPosition(time, exact.start_id if exact else "", until, recent, tuple(ranges), saved.complete_from)


def _emitted_the_same(one: ExportPosition, other: ExportPosition) -> bool:
    """Return whether the same records were emitted at two positions, wherever they began."""
    return replace(one, complete_from=other.complete_from) == other


def _share(
    export: Export, saved: ExportPosition, common: ExportPosition, batch: Batch[ExportPosition]
) -> Batch[ExportPosition]:
    """Return the batch of a stream at ``saved`` for a batch that was read from a common position."""
    if _emitted_the_same(saved, common):
        return replace(batch, position=replace(batch.position, complete_from=saved.complete_from))
    records, outside = [], 0
    for record in batch.records:
        row = export.row(msgspec.Raw(record))
        known = saved.recent.get(row.key) if row else None
        if row and row.time is not None and covers(saved, row.time):
            outside += 1
        elif known is None or known[1] != digest(record):
            records.append(record)
    unchanged = len(batch.records) - len(records) - outside
    return replace(
        batch,
        records=records,
        position=later_position(saved, batch.position),
        unchanged=batch.unchanged + unchanged,
        outside=batch.outside + outside,
    )


def _complete(position: ExportPosition) -> list[TimeRange]:
    """Return the time ranges whose records were all emitted."""
    return [(0, position.complete_until), *position.completed_ranges]


def covers(position: ExportPosition, time: int) -> bool:
    """Return whether every record of a time was emitted."""
    return any(begin <= time < end for begin, end in _complete(position))


def _emitted(position: ExportPosition, key: str, time: int, fingerprint: str) -> bool:
    """Return whether a record was emitted with this digest."""
    return covers(position, time) or (key in position.recent and position.recent[key][1] == fingerprint)
