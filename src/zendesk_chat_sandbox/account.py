"""The account behind the API: all its data, with the changes that an account sees in daily use."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

from zendesk_chat_sandbox.chat_store import ChatStore, entry_of
from zendesk_chat_sandbox.clock import SandboxClock, Timestamp, to_epoch
from zendesk_chat_sandbox.feeds import Feed
from zendesk_chat_sandbox.http_messages import Record, encode
from zendesk_chat_sandbox.seed_chats import ChatMaker, Times
from zendesk_chat_sandbox.seed_events import EVENT_MAKERS, event_key
from zendesk_chat_sandbox.seed_lists import MAKERS, Identity, Lists
from zendesk_chat_sandbox.timestamps import SECOND_US, iso_seconds

RESOURCES: Final = ("chats", *EVENT_MAKERS, *MAKERS)


class UnknownRecordError(LookupError):
    """There is no such resource, or no such record in it."""


@dataclass(slots=True)
class Account:
    """One account, changed under ``lock``; every change raises ``version``."""

    clock: SandboxClock
    random: Random
    chat_maker: ChatMaker
    lists: Lists
    settings: Record
    routing_settings: Record
    chats: ChatStore = field(default_factory=ChatStore)
    events: dict[str, Feed] = field(default_factory=lambda: {name: Feed() for name in EVENT_MAKERS})
    version: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def feed(self, resource: str) -> Feed:
        """Return the records of an incremental export."""
        return self.chats.feed if resource == "chats" else self.events[resource]

    def counts(self) -> dict[str, int]:
        """Count the records of every resource."""
        with self.lock:
            sizes = {name: len(feed) for name, feed in self.events.items()}
            sizes |= {name: len(records) for name, records in self.lists.items()}
            return {"chats": len(self.chats), "chats_deleted": len(self.chats.deleted), **sizes}

    def chat_ids(self) -> list[str]:
        """Return the ids of all chats in the order of the export, deleted ones included."""
        with self.lock:
            return [identity for _, identity in self.chats.feed.keys]

    def chat(self, identity: str) -> Record:
        """Return a chat as the export shows it.

        Raises:
            UnknownRecordError: there is no such chat.
        """
        with self.lock:
            if identity not in self.chats.entries:
                raise UnknownRecordError(f"no chat {identity}")
            return self.chats.record(identity)

    def add_chat(self, record: Record | None = None, *, at: Timestamp | None = None) -> Record:
        """Add a chat, or replace the one with its id; without ``record`` a generated one.

        Args:
            record: the chat as the export shows it; ``update_timestamp`` may be missing.
            at: when it was last changed, else ``update_timestamp``, else now.
        """
        with self.lock:
            if record is None:
                timestamp = self._timestamp(at)
                draft = self.chat_maker.draft(timestamp)
                entry = self.chat_maker.finish(draft, Times(timestamp - draft.duration, timestamp))
            else:
                stamped = dict(record)
                if at is not None or "update_timestamp" not in stamped:
                    stamped["update_timestamp"] = iso_seconds(self._timestamp(at))
                entry = entry_of(stamped)
            self.chats.put(entry)
            self.version += 1
            return self.chats.record(entry.identity)

    def add_chats(self, count: int, *, at: Timestamp | None = None) -> list[str]:
        """Add generated chats that were all changed in one second; return their ids."""
        return [str(self.add_chat(at=at)["id"]) for _ in range(count)]

    def edit_chat(self, identity: str, *, at: Timestamp | None = None, **changes: object) -> Record:
        """Change keys of a chat and its ``update_timestamp``, which moves it within the export.

        Raises:
            UnknownRecordError: there is no such chat.
        """
        with self.lock:
            record = self.chat(identity) | changes
            if at is not None or "update_timestamp" not in changes:
                record["update_timestamp"] = iso_seconds(self._timestamp(at))
            return self.add_chat(record)

    def delete_chat(self, identity: str, *, at: Timestamp | None = None) -> Record:
        """Mark a chat as deleted; what the export still shows of it depends on a switch.

        Raises:
            UnknownRecordError: there is no such chat.
        """
        return self.edit_chat(identity, at=at, deleted=True)

    def add(self, resource: str, record: Record) -> Record:
        """Add a record to any resource, or replace the one with its id.

        Raises:
            UnknownRecordError: there is no such resource.
            KeyError: a key that identifies or orders the record is missing.
            ValueError: a timestamp cannot be read.
        """
        if resource == "chats":
            return self.add_chat(record)
        with self.lock:
            self._require(resource)
            if resource in self.events:
                time_us, identity = event_key(resource, record)
                self.events[resource].put(time_us, identity, encode(record))
            else:
                self.lists[resource][_identity(record["id"])] = dict(record)
            self.version += 1
            return record

    def add_generated(self, resource: str, count: int, *, at: Timestamp | None = None) -> list[Record]:
        """Add so many generated records to any resource, events and chats at ``at`` or now.

        Raises:
            UnknownRecordError: there is no such resource.
        """
        return [self.add(resource, self._generate(resource, at)) for _ in range(count)]

    def edit(self, resource: str, identity: Identity, changes: Mapping[str, object], at: Timestamp | None = None) -> Record:
        """Change keys of a chat or of a record of a list.

        Raises:
            UnknownRecordError: there is no such resource or record; events never change.
        """
        if resource == "chats":
            return self.edit_chat(str(identity), at=at, **changes)
        with self.lock:
            known = self.lists.get(resource, {}).get(identity)
            if known is None:
                raise UnknownRecordError(f"nothing to edit: {resource} {identity}")
            # A new record, as the old one may be on its way to a client.
            self.lists[resource][identity] = known | dict(changes)
            self.version += 1
            return self.lists[resource][identity]

    def delete(self, resource: str, identity: Identity, at: Timestamp | None = None) -> None:
        """Delete a record: a chat leaves a mark, anything else is gone.

        Raises:
            UnknownRecordError: there is no such resource or record.
        """
        if resource == "chats":
            self.delete_chat(str(identity), at=at)
            return
        with self.lock:
            self._require(resource)
            if resource in self.events:
                found = self.events[resource].remove(str(identity))
            else:
                found = self.lists[resource].pop(identity, None) is not None
            if not found:
                raise UnknownRecordError(f"nothing to delete: {resource} {identity}")
            self.version += 1

    def _require(self, resource: str) -> None:
        if resource not in RESOURCES:
            raise UnknownRecordError(f"no resource {resource!r}. The resources are: {', '.join(RESOURCES)}")

    def _timestamp(self, at: Timestamp | None) -> int:
        return self.clock.seconds() if at is None else int(to_epoch(at))

    def _generate(self, resource: str, at: Timestamp | None) -> Record:
        self._require(resource)
        if resource == "chats":
            return self.add_chat(at=at)
        timestamp = self._timestamp(at)
        if resource in self.events:
            time_us = timestamp * SECOND_US + self.random.randrange(SECOND_US)
            if at is None:
                time_us = min(time_us, int(self.clock.time() * SECOND_US))
            return EVENT_MAKERS[resource](self.random, self.lists, time_us)
        number = len(self.lists[resource])
        record = MAKERS[resource](self.random, number, self.lists, timestamp)
        while record["id"] in self.lists[resource]:
            number += 1
            record = MAKERS[resource](self.random, number, self.lists, timestamp)
        return record


def _identity(value: object) -> Identity:
    return value if isinstance(value, int) else str(value)


__all__ = ["RESOURCES", "Account", "UnknownRecordError"]
