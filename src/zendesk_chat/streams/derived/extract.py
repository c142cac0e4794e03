"""The items of a list in each chat as records of their own, whatever form an item has.

The chat ``{"id": "A", "update_timestamp": "T", "history": [{"type": "chat.msg", "timestamp": "S", "msg": "hi"}]}`` yields the
event ``{"type": "chat.msg", "timestamp": "S", "msg": "hi", "id": "A|S|chat.msg", "chat_id": "A",
"chat_update_timestamp": "T", "position": 0}``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from zendesk_chat.json_schema import Schema
from zendesk_chat.json_types import Json
from zendesk_chat.streams.derived.chats import NULL, PATHS_OF_CHAT, UNREADABLE, Chat, SplitChat, read_chat, split_chats, updated
from zendesk_chat.streams.derived.extracted import (
    ABSENT,
    DecodedItems,
    EncodedItems,
    ExtractedRecords,
    ItemsOfChat,
    Naming,
    encoded,
    numbered,
    records_of,
)
from zendesk_chat.streams.derived.fitting import Fitter, Rejected, scalars, struct_type, text_of
from zendesk_chat.streams.keys import is_made
from zendesk_chat.streams.stream import Children, RawRecord

AS_SENT: Final = "as_sent"
"""The field of a record for rejected values, by path. An item that is not an object is under ``ITEM``."""

ITEM: Final = "item"
MADE: Final = ("id", "chat_id", "chat_update_timestamp", "position")
"""The fields of a record that do not come from its item."""

DECODED_BYTES: Final = 8 * 2**20
"""This many bytes of a page's JSON stay decoded, which takes about three times the size. The rest is encoded immediately."""

_Items: TypeAlias = Sequence[Any]
"""Structs made from a schema."""

_NOTHING: Final = Annotated[str, msgspec.Meta(min_length=1, max_length=0)]  # no value has this type
_TEXT: Final = Schema(("null", "string"))
_ID: Final = Schema(("null", "string", "integer"))


@dataclass(frozen=True, slots=True)
class NestedList:
    """A list in each chat whose items become records.

    Attributes:
        name: The field of the chat.
        key_fields: Fields of an item that identify it in its chat.
        key: Makes the id of a record from the id of its chat and the ``key_fields``. If several items of a chat share one, the
            second and later ones are numbered.
        renamed: Names in the record for fields of an item whose own name is already used there.
        drifting: Scalar fields that are known to be strings or numbers.
        always: Fields that a record has even if its item lacks them.
        capacity: A list with this many items may be truncated; None if it never is.
        from_array: Makes the fields of an item that is a bare array.
    """

    name: str
    key_fields: tuple[str, ...]
    key: Callable[..., str]
    renamed: Mapping[str, str] = field(default_factory=dict)
    drifting: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    capacity: int | None = None
    from_array: Callable[[Sequence[Json]], dict[str, Json]] | None = None

    @property
    def taken(self) -> frozenset[str]:
        """Names that the fields of an item cannot have in its record."""
        return frozenset((*MADE, AS_SENT, *self.renamed.values())) - {*self.key_fields}

    @property
    def path(self) -> tuple[str, ...]:
        """The path in a chat of the object that becomes a record."""
        return (self.name, "*")

    @property
    def other_paths(self) -> Mapping[str, tuple[str, ...] | None]:
        """Paths in a chat of fields that are not below ``path`` under their name; None for fields that the connector makes."""
        renamed = {new: (*self.path, old) for old, new in self.renamed.items()}
        made = dict.fromkeys(("position",) if "id" in self.key_fields else ("id", "position"))
        return {**PATHS_OF_CHAT, **renamed, **made}

    def extractor(self, schema: Schema) -> ListExtractor:
        """Return the extractor for records of a schema."""
        kept = [name for name in schema.properties if name not in self.taken and name not in self.renamed]
        fields = dict.fromkeys((*kept, *self.key_fields, *self.renamed.values(), *MADE))
        key_values = {name: attrgetter(name) for name in self.key_fields}
        naming = Naming(self.key, key_values, {new: old for old, new in self.renamed.items()}, tuple(fields))
        return ListExtractor(_ExactReader.of(self, schema), _LenientReader.of(self, schema), naming, self.capacity)


@dataclass(frozen=True, slots=True)
class ListExtractor:
    """Extracts the items of a list from chats.

    Of a chat that occurs twice, the last one counts. A chat that is nested too deeply to be read has no children and is not a
    parent. The same applies to a chat whose ``id`` was derived from its content: an edit would change the id and orphan the
    children.
    """

    exact: _ExactReader
    lenient: _LenientReader
    naming: Naming
    capacity: int | None

    def extract(self, records: Sequence[RawRecord], *, encode: bool = False) -> Children:
        """Return the items of these chats as records. If bytes are needed, ``encode`` is faster than encoding later."""
        left_bytes = 0 if encode else DECODED_BYTES
        chats: dict[str, ItemsOfChat] = {}
        irregular: dict[str, Sequence[RawRecord]] = {}
        for record, split in zip(records, split_chats(records), strict=True):
            exact = self.exact.read(split) if split else None
            read = exact or self.lenient.read(record)
            if read is None or is_made(read.chat_id):
                continue
            if read.chat_id in chats:
                del chats[read.chat_id]  # so that it gets its new position
                irregular.pop(read.chat_id, None)
            if isinstance(read, EncodedItems):
                irregular[read.chat_id] = read.records
            elif read.count:
                left_bytes -= read.size
                read = read if left_bytes >= 0 else EncodedItems(read.chat_id, records_of(read, self.naming))
            chats[read.chat_id] = read
        capacity = self.capacity
        parents = list(chats) if capacity is None else [name for name, chat in chats.items() if chat.count < capacity]
        extracted = ExtractedRecords(self.naming, [chat for chat in chats.values() if chat.count])
        return Children(extracted, parents, list(chain(*irregular.values())))


def split_names(fields: Mapping[str, Json], taken: frozenset[str]) -> tuple[dict[str, Json], Rejected]:
    """Return the fields that keep their names, and those whose names are already used."""
    if taken.isdisjoint(fields):
        return dict(fields), {}
    rejected = {name: value for name, value in fields.items() if name in taken}
    return {name: value for name, value in fields.items() if name not in rejected}, rejected


@dataclass(frozen=True, slots=True)
class _DriftingField:
    """A scalar field that may be a string or a number, converted in place."""

    name: str
    value_of: Callable[[object], Json]
    allowed: frozenset[type]
    fitter: Fitter

    @classmethod
    def of(cls, name: str, schema: Schema) -> _DriftingField:
        return cls(name, attrgetter(name), scalars(schema) | {type(ABSENT)}, Fitter.of(schema))

    def fit(self, items: _Items) -> bool:
        """Convert the field of all items. Returns False if a value does not fit."""
        rejected: Rejected = {}
        if not self.allowed.issuperset(map(type, map(self.value_of, items))):
            for item in items:
                value = self.value_of(item)
                if type(value) not in self.allowed:
                    setattr(item, self.name, self.fitter.fit(value, self.name, rejected))
        return not rejected


@dataclass(frozen=True, slots=True)
class _ExactReader:
    """Reads chats whose items fit the schema, except for known drift."""

    raw_items: Callable[[SplitChat], msgspec.Raw]
    decoder: msgspec.json.Decoder[Any]
    drifting: tuple[_DriftingField, ...]
    drifting_decoder: msgspec.json.Decoder[Any]

    @classmethod
    def of(cls, nested: NestedList, schema: Schema) -> _ExactReader:
        drifting = [_DriftingField.of(name, known) for name, known in schema.properties.items() if name in nested.drifting]
        properties = {**schema.properties, **{name: _TEXT for name in nested.key_fields if name not in schema.properties}}
        drifted = {name: _ID if name in nested.drifting else field for name, field in properties.items()}
        return cls(attrgetter(nested.name), _decoder(nested, properties), tuple(drifting), _decoder(nested, drifted))

    def read(self, chat: SplitChat) -> DecodedItems | None:
        """Return the items of a chat; None if one does not fit the schema."""
        raw = self.raw_items(chat)
        items = self._items(raw) if isinstance(chat.id, str) else None
        return None if items is None else DecodedItems(chat.id, updated(chat), items, len(items), len(raw))

    def _items(self, raw: msgspec.Raw) -> _Items | None:
        """Decode the items of a list, and convert known drift; None if one does not fit the schema."""
        if raw is NULL:
            return ()
        try:
            return self.decoder.decode(raw) or ()
        except UNREADABLE:
            pass
        try:
            items = self.drifting_decoder.decode(raw) or ()
        except UNREADABLE:
            return None
        return items if all(drifting.fit(items) for drifting in self.drifting) else None


def _decoder(nested: NestedList, properties: Mapping[str, Schema]) -> msgspec.json.Decoder[Any]:
    """Return the decoder of a list whose items have no other fields than these."""
    fields = [(name, *_exact_field(nested, name, field)) for name, field in properties.items()]
    item = msgspec.defstruct("Item", fields, forbid_unknown_fields=True, omit_defaults=True, kw_only=True, gc=False)
    return msgspec.json.Decoder(list[item] | None)  # type: ignore[valid-type]  # made from data


def _exact_field(nested: NestedList, name: str, schema: Schema) -> tuple[Any, Any]:
    """Return type and default of an item's field. When an item is encoded, a field with the default is omitted."""
    if name in nested.taken:
        return _NOTHING, ABSENT
    if name in nested.key_fields:
        return struct_type(Schema(schema.present_types)), msgspec.NODEFAULT
    return struct_type(schema), msgspec.field(default_factory=_null) if name in nested.always else ABSENT


def _null() -> None:
    """Return the default of a field that is encoded even if it has the default."""


@dataclass(frozen=True, slots=True)
class _LenientReader:
    """Reads chats whatever their items are."""

    nested: NestedList
    decoder: msgspec.json.Decoder[Any]
    fitter: Fitter
    nulls: Mapping[str, None]

    @classmethod
    def of(cls, nested: NestedList, schema: Schema) -> _LenientReader:
        nulls = dict.fromkeys(name for name in nested.always if name in schema.properties)
        return cls(nested, msgspec.json.Decoder(_chat_with(nested.name)), Fitter.of(schema), nulls)

    def read(self, record: RawRecord) -> EncodedItems | None:
        """Return the items of a chat; None if it has no id or is nested too deeply."""
        chat = read_chat(record, self.decoder)
        if chat is None or chat.id is None:
            return None
        chat_id, time = text_of(chat.id), updated(chat)
        records = [self._fit_item(item) for item in _as_list(chat.items)]
        names = [self.nested.renamed.get(name, name) for name in self.nested.key_fields]
        keys = numbered([self.nested.key(chat_id, *(text_of(item.get(name)) for name in names)) for item in records])
        for position, (item, key) in enumerate(zip(records, keys, strict=True)):
            item |= {"id": key, "chat_id": chat_id, "chat_update_timestamp": time, "position": position}
        return EncodedItems(chat_id, encoded(records))

    def _fit_item(self, item: Json) -> dict[str, Json]:
        """Return an item as a record, without the fields that come from its chat."""
        nested = self.nested
        if isinstance(item, dict):
            fields, rejected = split_names(item, nested.taken)
        else:
            fields, rejected = nested.from_array(item) if nested.from_array and isinstance(item, list) else {}, {ITEM: item}
        for name, new_name in nested.renamed.items():
            if name in fields:
                fields[new_name] = fields.pop(name)
        fitted = self.fitter.fit_fields(fields, "", rejected)
        return {**self.nulls, **fitted, **({AS_SENT: rejected} if rejected else {})}


def _chat_with(name: str) -> type[msgspec.Struct]:
    """Return the type of a chat with the list of this name."""
    return msgspec.defstruct("Chat", [("items", Any, msgspec.field(name=name, default=None))], bases=(Chat,), gc=False)


def _as_list(value: Json) -> list[Json]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
