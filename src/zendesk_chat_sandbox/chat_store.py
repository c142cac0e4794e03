"""All chats of the account: the export's order by update, the lists' order by creation, and single chats by id."""

import json
from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

from zendesk_chat_sandbox.feeds import Feed
from zendesk_chat_sandbox.http_messages import Record, encode
from zendesk_chat_sandbox.timestamps import SECOND_US, parse_seconds

# Keys that only the incremental export carries; /chats and /chats/{id} do not have them.
EXPORT_ONLY_KEYS: Final = frozenset(
    {
        "update_timestamp",
        "deleted",
        "engagements",
        "skills_requested",
        "skills_fulfilled",
        "abandon_time",
        "dropped",
        "proactive",
    }
)
TOMBSTONE_KEYS: Final = ("id", "type", "timestamp", "update_timestamp", "deleted")


@dataclass(slots=True)
class ChatEntry:
    """What the sandbox must know of a chat without decoding it. Times are epoch seconds."""

    identity: str
    kind: str
    created: int
    ended: int | None
    updated: int
    rating: str | None
    visitor_id: str
    deleted: bool
    body: bytes


def entry_of(record: Record) -> ChatEntry:
    """Read an entry off a chat as the export shows it.

    Raises:
        KeyError: ``id``, ``timestamp`` or ``update_timestamp`` is missing.
        ValueError: a timestamp cannot be read.
    """
    ended = record.get("end_timestamp")
    visitor = record.get("visitor")
    rating = record.get("rating")
    return ChatEntry(
        identity=str(record["id"]),
        kind=str(record.get("type", "chat")),
        created=parse_seconds(str(record["timestamp"])),
        ended=parse_seconds(ended) if isinstance(ended, str) else None,
        updated=parse_seconds(str(record["update_timestamp"])),
        rating=rating if isinstance(rating, str) else None,
        visitor_id=str(visitor.get("id", "")) if isinstance(visitor, dict) else "",
        deleted=bool(record.get("deleted")),
        body=encode(record),
    )


class ChatStore:
    """Chats by id with the two orders in which the API hands them out."""

    def __init__(self) -> None:
        self.feed = Feed()
        self.entries: dict[str, ChatEntry] = {}
        self.deleted: set[str] = set()
        self.created: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self.entries)

    def load(self, entries: Iterable[ChatEntry]) -> None:
        """Add many chats at once."""
        fresh = list(entries)
        self.entries.update((entry.identity, entry) for entry in fresh)
        self.deleted.update(entry.identity for entry in fresh if entry.deleted)
        self.created.extend((entry.created, entry.identity) for entry in fresh if not entry.deleted)
        self.created.sort()
        self.feed.load((entry.updated * SECOND_US, entry.identity, entry.body) for entry in fresh)

    def put(self, entry: ChatEntry) -> None:
        """Add a chat, or replace the one with this id."""
        self._forget(entry.identity)
        self.entries[entry.identity] = entry
        self.feed.put(entry.updated * SECOND_US, entry.identity, entry.body)
        if entry.deleted:
            self.deleted.add(entry.identity)
        else:
            insort(self.created, (entry.created, entry.identity))

    def _forget(self, identity: str) -> None:
        known = self.entries.get(identity)
        if known is not None and not known.deleted:
            del self.created[bisect_left(self.created, (known.created, identity))]
        self.deleted.discard(identity)

    def record(self, identity: str) -> Record:
        """Decode a chat as the export shows it.

        Raises:
            KeyError: there is no such chat.
        """
        return cast("Record", json.loads(self.entries[identity].body))

    def shown(self, identity: str) -> Record | None:
        """Decode a chat as ``/chats/{id}`` shows it, or None when it is unknown or deleted."""
        if identity not in self.entries or identity in self.deleted:
            return None
        return {key: value for key, value in self.record(identity).items() if key not in EXPORT_ONLY_KEYS}

    def tombstone(self, identity: str) -> bytes:
        """Encode what little is left of a deleted chat."""
        record = self.record(identity)
        return encode({key: record[key] for key in TOMBSTONE_KEYS if key in record})
