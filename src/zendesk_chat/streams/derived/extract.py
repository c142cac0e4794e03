"""Cutting the lists inside of chats into records of their own: one for each item, whatever form it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, starmap
from operator import attrgetter
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from zendesk_chat.streams.derived.fitting import Aside, Schema, fit_fields, fit_to, scalars, struct_type, text_of
from zendesk_chat.streams.derived.raw_chats import UNREADABLE, Chat, read_chat, updated
from zendesk_chat.streams.keys import is_made
from zendesk_chat.streams.stream import Children, RawRecord

AS_SENT: Final = "as_sent"
"""The field of a record for what fits in no other: values by their path, or under ``ITEM`` an item that is no object."""

ITEM: Final = "item"
MADE: Final = ("id", "chat_id", "chat_update_timestamp", "position", AS_SENT)

Parts: TypeAlias = tuple[str, Sequence[Any]]
"""The id of a chat and the records cut from it, as structs or dicts."""

_NOTHING: Final = Annotated[str, msgspec.Meta(min_length=1, max_length=0)]  # no value is that
_TEXT: Final[Schema] = {"type": ["null", "string"]}


@dataclass(frozen=True, slots=True)
class Cut:
    """How a list of each chat is cut.

    Attributes:
        name: Of the list in the chat.
        key_fields: Fields of an item that tell it apart from the others of its chat.
        key: Makes the id of a record from that of its chat and the ``key_fields``. Where items of a chat share one, the second
            and later ones are numbered.
        renamed: What fields of an item are called in the record, where their name is taken there.
        drifting: Scalar fields that are known to come as text and as numbers.
        always: Fields that a record has even where its item has not.
        capacity: With so many items the list may be cut short; None where it never is.
        from_array: The fields of an item that is a bare array.
    """

    name: str
    key_fields: tuple[str, ...]
    key: Callable[..., str]
    renamed: Mapping[str, str] = field(default_factory=dict)
    drifting: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    capacity: int | None = None
    from_array: Callable[[Sequence[Any]], dict[str, Any]] | None = None

    @property
    def taken(self) -> frozenset[str]:
        """Names that the fields of an item cannot have in its record."""
        return frozenset((*MADE, *self.renamed.values())) - {*self.key_fields}


def cutter(cut: Cut, schema: Schema) -> Callable[[Sequence[RawRecord]], Children]:
    """The function that cuts a list out of chats into records of a schema.

    A chat that comes twice counts as it came last. One that is nested too deeply to be read, deeper than an answer may be, has
    no children and is no parent. Neither has a chat whose ``id`` was made from its content: an edit would give it another one,
    and leave the children without it.
    """
    read_exactly, read_leniently = _exact_reader(cut, schema), _lenient_reader(cut, schema)
    encode = msgspec.json.Encoder().encode

    def derive(records: Sequence[RawRecord]) -> Children:
        chats: dict[str, list[RawRecord]] = {}
        for record in records:
            read = read_exactly(record) or read_leniently(record)
            if read is not None and not is_made(read[0]):
                chat_id, parts = read
                chats.pop(chat_id, None)
                chats[chat_id] = list(map(encode, parts))
        capacity = cut.capacity
        parents = [chat_id for chat_id, parts in chats.items() if capacity is None or len(parts) < capacity]
        return Children(list(chain.from_iterable(chats.values())), parents)

    return derive


def split_names(fields: Mapping[str, Any], taken: frozenset[str]) -> tuple[dict[str, Any], Aside]:
    """Fields that keep their names, and those whose names are taken."""
    if taken.isdisjoint(fields):
        return dict(fields), {}
    aside = {name: value for name, value in fields.items() if name in taken}
    return {name: value for name, value in fields.items() if name not in aside}, aside


def _exact_reader(cut: Cut, schema: Schema) -> Callable[[RawRecord], Parts | None]:
    """Reads chats whose items are as the schema says, but for known drift; None for any other."""
    decoder = msgspec.json.Decoder(_exact_chat(cut, schema))
    mend = _drift_mender(cut, schema)
    values_of = _values_of(cut.key_fields)
    renamed = tuple(cut.renamed.items())

    def read(record: RawRecord) -> Parts | None:
        try:
            chat: Any = decoder.decode(record)
        except UNREADABLE:
            return None
        items = chat.items or ()
        if not mend(items):
            return None
        chat_id, time = chat.id, updated(chat)
        keys = _numbered(list(starmap(partial(cut.key, chat_id), map(values_of, items))))
        for name, new_name in renamed:
            for item in items:
                setattr(item, new_name, getattr(item, name))
        for position, item in enumerate(items):
            item.id, item.chat_id, item.chat_update_timestamp, item.position = keys[position], chat_id, time, position
        return chat_id, items

    return read


def _exact_chat(cut: Cut, schema: Schema) -> type[msgspec.Struct]:
    known = schema["properties"]
    properties = {**known, **{name: _TEXT for name in cut.key_fields if name not in known}}
    fields: list[Any] = [(name, *_exact_field(cut, name, node)) for name, node in properties.items()]
    item = msgspec.defstruct("Item", fields, forbid_unknown_fields=True, kw_only=True, gc=False)
    return _chat_type(cut, list[item] | None, str)  # type: ignore[valid-type]  # made from data


def _exact_field(cut: Cut, name: str, schema: Schema) -> tuple[Any, ...]:
    """Type and default of a field of an item."""
    if name in cut.taken:
        return _NOTHING | msgspec.UnsetType, msgspec.UNSET
    if name in cut.key_fields:
        return (struct_type({**schema, "type": [kind for kind in schema["type"] if kind != "null"]}),)
    kind = struct_type({"type": ["null", "string", "integer"]} if name in cut.drifting else schema)
    return kind | msgspec.UnsetType, None if name in cut.always else msgspec.UNSET


def _values_of(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    values = attrgetter(*names)
    return values if len(names) > 1 else lambda item: (values(item),)


def _drift_mender(cut: Cut, schema: Schema) -> Callable[[Sequence[Any]], bool]:
    """Fits drifting fields of items where they are; False where a value does not fit."""
    drifting = [
        (name, attrgetter(name), scalars(node) | {msgspec.UnsetType}, fit_to(node))
        for name, node in schema["properties"].items()
        if name in cut.drifting
    ]

    def mend(items: Sequence[Any]) -> bool:
        aside: Aside = {}
        for name, value_of, allowed, fit in drifting:
            if not allowed.issuperset(map(type, map(value_of, items))):
                for item in items:
                    value = value_of(item)
                    setattr(item, name, value if type(value) in allowed else fit(value, name, aside))
        return not aside

    return mend


def _lenient_reader(cut: Cut, schema: Schema) -> Callable[[RawRecord], Parts | None]:
    """Reads chats whatever their items are; None where one is nested too deeply."""
    decoder = msgspec.json.Decoder(_chat_type(cut, Any, Any))
    fit_item = _item_fitter(cut, schema)
    key_names = [cut.renamed.get(name, name) for name in cut.key_fields]

    def read(record: RawRecord) -> Parts | None:
        chat: Any = read_chat(record, decoder)
        if chat is None or chat.id is None:
            return None
        chat_id, time = text_of(chat.id), updated(chat)
        parts = [fit_item(item) for item in _as_list(chat.items)]
        keys = _numbered([cut.key(chat_id, *(text_of(part.get(name)) for name in key_names)) for part in parts])
        for position, (part, key) in enumerate(zip(parts, keys, strict=True)):
            part |= {"id": key, "chat_id": chat_id, "chat_update_timestamp": time, "position": position}
        return chat_id, parts

    return read


def _item_fitter(cut: Cut, schema: Schema) -> Callable[[Any], dict[str, Any]]:
    """Makes a record of an item, but for the fields that it has from its chat."""
    fit_all, taken, renamed = fit_fields(schema), cut.taken, tuple(cut.renamed.items())
    nulls = dict.fromkeys(name for name in cut.always if name in schema["properties"])

    def fit_item(item: Any) -> dict[str, Any]:  # noqa: ANN401  any JSON value
        if isinstance(item, dict):
            fields, aside = split_names(item, taken)
        else:
            fields, aside = cut.from_array(item) if cut.from_array and isinstance(item, list) else {}, {ITEM: item}
        for name, new_name in renamed:
            if name in fields:
                fields[new_name] = fields.pop(name)
        fitted = fit_all(fields, "", aside)
        if aside:
            fitted[AS_SENT] = aside
        return nulls | fitted if nulls else fitted

    return fit_item


def _chat_type(cut: Cut, items: Any, identity: Any) -> type[msgspec.Struct]:  # noqa: ANN401  types
    fields: list[Any] = [("id", identity), ("items", items, msgspec.field(name=cut.name, default=None))]
    return msgspec.defstruct("Chat", fields, bases=(Chat,), kw_only=True, gc=False)


def _as_list(value: object) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else [value]


def _numbered(keys: list[str]) -> list[str]:
    """The keys, each one once: the second of its kind ends in ``|2``."""
    if len(set(keys)) == len(keys):
        return keys
    met = dict.fromkeys(keys, 0)
    numbered = []
    for key in keys:
        met[key] += 1
        numbered.append(key if met[key] == 1 else _free(key, met))
    return numbered


def _free(key: str, met: dict[str, int]) -> str:
    while (candidate := f"{key}|{met[key]}") in met:
        met[key] += 1
    met[candidate] = 1
    return candidate
