"""The responses of list endpoints, decoded to raw records."""

from __future__ import annotations

from typing import Final

import msgspec

from zendesk_chat.errors import EnvelopeError
from zendesk_chat.streams.keys import INTEGER
from zendesk_chat.streams.records import decode_answer, raw_fields, with_fields


class _Ids(msgspec.Struct):
    id: object = None
    agent_id: object = None


class _Data(msgspec.Struct):
    data: dict[str, msgspec.Raw]


class _Settings(msgspec.Struct):
    data: list[msgspec.Raw] | dict[str, msgspec.Raw]


class _Bans(msgspec.Struct):
    ip_address: list[msgspec.Raw] | None = None
    visitor: list[msgspec.Raw] | None = None
    error: msgspec.Raw | None = None


_array: Final = msgspec.json.Decoder(list[msgspec.Raw])
_data: Final = msgspec.json.Decoder(_Data)
_settings: Final = msgspec.json.Decoder(list[msgspec.Raw] | _Settings)
_bans: Final = msgspec.json.Decoder(_Bans)
_ids: Final = msgspec.json.Decoder(_Ids)
_ACCOUNT_FIELDS: Final = frozenset({"account_key", "status", "create_date", "plan", "billing"})


def array(body: bytes) -> list[msgspec.Raw]:
    """Return the records of a bare array."""
    return decode_answer(body, _array)


def account(body: bytes) -> list[msgspec.Raw]:
    """Return the account in a response."""
    fields = decode_answer(body, raw_fields)
    if _ACCOUNT_FIELDS.isdisjoint(fields):
        raise EnvelopeError("Zendesk's response has an unexpected structure: it is not an account. Please report this.")
    return [msgspec.Raw(msgspec.json.encode(fields))]


def data(body: bytes) -> list[msgspec.Raw]:
    """Return the one record in ``{"data": {...}}``."""
    fields = decode_answer(body, _data).data
    if not fields:
        raise EnvelopeError("Zendesk's response has an unexpected structure: its `data` is empty. Please report this.")
    return [msgspec.Raw(msgspec.json.encode(fields))]


def single_group(body: bytes) -> list[list[msgspec.Raw]]:
    """Return a bare array as the only list of its response."""
    return [array(body)]


def ban_groups(body: bytes) -> list[list[msgspec.Raw]]:
    """Return the two lists in a response of bans. A list that is absent or null is empty, as on a last page."""
    bans = decode_answer(body, _bans)
    if bans.error is not None and bans.ip_address is bans.visitor is None:
        raise EnvelopeError("Zendesk's response has an unexpected structure: it is an error. Please report this.")
    return [bans.ip_address or [], bans.visitor or []]


def agent_settings(body: bytes) -> list[list[msgspec.Raw]]:
    """Return the records of an array or of the value of ``{"data": ...}``: an array, or an object by agent id.

    A record without ``agent_id`` gets it from its ``id``, or from its key in the object.
    """
    answer = decode_answer(body, _settings)
    found = answer.data if isinstance(answer, _Settings) else answer
    if isinstance(found, list):
        return [[_with_agent_id(None, raw) for raw in found]]
    if not all(map(INTEGER.fullmatch, found)):
        raise EnvelopeError("Zendesk's response has an unexpected structure: `data` is not by agent id. Please report this.")
    return [[_with_agent_id(int(key), raw) for key, raw in found.items()]]


def _with_agent_id(key: int | None, raw: msgspec.Raw) -> msgspec.Raw:
    try:
        row = _ids.decode(raw)
    except msgspec.ValidationError:
        return raw  # not an object; it is skipped when records get their keys
    own = key if row.id is None else row.id
    return raw if row.agent_id is not None or own is None else msgspec.Raw(with_fields(bytes(raw), agent_id=own))
