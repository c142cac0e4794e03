"""The reader of incremental exports, such as chats and the agent timeline.

An export orders its records by time, and records of one time by id, and answers from a ``start_time`` (inclusive) and
``start_id`` on. The reader trusts nothing else of it: not the size of a page, not ``next_page`` (present even when nothing is
left), not whether the record at the position itself is repeated. It continues until a page neither ends later nor brings
another record of the time at which it began.

Records that may come again are remembered by key and digest, and skipped while they are unchanged: those of the time that a
page ends at, and all of the overlap before the run's own time, which the next run reads again for what became visible late.

Where an export may be in another order than that of its records' times (a server may well select by a change that they do not
show), a record before what was asked for is not an old one that comes again, and is taken; and the API's own ``end_time`` marks
how far such a page goes.

Where the API is slow, several windows of time are read at once (``windows``).
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
    """Return the position to resume from (the saved one, else the start date, never the future), and notes about it."""
    start = bounds.start * SECOND_US
    new = ExportPosition(start, complete_until=start, complete_from=start)
    saved = position.from_earlier_start(start) if position else new
    if saved.time <= bounds.now * SECOND_US:
        note = _start_moved(export.stream, position, start) if position else None
        return saved, (note,) if note else ()
    what, remedy = ("state", RESET) if position else ("start_date", "Set it to the oldest time you want.")
    note = f"{export.stream}: the {what} lies in the future; reading from the latest records on instead. {remedy}"
    until = min(saved.complete_until, latest)
    return ExportPosition(latest, complete_until=until, recent=saved.recent, complete_from=saved.complete_from), (note,)


def _start_moved(stream: str, position: ExportPosition, start: int) -> str | None:
    """Return the warning about a start date that is not the one that a state was read from."""
    began = position.complete_from
    if began is None:
        what = "the state does not say from which start_date it was read."
        return f"{stream}: {what} If start_date was later then, reset this stream's state to read the older records."
    if start < began:
        what = f"start_date was {iso_seconds(began)} and is earlier now."
        return f"{stream}: {what} The records from {iso_seconds(start)} on are read too."
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
        """Read to the end. Raises RecordShapeError if a new sync gets rows, but no objects."""
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
                if taken.records:  # they count as emitted now, so the page will not bring them again
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
        """Find out with a small request whether the API counts in seconds or microseconds, where documents disagree."""
        asked = self._run.overlap_from // SECOND_US
        params = {**self._export.complete_records, "limit": 1, "start_time": asked}
        envelope = self._fetch(Request(self._export.path, self._export.decode, params))
        if took_for_microseconds(self._export, envelope, asked * SECOND_US):
            self._format = replace(self._format, unit=1)

    def _ask(self, windows: Iterable[Window], limit: int) -> None:
        """Ask for the next page of each window."""
        for window in windows:
            # Only a larger page gets past a time of many records, so a retry is decoded whatever its size.
            asked = self._request(window.time, window.start_id, limit, any_size=window.stuck_retries > 0)
            self._fetch.start(asked.request, (window, asked))

    def _request(self, time: int, start_id: str, limit: int, *, any_size: bool = False) -> PageRequest:
        return PageRequest(self._export, self._format, time, start_id, limit, self._counted, any_size)

    def _next_page(self) -> tuple[Window, Page | None]:
        """Wait for a page; None where the API does not give out records so recent yet."""
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
        """Whether a page brought nothing new and hides more behind it. Raises PaginationStuckError if it did so too often."""
        if not windows.repeats(page, taken):
            return False
        if self._learn_format(page):
            return True
        if not (fills_a_cap(page) or self._more_follows(window.time, page.request.limit)):
            return False
        window.count_retry(self._export.stream)
        return True

    def _learn_format(self, page: Page) -> bool:
        """Request later pages as exactly as the end of a page is given: by an id or with a fraction of a second."""
        if page.end_id and not self._format.inclusive:
            self._format = replace(self._format, inclusive=True)
        elif page.fraction and self._export.either_unit and not self._format.fraction:
            self._format = replace(self._format, fraction=True)
        else:
            return False
        return True

    def _more_follows(self, time: int, limit: int) -> bool:
        """Whether the API has records after a time that it does not get past.

        This is asked when a page brought nothing new and the server never gave a larger one, so that this size may be its cap.
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
