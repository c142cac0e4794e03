"""The windows of time in which an export is read: one, or several side by side where that saves time.

Together they cover the time from a run's start on without a gap: each ends where the next begins, and the last one is open. A
window in which much is left can be cut in two at any time. What is read of all of them is one position, from which a later run
resumes without reading any of it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from zendesk_chat.streams.positions import ExportPosition, Remembered, Stretch

MAX_REMEMBERED: Final = 10_000  # about 650 KB of state; beyond, the oldest records of the overlap come again
PAGES_OF_A_SMALL_SYNC: Final = 4  # a run that resumes must have read so much before it is taken for a backfill
# Tuned by simulation of several histories:
WORTH_CUTTING_PAGES: Final = 2.2  # so much must be left of a window
SMALLEST_PART_PAGES: Final = 1.2
MOST_MISSES: Final = 4  # that many more pages of little use than others, before no window is cut any more


@dataclass(frozen=True, slots=True)
class Moments:
    """The moments that matter to a run, in microseconds since 1970.

    Attributes:
        now: When it began.
        latest: The latest ``start_time`` that the API accepts.
        head: From here on, records are remembered, and read again by the next run.
        start: The first that is wanted of a new account.
        end: The first that is not wanted any more; None for all.
    """

    now: int
    latest: int
    head: int
    start: int = 0
    end: int | None = None

    def wants(self, time: int) -> bool:
        """Whether a time is before the end of what is wanted."""
        return self.end is None or time < self.end

    def cut(self, time: int) -> int:
        """A time, or the end of what is wanted if that comes first."""
        return time if self.end is None else min(time, self.end)


@dataclass(slots=True, eq=False)
class Window:
    """A stretch of time, and how far it is read.

    Attributes:
        start: Its first moment; what was before it was emitted, or is another window's, or is older than wanted.
        end: The moment that it ends before; None for the open one.
        time: Of the last record read; requests go on from it.
        limit: The page size to ask for.
        id: The API's ``start_id`` at ``time``; "" for all records of that time.
        lower: Rows before it were emitted by an earlier page or run.
        seen: Time and digest of emitted records that may come again, by key.
        met: Keys of the rows that this run met at ``time``.
        span: The time that its last page covered, if it was full.
        doubts: How often in a row a page seemed to repeat for ever and was asked for once more.
        status: "paused" at the end of what there was, until all other windows are read.
    """

    start: int
    end: int | None
    time: int
    limit: int
    id: str = ""
    lower: int = 0
    seen: dict[str, tuple[int, str]] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)
    span: int = 0
    doubts: int = 0
    status: Literal["waiting", "asked", "paused", "read"] = "waiting"

    def holds(self, time: int) -> bool:
        """Whether a time is not behind its end."""
        return self.end is None or time < self.end


class Windows:
    """All windows of a run.

    Args:
        saved: Where the run resumes. At its ``id`` exactly if it has one, else where records are remembered from.
        resumed: Whether it does, or begins at the start date.
        moments: Of the run.
        unit: Microseconds in one unit of ``start_time``; windows begin and end at whole ones.
        page_size: To begin with.
    """

    def __init__(self, saved: ExportPosition, moments: Moments, *, resumed: bool, unit: int, page_size: int) -> None:
        own_id = bool(saved.id) and saved.known_from == saved.time - saved.time % unit  # or another connector moved the time on
        exact = own_id and saved.time <= moments.latest
        self._saved = saved
        self._moments = moments
        self._unit = unit
        self.page_size = page_size
        self._all = list(self._opened(self._floor(saved.time if exact else min(saved.known_from, saved.time))))
        if exact:
            self._all[0].time, self._all[0].id = saved.time, saved.id
        self._began = moments.now
        self._ends = moments.cut(moments.head)
        self._pages_to_prove = 0 if saved.ahead or not resumed else PAGES_OF_A_SMALL_SYNC
        self._misses = 0
        self.largest = 0  # page so far

    @property
    def unread(self) -> bool:
        """Whether there is something left."""
        return any(window.status != "read" for window in self._all)

    def given_last(self, window: Window) -> Remembered:
        """The records that the open window gave lately, seen from another one, whose page may have been under way for long."""
        last = self._all[-1]
        return {} if last is window else last.seen

    def due(self, spare: int) -> Iterator[Window]:
        """The windows to ask for next: as many as there is room for, and at least one if none is being asked for."""
        while window := self._next(spare):
            window.status = "asked"
            spare -= 1
            yield window

    def page_read(self, window: Window, begin: int, times: Sequence[int | None], wasted: int) -> None:
        """Note a page.

        Args:
            window: Of which.
            begin: Where the window was read to before it.
            times: Of its records; None for those without one.
            wasted: How many of these are behind the window's end.
        """
        first = min((time for time in times if time is not None), default=begin)
        self.largest = max(self.largest, len(times))
        full = min(window.limit, self.largest)
        if len(times) < full:
            self._ends = min(self._ends, window.time)
        elif window.time > self._ends:
            self._ends = self._moments.cut(self._moments.head)
        self._pages_to_prove -= 1
        window.span = window.time - max(begin, first) if len(times) >= full else 0
        self._began = min(self._began, first)
        missed = 2 * (len(times) - wasted) < full
        self._misses = max(0, self._misses + (1 if missed else -1))

    def go_on(self, window: Window, *, ended: bool, short: bool) -> None:
        """Decide what becomes of a window after a page.

        The open one is read last: what changes while the others are read moves into it, unless that is not wanted.

        Args:
            window: Which.
            ended: Whether nothing is left of it.
            short: Whether the page was not full.
        """
        others = any(other is not window and other.status != "read" for other in self._all)
        if window.end is None and others and (ended or short) and self._moments.wants(self._moments.now):
            window.status = "paused"
        elif ended:
            self._close(window)
        else:
            window.status = "asked"

    def position(self) -> ExportPosition:
        """The position to store.

        Where that is too much, a resume of a crowded second is exact by ``id`` and everything else may come again. The time is
        never in the future, whatever a record says, or the next run would be led astray.
        """
        low = next(window for window in self._all if window.holds(window.time))
        known_from = self._known_from(low)
        ahead = tuple(_joined((w.start, self._known_from(w)) for w in self._all if w.start > low.start))
        seen = {key: entry for w in self._all for key, entry in w.seen.items() if entry[0] >= self._known_from(w)}
        if len(seen) > MAX_REMEMBERED:
            seen = dict(sorted(seen.items(), key=lambda item: item[1][0])[-MAX_REMEMBERED:])
            if low.id and known_from == self._floor(low.time):
                return ExportPosition(low.time, low.id, known_from, seen, ahead, self._saved.complete_from)
        time = min(max(self._saved.time, low.time), self._moments.now)
        return ExportPosition(time, "", known_from, seen, ahead, self._saved.complete_from)

    def progress(self) -> float:
        """How much of the time since the first record is read, from 0 to 1."""
        goal, began = self._moments.cut(self._moments.now), self._began
        left = sum(max(0, (goal if w.end is None else min(w.end, goal)) - w.time) for w in self._all if w.status != "read")
        return 1 - min(1.0, left / (goal - began)) if began < goal else 1.0

    def _opened(self, start: int) -> Iterator[Window]:
        for begin, end in self._saved.ahead:
            if begin > start:
                yield self._window(start, begin)
            if end > start:
                yield self._window(max(start, begin), end, read=True)
                start = end
        yield self._window(start, None)

    def _window(self, start: int, end: int | None, *, read: bool = False) -> Window:
        seen = {key: entry for key, entry in self._saved.seen.items() if entry[0] >= start and (end is None or entry[0] < end)}
        window = Window(start, end, min(start, self._moments.latest), self.page_size, lower=start, seen=seen)
        if read and end is not None:
            window.time, window.status = end, "read"
        elif not self._moments.wants(start):
            window.status = "read"  # though nothing of it is
        return window

    def _next(self, spare: int) -> Window | None:
        busy = any(window.status == "asked" for window in self._all)
        if busy and spare <= 0:
            return None
        waiting = next((window for window in self._all if window.status == "waiting"), None)
        if waiting or not busy:
            return waiting or next((window for window in self._all if window.status == "paused"), None)
        return self._cut(spare)

    def _cut(self, spare: int) -> Window | None:
        """Cut an end off the window with most left, so large that all requests made side by side have as much to do."""
        if self._pages_to_prove > 0 or self._misses > MOST_MISSES:
            return None
        left = {window: self._pages_left(window) for window in self._all if window.status == "asked" and window.span}
        window = max(left, key=left.__getitem__, default=None)
        if window is None or left[window] < WORTH_CUTTING_PAGES:
            return None
        share = sum(left.values()) / (len(left) + spare)
        pages = min(max(share, SMALLEST_PART_PAGES), left[window] / 2)
        cut = self._floor(self._end(window) - int(window.span * pages))
        if not window.time + window.span < cut < self._end(window):
            return None
        part = self._window(cut, window.end)
        part.seen = {key: entry for key, entry in window.seen.items() if entry[0] >= cut}
        window.end = cut
        self._all.insert(self._all.index(window) + 1, part)
        return part

    def _pages_left(self, window: Window) -> float:
        return (self._end(window) - window.time) / window.span

    def _end(self, window: Window) -> int:
        """Where its records end, as far as is known: a page that is not full was the last one."""
        return self._ends if window.end is None else min(window.end, self._ends)

    def _known_from(self, window: Window) -> int:
        if window.end is not None and not window.holds(window.time):
            return window.end
        return max(window.start, min(self._moments.head, self._floor(window.time)))

    def _close(self, window: Window) -> None:
        """Note that nothing is left of a window. Where none of what is wanted may come late, it is read to its end then."""
        window.status = "read"
        end = self._moments.end
        if end is not None and end <= self._moments.head:
            window.time, window.id = end if window.end is None else min(end, window.end), ""
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

    def _floor(self, time: int) -> int:
        return time - time % self._unit


def _joined(stretches: Iterable[Stretch]) -> Sequence[Stretch]:
    joined: list[Stretch] = []
    for begin, end in stretches:
        if joined and joined[-1][1] == begin:
            joined[-1] = (joined[-1][0], end)
        elif begin < end:
            joined.append((begin, end))
    return joined
