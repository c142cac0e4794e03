"""Records of lists with their keys, which are made for records that have none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from zendesk_chat.errors import RecordShapeError
from zendesk_chat.streams.keys import keyless_note, skipped_note, usable
from zendesk_chat.streams.records import decode_fields, with_fields
from zendesk_chat.streams.stream import RawRecord

_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_any: Final = msgspec.json.Decoder(object)


@dataclass(frozen=True, slots=True)
class KeyedRecord:
    """A record with its key.

    Attributes:
        key: Of the record as it is emitted; None where its stream has no key.
        record: What to write.
        note: What the user should know about it, or "".
    """

    key: str | int | None
    record: RawRecord
    note: str = ""


@dataclass(frozen=True, slots=True)
class Keying:
    """How the records of a list get their keys.

    Attributes:
        stream: Its name in messages.
        key: The field that identifies a record, or "" where there is only one record.
        make: Makes a key from the content of a record.
        fallback: The field whose value is the key of a record that lacks ``key``; "" where no field is.
        redact: What is made of each raw record before anything else is; None for nothing.
    """

    stream: str
    key: str
    make: Callable[[bytes], str | int]
    fallback: str = ""
    redact: Callable[[bytes], bytes] | None = None

    def keyed(self, raws: Sequence[msgspec.Raw]) -> list[KeyedRecord]:
        """Return the records with their keys, without rows that are no objects."""
        return [keyed for raw in raws if (keyed := self._keyed(bytes(raw)))]

    def notes(self, found: Sequence[KeyedRecord], skipped: int) -> tuple[str, ...]:
        """Return what the user should know of records, and of how many rows were skipped."""
        notes = dict.fromkeys(keyed.note for keyed in found if keyed.note)
        return (*notes, skipped_note(self.stream)) if skipped else tuple(notes)

    def no_object(self) -> RecordShapeError:
        """Return the error for rows of which none is an object."""
        what = f"{self.stream}: Zendesk sent rows, but none is a JSON object. Please report this."
        return RecordShapeError(what, stream=self.stream)

    def _keyed(self, record: bytes) -> KeyedRecord | None:
        """Return a record with its key; ``enabled`` becomes a boolean (documented as 1 or 0, sent as either)."""
        if self.redact is not None and record.startswith(b"{"):
            record = self.redact(record)
        fields = decode_fields(record, _fields, {})
        if fields is None:
            return None
        enabled = _value(fields, "enabled")
        if enabled in (0, 1) and not isinstance(enabled, bool):
            record = with_fields(record, enabled=bool(enabled))
        key = _value(fields, self.key)
        if not self.key:
            return KeyedRecord(None, record)
        if usable(key):
            return KeyedRecord(key, record)
        other = _value(fields, self.fallback) if self.fallback else None
        made = other if usable(other) else self.make(record)
        note = keyless_note(self.stream, self.key, self.fallback if usable(other) else "")
        return KeyedRecord(made, with_fields(record, **{self.key: made}), note)


def _value(fields: dict[str, msgspec.Raw], name: str) -> object:
    """Decode a field; None where it is absent or holds a number that Python cannot hold."""
    try:
        return _any.decode(fields.get(name, b"null"))
    except msgspec.DecodeError:
        return None
