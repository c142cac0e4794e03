"""One window of time in which an export is read: how it moves on from page to page.

Records of one second may be on two pages, so each request asks for the last second again. A window
at 100, in seconds, knows the keys that it has read at 100 (``keys_at_time``) and, by their digests, which of them are unchanged
(``recent``). If the next page brings no other key of that second and ends at 100 too, nothing is left, or the API does not get
past that second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from zendesk_chat.errors import PaginationStuckError
from zendesk_chat.streams.exports.export import Row
from zendesk_chat.streams.exports.page import Page, filled_times
from zendesk_chat.streams.exports.times import RunTimes
from zendesk_chat.streams.positions import Remembered
from zendesk_chat.streams.records import digest
from zendesk_chat.streams.stream import RawRecord

SURELY_NO_TIE: Final = 100  # so many records of one time are a server's cap rather than all there are
MAX_STUCK_RETRIES: Final = 3

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
        times = page.times_in_order(self.run.start)
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
            elif time in plainly_new and row.key not in self.recent:  # almost all rows: without their digest, a page costs half
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


def fills_a_cap(page: Page) -> bool:
    """Whether a page is full, or so large that a server's cap is more likely than so many records of one time."""
    return len(page.rows) >= min(page.request.limit, SURELY_NO_TIE)
