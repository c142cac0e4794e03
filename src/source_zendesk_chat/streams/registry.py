"""The twelve streams, each one value."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib.resources import files
from typing import Any, Final

import msgspec

from source_zendesk_chat.streams.agent_timeline import AGENT_TIMELINE
from source_zendesk_chat.streams.chats import CHATS
from source_zendesk_chat.streams.exports import Export, probe_export, read_export
from source_zendesk_chat.streams.lists import (
    Extract,
    Groups,
    IdList,
    Listing,
    array,
    ban_groups,
    data,
    probe_by_id,
    probe_whole,
    read_by_id,
    read_whole,
    root,
    single_group,
)
from source_zendesk_chat.streams.positions import dump_export, dump_list, load_export, load_list
from source_zendesk_chat.streams.stream import Stream


def schema(stream: str) -> dict[str, Any]:
    """The JSON schema of a stream's records."""
    text = (files("source_zendesk_chat.streams.schemas") / f"{stream}.json").read_bytes()
    loaded: dict[str, Any] = msgspec.json.decode(text)
    return loaded


def _export(export: Export, key: str, cursor_field: str) -> Stream[Any]:
    return Stream(
        name=export.stream,
        primary_key=(key,),
        cursor_field=cursor_field,
        schema=partial(schema, export.stream),
        read=read_export(export),
        probe=probe_export(export),
        load_state=load_export(export.stream, cursor_field),
        dump_state=dump_export(cursor_field, micros=export.unit == 1),
    )


def _by_id(name: str, groups: Groups) -> Stream[Any]:
    listing = IdList(name, name, groups)
    return Stream(
        name=name,
        primary_key=("id",),
        cursor_field="id",
        schema=partial(schema, name),
        read=read_by_id(listing),
        probe=probe_by_id(listing),
        load_state=load_list(name),
        dump_state=dump_list,
    )


def _whole(name: str, path: str, extract: Extract, key: str) -> Stream[Any]:
    listing = Listing(name, path, extract, key)
    return Stream(
        name=name,
        primary_key=(key,) if key else (),
        cursor_field=None,
        schema=partial(schema, name),
        read=read_whole(listing),
        probe=probe_whole(listing),
        load_state=lambda _state: None,
        dump_state=lambda _position: {},
    )


_ALL: Final = (
    _whole("accounts", "account", root, "account_key"),
    _by_id("agents", single_group),
    _export(AGENT_TIMELINE, "id", "start_time"),
    _by_id("bans", ban_groups),
    _export(CHATS, "id", "update_timestamp"),
    _whole("departments", "departments", array, "id"),
    _whole("goals", "goals", array, "id"),
    _whole("roles", "roles", array, "id"),
    _whole("routing_settings", "routing_settings/account", data, ""),
    _whole("shortcuts", "shortcuts", array, "id"),
    _whole("skills", "skills", array, "id"),
    _whole("triggers", "triggers", array, "id"),
)
STREAMS: Final[Mapping[str, Stream[Any]]] = {stream.name: stream for stream in _ALL}
