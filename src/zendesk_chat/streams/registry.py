"""The streams, each one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from zendesk_chat.json_schema import Schema
from zendesk_chat.streams.exports.agent_timeline import AGENT_TIMELINE
from zendesk_chat.streams.exports.chats import CHATS, look_at_chats
from zendesk_chat.streams.exports.events import AGENT_EVENTS, CONVERSIONS, DEPARTMENT_EVENTS
from zendesk_chat.streams.exports.feed import read_together
from zendesk_chat.streams.exports.reader import Export, probe_export, read_export
from zendesk_chat.streams.lists import (
    Groups,
    IdList,
    Listing,
    account,
    agent_settings,
    array,
    ban_groups,
    data,
    probe_by_id,
    probe_whole,
    read_by_id,
    read_whole,
    single_group,
)
from zendesk_chat.streams.positions import dump_export, dump_list, load_export, load_list
from zendesk_chat.streams.stream import Children, RawRecord, Stream

if TYPE_CHECKING:
    from zendesk_chat.redaction.fields import StreamFields
    from zendesk_chat.redaction.rules import Redaction

Streams: TypeAlias = Mapping[str, Stream[Any]]
Derive: TypeAlias = Callable[[Sequence[RawRecord]], Children]
PARENT: Final = "chat_id"
_NEEDED_TOO: Final = {"chats": ("updated_timestamp",), "agent_timeline": ("agent_id",)}  # beside key and cursor
_HASHABLE: Final = {"visitors": ("id",), "agent_timeline": ("agent_id",)}  # of key and cursor
_PERSONAL: Final = {"visitors": ("id",)}  # matched by wildcards too


def streams_for(redaction: Redaction | None) -> tuple[Streams, list[str]]:
    """The streams as a configuration wants them, and what the user should be told about it.

    Raises:
        ConfigError: The redaction names a stream that there is not, or a field that a stream cannot do without.
    """
    if redaction is None:
        return STREAMS, []
    from zendesk_chat.redaction.fields import bind
    from zendesk_chat.redaction.schemas import unknown_fields

    schemas = {name: Schema.parse(schema(name)) for name in STREAMS}
    bound = bind(redaction, {name: _stream_fields(stream, schemas[name]) for name, stream in STREAMS.items()})
    return _streams(bound), [*unknown_fields(bound, schemas), *_without_visitors(bound)]


def _stream_fields(stream: Stream[Any], schema: Schema) -> StreamFields:
    """What redaction needs to know of a stream."""
    from zendesk_chat.redaction.fields import StreamFields
    from zendesk_chat.redaction.schemas import lists_of_objects
    from zendesk_chat.streams.derived.origins import ORIGINS

    name, also = stream.name, _NEEDED_TOO.get(stream.name, ())
    return StreamFields(
        needed=tuple(filter(None, (*stream.primary_key, stream.cursor_field, *also))),
        hashable=_HASHABLE.get(name, ()),
        personal=_PERSONAL.get(name, ()),
        origin=ORIGINS.get(name),
        lists=() if name in ORIGINS else tuple(lists_of_objects(schema)),
    )


def _without_visitors(redaction: Redaction) -> list[str]:
    """What to tell where the redaction leaves no visitor an id."""
    redact = _redactor(redaction, "chats")
    left = msgspec.json.decode(redact(b'{"id":"c","visitor":{"id":"v"}}')) if redact else {"visitor": {"id": "v"}}
    if (left.get("visitor") or {}).get("id"):
        return []
    return ["redact: without chats.visitor.id the stream visitors has no records. Hash it to keep them."]


def schema(stream: str) -> dict[str, Any]:
    """The JSON schema of a stream's records, where nothing is redacted."""
    text = (files("zendesk_chat.streams.schemas") / f"{stream}.json").read_bytes()
    loaded: dict[str, Any] = msgspec.json.decode(text)
    return loaded


def _streams(redaction: Redaction | None) -> Streams:
    def redact(stream: str) -> Callable[[bytes], bytes] | None:
        return _redactor(redaction, stream) if redaction else None

    def schema_of(stream: str) -> Callable[[], dict[str, Any]]:
        return partial(_redacted_schema, redaction, stream) if redaction else partial(schema, stream)

    def whole(listing: Listing) -> Stream[Any]:
        return _whole(replace(listing, redact=redact(listing.stream)), schema_of(listing.stream))

    def by_id(name: str, path: str, groups: Groups, key: str = "id", *, optional: bool = False) -> Stream[Any]:
        listing = IdList(name, path, groups, key, unpaged=optional, redact=redact(name))
        return _by_id(listing, schema_of(name), optional=optional)

    def export(given: Export, cursor_field: str, *, optional: bool = False) -> Stream[Any]:
        return _export(replace(given, redact=redact(given.stream)), cursor_field, schema_of(given.stream), optional=optional)

    def derived(name: str, cut: str) -> Stream[Any]:
        return _derived(chats, name, schema_of(name), partial(_cutter, cut))

    chats = export(replace(CHATS, look=look_at_chats(schema_of("chats"))), "update_timestamp")
    every = (
        whole(Listing("accounts", "account", account, "account_key", text_keys=True)),
        by_id("agents", "agents", single_group),
        export(AGENT_EVENTS, "timestamp", optional=True),
        by_id("agent_routing_settings", "routing_settings/agents", agent_settings, "agent_id", optional=True),
        export(AGENT_TIMELINE, "start_time"),
        by_id("bans", "bans", ban_groups),
        chats,
        derived("chat_conversions", "CHAT_CONVERSIONS"),
        derived("chat_engagements", "CHAT_ENGAGEMENTS"),
        derived("chat_events", "CHAT_EVENTS"),
        derived("chat_webpaths", "CHAT_WEBPATHS"),
        export(CONVERSIONS, "timestamp", optional=True),
        whole(Listing("departments", "departments", array)),
        export(DEPARTMENT_EVENTS, "timestamp", optional=True),
        whole(Listing("goals", "goals", array)),
        whole(Listing("roles", "roles", array)),
        whole(Listing("routing_settings", "routing_settings/account", data, key="")),
        whole(Listing("shortcuts", "shortcuts", array, stand_in="name", text_keys=True)),
        whole(Listing("skills", "skills", array)),
        whole(Listing("triggers", "triggers", array)),
        _visitors(chats, schema_of("visitors")),
    )
    return {stream.name: stream for stream in every}


def _redactor(redaction: Redaction, stream: str) -> Callable[[bytes], bytes] | None:
    from zendesk_chat.redaction.redactor import redactor  # late: who redacts nothing is spared its loading

    return redactor(redaction, stream)


def _redacted_schema(redaction: Redaction, stream: str) -> dict[str, Any]:
    from zendesk_chat.redaction.schemas import redacted_schema

    return redacted_schema(redaction, stream, Schema.parse(schema(stream))).to_json()


def _export(export: Export, cursor_field: str, schema_of: Callable[[], dict[str, Any]], *, optional: bool) -> Stream[Any]:
    return Stream(
        name=export.stream,
        primary_key=("id",),
        cursor_field=cursor_field,
        schema=schema_of,
        read=read_export(export),
        probe=probe_export(export),
        load_state=load_export(export.stream, cursor_field),
        dump_state=dump_export(cursor_field, micros=export.unit == 1 or export.either_unit),
        read_together=read_together(export),
        optional=optional,
    )


def _derived(
    feed: Stream[Any], name: str, schema_of: Callable[[], dict[str, Any]], cutter: Callable[[dict[str, Any]], Derive]
) -> Stream[Any]:
    """A stream that is cut out of the records of another one; ``cutter`` makes the cut when it is first needed."""
    cursor_field = "chat_update_timestamp"
    cut = cache(lambda: cutter(schema_of()))
    return replace(
        feed,
        name=name,
        cursor_field=cursor_field,
        schema=schema_of,
        load_state=load_export(name, cursor_field),
        dump_state=dump_export(cursor_field, micros=False),
        derive=lambda records: cut()(records),  # noqa: PLW0108  it is made late
        parent_field=PARENT,
    )


def _visitors(feed: Stream[Any], schema_of: Callable[[], dict[str, Any]]) -> Stream[Any]:
    def cutter(schema: dict[str, Any]) -> Derive:
        from zendesk_chat.streams.derived.visitors import visitors

        return visitors(schema)

    latest = "last_chat_timestamp"
    return replace(_derived(feed, "visitors", schema_of, cutter), cursor_field=latest, parent_field=None, latest_by=latest)


def _cutter(cut: str, schema: dict[str, Any]) -> Derive:
    """Make a cut; its modules take time to load, which who does not read it is spared."""
    from zendesk_chat.streams.derived import chat_lists
    from zendesk_chat.streams.derived.extract import cutter

    return cutter(getattr(chat_lists, cut), schema)


def _by_id(listing: IdList, schema_of: Callable[[], dict[str, Any]], *, optional: bool) -> Stream[Any]:
    return Stream(
        name=listing.stream,
        primary_key=(listing.key,),
        cursor_field=listing.key,
        schema=schema_of,
        read=read_by_id(listing),
        probe=probe_by_id(listing),
        load_state=load_list(listing.stream, listing.key),
        dump_state=partial(dump_list, cursor_field=listing.key),
        optional=optional,
    )


def _whole(listing: Listing, schema_of: Callable[[], dict[str, Any]]) -> Stream[Any]:
    return Stream(
        name=listing.stream,
        primary_key=(listing.key,) if listing.key else (),
        cursor_field=None,
        schema=schema_of,
        read=read_whole(listing),
        probe=probe_whole(listing),
        load_state=lambda _state: None,
        dump_state=lambda _position: {},
    )


STREAMS: Final = _streams(None)
