"""The counts of one stream's run."""

from __future__ import annotations

from dataclasses import dataclass

from zendesk_chat.wording import counted


@dataclass(frozen=True, slots=True)
class SyncStats:
    """What happened to one stream in a run.

    Attributes:
        requests: Requests sent, including retries.
        received: Records in the pages.
        unchanged: Records skipped because they were emitted before and are the same.
        outside: Records skipped because they are before the start or the position, at or after the end, or in the range of
            another request, or because they are not JSON objects.
        resumed_from: The cursor from which the run resumed; None if it read from the start.
        reached: The last cursor; None for a stream without one.
    """

    requests: int = 0
    pages: int = 0
    received: int = 0
    emitted: int = 0
    seconds: float = 0.0
    unchanged: int = 0
    outside: int = 0
    resumed_from: str | None = None
    reached: str | None = None

    @property
    def skipped(self) -> int:
        """Records received and not emitted, for any reason."""
        return self.unchanged + self.outside

    @property
    def adds_up(self) -> bool:
        """Whether every record received was either emitted or skipped for a reason."""
        return self.received == self.emitted + self.skipped

    def __str__(self) -> str:
        """Return the counts in words."""
        by_time = self.reached is not None and ":" in self.reached  # in other streams, the cursor is an id
        span = f", from {self.resumed_from or 'the start'} to {self.reached}" if by_time else f", up to id {self.reached}"
        outside = "outside the range" if by_time else "repeated or malformed"
        return (
            f"{counted(self.emitted, 'record')} in {self.seconds:.1f} s ({counted(self.requests, 'request')}, "
            f"{counted(self.pages, 'page')}, {self.received:,} received, {self.unchanged:,} skipped as unchanged, "
            f"{self.outside:,} skipped as {outside}{span if self.reached else ''})"
        )
