"""One window of time in which an export is read: how it advances from page to page.

Two pages may contain records of the same second, so each request starts at the last second again. A window at 100, in seconds,
remembers the keys that it has read at 100 (``keys_at_time``) and, by their digests, which of them are unchanged (``recent``).
If the next page has no other key of that second and also ends at 100, nothing is left, or the API does not get past that
second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from zendesk_chat.errors import PaginationStuckError
from zendesk_chat.streams.exports.export import Row
from zendesk_chat.streams.exports.page import Page, filled_times
from zendesk_chat.streams.exports.times import RunTimes
from zendesk_chat.streams.positions import Remembered
from zendesk_chat.streams.records import digest
from zendesk_chat.streams.stream import RawRecord

SURELY_NO_TIE: Final = 100  # this many records of one time are more likely a server's cap than all there are
MAX_STUCK_RETRIES: Final = 3


@dataclass(slots=True)
class Taken:
    """What a window took from a page.

    Attributes:
        begin: The time up to which the window was read before the page.
        records: The records to emit.
        unchanged: Number of records that were emitted before in the same form.
        outside: Number of records before the start or the position, or after the end of the run's range.
        behind: Number of records after the end of the window, which another window reads.
        progressed: Whether there may be more after the page.
    """

    begin: int
    records: list[RawRecord] = field(default_factory=list)
    unchanged: int = 0
    outside: int = 0
    behind: int = 0
    progressed: bool = False


@dataclass(slots=True, eq=False)
class Window:
    """A range of time, and how far it is read. Times are in microseconds since 1970.

    Attributes:
        start: Its first time.
        end: The time before which it ends; None for the open window.
        time: The time of the last record read. Requests continue from it.
        start_id: The API's ``start_id`` at ``time``; "" for all records of that time.
        recent: Time and digest of emitted records that may be read again, by key.
        keys_at_time: Keys of the rows that this run read at ``time``.
        last_span: The time that its last page covered, if it was full.
        stuck_retries: How often in a row a page seemed to repeat forever and was requested once more.
        status: "paused" at the end of the records so far, until all other windows are read.
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
        """The time before which earlier pages or runs emitted every row."""
        return max(self.start, self.run.floor(self.time))

    @property
    def complete_until(self) -> int:
        """The time before which nothing is left to read or, in the overlap, to read again."""
        if self.end is not None and not self.holds(self.time):
            return self.end
        return max(self.start, min(self.run.overlap_from, self.run.floor(self.time)))

    def holds(self, time: int) -> bool:
        """Return whether a time is before its end."""
        return self.end is None or time < self.end

    def take(self, page: Page, newer: Remembered) -> Taken:
        """Advance past a page that was requested from ``time`` on, and sort its rows into those to emit and those to skip.

        ``newer`` contains records that changed while the page was in flight and were emitted in their later form.
        """
        begin, emitted_until = self.time, self.emitted_until
        taken = Taken(begin)
        if not page.rows:
            return taken
        times = page.times_in_order(self.run.start)
        moved = self._move(*page.end(times, begin, self.run))
        here = self.run.floor(self.time)
        at_end = {row.key for row, time in zip(page.rows, times, strict=True) if time is None or time >= here}
        # The page ends later, or has another record of the time at which it began. Otherwise it would repeat forever.
        taken.progressed = moved or not at_end <= self.keys_at_time
        self.keys_at_time = at_end if moved else self.keys_at_time | at_end
        keep_from = min(self.run.overlap_from, here)
        plainly_new = range(emitted_until, keep_from if self.end is None else min(keep_from, self.end))
        for row, time in zip(page.rows, filled_times(times, max(begin, emitted_until)), strict=True):
            if row.key in newer and time < newer[row.key][0]:
                taken.outside += 1
            elif time in plainly_new and row.key not in self.recent:  # almost all rows; no digest halves the time of a page
                taken.records.append(row.record)
            else:
                self._sort(taken, row, time, emitted_until, keep_from)
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

    def _sort(self, taken: Taken, row: Row, time: int, emitted_until: int, keep_from: int) -> None:
        """Emit or skip a row, and remember it if it may be read again."""
        known = self.recent.get(row.key)
        if time < emitted_until or not self.run.wants(time):
            taken.outside += 1
        elif not self.holds(time):
            taken.behind += 1
        elif known is None and time < keep_from:
            taken.records.append(row.record)
        else:
            self.recent[row.key] = (time, digest(row.record))
            if known is not None and known[1] == self.recent[row.key][1]:
                taken.unchanged += 1
            else:
                taken.records.append(row.record)

    def is_passed(self, *, short: bool) -> bool:
        """Return whether it is read to its end or the run's end, given whether its last page was short."""
        inside = self.holds(self.run.floor(self.time)) and self.run.wants(self.time)
        return not inside or (short and self.time > self.run.now)

    def count_retry(self, stream: str) -> None:
        """Count a page without new records that is requested once more. Raises PaginationStuckError if there are too many."""
        if self.stuck_retries == MAX_STUCK_RETRIES:
            raise PaginationStuckError(
                f"{stream}: Zendesk keeps returning the same page, because too many records have the same time. "
                "Please report this.",
                stream=stream,
            )
        self.stuck_retries += 1


def fills_a_cap(page: Page) -> bool:
    """Return whether a page is full, or so large that it probably reached a server's cap at one time."""
    return len(page.rows) >= min(page.request.limit, SURELY_NO_TIE)
