"""What a sync costs, as measured: requests, requests that wait for each other, and CPU time, by the number of new chats."""

from __future__ import annotations

from math import ceil
from typing import Final

import msgspec

CHATS_A_PAGE: Final = 1000
OTHER_RECORDS_PER_CHAT: Final = 1.0  # assumed: an account's other exports have as many records as it has chats


class SyncCosts(msgspec.Struct, frozen=True, kw_only=True):
    """Costs of a sync of all streams.

    Attributes:
        requests: Without new chats.
        rounds: The longest sequence of these requests in which each one waits for the response to the one before it.
        idle_cpu_seconds: In a process that has started, without new chats.
        loading_cpu_seconds: The same with the first new chat.
        start_cpu_seconds: Of a process, before its first request.
    """

    requests: int
    rounds: int
    idle_cpu_seconds: float
    loading_cpu_seconds: float
    cpu_seconds_per_chat: float
    start_cpu_seconds: float

    def requests_for(self, chats: int) -> int:
        """Requests of a sync with so many new chats: the last page is also read without them."""
        return self.requests + full_pages(chats) + full_pages(round(chats * OTHER_RECORDS_PER_CHAT))

    def rounds_for(self, chats: int) -> int:
        """How many of these requests wait for each other. Other streams are read at the same time as chats."""
        return self.rounds + full_pages(chats)

    def cpu_seconds_for(self, chats: int) -> float:
        """CPU time in a process that has started."""
        return self.loading_cpu_seconds + chats * self.cpu_seconds_per_chat if chats else self.idle_cpu_seconds


def full_pages(records: int) -> int:
    """Return how many pages of an export records fill.

    Example: 999 records are on the last page, which a sync reads anyway; 1,000 records fill one page before it.
    """
    return records // CHATS_A_PAGE


def minutes_of_quota(requests: int, requests_a_minute: int) -> int:
    """Return the minutes that an account's quota needs for so many requests. The first minute's requests start at once.

    Example: 200 requests take no minute, 201 take one.
    """
    return max(0, ceil(requests / requests_a_minute) - 1)
