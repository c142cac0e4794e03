"""The progress of a load: what each stream has read, what is saved, and the estimated time that is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from zendesk_chat.engine.events import (
    Event,
    PageRead,
    RateLimited,
    Retrying,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    StreamUnavailable,
)
from zendesk_chat.engine.stats import SyncStats
from zendesk_chat.load.loading import Saved
from zendesk_chat.load.report import STATES, State

Phase: TypeAlias = State | Literal["waiting", "reading"]
_SURE_SECONDS: Final = 3.0  # an estimate from less would jump
_SURE_SHARE: Final = 0.01
_NEARLY_ALL: Final = 0.99
_NOTHING: Final = SyncStats()


@dataclass(slots=True)
class StreamProgress:
    """One stream.

    Attributes:
        share: How much of the stream is read, from 0 to 1; None if that is not known.
        paused_until: When it sends its next request, seconds since 1970, while it waits for the rate limit or after a failure.
        retries: Whether it waits because a request failed.
    """

    name: str
    phase: Phase = "waiting"
    stats: SyncStats = _NOTHING
    share: float | None = None
    paused_until: float = 0.0
    retries: bool = False
    measured: tuple[float, float] | None = None  # when the share was first known, and what it was

    @property
    def total(self) -> int | None:
        """The estimated number of records in the stream, from the share that is read."""
        if self.phase != "reading" or not self.stats.emitted or not _SURE_SHARE <= (self.share or 0.0) < _NEARLY_ALL:
            return None
        return max(self.stats.emitted, round(self.stats.emitted / (self.share or 1.0)))

    def seconds_left(self, now: float) -> float | None:
        """Return the estimated time for the rest, at the same speed; None if that is not known yet."""
        if self.phase != "reading" or self.share is None or self.measured is None:
            return None
        began, first = self.measured
        seconds, read = now - began, self.share - first
        return (1 - self.share) * seconds / read if seconds >= _SURE_SECONDS and read >= _SURE_SHARE else None

    def take(self, page: PageRead, now: float) -> None:
        """Count a page."""
        self.stats, self.share, self.paused_until = page.stats, page.progress, 0.0
        if self.measured is None and page.progress is not None:
            self.measured = now, page.progress


@dataclass(slots=True)
class RunProgress:
    """All streams of a run, in the order of the summary.

    Attributes:
        saved: Records in committed transactions.
        trouble: Why the last request failed, while it is being retried; otherwise empty.
    """

    streams: dict[str, StreamProgress]
    monotonic: Callable[[], float]
    began: float
    saved: int = 0
    trouble: str = ""

    @classmethod
    def of(cls, names: Sequence[str], monotonic: Callable[[], float]) -> RunProgress:
        """Return the progress of a run that starts now."""
        return cls({name: StreamProgress(name) for name in names}, monotonic, monotonic())

    @property
    def seconds(self) -> float:
        """Time since the run started."""
        return self.monotonic() - self.began

    @property
    def read(self) -> int:
        """Records read."""
        return sum(stream.stats.emitted for stream in self.streams.values())

    @property
    def reading(self) -> list[StreamProgress]:
        """The streams that are being read."""
        return [stream for stream in self.streams.values() if stream.phase == "reading"]

    @property
    def ended(self) -> int:
        """The number of streams that have ended, with any result."""
        return sum(stream.phase not in ("waiting", "reading") for stream in self.streams.values())

    @property
    def slowest(self) -> StreamProgress | None:
        """The stream that decides when the run ends: the one that is read least, if its share is known."""
        known = [stream for stream in self.reading if stream.share is not None and stream.stats.requests]
        return min(known, key=lambda stream: stream.share or 0.0, default=None)

    @property
    def seconds_left(self) -> float | None:
        """The estimated time until the run ends; None if that is not known."""
        now = self.monotonic()
        left = [seconds for stream in self.reading if (seconds := stream.seconds_left(now)) is not None]
        return max(left, default=None)

    def observe(self, event: Event | Saved) -> None:
        """Update the progress with an event of the run."""
        if isinstance(event, Saved):
            self.saved += event.records
            return
        stream = self.streams.get(getattr(event, "stream", ""))
        if stream is None:
            return
        match event:
            case StreamStarted():
                stream.phase = "reading"
            case PageRead():
                stream.take(event, self.monotonic())
                self.trouble = ""
            case RateLimited(_, reset_at):
                stream.paused_until, stream.retries = reset_at, False
            case Retrying():
                stream.paused_until, stream.retries = event.retry_at, True
                self.trouble = event.message
            case StreamCompleted() | StreamFailed() | StreamUnavailable():
                stream.phase, stream.stats, stream.paused_until = STATES[type(event)], event.stats, 0.0
            case _:
                pass
