"""The reader of incremental exports, such as chats and the agent timeline.

An export orders its records by time, and records of one time by id, and answers from a ``start_time`` (inclusive) and
``start_id`` on. The reader trusts nothing else of it: not the size of a page, not ``next_page`` (present even when nothing is
left), not whether the record at the position itself is repeated. It goes on until a page neither ends later nor brings another
record of the moment at which it began.

Records that may come again are remembered by key and digest, and left out while they are unchanged: those of the moment that a
page ends at, and all of the overlap before the run's own time, which the next run reads again for what became visible late.

Where an export may be in another order than that of its records' times (a server may well select by a change that they do not
tell), a record older than what was asked for is no old one that comes again, and is taken; and the API's own ``end_time`` says
how far such a page goes.

Where the API is slow, several windows of time are read side by side (``windows``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import accumulate
from math import isfinite
from typing import Final, Literal, TypeAlias

import msgspec

from zendesk_chat.errors import (
    ConnectorError,
    EnvelopeError,
    NetworkError,
    PaginationStuckError,
    RecordShapeError,
    RequestRejectedError,
    ServerError,
)
from zendesk_chat.request import FEW_ATTEMPTS, MAX_ATTEMPTS, Request
from zendesk_chat.streams.exports.export import RECENT_US, Export, ExportPage, Row
from zendesk_chat.streams.exports.windows import Moments, Window, Windows
from zendesk_chat.streams.keys import is_made, keyless_note, skipped_note
from zendesk_chat.streams.positions import FIRST_MICROSECOND_VALUE, RESET, ExportPosition, Remembered
from zendesk_chat.streams.records import SECOND_US, digest, iso_seconds
from zendesk_chat.streams.stream import Batch, Bounds, Fetch, Fetcher, RawRecord

PAGE_SIZE: Final = 1000  # default and maximum of "limit"; read 2026-11-22
SMALLEST_PAGE_SIZE: Final = 40
SHRINK: Final = 5
PAGE_BYTES: Final = 16 * 2**20  # a page may be so large; four times as large as 1,000 ordinary chats
DISCARDED_BYTES: Final = 4 * PAGE_BYTES  # a larger one is not decoded, which takes twice its size, but asked for in parts
FEWEST_RECORDS: Final = 10  # of a page that is small because its records are large
SURELY_NO_TIE: Final = 100  # so many records of one moment are a server's cap rather than all there are
MAX_DOUBTS: Final = 3


class _MiscountedError(EnvelopeError):
    """A page holds another number of records than it says."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer.

    Attributes:
        size: Of its text, in bytes.
        envelope: What it holds; None where it is too large.
        counted: Whether its ``count`` was compared with its records.
    """

    size: int
    envelope: ExportPage | None
    counted: bool


@dataclass(frozen=True, slots=True)
class _Page:
    """A page, without the text that it was cut from.

    Attributes:
        limit: The page size that the API could give.
        asked: The time that it was asked for from, microseconds.
        end_time: Where the API says that it ends, microseconds.
        fraction: Whether it says so with a fraction.
        end_id: The ``start_id`` to go on from there.
        rows: Its records.
        size: Of its text, in bytes.
        skipped: How many rows were no objects.
        counted: Whether its ``count`` was compared with its records.
        notes: What the user should be told of it.
    """

    limit: int
    asked: int
    end_time: int | None
    fraction: bool
    end_id: str
    rows: Sequence[Row]
    size: int
    skipped: int
    counted: bool
    notes: tuple[str, ...]


_Verdict: TypeAlias = Literal["new", "unchanged", "outside", "behind"]


@dataclass(slots=True)
class _Taken:
    """What came of a page.

    Attributes:
        records: To be emitted.
        unchanged: How many were emitted before and are the same.
        outside: How many lie before the start or the position, or after the end of what is wanted.
        behind: How many lie behind the end of the window.
        progressed: Whether there may be more behind the page.
    """

    records: list[RawRecord] = field(default_factory=list)
    unchanged: int = 0
    outside: int = 0
    behind: int = 0
    progressed: bool = False

    def add(self, row: Row, verdict: _Verdict) -> None:
        """Count a row."""
        if verdict == "new":
            self.records.append(row.record)
        elif verdict == "unchanged":
            self.unchanged += 1
        elif verdict == "outside":
            self.outside += 1
        else:
            self.behind += 1


def read_export(
    export: Export, fetch: _Fetcher, position: ExportPosition | None, bounds: Bounds
) -> Iterator[Batch[ExportPosition]]:
    """Read an export from a position on."""
    times = moments(export, bounds)
    saved, notes = starting_position(export, position, bounds, times.latest)
    if not times.wants(min(saved.known_from, saved.time)):
        yield Batch((), saved, 0, notes, 1.0)
        return
    own = _in_its_unit(export, fetch, times.head)
    windows = Windows(saved, times, resumed=position is not None, unit=own.unit, page_size=PAGE_SIZE)
    received = 0
    for batch in _read_windows(own, fetch, windows, times, notes):
        received += batch.received
        yield batch
    if position is None and received and not windows.largest:
        raise RecordShapeError(f"{export.stream}: Zendesk sent rows, but none is a JSON object. Please report this.")


def _read_windows(
    export: Export, fetch: _Fetcher, windows: Windows, times: Moments, notes: tuple[str, ...]
) -> Iterator[Batch[ExportPosition]]:
    told = set[str]()
    _start(export, fetch, windows.due(1), times.latest)
    while windows.unread:
        (window, asked), outcome = fetch.finished()
        page = asked.result(outcome)
        if isinstance(page, _PageRequest):
            fetch.start(page.request, (window, page))
            continue
        if page is None:
            windows.go_on(window, ended=True, short=True)
            _start(export, fetch, windows.due(fetch.free_slots()), times.latest)
            continue
        export = export if page.counted else replace(export, counted=False)
        begin, window.limit = window.time, page.limit
        taken = _take(export, window, page, times, windows.given_last(window))
        again = _asked_again(export, fetch, window, page, taken, windows.largest, times)
        if again:
            export, window.limit = again, min(PAGE_SIZE, page.limit * SHRINK)
            _start(export, fetch, [window], times.latest)
            continue
        windows.page_read(window, begin, [row.time for row in page.rows], taken.behind)
        short = len(page.rows) < min(page.limit, windows.largest)
        windows.go_on(window, ended=not taken.progressed or _is_passed(export, window, times, short=short), short=short)
        window.limit = windows.page_size = _next_limit(page)
        reached, progress = windows.position(), windows.progress()
        _start(export, fetch, [window] if window.status == "asked" else [], times.latest)
        _start(export, fetch, windows.due(fetch.free_slots()), times.latest)
        received, outside = len(page.rows) + page.skipped, taken.outside + taken.behind + page.skipped
        news = tuple(note for note in (*notes, *page.notes) if note not in told)
        yield Batch(taken.records, reached, received, news, progress, taken.unchanged, outside)
        told.update(news)


def _start(export: Export, fetch: _Fetcher, windows: Iterable[Window], latest: int) -> None:
    """Ask for the next page of each window."""
    for window in windows:
        most = None if window.doubts else DISCARDED_BYTES  # only a larger page gets past a moment of many records
        asked = _PageRequest(export, window.time, window.id, window.limit, latest, most)
        fetch.start(asked.request, (window, asked))


def _is_passed(export: Export, window: Window, times: Moments, *, short: bool) -> bool:
    """Whether what is wanted of a window lies before where it is read to."""
    inside = window.holds(export.floor(window.time)) and times.wants(window.time)
    return not inside or (short and window.time > times.now)


def starting_position(
    export: Export, position: ExportPosition | None, bounds: Bounds, latest: int
) -> tuple[ExportPosition, tuple[str, ...]]:
    """The position to resume from: the saved one, else the start date, and never the future; and what to tell the user."""
    start = bounds.start * SECOND_US
    saved = position.from_earlier_start(start) if position else ExportPosition(start, known_from=start, complete_from=start)
    if saved.time <= bounds.now * SECOND_US:
        note = _start_moved(export.stream, position, start) if position else None
        return saved, (note,) if note else ()
    what, remedy = ("state", RESET) if position else ("start_date", "Set it to the oldest time you want.")
    note = f"{export.stream}: the {what} lies in the future; reading from the latest records on instead. {remedy}"
    known_from = min(saved.known_from, latest)
    return ExportPosition(latest, known_from=known_from, seen=saved.seen, complete_from=saved.complete_from), (note,)


def _start_moved(stream: str, position: ExportPosition, start: int) -> str | None:
    """What to tell about a start date that is not the one that a state was read from."""
    began = position.complete_from
    if began is None:
        what = "the state does not say from which start_date it was read."
        return f"{stream}: {what} If start_date was later then, reset this stream's state to read the older records."
    if start < began:
        what = f"start_date was {iso_seconds(began)} and is earlier now."
        return f"{stream}: {what} The records from {iso_seconds(start)} on are read too."
    return None


def moments(export: Export, bounds: Bounds) -> Moments:
    """The moments of a run of an export."""
    now = int(bounds.now * SECOND_US)
    overlap = max(bounds.lookback * SECOND_US, RECENT_US + 60 * SECOND_US)
    end = None if bounds.end is None else bounds.end * SECOND_US
    return Moments(now, export.floor(now - RECENT_US), export.floor(now - overlap), bounds.start * SECOND_US, end)


def _in_its_unit(export: Export, fetch: Fetch, young: int) -> Export:
    """The export in the unit that the API counts in; where documents disagree, one small request tells.

    It asks in seconds for what is young. To an API that counts microseconds this is a moment of 1970, so that its answer is the
    oldest record of all, and ends among microseconds.
    """
    if not export.either_unit:
        return export
    asked = young // SECOND_US
    page = fetch(Request(export.path, export.decode, {**export.whole_records, "limit": 1, "start_time": asked}))
    times = [row.time for raw in page.rows if (row := _row(export, raw))]
    old = any(time is not None and time < asked * SECOND_US for time in times)
    return replace(export, unit=1) if old or (_number(page.end_time) or 0) >= FIRST_MICROSECOND_VALUE else export


@dataclass(frozen=True, slots=True)
class _PageRequest:
    """A page to ask for, and what follows if it cannot be had.

    Attributes:
        export: Of which.
        time: The time from which all records are wanted.
        start_id: The record of that time to go on from; "" for all of them.
        limit: The page size.
        latest: The latest ``start_time`` that the API accepts.
        most: How many bytes an answer may have to be decoded.
    """

    export: Export
    time: int
    start_id: str
    limit: int
    latest: int
    most: int | None = DISCARDED_BYTES

    @property
    def request(self) -> Request[_Answer]:
        """What to fetch. While there is a smaller page to fall back on, few attempts are made."""
        most = self.most if self.limit > FEWEST_RECORDS else None
        params = {**_params(self.export, _first_asked(self.export, self.time), self.start_id), "limit": self.limit}
        attempts = MAX_ATTEMPTS if self.limit <= SMALLEST_PAGE_SIZE else FEW_ATTEMPTS
        return Request(self.export.path, partial(_answer, self.export, most), params, attempts)

    def result(self, outcome: _Answer | ConnectorError) -> _Page | _PageRequest | None:
        """What comes of the request: a page, or the request to make instead.

        None where the API does not give out records so young yet; the next run reads them.

        Raises:
            ConnectorError: There is no other request to make.
        """
        if isinstance(outcome, ConnectorError):
            return self._instead(outcome)
        if outcome.envelope is None:  # too large
            return replace(self, limit=max(FEWEST_RECORDS, self.limit * PAGE_BYTES // outcome.size))
        return _page(self.export, outcome, outcome.envelope, self.limit, _first_asked(self.export, self.time))

    def _instead(self, error: ConnectorError) -> _PageRequest | None:
        """The request after an error: the same without a look at ``count``, or a smaller page."""
        if isinstance(error, RequestRejectedError) and self.time > self.latest:
            return None
        if isinstance(error, _MiscountedError):
            return replace(self, export=replace(self.export, counted=False))
        if isinstance(error, NetworkError | ServerError) and self.limit > SMALLEST_PAGE_SIZE:
            return replace(self, limit=max(SMALLEST_PAGE_SIZE, self.limit // SHRINK))
        raise error


def _fetch_page(fetch: Fetch, asked: _PageRequest) -> _Page | None:
    """Fetch a page, a smaller one if the API cannot give so much at once or if it is too large to be held."""
    while True:
        try:
            result = asked.result(fetch(asked.request))
        except ConnectorError as error:
            result = asked.result(error)
        if not isinstance(result, _PageRequest):
            return result
        asked = result


def _answer(export: Export, most: int | None, body: bytes) -> _Answer:
    """Decode an answer, unless it is larger than ``most`` bytes."""
    if most is not None and len(body) > most:
        return _Answer(len(body), None, export.counted)
    envelope = export.decode(body)
    if export.counted and isinstance(envelope.count, int) and envelope.count != len(envelope.rows):
        raise _MiscountedError(f"Zendesk says {envelope.count} records and sends {len(envelope.rows)} ({export.path}).")
    return _Answer(len(body), envelope, export.counted)


def _page(export: Export, answer: _Answer, envelope: ExportPage, limit: int, asked: int) -> _Page:
    end_id = str(envelope.end_id) if isinstance(envelope.end_id, str | int) else ""
    rows = [row for raw in envelope.rows if (row := _row(export, raw))]
    skipped = len(envelope.rows) - len(rows)
    return _Page(
        limit=limit,
        asked=asked,
        end_time=_end_time(export, envelope.end_time),
        fraction="." in str(envelope.end_time),
        end_id=end_id,
        rows=rows,
        size=answer.size,
        skipped=skipped,
        counted=answer.counted,
        notes=tuple(_notes(export, rows, skipped, counted=answer.counted)),
    )


def _row(export: Export, raw: msgspec.Raw) -> Row | None:
    if export.redact is None:
        return export.row(raw)
    record = bytes(raw)
    return export.row(msgspec.Raw(export.redact(record))) if record.startswith(b"{") else None


def _notes(export: Export, rows: Sequence[Row], skipped: int, *, counted: bool) -> Iterator[str]:
    if any(is_made(row.key) for row in rows):
        yield keyless_note(export.stream, export.key)
    if skipped:
        yield skipped_note(export.stream)
    if not counted:
        what = "Zendesk sends another number of records than its `count` says, also when asked again."
        yield f"{export.stream}: {what} All that it sent are read, and `count` is not checked any more."


def _next_limit(page: _Page) -> int:
    """The page size to ask for next: larger again after a failure, and no larger than can be held."""
    fitting = PAGE_BYTES * max(1, len(page.rows)) // max(1, page.size)
    return min(PAGE_SIZE, page.limit * SHRINK, max(FEWEST_RECORDS, fitting))


def _first_asked(export: Export, time: int) -> int:
    """The time to ask from for all records since a time."""
    step = 1 if export.fraction else export.unit
    first = time - time % step
    return first if export.inclusive else max(0, first - step)


def _params(export: Export, time: int, start_id: str) -> dict[str, str | int]:
    """The parameters of a request from a time on, or from one of its records."""
    position = {"start_id": start_id} if start_id else {}
    return {**export.whole_records, "start_time": export.written(time), **position}


def _asked_again(
    export: Export, fetch: Fetch, window: Window, page: _Page, taken: _Taken, largest: int, moments: Moments
) -> Export | None:
    """The export to ask for a page again with, if it brought nothing new and hides more behind it.

    Raises:
        PaginationStuckError: It did so too often.
    """
    full = len(page.rows) >= min(page.limit, SURELY_NO_TIE)
    suspect = not taken.progressed and len(page.rows) > 1 and (full or len(page.rows) >= largest)
    exact = _more_exact(export, page) if suspect else None
    if exact:
        return exact
    if not (suspect and (full or _more_follows(export, fetch, window.time, page.limit, moments))):
        window.doubts = 0
        return None
    if window.doubts == MAX_DOUBTS:
        raise PaginationStuckError(
            f"{export.stream}: Zendesk repeats a page for ever: more records share one moment than it can page through. "
            "Please report this."
        )
    window.doubts += 1  # or the record that follows came between the two requests: then it is on the page now
    return export


def _more_exact(export: Export, page: _Page) -> Export | None:
    """The export asked for as exactly as its pages say that they end: by an id, or with a fraction of a second."""
    if page.end_id and not export.inclusive:
        return replace(export, inclusive=True)
    return replace(export, fraction=True) if page.fraction and export.either_unit and not export.fraction else None


def _more_follows(export: Export, fetch: Fetch, time: int, limit: int, moments: Moments) -> bool:
    """Whether the API has records after a moment that it does not get past.

    Asked when a page brought nothing new and the server never gave a larger one, so that this size may be its cap. (A single
    record is not asked about: no server gives only one at a time.)
    """
    beyond = time + (1 if export.inclusive else 2) * export.unit
    page = _fetch_page(fetch, _PageRequest(export, beyond, "", limit, moments.latest))
    return page is not None and any(row.time is None or row.time <= moments.now for row in page.rows)


def _take(export: Export, window: Window, page: _Page, times: Moments, latest: Remembered) -> _Taken:
    """Move on over a page; ``latest`` are records that changed meanwhile and were given in that form, which holds."""
    if not page.rows:
        return _Taken()
    places = _places(export, page, times.start)
    time, last_id = _end(export, window, page, places, times.now)
    if not times.wants(time):
        time, last_id = times.cut(time), ""
    moved = export.floor(time) > export.floor(window.time)
    before = window.time
    if time >= window.time:
        window.time, window.id = time, last_id
    here = export.floor(window.time)
    at_end = {row.key for row, place in zip(page.rows, places, strict=True) if place is None or place >= here}
    taken = _Taken(progressed=moved or not at_end <= window.met)
    window.met = at_end if moved else window.met | at_end
    keep_from = min(times.head, here)
    plainly_new = range(window.lower, keep_from if window.end is None else min(keep_from, window.end))
    for row, placed in zip(page.rows, _placed(places, max(before, window.lower)), strict=True):
        if row.key in latest and placed < latest[row.key][0]:
            taken.add(row, "outside")
        elif placed in plainly_new and row.key not in window.seen:  # almost all, so they are not asked about further
            taken.records.append(row.record)
        else:
            taken.add(row, _judge(window, row, placed, keep_from, times))
    window.lower = max(window.lower, here)
    window.seen = {key: entry for key, entry in window.seen.items() if entry[0] >= keep_from}
    return taken


def _places(export: Export, page: _Page, start: int) -> list[int | None]:
    """Where records stand in the API's order: at their time; None where that is not known."""
    if export.ordered:
        return [row.time for row in page.rows]
    return [None if row.time is not None and start <= row.time < page.asked else row.time for row in page.rows]


def _placed(places: Sequence[int | None], lower: int) -> list[int]:
    """The same, where a record without a place takes it from those before it."""
    known = [place for place in places if place is not None]
    if len(known) == len(places):
        return known
    befores = accumulate(places, lambda before, place: before if place is None else place, initial=lower)
    return [max(lower, before or lower) if place is None else place for place, before in zip(places, befores, strict=False)]


def _judge(window: Window, row: Row, time: int, keep_from: int, times: Moments) -> _Verdict:
    """Whether a row is to be emitted, or why not; it is remembered if it may come again."""
    if time < window.lower or not times.wants(time):
        return "outside"
    if not window.holds(time):
        return "behind"
    known = window.seen.get(row.key)
    if known is None and time < keep_from:
        return "new"
    fingerprint = digest(row.record)
    window.seen[row.key] = (time, fingerprint)
    return "unchanged" if known is not None and known[1] == fingerprint else "new"


def _end(export: Export, window: Window, page: _Page, places: Sequence[int | None], now: int) -> tuple[int, str]:
    """Where a page ends: as the API says if that lies among its records, or they are in another order; else at the last one."""
    said = page.end_time
    known = [place for place in places if place is not None] or [window.time if said is None else said]
    last = max(known)
    if said is None:
        return last, page.end_id
    other_order = not export.ordered and (last <= window.time or _holds_older(page))
    if export.floor(min(known)) <= said <= last or (other_order and last < said <= now):
        return said, page.end_id
    return last, ""


def _holds_older(page: _Page) -> bool:
    """Whether some of its records are older than what was asked for."""
    return any(row.time is not None and row.time < page.asked for row in page.rows)


def _end_time(export: Export, value: object) -> int | None:
    """An ``end_time`` in microseconds."""
    number = _number(value)
    return None if number is None else round(number * export.unit)


def _number(value: object) -> float | None:
    """A number, given as one or as its text."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and isfinite(number) else None


_Fetcher: TypeAlias = Fetcher[tuple[Window, _PageRequest], _Answer]
