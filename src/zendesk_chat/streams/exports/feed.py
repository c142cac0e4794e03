"""Several streams out of one sequence of pages: each page is fetched once, for all of them that still need it.

Each has a position of its own, because one may have been added later, and because a run may have ended between the states of
two. The pages are read from a position that holds for all of them, and each leaves out what it has had already: one that was
added later catches up alone, and from there on all are read together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TypeAlias

import msgspec

from zendesk_chat.streams.exports.export import Export
from zendesk_chat.streams.exports.reader import moments, read_export, starting_position
from zendesk_chat.streams.exports.windows import MAX_REMEMBERED
from zendesk_chat.streams.positions import ExportPosition, Stretch
from zendesk_chat.streams.records import digest
from zendesk_chat.streams.stream import AnyFetcher, Batch, Bounds

Shares: TypeAlias = Sequence[Batch[ExportPosition]]
"""What a page is to each of several streams."""


def read_together(
    export: Export, fetch: AnyFetcher, positions: Sequence[ExportPosition | None], bounds: Bounds
) -> Iterator[Shares]:
    """Read an export for several streams at once, each from a position of its own."""
    if all(position == positions[0] for position in positions):
        for batch in read_export(export, fetch, positions[0], bounds):
            yield [batch, *(replace(batch, notes=()) for _ in positions[1:])]
        return
    latest = moments(export, bounds).latest
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
    """A position at which nothing counts as emitted that is not so for each of several, all of them for one start date."""
    lowest = min(positions, key=lambda position: position.known_from)
    others = [position for position in positions if position is not lowest]
    if all(_same(position, lowest) for position in others):
        return lowest
    ahead = _without_empty(lowest.ahead)
    for other in others:
        ahead = [(max(a, c), min(b, d)) for a, b in ahead for c, d in _known(other)]
        ahead = _without_empty(ahead)
    seen = {key: entry for key, entry in lowest.seen.items() if all(_knows(other, key, *entry) for other in others)}
    return ExportPosition(lowest.known_from, "", lowest.known_from, seen, tuple(ahead), lowest.complete_from)


def later_position(saved: ExportPosition, read: ExportPosition) -> ExportPosition:
    """The position of a stream that was at ``saved`` when what it had not had is read up to ``read``."""
    (_, known_from), *ahead = _union([*_known(saved), *_known(read)])
    newer = {key: entry for key, entry in saved.seen.items() if key not in read.seen or entry[0] > read.seen[key][0]}
    seen = {key: entry for key, entry in {**read.seen, **newer}.items() if entry[0] >= known_from}
    if len(seen) > MAX_REMEMBERED:
        seen = dict(sorted(seen.items(), key=lambda item: item[1][0])[-MAX_REMEMBERED:])
    time = max(saved.time, read.time, known_from)
    exact = next((position for position in (read, saved) if (position.time, position.known_from) == (time, known_from)), None)
    return ExportPosition(time, exact.id if exact else "", known_from, seen, tuple(ahead), saved.complete_from)


def _same(one: ExportPosition, other: ExportPosition) -> bool:
    """Whether two positions say the same of what was emitted, wherever they began."""
    return replace(one, complete_from=other.complete_from) == other


def _share(
    export: Export, saved: ExportPosition, common: ExportPosition, batch: Batch[ExportPosition]
) -> Batch[ExportPosition]:
    """What a batch that was read from a common position is to a stream at ``saved``."""
    if _same(saved, common):
        return replace(batch, position=replace(batch.position, complete_from=saved.complete_from))
    records, outside = [], 0
    for record in batch.records:
        row = export.row(msgspec.Raw(record))
        assert row is not None  # noqa: S101  a record is an object
        if row.time is not None and _covers(saved, row.time):
            outside += 1
        elif row.key not in saved.seen or saved.seen[row.key][1] != digest(record):
            records.append(record)
    unchanged = len(batch.records) - len(records) - outside
    return replace(
        batch,
        records=records,
        position=later_position(saved, batch.position),
        unchanged=batch.unchanged + unchanged,
        outside=batch.outside + outside,
    )


def _known(position: ExportPosition) -> list[Stretch]:
    """The stretches of time of which every record was emitted."""
    return [(0, position.known_from), *position.ahead]


def _covers(position: ExportPosition, time: int) -> bool:
    return any(begin <= time < end for begin, end in _known(position))


def _knows(position: ExportPosition, key: str, time: int, fingerprint: str) -> bool:
    """Whether a record was emitted, in the form that has this digest."""
    return _covers(position, time) or (key in position.seen and position.seen[key][1] == fingerprint)


def _union(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time in as few stretches as possible, the first from 0 on."""
    joined = [(0, 0)]
    for begin, end in sorted(stretches):
        if begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined


def _without_empty(stretches: Iterable[Stretch]) -> list[Stretch]:
    return [(begin, end) for begin, end in stretches if begin < end]
