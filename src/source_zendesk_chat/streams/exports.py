"""The reader of incremental exports: chats and agent timeline.

An export orders its records by time, and records of one time by id, and answers from a ``start_time`` (inclusive) and
``start_id`` on. The reader trusts nothing else of it: not the size of a page, not ``next_page`` (present even when nothing is
left), not whether the record at the position itself is repeated. It goes on until a page brings nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from source_zendesk_chat.errors import (
    NetworkError,
    PaginationStuckError,
    RequestRejectedError,
    ServerError,
)
from source_zendesk_chat.streams.positions import ExportPosition
from source_zendesk_chat.streams.records import SECOND_US, decode_answer, digest
from source_zendesk_chat.streams.stream import Batch, Bounds, Fetch, RawRecord

PAGE_SIZE: Final = 1000  # default and maximum of "limit"; read 2026-11-22
SMALLEST_PAGE_SIZE: Final = 40
SHRINK: Final = 5
RECENT_US: Final = 330 * SECOND_US  # "start_time" must be older than five minutes; and half a minute for clocks that differ
SURELY_NO_TIE: Final = 100  # so many records of one moment are a server's cap rather than the whole account


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a page.

    Attributes:
        key: Its primary key.
        time: Its cursor, microseconds since 1970; None where it has none.
        record: What to write.
    """

    key: str
    time: int | None
    record: RawRecord


class ExportPage(msgspec.Struct, kw_only=True):
    """The envelope of an export; a subclass names the field of its rows."""

    rows: list[msgspec.Raw]
    end_time: Any = None
    end_id: Any = None


@dataclass(frozen=True, slots=True)
class Export:
    """An incremental export.

    Attributes:
        stream: Its name in messages.
        path: Its endpoint.
        fields: The ``fields`` parameter that asks for whole records.
        unit: Microseconds in one unit of ``start_time``.
        decode: Turns a body into its envelope.
        row: Turns a raw record into a row.
    """

    stream: str
    path: str
    fields: str
    unit: int
    decode: Callable[[bytes], ExportPage]
    row: Callable[[msgspec.Raw], Row]

    def floor(self, time: int) -> int:
        """A time, cut to what ``start_time`` can say."""
        return time - time % self.unit


@dataclass(slots=True)
class _Progress:
    """Where a run stands in an export. The only thing here that changes.

    Attributes:
        time: Of the last record read; requests go on from it.
        id: The API's ``start_id`` at ``time``; "" for all records of that time.
        lower: Rows before it were emitted by an earlier page or run.
        seen: Time and digest of emitted records that may come again, by key.
        met: Keys of the rows met at ``time``: a page at the same time that brings no other key brings nothing.
    """

    time: int
    id: str
    lower: int
    seen: dict[str, tuple[int, str]] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)


def read_export(export: Export) -> Callable[[Fetch, ExportPosition | None, Bounds], Iterator[Batch[ExportPosition]]]:
    """The reader of an export."""

    def read(fetch: Fetch, position: ExportPosition | None, bounds: Bounds) -> Iterator[Batch[ExportPosition]]:
        now = int(bounds.now * SECOND_US)
        latest = export.floor(now - RECENT_US)
        head = now - max(bounds.lookback * SECOND_US, RECENT_US + 60 * SECOND_US)
        saved, notes = _starting_position(export, position, bounds, latest)
        known_from = max(head, min(saved.known_from, saved.time))
        at = _begin(export, saved, latest)
        limit, previous, largest, pages = PAGE_SIZE, 0, 0, 0
        while True:
            try:
                limit, page, rows = _fetch_page(export, fetch, at, limit, resuming=pages > 0 or position is not None)
            except RequestRejectedError:
                if pages == 0 or at.time <= latest:
                    raise
                return  # the rest is younger than the API gives out yet; the next run reads it
            fresh, progressed = _take(export, at, page, rows, head)
            if not progressed and _is_stuck(len(rows), limit, previous, pages):
                raise PaginationStuckError(
                    f"{export.stream}: Zendesk repeats a page for ever: more records share one moment than it can page "
                    "through. Please report this."
                )
            yield Batch([row.record for row in fresh], _position(export, saved, at, head, known_from), len(rows), notes)
            largest = max(largest, len(rows))
            if not progressed or (at.time >= now and len(rows) < min(largest, limit)):
                return
            previous, pages, notes = len(rows), pages + 1, ()
            limit = min(PAGE_SIZE, limit * SHRINK)

    return read


def probe_export(export: Export) -> Callable[[Fetch, Bounds], object]:
    """The probe of an export: one record from the start date on."""

    def probe(fetch: Fetch, bounds: Bounds) -> object:
        start = min(bounds.start * SECOND_US, int(bounds.now * SECOND_US) - RECENT_US) // export.unit
        params: dict[str, str | int] = {"fields": export.fields, "limit": 1, "start_time": start}
        return fetch(export.path, params, export.decode, patient=False)

    return probe


def decode_page(kind: type[ExportPage]) -> Callable[[bytes], ExportPage]:
    """The decoder of a kind of envelope."""
    decoder = msgspec.json.Decoder(kind)
    return lambda body: decode_answer(body, decoder)


def _starting_position(
    export: Export, position: ExportPosition | None, bounds: Bounds, latest: int
) -> tuple[ExportPosition, tuple[str, ...]]:
    """The position to go on from: the saved one, else the start date, and never the future; and what to tell the user."""
    start = bounds.start * SECOND_US
    saved = position or ExportPosition(start, known_from=start)
    if saved.time <= bounds.now * SECOND_US:
        return saved, ()
    what = "state" if position else "start_date"
    note = f"{export.stream}: the {what} lies in the future; reading from the latest records on instead."
    return ExportPosition(latest, known_from=latest), (note,)


def _begin(export: Export, saved: ExportPosition, latest: int) -> _Progress:
    """Start at the saved position, or before it: where records are remembered, or as late as the API accepts."""
    lower = export.floor(min(saved.known_from, saved.time))
    time = min(lower, latest)
    exact = time == export.floor(saved.time)
    return _Progress(
        time=saved.time if exact else time,
        id=saved.id if exact else "",
        lower=lower,
        seen=dict(saved.seen),
        met={key for key, (moment, _) in saved.seen.items() if moment >= time} if exact else set(),
    )


def _fetch_page(
    export: Export, fetch: Fetch, at: _Progress, limit: int, *, resuming: bool
) -> tuple[int, ExportPage, list[Row]]:
    """Fetch the next page, a smaller one if the API cannot give so much at once; return the page size it gave, and the page."""
    start = at.time // export.unit
    params: dict[str, str | int] = {"fields": export.fields, "start_time": start}
    if at.id:
        params["start_id"] = at.id
    elif resuming and export.unit == 1:
        params["start_time"] = max(0, start - 1)  # whether the records at start_time itself come again is not documented
    while True:
        smallest = limit <= SMALLEST_PAGE_SIZE
        try:
            page = fetch(export.path, {**params, "limit": limit}, export.decode, patient=smallest)
        except (NetworkError, ServerError):
            if smallest:
                raise
            limit = max(SMALLEST_PAGE_SIZE, limit // SHRINK)
        else:
            return limit, page, [export.row(raw) for raw in page.rows]


def _take(export: Export, at: _Progress, page: ExportPage, rows: Sequence[Row], head: int) -> tuple[list[Row], bool]:
    """Move on over a page; return the rows not emitted before, and whether the page brought anything at all."""
    if not rows:
        return [], False
    time, last_id = _end(export, at, page, rows)
    keep_from = min(head, export.floor(time))
    fresh = []
    for row in rows:
        moment = time if row.time is None else row.time
        if moment < at.lower:
            continue
        known = at.seen.get(row.key)
        if known or moment >= keep_from:
            fingerprint = digest(row.record)
            if known and known[1] == fingerprint:
                continue
            at.seen[row.key] = (moment, fingerprint)
        fresh.append(row)
    moved = export.floor(time) > export.floor(at.time)
    at_end = {row.key for row in rows if row.time is None or row.time >= export.floor(time)}
    progressed = bool(fresh) or moved or not at_end <= at.met
    at.met = at_end if moved else at.met | at_end
    if time >= at.time:
        at.time, at.id = time, last_id
    at.lower = max(at.lower, export.floor(at.time))
    at.seen = {key: entry for key, entry in at.seen.items() if entry[0] >= keep_from}
    return fresh, progressed


def _end(export: Export, at: _Progress, page: ExportPage, rows: Sequence[Row]) -> tuple[int, str]:
    """Where a page ends: as the API says, but never beyond its last record."""
    times = [row.time for row in rows if row.time is not None]
    last = max(times, default=at.time)
    said = _number(page.end_time)
    time = last if said is None else min(said * export.unit, last)
    if isinstance(page.end_id, str | int) and page.end_id != "":
        return time, str(page.end_id)
    return time, ""


def _number(value: object) -> int | None:
    """A whole number, given as a number or as its text."""
    try:
        return int(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None


def _is_stuck(size: int, limit: int, previous: int, pages: int) -> bool:
    """Whether a page that brought nothing may hide more behind it.

    It may when it is full: as large as asked for, or as the page before it. That page began with an older record than this one
    if it was not the first, so a server that does not cap its pages would have made it larger.
    """
    return size >= limit or (0 < size == previous and (pages > 1 or size >= SURELY_NO_TIE))


def _position(export: Export, saved: ExportPosition, at: _Progress, head: int, known_from: int) -> ExportPosition:
    """The position to store after a page."""
    reached = at if at.time >= saved.time else saved
    if reached.time >= head:
        known = {key: entry for key, entry in at.seen.items() if entry[0] >= known_from}
        return ExportPosition(reached.time, reached.id, known_from, known)
    floor = export.floor(reached.time)
    known = {key: entry for key, entry in at.seen.items() if entry[0] >= floor}
    if reached.id:
        known = {key: entry for key, entry in known.items() if key == reached.id}
        floor += export.unit
    return ExportPosition(reached.time, reached.id, floor, known)
