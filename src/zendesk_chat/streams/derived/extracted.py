"""Records extracted from chats. They stay decoded, and are encoded only for consumers that need bytes.

Otherwise a loader, which needs columns, would decode again what was just encoded: two thirds of the cost of a record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Any, Final, TypeAlias, overload

import msgspec
from msgspec.structs import astuple

from zendesk_chat.json_types import Json
from zendesk_chat.streams.records import in_slices
from zendesk_chat.streams.stream import RawRecord

ABSENT: Final = float("nan")
"""The value of a field that an item lacks. No JSON has this number. The encoder omits it, and in Arrow it is null."""

CACHED_ITEMS: Final = 256
"""This many items fit into a processor's fastest memory."""

_encode_lines: Final = msgspec.json.Encoder().encode_lines


class Naming(msgspec.Struct, frozen=True):
    """The names of a list's records, and of their fields.

    Attributes:
        key: Makes the id of a record from the id of its chat and values of its item.
        key_values: How to get these values, by the name of their field.
        renamed: The item's name of a field, by its different name in the record.
        fields: The fields that a record may have.
    """

    key: Callable[..., str]
    key_values: Mapping[str, Callable[[object], Json]]
    renamed: Mapping[str, str]
    fields: tuple[str, ...]


class DecodedItems(msgspec.Struct, gc=False):
    """The items of one chat, as structs made from their schema.

    Attributes:
        updated: When the chat was last changed.
        count: The number of items.
        size: The size of their JSON in bytes.
    """

    chat_id: str
    updated: str | None
    items: Sequence[Any]
    count: int
    size: int


class EncodedItems(msgspec.Struct, gc=False):
    """The items of one chat, as records."""

    chat_id: str
    records: Sequence[RawRecord]

    @property
    def size(self) -> int:
        """The size of the records in bytes."""
        return sum(map(len, self.records))

    @property
    def count(self) -> int:
        """The number of records."""
        return len(self.records)


ItemsOfChat: TypeAlias = DecodedItems | EncodedItems


class ExtractedRecords(Sequence[RawRecord]):
    """The records of several chats, one chat after the other.

    If you read it as a sequence, all records are encoded, and none stays decoded.
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

    def columns(self) -> Mapping[str, Sequence[Any]]:
        """Return the values of each field of the records that are not encoded; ``ABSENT`` if an item lacks it."""
        chats = [chat for chat in self._chats if isinstance(chat, DecodedItems)]
        items = list(chain.from_iterable([chat.items for chat in chats]))
        if not items:
            return {}
        naming = self.naming
        counts = [chat.count for chat in chats]
        columns = _transposed(items)
        chat_ids = _repeated([chat.chat_id for chat in chats], counts)
        keys = list(map(naming.key, chat_ids, *[columns[name] for name in naming.key_values]))
        return {
            **columns,
            **{name: columns[original] for name, original in naming.renamed.items()},
            "id": _numbered_in_chats(keys, counts),
            "chat_id": chat_ids,
            "chat_update_timestamp": _repeated([chat.updated for chat in chats], counts),
            "position": list(chain.from_iterable(map(range, counts))),
        }

    def encoded(self) -> Sequence[RawRecord]:
        """Return the encoded records."""
        return list(chain.from_iterable([chat.records for chat in self._chats if isinstance(chat, EncodedItems)]))

    def order(self) -> list[int]:
        """Return the index of each record in ``columns`` followed by ``encoded``."""
        decoded, encoded = 0, sum([chat.count for chat in self._chats if isinstance(chat, DecodedItems)])
        order: list[int] = []
        for chat in self._chats:
            if isinstance(chat, DecodedItems):
                order += range(decoded, decoded := decoded + chat.count)
            else:
                order += range(encoded, encoded := encoded + len(chat.records))
        return order

    def slices(self, most_bytes: int) -> Iterator[ExtractedRecords]:
        """Yield the records in slices of about this many bytes."""
        if sum([chat.size for chat in self._chats]) <= most_bytes:
            yield self
            return
        few: list[ItemsOfChat] = []
        size = 0
        for chat in self._chats:
            for part in _parts(chat, most_bytes):
                if few and size + part.size > most_bytes:
                    yield ExtractedRecords(self.naming, few)
                    few, size = [], 0
                few.append(part)
                size += part.size
        if few:
            yield ExtractedRecords(self.naming, few)

    def _all_encoded(self) -> Sequence[RawRecord]:
        if self._records is None:
            naming = self.naming
            parts = [chat.records if isinstance(chat, EncodedItems) else records_of(chat, naming) for chat in self._chats]
            self._records = list(chain.from_iterable(parts))
            self._chats = [EncodedItems("", self._records)]
        return self._records


def _transposed(items: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """Return the values of each field of structs."""
    columns: dict[str, list[Any]] = {name: [] for name in items[0].__struct_fields__}
    for begin in range(0, len(items), CACHED_ITEMS):
        values = zip(*map(astuple, items[begin : begin + CACHED_ITEMS]), strict=True)
        for column, few in zip(columns.values(), values, strict=True):
            column.extend(few)
    return {**columns}


def _repeated(values: Iterable[Any], counts: Iterable[int]) -> list[Any]:
    return list(chain.from_iterable(map(repeat, values, counts)))


def _numbered_in_chats(keys: list[str], counts: Iterable[int]) -> list[str]:
    """Return the keys of several chats, each one unique within its chat."""
    begin = 0
    for count in counts:
        own = keys[begin : begin + count]
        unique = numbered(own)
        if unique is not own:
            keys[begin : begin + count] = unique
        begin += count
    return keys


def records_of(chat: DecodedItems, naming: Naming) -> list[RawRecord]:
    """Give each struct the fields that it lacks, and encode it."""
    items, chat_id, updated = chat.items, chat.chat_id, chat.updated
    keys = numbered(list(map(naming.key, repeat(chat_id), *[map(value_of, items) for value_of in naming.key_values.values()])))
    for name, original in naming.renamed.items():
        for item in items:
            setattr(item, name, getattr(item, original))
    for position, item in enumerate(items):
        item.id, item.chat_id, item.chat_update_timestamp, item.position = keys[position], chat_id, updated, position
    return encoded(items)


def numbered(keys: list[str]) -> list[str]:
    """Return the keys, made unique: ``["a", "b", "a"]`` becomes ``["a", "b", "a|2"]``."""
    counts = dict.fromkeys(keys, 0)
    if len(counts) == len(keys):
        return keys
    unique = list(keys)
    for index, key in enumerate(keys):
        counts[key] += 1
        if counts[key] > 1:
            unique[index] = _free(key, counts)
    return unique


def _free(key: str, counts: dict[str, int]) -> str:
    """Return the next numbered key that no other item has: ``a|2`` may be another item's own key."""
    while (candidate := f"{key}|{counts[key]}") in counts:
        counts[key] += 1
    counts[candidate] = 1
    return candidate


def encoded(records: Iterable[object]) -> list[RawRecord]:
    """Return records as JSON."""
    return _encode_lines(records).split(b"\n")[:-1]  # a raw record contains no line break


def _parts(chat: ItemsOfChat, most_bytes: int) -> Iterator[ItemsOfChat]:
    """Yield the records of a chat in parts of about this many bytes. Decoded items are not that large."""
    if isinstance(chat, DecodedItems):
        yield chat
    else:
        for records in in_slices(chat.records, most_bytes):
            yield EncodedItems(chat.chat_id, records)
