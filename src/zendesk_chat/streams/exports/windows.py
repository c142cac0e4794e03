"""The windows of time in which an export is read: one, or several at once where that saves time.

Together they cover the time from a run's start on without a gap: each ends where the next begins, and the last one is open. A
window in which much is left can be split in two at any time. What is read of all of them is one position, from which a later
run resumes without reading any of it again.

An example, with pages of 1,000 records and times as seconds. The first page, from 0 on, ends at 100, so that a page covers
about 100 seconds; the records up to 800 are worth seven more. With one free slot, the window is split in the middle of what is
left, and both are read at once::

    window 1: start=0   end=450   time=100    the page from 100 on is asked for
    window 2: start=450 end=None  time=450    the page from 450 on is asked for

If the page of window 2 comes first and ends at 550, the position is ``complete_until=100, completed_ranges=((450, 550),)``.
When window 1 reads the records at 400 to 500, it emits those before 450; the others are behind its end, where window 2 reads.

How one window reads on: records of one second may be on two pages, so each request asks for the last second again. The window
at 100 knows the keys that it has read at 100 (``keys_at_time``) and, by their digests, which of them are unchanged
(``recent``). If the next page brings no other key of that second and ends at 100 too, nothing is left, or the API does not get
past that second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from zendesk_chat.errors import PaginationStuckError
from zendesk_chat.streams.exports.export import Row
from zendesk_chat.streams.exports.page import Page, filled_times
from zendesk_chat.streams.exports.times import RunTimes
from zendesk_chat.streams.positions import ExportPosition, Remembered, TimeRange
from zendesk_chat.streams.records import digest
from zendesk_chat.streams.stream import RawRecord

MAX_REMEMBERED: Final = 10_000  # about 650 KB of state; beyond, the oldest records of the overlap come again
PAGES_OF_A_SMALL_SYNC: Final = 4  # a run that resumes must have read so much before it is taken for a backfill
SURELY_NO_TIE: Final = 100  # so many records of one time are a server's cap rather than all there are
MAX_STUCK_RETRIES: Final = 3
# Tuned by simulation of several histories:
WORTH_SPLITTING_PAGES: Final = 2.2  # so much must be left of a window
SMALLEST_PART_PAGES: Final = 1.2
MOST_MISSES: Final = 4  # that many more pages of little use than others, before no window is split any more

_Verdict: TypeAlias = Literal["new", "unchanged", "outside", "behind"]


@dataclass(slots=True)
class Taken:
    """What a window took from a page.

    Attributes:
        begin: The time up to which the window was read before it.
        records: To be emitted.
        unchanged: How many were emitted before and are the same.
        outside: How many lie before the start or the position, or after the end of what is wanted.
        behind: How many lie behind the end of the window, where another one reads.
        progressed: Whether there may be more behind the page.
    """

    begin: int
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


@dataclass(slots=True, eq=False)
class Window:
    """A range of time, and how far it is read. Times are microseconds since 1970.

    Attributes:
        start: Its first time; what was before it was emitted, or is another window's, or is older than wanted.
        end: The time that it ends before; None for the open one.
        run: The times of the run.
        time: Of the last record read; requests continue from it.
        start_id: The API's ``start_id`` at ``time``; "" for all records of that time.
        recent: Time and digest of emitted records that may come again, by key.
        keys_at_time: Keys of the rows that this run read at ``time``.
        last_span: The time that its last page covered, if it was full.
        stuck_retries: How often in a row a page seemed to repeat for ever and was asked for once more.
        status: "paused" at the end of what there was, until all other windows are read.
    """

    start: int
    end: int | None
    run: RunTimes
    time: int
    start_id: str = ""
    recent: dict[str, tuple[int, str]] = field(default_factory=dict)
    keys_at_time: set[str] = field(default_factory=set)
    last_span: int = 0
    stuck_retries: int = 0
    status: Literal["waiting", "asked", "paused", "read"] = "waiting"

    @property
    def emitted_until(self) -> int:
        """The time before which an earlier page or run emitted every row."""
        return max(self.start, self.run.floor(self.time))

    @property
    def complete_until(self) -> int:
        """The time before which nothing of it is left to read or, in the overlap, to read again."""
        if self.end is not None and not self.holds(self.time):
            return self.end
        return max(self.start, min(self.run.overlap_from, self.run.floor(self.time)))

    def holds(self, time: int) -> bool:
        """Whether a time is not behind its end."""
        return self.end is None or time < self.end

    def take(self, page: Page, newer: Remembered) -> Taken:
        """Move on over a page, and sort its rows into those to emit and those to skip.

        Args:
            page: That was asked for from where the window is read to.
            newer: Records that changed while the page was under way and were emitted in that form, which holds.
        """
        begin, emitted_until = self.time, self.emitted_until
        taken = Taken(begin)
        if not page.rows:
            return taken
        times = page.known_times(self.run.start)
        moved = self._move(*page.end(times, begin, self.run))
        here = self.run.floor(self.time)
        at_end = {row.key for row, time in zip(page.rows, times, strict=True) if time is None or time >= here}
        # The page ends later, or brings another record of the time at which it began: else it would come again for ever.
        taken.progressed = moved or not at_end <= self.keys_at_time
        self.keys_at_time = at_end if moved else self.keys_at_time | at_end
        keep_from = min(self.run.overlap_from, here)
        plainly_new = range(emitted_until, keep_from if self.end is None else min(keep_from, self.end))
        for row, time in zip(page.rows, filled_times(times, max(begin, emitted_until)), strict=True):
            if row.key in newer and time < newer[row.key][0]:
                taken.outside += 1
            elif time in plainly_new and row.key not in self.recent:  # almost all, so they are spared the digest
                taken.records.append(row.record)
            else:
                taken.add(row, self._judge(row, time, emitted_until, keep_from))
        self.recent = {key: entry for key, entry in self.recent.items() if entry[0] >= keep_from}
        return taken

    def _move(self, time: int, start_id: str) -> bool:
        """Move to where a page ends, never back. Returns whether that is a later time."""
        if not self.run.wants(time):
            time, start_id = self.run.limited(time), ""
        moved = self.run.floor(time) > self.run.floor(self.time)
        if time >= self.time:
            self.time, self.start_id = time, start_id
        return moved

    def _judge(self, row: Row, time: int, emitted_until: int, keep_from: int) -> _Verdict:
        """Return whether a row is to be emitted, or why not. It is remembered if it may come again."""
        if time < emitted_until or not self.run.wants(time):
            return "outside"
        if not self.holds(time):
            return "behind"
        known = self.recent.get(row.key)
        if known is None and time < keep_from:
            return "new"
        fingerprint = digest(row.record)
        self.recent[row.key] = (time, fingerprint)
        return "unchanged" if known is not None and known[1] == fingerprint else "new"

    def is_passed(self, *, short: bool) -> bool:
        """Whether what is wanted of it lies before where it is read to, given whether its last page was short."""
        inside = self.holds(self.run.floor(self.time)) and self.run.wants(self.time)
        return not inside or (short and self.time > self.run.now)

    def count_retry(self, stream: str) -> None:
        """Count a page that is asked for once more, because it brought nothing new and hides more behind it.

        A record that came between the two requests is on the page then.

        Raises:
            PaginationStuckError: It was so too often.
        """
        if self.stuck_retries == MAX_STUCK_RETRIES:
            raise PaginationStuckError(
                f"{stream}: Zendesk repeats a page for ever: more records share one moment than it can page through. "
                "Please report this.",
                stream=stream,
            )
        self.stuck_retries += 1


class Windows:
    """All windows of a run.

    Args:
        saved: Where the run resumes. At its ``start_id`` exactly if it has one, else where records are remembered from.
        run: The times of the run; windows begin and end at whole units of it.
        resumed: Whether it resumes, or begins at the start date.
    """

    def __init__(self, saved: ExportPosition, run: RunTimes, *, resumed: bool) -> None:
        # Another connector may have moved the time on, and left the id and our other fields as they were.
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
        self.largest = 0  # page so far

    @property
    def unread(self) -> bool:
        """Whether there is something left."""
        return any(window.status != "read" for window in self._all)

    def take(self, window: Window, page: Page) -> Taken:
        """Move a window on over a page."""
        last = self._all[-1]  # its records may be newer than a page of another window that was long under way
        return window.take(page, {} if last is window else last.recent)

    def repeats(self, page: Page, taken: Taken) -> bool:
        """Whether a page that brought nothing new is so large that it may hide more behind it.

        A single record hides nothing: no server gives only one at a time.
        """
        return not taken.progressed and len(page.rows) > 1 and (fills_a_cap(page) or len(page.rows) >= self.largest)

    def due(self, free_slots: int) -> Iterator[Window]:
        """Yield the windows to ask for next: as many as there are free slots, and at least one if none is being asked for."""
        while window := self._next(free_slots):
            window.status = "asked"
            free_slots -= 1
            yield window

    def advance(self, window: Window, page: Page, taken: Taken) -> None:
        """Decide what becomes of a window after a page."""
        self._learn(window, page, taken)
        short = page.is_short(self.largest)
        window.stuck_retries = 0
        self._continue(window, ended=not taken.progressed or window.is_passed(short=short), short=short)

    def end(self, window: Window) -> None:
        """Note that the API has nothing more of a window yet."""
        self._continue(window, ended=True, short=True)

    def _learn(self, window: Window, page: Page, taken: Taken) -> None:
        """Learn from a page where the records begin and end, and how useful it is to split windows."""
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
        """Pause, close or ask again.

        The open window is read last: what changes while the others are read moves into it, unless that is not wanted.

        Args:
            window: Which.
            ended: Whether nothing is left of it.
            short: Whether the page was not full.
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

        The time is never in the future, whatever a record says, or the next run would be led astray.
        """
        low = next(window for window in self._all if window.holds(window.time))
        until, start = low.complete_until, self._saved.complete_from
        ranges = tuple(_joined((w.start, w.complete_until) for w in self._all if w.start > low.start))
        recent = {key: entry for w in self._all for key, entry in w.recent.items() if entry[0] >= w.complete_until}
        if len(recent) > MAX_REMEMBERED:
            recent = latest_entries(recent)
            # Without the others, a crowded second must be resumed exactly by its id; everything else may come again.
            if low.start_id and until == self._run.floor(low.time):
                return ExportPosition(low.time, low.start_id, until, recent, ranges, start)
        time = min(max(self._saved.time, low.time), self._run.now)
        return ExportPosition(time, "", until, recent, ranges, start)

    def progress(self) -> float:
        """Return how much of the time since the first record is read, from 0 to 1."""
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
            window.status = "read"  # though nothing of it is
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
        """Split the window with most left, so that all requests made at once have as much to do."""
        if self._pages_to_prove > 0 or self._misses > MOST_MISSES:
            return None
        left = {window: self._pages_left(window) for window in self._all if window.status == "asked" and window.last_span}
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

    def _pages_left(self, window: Window) -> float:
        return (self._end_of(window) - window.time) / window.last_span

    def _end_of(self, window: Window) -> int:
        """Where its records end, as far as is known: a page that is not full was the last one."""
        return self._ends if window.end is None else min(window.end, self._ends)

    def _close(self, window: Window) -> None:
        """Note that nothing is left of a window. Where none of what is wanted may come late, it is read to its end then."""
        window.status = "read"
        end = self._run.end
        if end is not None and end <= self._run.overlap_from:
            window.time, window.start_id = end if window.end is None else min(end, window.end), ""
        self._join()

    def _join(self) -> None:
        """Make one window of neighbours that are read to their ends."""
        joined: list[Window] = []
        for window in self._all:
            if joined and not joined[-1].holds(joined[-1].time) and not window.holds(window.time):
                joined[-1].end, joined[-1].time = window.end, window.time
            else:
                joined.append(window)
        self._all = joined


def fills_a_cap(page: Page) -> bool:
    """Whether a page is full, or so large that a server's cap is more likely than so many records of one time."""
    return len(page.rows) >= min(page.request.limit, SURELY_NO_TIE)


def latest_entries(recent: Remembered) -> dict[str, tuple[int, str]]:
    """Return as many remembered records as a state may hold, the latest ones."""
    return dict(sorted(recent.items(), key=_time_of)[-MAX_REMEMBERED:])


def _time_of(item: tuple[str, tuple[int, str]]) -> int:
    return item[1][0]


def _joined(ranges: Iterable[TimeRange]) -> Sequence[TimeRange]:
    joined: list[TimeRange] = []
    for begin, end in ranges:
        if joined and joined[-1][1] == begin:
            joined[-1] = (joined[-1][0], end)
        elif begin < end:
            joined.append((begin, end))
    return joined
