"""The chats of an account of any size, in the order of their updates; any of them can be made at once."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from random import Random
from typing import Final

from benchmarks.templates import iso, make_templates

ACCOUNT_ID: Final = 10_099_001
TEMPLATES: Final = 400
SPAN_SECONDS: Final = 5 * 365 * 86_400
GROWTH: Final = 30  # so many times the chats of the first day come on the last: half of all in the last year
TIED_SHARE: Final = 0.03  # updated in the second of the chat before
BURST_EVERY: Final = 997
BURST_CHATS: Final = 12  # updated in one second, as by a bulk edit
ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TOKEN_LENGTH: Final = 13


class History:
    """So many chats, updated during the five years before ``until``."""

    def __init__(self, chats: int, until: int) -> None:
        self.begins = until - SPAN_SECONDS
        self.times = update_times(chats, self.begins)
        self._templates = make_templates(TEMPLATES)

    def __len__(self) -> int:
        return len(self.times)

    def identity(self, index: int) -> str:
        """The id of a chat: month, account, and a token that grows with the index."""
        day = iso(self.times[index])
        return f"{day[2:4]}{day[5:7]}.{ACCOUNT_ID}.{_token(index)}"

    def chat(self, index: int) -> bytes:
        """A chat as JSON."""
        return self._templates[index % TEMPLATES].fill(self.identity(index), self.times[index])

    def position(self, start_time: int, start_id: str) -> int:
        """The index of the first chat at or after a second; with an id, of the first beyond that chat."""
        index = bisect_left(self.times, start_time)
        while start_id and index < len(self) and self.times[index] == start_time and self.identity(index) <= start_id:
            index += 1
        return index


def update_times(chats: int, begins: int) -> array[int]:
    """Ascending seconds; their density grows steadily by ``GROWTH`` over the span."""
    random = Random(chats)
    times = array("q")
    for index in range(chats):
        tied = times and (random.random() < TIED_SHARE or 0 < index % BURST_EVERY < BURST_CHATS)
        share = math.log1p((GROWTH - 1) * index / chats) / math.log(GROWTH)
        times.append(times[-1] if tied else begins + int(SPAN_SECONDS * share))
    return times


def _token(number: int) -> str:
    digits = []
    for _ in range(TOKEN_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
