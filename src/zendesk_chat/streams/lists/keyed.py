"""Records of lists with their keys. Records without a key get a derived one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from zendesk_chat.errors import RecordShapeError
from zendesk_chat.streams.keys import keyless_note, number_key, skipped_note, text_key, usable
from zendesk_chat.streams.records import decode_fields, raw_fields, with_fields
from zendesk_chat.streams.stream import Endpoint, RawRecord

_any: Final = msgspec.json.Decoder(object)


@dataclass(frozen=True, slots=True)
class KeyedRecord:
    """A record with its key.

    Attributes:
        key: The key of the emitted record; None if its stream has no key.
        record: The record to write.
        note: A message for the user, or "".
    """

    key: str | int | None
    record: RawRecord
    note: str = ""


@dataclass(frozen=True, slots=True)
class KeyedList(Endpoint):
    """The endpoint of a list, and how its records get their keys.

    Attributes:
        key: The field that identifies a record, or "" if there is only one record.
        fallback: The field whose value is the key of a record that lacks ``key``; "" for none.
        text_keys: Whether derived keys are strings instead of numbers.
    """

    path: str
    key: str = field(default="id", kw_only=True)
    fallback: str = field(default="", kw_only=True)
    text_keys: bool = field(default=False, kw_only=True)

    def keyed(self, raws: Sequence[msgspec.Raw]) -> list[KeyedRecord]:
        """Return the records with their keys, without rows that are not objects."""
        return [keyed for raw in raws if (keyed := self._keyed(bytes(raw)))]

    def notes(self, found: Sequence[KeyedRecord], skipped: int) -> tuple[str, ...]:
        """Return the messages about records, and about a number of skipped rows."""
        notes = dict.fromkeys(keyed.note for keyed in found if keyed.note)
        return (*notes, skipped_note(self.stream)) if skipped else tuple(notes)

    def no_object(self) -> RecordShapeError:
        """Return the error for rows none of which is an object."""
        what = f"{self.stream}: Zendesk sent rows, but none is a JSON object. Please report this."
        return RecordShapeError(what, stream=self.stream)

    def _keyed(self, record: bytes) -> KeyedRecord | None:
        """Return a record with its key; ``enabled`` becomes a boolean (documented as 1 or 0, sent as either)."""
        if self.redact is not None and record.startswith(b"{"):
            record = self.redact(record)
        fields = decode_fields(record, raw_fields, {})
        if fields is None:
            return None
        enabled = _value(fields, "enabled")
        if enabled in (0, 1) and not isinstance(enabled, bool):
            record = with_fields(record, enabled=bool(enabled))
        if not self.key:
            return KeyedRecord(None, record)
        key = _value(fields, self.key)
        if usable(key):
            return KeyedRecord(key, record)
        made, fallback = _value(fields, self.fallback), self.fallback
        if not usable(made):
            made, fallback = (text_key if self.text_keys else number_key)(record), ""
        return KeyedRecord(made, with_fields(record, **{self.key: made}), keyless_note(self.stream, self.key, fallback))


def _value(fields: dict[str, msgspec.Raw], name: str) -> object:
    """Decode a field; None if it is absent, has no name, or contains a number that Python cannot represent."""
    try:
        return _any.decode(fields.get(name, b"null")) if name else None
    except msgspec.DecodeError:
        return None
