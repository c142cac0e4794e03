"""The reader of incremental exports: chats and agent timeline.

An export orders its records by time, and records of one time by id, and answers from a ``start_time`` (inclusive) and
``start_id`` on. The reader trusts nothing else of it: not the size of a page, not ``next_page`` (present even when nothing is
left), not whether the record at the position itself is repeated. It goes on until a page neither ends later nor brings another
record of the moment at which it began.

Records that may come again are remembered by key and digest, and left out while they are unchanged: those of the moment that a
page ends at, and all of the overlap before the run's own time, which the next run reads again for what became visible late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import msgspec

from source_zendesk_chat.errors import (
    EnvelopeError,
    NetworkError,
    PaginationStuckError,
    RequestRejectedError,
    ServerError,
)
from source_zendesk_chat.streams.positions import RESET, ExportPosition
from source_zendesk_chat.streams.records import SECOND_US, decode_answer, digest
from source_zendesk_chat.streams.stream import Batch, Bounds, Fetch, RawRecord

PAGE_SIZE: Final = 1000  # default and maximum of "limit"; read 2026-11-22
SMALLEST_PAGE_SIZE: Final = 40
SHRINK: Final = 5
RECENT_US: Final = 330 * SECOND_US  # "start_time" must be older than five minutes; and half a minute for clocks that differ
SURELY_NO_TIE: Final = 100  # so many records of one moment are a server's cap rather than all there are
MAX_REMEMBERED: Final = 10_000  # about 650 KB of state; beyond, the oldest records of the overlap come again


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
    count: Any = None
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
        first: Rows before it were emitted by an earlier run, or are older than wanted.
        lower: Rows before it were emitted by an earlier page or run.
        seen: Time and digest of emitted records that may come again, by key.
        met: Keys of the rows that this run met at ``time``.
    """

    time: int
    id: str
    first: int
    lower: int
    seen: dict[str, tuple[int, str]]
    met: set[str] = field(default_factory=set)


_Verdict: TypeAlias = Literal["new", "unchanged", "older"]


@dataclass(slots=True)
class _Taken:
    """What came of a page.

    Attributes:
        records: To be emitted.
        unchanged: How many were emitted before and are the same.
        older: How many lie before the start or the position.
        progressed: Whether there may be more behind the page.
    """

    records: list[RawRecord] = field(default_factory=list)
    unchanged: int = 0
    older: int = 0
    progressed: bool = False

    def add(self, row: Row, verdict: _Verdict) -> None:
        """Count a row."""
        if verdict == "new":
            self.records.append(row.record)
        elif verdict == "unchanged":
            self.unchanged += 1
        else:
            self.older += 1


def read_export(export: Export) -> Callable[[Fetch, ExportPosition | None, Bounds], Iterator[Batch[ExportPosition]]]:
    """The reader of an export."""

    def read(fetch: Fetch, position: ExportPosition | None, bounds: Bounds) -> Iterator[Batch[ExportPosition]]:
        now = int(bounds.now * SECOND_US)
        latest = export.floor(now - RECENT_US)
        head = export.floor(now - max(bounds.lookback * SECOND_US, RECENT_US + 60 * SECOND_US))
        saved, notes = _starting_position(export, position, bounds, latest)
        at = _begin(export, saved, latest)
        limit, largest, began, doubted = PAGE_SIZE, 0, now, False
        while True:
            fetched = _fetch_page(export, fetch, at.time, at.id, limit, latest)
            if fetched is None:
                return
            limit, page, rows = fetched
            taken = _take(export, at, page, rows, head)
            full = len(rows) >= min(limit, SURELY_NO_TIE)
            stuck = not taken.progressed and len(rows) > 1 and (full or len(rows) >= largest)
            if stuck and (full or _more_follows(export, fetch, at, limit, latest, now)):
                if doubted:
                    raise PaginationStuckError(
                        f"{export.stream}: Zendesk repeats a page for ever: more records share one moment than it can page "
                        "through. Please report this."
                    )
                doubted = True  # or the record that follows came between the two requests: then it is on the page now
                continue
            doubted = False
            began = min([began, *(row.time for row in rows if row.time is not None)])
            progress = (at.time - began) / (now - began) if began <= at.time < now else 1.0
            reached = _position(export, saved, at, head, now)
            yield Batch(taken.records, reached, len(rows), notes, progress, taken.unchanged, taken.older)
            largest = max(largest, len(rows))
            if not taken.progressed or (at.time > now and len(rows) < min(largest, limit)):
                return
            notes, limit = (), min(PAGE_SIZE, limit * SHRINK)

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

    def decode(body: bytes) -> ExportPage:
        page = decode_answer(body, decoder)
        if isinstance(page.count, int) and page.count != len(page.rows):
            raise EnvelopeError(f"Zendesk says {page.count} records and sends {len(page.rows)}. Please report this.")
        return page

    return decode


def _starting_position(
    export: Export, position: ExportPosition | None, bounds: Bounds, latest: int
) -> tuple[ExportPosition, tuple[str, ...]]:
    """The position to go on from: the saved one, else the start date, and never the future; and what to tell the user."""
    start = bounds.start * SECOND_US
    saved = position or ExportPosition(start, known_from=start)
    if saved.time <= bounds.now * SECOND_US:
        return saved, ()
    what, remedy = ("state", RESET) if position else ("start_date", "Set it to the oldest time you want.")
    note = f"{export.stream}: the {what} lies in the future; reading from the latest records on instead. {remedy}"
    return ExportPosition(latest, known_from=min(saved.known_from, latest), seen=saved.seen), (note,)


def _begin(export: Export, saved: ExportPosition, latest: int) -> _Progress:
    """Start where records are remembered from, or as late as the API accepts; exactly at the saved position if it has an id."""
    if saved.id and saved.time <= latest:
        lower = export.floor(saved.time)
        return _Progress(saved.time, saved.id, lower, lower, dict(saved.seen))
    lower = export.floor(min(saved.known_from, saved.time))
    return _Progress(min(lower, latest), "", lower, lower, dict(saved.seen))


def _fetch_page(
    export: Export, fetch: Fetch, time: int, start_id: str, limit: int, latest: int
) -> tuple[int, ExportPage, list[Row]] | None:
    """Fetch a page, a smaller one if the API cannot give so much at once; return the page size it gave, and the page.

    Returns None where the API does not give out records so young yet; the next run reads them.
    """
    params = _params(export, time, start_id)
    while True:
        smallest = limit <= SMALLEST_PAGE_SIZE
        try:
            page = fetch(export.path, {**params, "limit": limit}, export.decode, patient=smallest)
        except RequestRejectedError:
            if time <= latest:
                raise
            return None
        except (NetworkError, ServerError):
            if smallest:
                raise
            limit = max(SMALLEST_PAGE_SIZE, limit // SHRINK)
        else:
            return limit, page, [export.row(raw) for raw in page.rows]


def _params(export: Export, time: int, start_id: str) -> dict[str, str | int]:
    """The parameters of a request for all records since a time, or since one of its records."""
    start = time // export.unit
    if export.unit == 1:
        start = max(0, start - 1)  # whether the records at start_time itself are among the answer is not documented
    position = {"start_id": start_id} if start_id else {}
    return {"fields": export.fields, "start_time": start, **position}


def _more_follows(export: Export, fetch: Fetch, at: _Progress, limit: int, latest: int, now: int) -> bool:
    """Whether the API has records after a moment that it does not get past.

    Asked when a page brought nothing new and the server never gave a larger one, so that this size may be its cap. (A single
    record is not asked about: no server gives only one at a time.)
    """
    beyond = at.time + (2 if export.unit == 1 else export.unit)
    fetched = _fetch_page(export, fetch, beyond, "", limit, latest)
    return fetched is not None and any(row.time is None or row.time <= now for row in fetched[2])


def _take(export: Export, at: _Progress, page: ExportPage, rows: Sequence[Row], head: int) -> _Taken:
    """Move on over a page."""
    if not rows:
        return _Taken()
    time, last_id = _end(export, at, page, rows)
    moved = export.floor(time) > export.floor(at.time)
    if time >= at.time:
        at.time, at.id = time, last_id
    at_end = {row.key for row in rows if row.time is None or row.time >= export.floor(at.time)}
    taken = _Taken(progressed=moved or not at_end <= at.met)
    at.met = at_end if moved else at.met | at_end
    keep_from = min(head, export.floor(at.time))
    for row in rows:
        taken.add(row, _judge(at, row, time if row.time is None else row.time, keep_from))
    at.lower = max(at.lower, export.floor(at.time))
    at.seen = {key: entry for key, entry in at.seen.items() if entry[0] >= keep_from}
    return taken


def _judge(at: _Progress, row: Row, time: int, keep_from: int) -> _Verdict:
    """Whether a row is to be emitted, or why not; it is remembered if it may come again."""
    if time < at.lower:
        return "older"
    known = at.seen.get(row.key)
    if known is None and time < keep_from:
        return "new"
    fingerprint = digest(row.record)
    at.seen[row.key] = (time, fingerprint)
    return "unchanged" if known is not None and known[1] == fingerprint else "new"


def _end(export: Export, at: _Progress, page: ExportPage, rows: Sequence[Row]) -> tuple[int, str]:
    """Where a page ends: as the API says if that lies among its records, else at the last of them."""
    said = _number(page.end_time)
    said = None if said is None else said * export.unit
    times = [row.time for row in rows if row.time is not None] or [at.time if said is None else said]
    last = max(times)
    if said is not None and not export.floor(min(times)) <= said <= last:
        return last, ""
    known = isinstance(page.end_id, str | int)
    return last if said is None else said, str(page.end_id) if known else ""


def _number(value: object) -> int | None:
    """A whole number, given as a number or as its text."""
    try:
        return int(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None


def _position(export: Export, saved: ExportPosition, at: _Progress, head: int, now: int) -> ExportPosition:
    """The position to store after a page.

    Where that is too much, a resume of a crowded second is exact by ``id`` and everything else may come again. The time is
    never in the future, whatever a record says, or the next run would be led astray.
    """
    known_from = max(at.first, min(head, export.floor(at.time)))
    seen = {key: entry for key, entry in at.seen.items() if entry[0] >= known_from}
    if len(seen) > MAX_REMEMBERED:
        seen = dict(sorted(seen.items(), key=lambda item: item[1][0])[-MAX_REMEMBERED:])
        if at.id and known_from == export.floor(at.time):
            return ExportPosition(at.time, at.id, known_from, seen)
    return ExportPosition(min(max(saved.time, at.time), now), "", known_from, seen)
