"""The windows of time in which an export is read: one, or several at once if that saves time.

Together they cover the time from a run's start on without a gap: each ends where the next begins, and the last one is open. A
window with a lot left to read can be split in two at any time. The progress of all windows is one position, from which a later
run resumes without reading any part again.

Example, with pages of 1,000 records and times in seconds: the first page, from 0 on, ends at 100. So a page covers about 100
seconds, and the records up to 800 fill about seven more. With one free slot, the rest of the window is split in the middle, and
both halves are read at once::

    window 1: start=0   end=450   time=100    the page from 100 on is requested
    window 2: start=450 end=None  time=450    the page from 450 on is requested

If the page of window 2 arrives first and ends at 550, the position is ``complete_until=100, completed_ranges=((450, 550),)``.
When window 1 reads the records at 400 to 500, it emits those before 450. The others belong to window 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from zendesk_chat.streams.exports.page import Page
from zendesk_chat.streams.exports.times import RunTimes
from zendesk_chat.streams.exports.window import Taken, Window, fills_a_cap
from zendesk_chat.streams.positions import ExportPosition, Remembered, joined

MAX_REMEMBERED: Final = 10_000  # about 650 KB of state; beyond this, the oldest records of the overlap are emitted again
PAGES_OF_A_SMALL_SYNC: Final = 4  # a resumed run that has read this much is considered a backfill
# Tuned by simulation of several histories:
WORTH_SPLITTING_PAGES: Final = 2.2  # a window is only split if at least this much is left of it
SMALLEST_PART_PAGES: Final = 1.2
MOST_MISSES: Final = 4  # after this many more pages of little use than useful ones, no window is split any more


class Windows:
    """All windows of a run. They begin and end at multiples of its unit.

    A run starts exactly at the ``start_id`` of ``saved`` if that is usable, otherwise at its ``complete_until``. ``resumed`` is
    whether an earlier run stored ``saved``.
    """

    def __init__(self, saved: ExportPosition, run: RunTimes, *, resumed: bool) -> None:
        # Another connector may have advanced the time, and kept the id and our other fields.
        own_id = bool(saved.start_id) and saved.complete_until == run.floor(saved.time)
        exact = own_id and saved.time <= run.latest
        self._saved = saved
        self._run = run
        self._all = list(self._opened(run.floor(saved.time if exact else min(saved.complete_until, saved.time))))
        if exact:
            self._all[0].time, self._all[0].start_id = saved.time, saved.start_id
        self._began = run.now
        self._ends = run.limited(run.overlap_from)
        self._pages_to_prove = 0 if saved.completed_ranges or not resumed else PAGES_OF_A_SMALL_SYNC
        self._misses = 0
        self.largest = 0  # the largest page so far

    @property
    def unread(self) -> bool:
        """Whether a window has not been read to its end."""
        return any(window.status != "read" for window in self._all)

    def take(self, window: Window, page: Page) -> Taken:
        """Move a window past a page."""
        last = self._all[-1]  # its records may be newer than a page of another window that took long
        return window.take(page, {} if last is window else last.recent)

    def repeats(self, page: Page, taken: Taken) -> bool:
        """Return whether a page without new records is so large that it may hide more records behind it.

        A single record hides nothing: no server returns only one at a time.
        """
        return not taken.progressed and len(page.rows) > 1 and (fills_a_cap(page) or len(page.rows) >= self.largest)

    def due(self, free_slots: int) -> Iterator[Window]:
        """Yield the windows to request next: one for each free slot, and at least one if no request is in flight."""
        while window := self._next(free_slots):
            window.status = "asked"
            free_slots -= 1
            yield window

    def advance(self, window: Window, page: Page, taken: Taken) -> None:
        """Decide how to continue with a window after a page."""
        self._learn(window, page, taken)
        short = page.is_short(self.largest)
        window.stuck_retries = 0
        self._continue(window, ended=not taken.progressed or window.is_passed(short=short), short=short)

    def end(self, window: Window) -> None:
        """Record that the API has no more of a window yet."""
        self._continue(window, ended=True, short=True)

    def _learn(self, window: Window, page: Page, taken: Taken) -> None:
        """Learn from a page where the records begin and end, and whether splitting windows is useful."""
        received = len(page.rows)
        first = min((row.time for row in page.rows if row.time is not None), default=taken.begin)
        self.largest = max(self.largest, received)
        full = min(page.request.limit, self.largest)
        if received < full:
            self._ends = min(self._ends, window.time)
        elif window.time > self._ends:
            self._ends = self._run.limited(self._run.overlap_from)
        self._pages_to_prove -= 1
        window.last_span = window.time - max(taken.begin, first) if received >= full else 0
        self._began = min(self._began, first)
        missed = 2 * (received - taken.behind) < full
        self._misses = max(0, self._misses + (1 if missed else -1))

    def _continue(self, window: Window, *, ended: bool, short: bool) -> None:
        """Pause, close or continue a window after its last page, or after a page that was not full.

        The open window is read last: records that change meanwhile move into it, unless the run has an earlier end.
        """
        others = any(other is not window and other.status != "read" for other in self._all)
        if window.end is None and others and (ended or short) and self._run.wants(self._run.now):
            window.status = "paused"
        elif ended:
            self._close(window)
        else:
            window.status = "asked"

    def position(self) -> ExportPosition:
        """Return the position to store.

        The time is never in the future, whatever time a record has. Otherwise the next run would start too late.
        """
        low = next(window for window in self._all if window.holds(window.time))
        until, start = low.complete_until, self._saved.complete_from
        ranges = tuple(joined((w.start, w.complete_until) for w in self._all if w.start > low.start))
        recent = {key: entry for w in self._all for key, entry in w.recent.items() if entry[0] >= w.complete_until}
        if len(recent) > MAX_REMEMBERED:
            recent = latest_entries(recent)
            # Without the others, a crowded second must be resumed exactly by its id. Everything else may be read again.
            if low.start_id and until == self._run.floor(low.time):
                return ExportPosition(low.time, low.start_id, until, recent, ranges, start)
        time = min(max(self._saved.time, low.time), self._run.now)
        return ExportPosition(time, "", until, recent, ranges, start)

    def progress(self) -> float:
        """Return the share of the time since the first record that is read, from 0 to 1."""
        goal, began = self._run.limited(self._run.now), self._began
        left = sum(max(0, (goal if w.end is None else min(w.end, goal)) - w.time) for w in self._all if w.status != "read")
        return 1 - min(1.0, left / (goal - began)) if began < goal else 1.0

    def _opened(self, start: int) -> Iterator[Window]:
        for begin, end in self._saved.completed_ranges:
            if begin > start:
                yield self._window(start, begin)
            if end > start:
                yield self._window(max(start, begin), end, read=True)
                start = end
        yield self._window(start, None)

    def _window(self, start: int, end: int | None, *, read: bool = False) -> Window:
        saved = self._saved.recent.items()
        recent = {key: entry for key, entry in saved if entry[0] >= start and (end is None or entry[0] < end)}
        window = Window(start, end, self._run, min(start, self._run.latest), recent=recent)
        if read and end is not None:
            window.time, window.status = end, "read"
        elif not self._run.wants(start):
            window.status = "read"  # although nothing of it is read
        return window

    def _next(self, free_slots: int) -> Window | None:
        busy = any(window.status == "asked" for window in self._all)
        if busy and free_slots <= 0:
            return None
        waiting = next((window for window in self._all if window.status == "waiting"), None)
        if waiting or not busy:
            return waiting or next((window for window in self._all if window.status == "paused"), None)
        return self._split(free_slots)

    def _split(self, free_slots: int) -> Window | None:
        """Split the window with the most left, so that all concurrent requests have the same amount to do."""
        if self._pages_to_prove > 0 or self._misses > MOST_MISSES:
            return None
        full = [window for window in self._all if window.status == "asked" and window.last_span]
        left = {window: (self._end_of(window) - window.time) / window.last_span for window in full}
        window = max(left, key=left.__getitem__, default=None)
        if window is None or left[window] < WORTH_SPLITTING_PAGES:
            return None
        share = sum(left.values()) / (len(left) + free_slots)
        pages = min(max(share, SMALLEST_PART_PAGES), left[window] / 2)
        split = self._run.floor(self._end_of(window) - int(window.last_span * pages))
        if not window.time + window.last_span < split < self._end_of(window):
            return None
        part = self._window(split, window.end)
        part.recent = {key: entry for key, entry in window.recent.items() if entry[0] >= split}
        window.end = split
        self._all.insert(self._all.index(window) + 1, part)
        return part

    def _end_of(self, window: Window) -> int:
        """Return where its records end, as far as is known: a page that is not full was the last one."""
        return self._ends if window.end is None else min(window.end, self._ends)

    def _close(self, window: Window) -> None:
        """Record that a window is read, to its end if none of its records can become visible late. Join it with neighbours."""
        window.status = "read"
        end = self._run.end
        if end is not None and end <= self._run.overlap_from:
            window.time, window.start_id = end if window.end is None else min(end, window.end), ""
        windows: list[Window] = []
        for each in self._all:
            if windows and not windows[-1].holds(windows[-1].time) and not each.holds(each.time):
                windows[-1].end, windows[-1].time = each.end, each.time
            else:
                windows.append(each)
        self._all = windows


def latest_entries(recent: Remembered) -> dict[str, tuple[int, str]]:
    """Return the latest remembered records, as many as a state may contain."""
    return dict(sorted(recent.items(), key=lambda item: item[1][0])[-MAX_REMEMBERED:])
