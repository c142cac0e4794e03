"""Records extracted from chats. They stay decoded, and are encoded only for those who ask for bytes.

A loader, which wants columns, would otherwise decode again what was just encoded: two thirds of the cost of a record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from operator import attrgetter
from typing import Any, Final, TypeAlias, overload

import msgspec

from zendesk_chat.streams.records import in_slices
from zendesk_chat.streams.stream import RawRecord

ABSENT: Final = float("nan")
"""The value of a field that an item lacks. No JSON is read as this number, the encoder omits it, and it is null in Arrow."""

_encode_lines: Final = msgspec.json.Encoder().encode_lines


class Naming(msgspec.Struct, frozen=True):
    """How the records of a list are named, and their fields.

    Attributes:
        key: Makes the id of a record from that of its chat and the ``key_fields`` of its item.
        renamed: The names of fields of the record whose names in the item are others, and those.
        fields: The fields that a record may have.
    """

    key: Callable[..., str]
    key_fields: tuple[str, ...]
    renamed: Mapping[str, str]
    fields: tuple[str, ...]


class DecodedItems(msgspec.Struct, gc=False):
    """The items of one chat, as structs made from their schema. ``size`` is that of their JSON."""

    chat_id: str
    updated: str | None
    items: Sequence[Any]
    size: int

    @property
    def count(self) -> int:
        """How many records they become."""
        return len(self.items)


class EncodedItems(msgspec.Struct, gc=False):
    """The items of one chat, as records."""

    chat_id: str
    records: Sequence[RawRecord]

    @property
    def count(self) -> int:
        """How many records there are."""
        return len(self.records)


ItemsOfChat: TypeAlias = DecodedItems | EncodedItems


class ExtractedRecords(Sequence[RawRecord]):
    """The records of several chats, one chat after the other.

    If you read it as a sequence, all records are encoded, and none is decoded any more.
    """

    def __init__(self, naming: Naming, chats: Sequence[ItemsOfChat]) -> None:
        self.naming = naming
        self._chats = chats
        self._count = sum([chat.count for chat in chats])
        self._records: Sequence[RawRecord] | None = None

    @overload
    def __getitem__(self, index: int) -> RawRecord: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[RawRecord]: ...
    def __getitem__(self, index: int | slice) -> RawRecord | Sequence[RawRecord]:
        return self._all_encoded()[index]

    def __iter__(self) -> Iterator[RawRecord]:
        return iter(self._all_encoded())

    def __len__(self) -> int:
        return self._count

    def decoded(self) -> DecodedRecords:
        """Return the records that are not encoded."""
        return DecodedRecords(self.naming, [chat for chat in self._chats if isinstance(chat, DecodedItems)])

    def encoded(self) -> Sequence[RawRecord]:
        """Return the other records."""
        return list(chain.from_iterable([chat.records for chat in self._chats if isinstance(chat, EncodedItems)]))

    def order(self) -> list[int]:
        """Return for each record its index in ``decoded`` followed by ``encoded``."""
        indexes = [0, sum(chat.count for chat in self._chats if isinstance(chat, DecodedItems))]
        order: list[int] = []
        for chat in self._chats:
            kind = isinstance(chat, EncodedItems)
            order += range(indexes[kind], indexes[kind] + chat.count)
            indexes[kind] += chat.count
        return order

    def slices(self, most_bytes: int) -> Iterator[ExtractedRecords]:
        """Yield the records in slices of about so many bytes."""
        few: list[ItemsOfChat] = []
        size = 0
        for chat in self._chats:
            for part, part_size in _parts(chat, most_bytes):
                if few and size + part_size > most_bytes:
                    yield ExtractedRecords(self.naming, few)
                    few, size = [], 0
                few.append(part)
                size += part_size
        if few:
            yield ExtractedRecords(self.naming, few)

    def _all_encoded(self) -> Sequence[RawRecord]:
        if self._records is None:
            self.decoded().complete()
            parts = [encoded(chat.items) if isinstance(chat, DecodedItems) else chat.records for chat in self._chats]
            self._records = list(chain.from_iterable(parts))
            self._chats = [EncodedItems("", self._records)]
        return self._records


class DecodedRecords:
    """Records as structs that lack the fields which they do not get from their item."""

    def __init__(self, naming: Naming, chats: Sequence[DecodedItems]) -> None:
        self._naming = naming
        self._chats = chats
        self._items = list(chain.from_iterable([chat.items for chat in chats]))

    def __len__(self) -> int:
        return len(self._items)

    def column(self, name: str) -> Sequence[Any]:
        """Return the values of one of ``Naming.fields``; ``ABSENT`` where an item lacks it."""
        match name:
            case "id":
                return self._keys()
            case "chat_id":
                return list(chain.from_iterable([repeat(chat.chat_id, chat.count) for chat in self._chats]))
            case "chat_update_timestamp":
                return list(chain.from_iterable([repeat(chat.updated, chat.count) for chat in self._chats]))
            case "position":
                return list(chain.from_iterable([range(chat.count) for chat in self._chats]))
        return self._values(self._naming.renamed.get(name, name))

    def complete(self) -> None:
        """Give each struct the fields that it lacks."""
        keys = self._keys()
        for name, original in self._naming.renamed.items():
            for item in self._items:
                setattr(item, name, getattr(item, original))
        key = iter(keys)
        for chat in self._chats:
            for position, item in enumerate(chat.items):
                item.id, item.chat_id, item.chat_update_timestamp = next(key), chat.chat_id, chat.updated
                item.position = position

    def _values(self, name: str) -> Sequence[Any]:
        return list(map(attrgetter(name), self._items))

    def _keys(self) -> list[str]:
        keys = list(map(self._naming.key, self.column("chat_id"), *map(self._values, self._naming.key_fields)))
        begin = 0
        for chat in self._chats:
            end = begin + chat.count
            own = keys[begin:end]
            if len(set(own)) < len(own):
                keys[begin:end] = numbered(own)
            begin = end
        return keys


def numbered(keys: list[str]) -> list[str]:
    """Return the keys, each one once: ``["a", "b", "a"]`` becomes ``["a", "b", "a|2"]``."""
    if len(set(keys)) == len(keys):
        return keys
    counts = dict.fromkeys(keys, 0)
    unique = []
    for key in keys:
        counts[key] += 1
        unique.append(key if counts[key] == 1 else _free(key, counts))
    return unique


def _free(key: str, counts: dict[str, int]) -> str:
    """Return the next number of a key that is no other key: ``a|2`` may be the own key of another item."""
    while (candidate := f"{key}|{counts[key]}") in counts:
        counts[key] += 1
    counts[candidate] = 1
    return candidate


def encoded(records: Iterable[object]) -> list[RawRecord]:
    """Return records as JSON."""
    return _encode_lines(records).split(b"\n")[:-1]  # a raw record has no line break


def _parts(chat: ItemsOfChat, most_bytes: int) -> Iterator[tuple[ItemsOfChat, int]]:
    """Yield the records of a chat in parts of about so many bytes, with their size. Decoded items are not that many."""
    if isinstance(chat, DecodedItems):
        yield chat, chat.size
        return
    for records in in_slices(chat.records, most_bytes):
        yield EncodedItems(chat.chat_id, records), sum(map(len, records))
