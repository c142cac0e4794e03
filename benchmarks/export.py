"""`GET incremental/chats` over a history: pages from any start, at next to no cost once their chats were made."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlencode

from benchmarks.gzip_pieces import Piece, glue, pack
from benchmarks.history import History
from zendesk_chat_sandbox.http_messages import bad_request

MOST: Final = 1000
YOUNGEST_SECONDS: Final = 300
ALL_FIELDS: Final = "chats(*)"
BLOCK_CHATS: Final = 50
COMMA: Final = pack(b",")


class ChatExport:
    """The export of one account."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._blocks: dict[int, Piece] = {}

    def warm(self) -> None:
        """Make all chats, so that no request has to."""
        for block in range(len(self.history) // BLOCK_CHATS):
            self._block(block)

    def page(self, query: Mapping[str, str], url: str) -> bytes:
        """The answer to a request, as gzip.

        Raises:
            ApiError: A parameter is refused.
        """
        start_time, start_id = _number(query, "start_time", 0), query.get("start_id", "")
        limit = _number(query, "limit", MOST)
        if not 1 <= limit <= MOST:
            raise bad_request(f"limit is at most {MOST}")
        if start_time > time.time() - YOUNGEST_SECONDS:
            raise bad_request("start_time must lie more than five minutes in the past")
        begin = self.history.position(start_time, start_id)
        end = min(begin + limit, len(self.history))
        chats = self._chats(begin, end) if query.get("fields") == ALL_FIELDS else self._ids(begin, end)
        if end > begin:
            start_time, start_id = self.history.times[end - 1], self.history.identity(end - 1)
        following = {**query, "start_time": str(start_time), "start_id": start_id}
        link = f"{url}?{urlencode(following)}"
        tail = {"count": end - begin, "end_time": start_time, "end_id": start_id, "next_page": link}
        return glue((pack(b'{"chats":['), *chats, pack(b"]," + json.dumps(tail).encode()[1:])))

    def _ids(self, begin: int, end: int) -> Iterator[Piece]:
        yield pack(",".join(f'{{"id":"{self.history.identity(index)}"}}' for index in range(begin, end)).encode())

    def _chats(self, begin: int, end: int) -> Iterator[Piece]:
        while begin < end:
            block, inside = divmod(begin, BLOCK_CHATS)
            following = min(end, begin - inside + BLOCK_CHATS)
            yield self._block(block) if following - begin == BLOCK_CHATS else self._compressed(begin, following)
            if following < end:
                yield COMMA
            begin = following

    def _block(self, block: int) -> Piece:
        piece = self._blocks.get(block)
        if piece is None:
            piece = self._blocks[block] = self._compressed(block * BLOCK_CHATS, (block + 1) * BLOCK_CHATS)
        return piece

    def _compressed(self, begin: int, end: int) -> Piece:
        return pack(b",".join(self.history.chat(index) for index in range(begin, end)))


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal():
        raise bad_request(f"{name} is no number")
    return int(text)
