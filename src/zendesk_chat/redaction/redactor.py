"""Redaction of records, as raw JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec

from zendesk_chat.errors import RecordShapeError
from zendesk_chat.redaction.actions import to_null
from zendesk_chat.redaction.matching import Node, root_node
from zendesk_chat.redaction.rules import Redaction

Container: TypeAlias = "dict[str, object] | list[object]"
Pending: TypeAlias = list[tuple[Container, Node]]
_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_CONTAINERS: Final = (dict, list)
_HALF_PAIR: Final = re.compile(  # \ud83d without its \ude00; the first and last alternatives skip \ud83d\ude00 and \\
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)


@dataclass(frozen=True, slots=True)
class Redactor:
    """Redacts the records of a stream.

    A field of the record keeps its bytes if no rule applies to a value in it.
    """

    stream: str  # for messages
    root: Node

    def __call__(self, record: bytes) -> bytes:
        """Return a record, one JSON object, redacted.

        Raises:
            RecordShapeError: The record cannot be read, so it must not pass.
        """
        root = self.root
        try:
            raw = _fields.decode(record)
            touched = [*raw] if root.other is not None else root.names.keys() & raw.keys()
            if not touched:
                return record
            fields: dict[str, object] = {**raw}
            for name in touched:
                fields[name] = _decode(raw[name])
        except _UNREADABLE:
            fields = self._read_any(record)
        redact(fields, root)
        try:
            return _encode(fields)
        except RecursionError:
            raise self._unreadable() from None

    def _read_any(self, record: bytes) -> dict[str, object]:
        """Read a record that msgspec rejects. Numbers keep their digits, half surrogate pairs become U+FFFD, and NaN null."""
        try:
            text = _HALF_PAIR.sub(_replace_half, record.decode(errors="replace"))
            value = json.loads(text, strict=False, parse_int=msgspec.Raw, parse_float=msgspec.Raw, parse_constant=to_null)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise self._unreadable() from None
        return value

    def _unreadable(self) -> RecordShapeError:
        return RecordShapeError(f"{self.stream}: a record cannot be read, so it cannot be redacted. Please report this.")


def redactor(redaction: Redaction, stream: str) -> Redactor | None:
    """Return the redactor for the records of a stream; None if no rule applies to them."""
    root = root_node(redaction, stream)
    return Redactor(stream, root) if root else None


def redact(record: dict[str, object], root: Node) -> None:
    """Redact a decoded record in place. It may be nested as deeply as JSON can be read, so there is no recursion."""
    pending: Pending = [(record, root)]
    while pending:
        container, node = pending.pop()
        if isinstance(container, dict):
            _redact_objects([container], node, pending)
        elif node.item is not None:
            _redact_items(container, node.item, pending)


def _redact_items(items: list[object], node: Node, pending: Pending) -> None:
    objects = [item for item in items if isinstance(item, dict)]
    if not node.removes_object:
        _redact_objects(objects, node, pending)
    if node.removes_object or len(objects) < len(items):
        for index, item in enumerate(items):
            if not isinstance(item, _CONTAINERS):
                items[index] = node.change(item) if node.change else item
            elif node.removal or (node.removes_object and isinstance(item, dict)):
                items[index] = None
            elif isinstance(item, list):
                pending.append((item, node))


def _redact_objects(objects: Iterable[dict[str, object]], node: Node, pending: Pending) -> None:
    """Redact objects at one position, key by key: most items of a list have no key that a rule names."""
    if node.other is None:
        for name, below in node.names.items():
            if below is not None:
                _redact_key(name, [fields for fields in objects if name in fields], below, pending)
    else:
        for fields in objects:
            for name in [*fields]:
                if (below := node.names.get(name, node.other)) is not None:
                    _redact_key(name, (fields,), below, pending)


def _redact_key(name: str, objects: Iterable[dict[str, object]], node: Node, pending: Pending) -> None:
    """Redact one key in the objects that have it."""
    change, drops = node.change, node.drops
    for fields in objects:
        value = fields[name]
        if isinstance(value, _CONTAINERS):
            if node.removal == "drop":
                del fields[name]
            elif node.removal or (node.removes_object and isinstance(value, dict)):
                fields[name] = None
            else:
                pending.append((value, node))
        elif drops:
            del fields[name]
        elif change is not None:
            fields[name] = change(value)


def _replace_half(match: re.Match[str]) -> str:
    return r"\ufffd" if match["half"] else match[0]
