"""Chats, and offline messages among them: ``GET incremental/chats``, ordered by update time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import msgspec

from zendesk_chat.streams.drift import Finding, Watch
from zendesk_chat.streams.exports.export import Export, ExportPage, Look, Row, decode_page
from zendesk_chat.streams.keys import text_key, usable
from zendesk_chat.streams.records import SECOND_US, decode_fields, micros_of, with_fields
from zendesk_chat.streams.schemas import load_redacted_schema, load_schema

if TYPE_CHECKING:
    from zendesk_chat.json_schema import Schema
    from zendesk_chat.redaction.rules import Redaction

LOOKED_INTO: Final = 5000
ONE_IN: Final = 4


class _Page(ExportPage, kw_only=True):
    rows: list[msgspec.Raw] = msgspec.field(name="chats")


class _Chat(msgspec.Struct, gc=False):
    id: Any = None
    update_timestamp: Any = None
    updated_timestamp: Any = None  # two clients look for this spelling too
    unread: Any = None


_decoder: Final = msgspec.json.Decoder(_Chat)


def chat_row(raw: msgspec.Raw) -> Row | None:
    """Key and time of a chat; None where it is no object.

    ``unread`` becomes a boolean where the API sends 1 or 0, and ``id`` is made from the content where there is none.
    """
    chat = decode_fields(raw, _decoder, _Chat())
    if chat is None:
        return None
    record = bytes(raw)
    if chat.unread in (0, 1) and not isinstance(chat.unread, bool):
        record = with_fields(record, unread=bool(chat.unread))
    time = micros_of(chat.update_timestamp or chat.updated_timestamp)
    if usable(chat.id):
        return Row(str(chat.id), time, record)
    key = text_key(record)
    return Row(key, time, with_fields(record, id=key))


def look_at_chats(schema: Callable[[], Mapping[str, Any]]) -> Callable[[], Look]:
    """Chats with a schema as an export looks at them: one decoding for the key, the time and what the schema does not know.

    To look at all that is inside a chat costs half as much as to read it. So in a backfill that is done for the first
    ``LOOKED_INTO`` chats and then for one in ``ONE_IN``; the fields of the chat itself are looked at in each.
    """

    def begin() -> Look:
        sent = _as_sent(schema())
        inside, outline = Watch(sent), Watch(_outline(sent))
        numbers = count()
        told: set[Finding] = set()

        def row(raw: msgspec.Raw) -> Row | None:
            number = next(numbers)
            chat = (inside if number < LOOKED_INTO or number % ONE_IN == 0 else outline).decode(raw)
            if chat is None or not chat.id or not chat.update_timestamp or type(getattr(chat, "unread", None)) is int:
                return chat_row(raw)
            return Row(chat.id, micros_of(chat.update_timestamp), bytes(raw))

        def found() -> list[Finding]:
            findings = (*inside.findings(), *outline.findings())
            news = [
                finding for finding in findings if finding.path and finding not in told
            ]  # the path of a row that is no object is empty
            told.update(news)
            return news

        return row, found

    return begin


def _outline(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema with the record's own fields only: the types of its scalars, and anything inside of objects and arrays."""
    nested = {"object", "array"}
    fields = {
        name: {} if nested & {*field["type"]} else {"type": field["type"]} for name, field in schema["properties"].items()
    }
    return {**schema, "properties": fields}


def _as_sent(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema before ``unread`` is made a boolean."""
    unread = schema["properties"].get("unread")
    sent = {} if unread is None else {"unread": {**unread, "type": [*unread["type"], "integer"]}}
    return {**schema, "properties": {**schema["properties"], **sent}}


def schema_of_chats(load: Callable[[str], Schema]) -> Mapping[str, Any]:
    """The schema of chats as JSON."""
    return load("chats").to_json()


def redacted_look(redaction: Redaction) -> Callable[[], Look]:
    """Chats redacted, as an export looks at them."""
    return look_at_chats(partial(schema_of_chats, partial(load_redacted_schema, redaction)))


CHATS: Final = Export(
    stream="chats",
    path="incremental/chats",
    fields="chats(*)",
    unit=SECOND_US,
    decode=decode_page(_Page),
    row=chat_row,
    look=look_at_chats(partial(schema_of_chats, load_schema)),
    redacted_look=redacted_look,
)
