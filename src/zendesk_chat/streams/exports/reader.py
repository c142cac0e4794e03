"""The reader of incremental exports, such as chats and the agent timeline.

An export orders its records by time, and records of one time by id. It returns them from a ``start_time`` (inclusive) and
``start_id`` on. The reader relies on nothing else: not on the size of a page, not on ``next_page`` (present even if nothing is
left), not on whether the record at the position itself is repeated. It continues until a page neither ends later nor has
another record of the time at which it began.

It remembers records that may be read again, by key and digest, and skips them while they are unchanged: those of the time at
which a page ends, and all in the overlap before the run's own time, which the next run reads again to find late records.

The order of an export may differ from that of its records' times, because a server may select by a change that they do not
show. In such an export, a record before the requested time is not an old one that is repeated, so it is emitted, and the API's
own ``end_time`` marks the end of the page.

If the API is slow, several windows of time are read at once (``windows``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeAlias

from zendesk_chat.errors import ConnectorError, RecordShapeError
from zendesk_chat.request import Request
from zendesk_chat.streams.exports import page as pages
from zendesk_chat.streams.exports.export import Export
from zendesk_chat.streams.exports.page import Answer, Page, PageRequest, took_for_microseconds
from zendesk_chat.streams.exports.times import RunTimes, TimeFormat
from zendesk_chat.streams.exports.window import Taken, Window, fills_a_cap
from zendesk_chat.streams.exports.windows import Windows
from zendesk_chat.streams.positions import RESET, ExportPosition
from zendesk_chat.streams.records import SECOND_US, iso_seconds
from zendesk_chat.streams.stream import Batch, Bounds, Fetcher

_Fetcher: TypeAlias = Fetcher[tuple[Window, PageRequest], Answer]


def read_export(
    export: Export, fetch: _Fetcher, position: ExportPosition | None, bounds: Bounds
) -> Iterator[Batch[ExportPosition]]:
    """Read an export from a position on."""
    run = RunTimes.of(bounds, export.unit)
    saved, notes = starting_position(export, position, bounds, run.latest)
    if not run.wants(min(saved.complete_until, saved.time)):
        yield Batch((), saved, 0, notes, 1.0)
        return
    yield from _Reading(export, fetch, run, notes).batches(saved, resumed=position is not None)


def starting_position(
    export: Export, position: ExportPosition | None, bounds: Bounds, latest: int
) -> tuple[ExportPosition, tuple[str, ...]]:
    """Return the position to resume from (the saved one or the start date, never the future), and notes about it."""
    start = bounds.start * SECOND_US
    new = ExportPosition(start, complete_until=start, complete_from=start)
    saved = position.from_earlier_start(start) if position else new
    if saved.time <= bounds.now * SECOND_US:
        note = _start_moved(export.stream, position, start) if position else None
        return saved, (note,) if note else ()
    what, remedy = ("state", RESET) if position else ("start_date", "Set it to the oldest time you want.")
    note = f"{export.stream}: the {what} is in the future, so reading starts at the latest records. {remedy}"
    until = min(saved.complete_until, latest)
    return ExportPosition(latest, complete_until=until, recent=saved.recent, complete_from=saved.complete_from), (note,)


def _start_moved(stream: str, position: ExportPosition, start: int) -> str | None:
    """Return the warning about a start date that differs from the one that a state was read from."""
    began = position.complete_from
    if began is None:
        what = "the state does not contain the start_date that it was read from."
        remedy = "If you have moved start_date back since then, reset this stream's state to read the older records too."
        return f"{stream}: {what} {remedy} Otherwise, nothing is missing."
    if start < began:
        what = f"start_date was {iso_seconds(began)} and is earlier now."
        return f"{stream}: {what} Records since {iso_seconds(start)} are read too."
    return None


class _Reading:
    """One run over an export: what it has learned about the API, and its requests."""

    def __init__(self, export: Export, fetch: _Fetcher, run: RunTimes, notes: tuple[str, ...]) -> None:
        self._export = export
        self._fetch = fetch
        self._run = run
        self._notes = dict.fromkeys(notes)
        self._emitted_notes = set[str]()
        self._format = TimeFormat(export.unit, export.inclusive)
        self._counted = True
        self._limit = pages.PAGE_SIZE
        self._received_rows = self._received_objects = False

    def batches(self, saved: ExportPosition, *, resumed: bool) -> Iterator[Batch[ExportPosition]]:
        """Read to the end. Raises RecordShapeError if a new sync receives rows, but no objects."""
        if self._export.either_unit:
            self._find_unit()
        windows = Windows(saved, replace(self._run, unit=self._format.unit), resumed=resumed)
        self._ask(windows.due(1), self._limit)
        while windows.unread:
            window, page = self._next_page()
            if page is None:
                windows.end(window)
                self._ask(windows.due(self._fetch.free_slots()), self._limit)
                continue
            taken = windows.take(window, page)
            if self._must_ask_again(windows, window, page, taken):
                if taken.records:  # they now count as emitted, so the page will not emit them again
                    yield self._batch(windows, page, taken)
                self._ask([window], page.retry_limit())
                continue
            windows.advance(window, page, taken)
            self._limit = page.next_limit()
            batch = self._batch(windows, page, taken)  # before windows are split further
            self._ask([window] if window.status == "asked" else [], self._limit)
            self._ask(windows.due(self._fetch.free_slots()), self._limit)
            yield batch
        if not resumed and self._received_rows and not self._received_objects:
            what = f"{self._export.stream}: Zendesk sent rows, but none is a JSON object. Please report this."
            raise RecordShapeError(what, stream=self._export.stream)

    def _find_unit(self) -> None:
        """Find out with a small request whether the API uses seconds or microseconds, if its documents disagree."""
        asked = self._run.overlap_from // SECOND_US
        params = {**self._export.complete_records, "limit": 1, "start_time": asked}
        envelope = self._fetch(Request(self._export.path, self._export.decode, params))
        if took_for_microseconds(self._export, envelope, asked * SECOND_US):
            self._format = replace(self._format, unit=1)

    def _ask(self, windows: Iterable[Window], limit: int) -> None:
        """Request the next page of each window."""
        for window in windows:
            # Only a larger page gets past a time with many records, so a retry is decoded whatever its size.
            asked = self._request(window.time, window.start_id, limit, any_size=window.stuck_retries > 0)
            self._fetch.start(asked.request, (window, asked))

    def _request(self, time: int, start_id: str, limit: int, *, any_size: bool = False) -> PageRequest:
        return PageRequest(self._export, self._format, time, start_id, limit, self._counted, any_size)

    def _next_page(self) -> tuple[Window, Page | None]:
        """Wait for a page. Returns None if the API does not return such recent records yet."""
        while True:
            (window, asked), outcome = self._fetch.finished()
            page = asked.result(outcome, self._run.latest)
            if not isinstance(page, PageRequest):
                break
            self._fetch.start(page.request, (window, page))
        if page is not None:
            self._counted = self._counted and page.request.counted
            self._received_rows = self._received_rows or bool(page.rows or page.skipped)
            self._received_objects = self._received_objects or bool(page.rows)
        return window, page

    def _must_ask_again(self, windows: Windows, window: Window, page: Page, taken: Taken) -> bool:
        """Return whether a page has nothing new but hides more. Raises PaginationStuckError if that happened too often."""
        if not windows.repeats(page, taken):
            return False
        if self._learn_format(page):
            return True
        if not (fills_a_cap(page) or self._more_follows(window.time, page.request.limit)):
            return False
        window.count_retry(self._export.stream)
        return True

    def _learn_format(self, page: Page) -> bool:
        """Request later pages as precisely as the page's end: by an id or with a fraction of a second."""
        if page.end_id and not self._format.inclusive:
            self._format = replace(self._format, inclusive=True)
        elif page.fraction and self._export.either_unit and not self._format.fraction:
            self._format = replace(self._format, fraction=True)
        else:
            return False
        return True

    def _more_follows(self, time: int, limit: int) -> bool:
        """Return whether the API has records after a time that it does not get past.

        Called when a page has nothing new and no page was larger, so that this size may be the server's cap.
        """
        beyond = time + (1 if self._format.inclusive else 2) * self._format.unit
        page: Page | PageRequest | None = self._request(beyond, "", limit)
        while isinstance(page, PageRequest):
            outcome: Answer | ConnectorError
            try:
                outcome = self._fetch(page.request)
            except ConnectorError as error:
                outcome = error
            page = page.result(outcome, self._run.latest)
        return page is not None and any(row.time is None or row.time <= self._run.now for row in page.rows)

    def _batch(self, windows: Windows, page: Page, taken: Taken) -> Batch[ExportPosition]:
        self._notes |= dict.fromkeys(page.notes())
        notes = tuple(note for note in self._notes if note not in self._emitted_notes)
        self._emitted_notes |= self._notes.keys()
        received, outside = len(page.rows) + page.skipped, taken.outside + taken.behind + page.skipped
        return Batch(taken.records, windows.position(), received, notes, windows.progress(), taken.unchanged, outside)
