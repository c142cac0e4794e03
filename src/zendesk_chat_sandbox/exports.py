"""The incremental exports: records in the order of their last change, a page at a time."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from zendesk_chat_sandbox.feeds import Feed, Key
from zendesk_chat_sandbox.forms import chat_body, has_usual_chats
from zendesk_chat_sandbox.http_messages import API, ApiError, Request, Response, bad_request, encode
from zendesk_chat_sandbox.timestamps import SECOND_US
from zendesk_chat_sandbox.world import World

MAX_LIMIT: Final = 1000
_FIELDS: Final = re.compile(r"(\w+)\((.*)\)")


@dataclass(frozen=True, slots=True)
class Export:
    """What distinguishes one export from the others."""

    name: str
    unit_us: int = SECOND_US
    """Microseconds in one unit of ``start_time``."""
    fraction: bool = False
    default_fields: tuple[str, ...] | None = ("id",)
    """Keys given without ``fields``; None for all of them."""


EXPORTS: Final = {
    export.name: export
    for export in (
        Export("chats"),
        Export("conversions"),
        Export("department_events"),
        Export("agent_timeline", unit_us=1, default_fields=None),
        Export("agent_events", fraction=True, default_fields=None),
    )
}


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters of one request, read."""

    start_us: int
    start_id: str
    limit: int
    fields: tuple[str, ...] | None


def _start_us(export: Export, text: str) -> int:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise bad_request(f"start_time is not a number: {text!r}") from None
    if not value.is_finite() or value < 0 or (not export.fraction and value != value.to_integral_value()):
        raise bad_request(f"start_time is not a number of time units: {text!r}")
    return int(value * export.unit_us)


def _limit(world: World, text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise bad_request(f"limit is not a positive number: {text!r}")
    if int(text) > MAX_LIMIT and world.switches.over_limit == "reject":
        raise bad_request(f"limit must be at most {MAX_LIMIT}")
    return min(int(text), MAX_LIMIT)


def _fields(export: Export, text: str) -> tuple[str, ...] | None:
    written = _FIELDS.fullmatch(text)
    if written is None or written[1] != export.name or export.name == "agent_events":
        return export.default_fields
    names = tuple(name.strip() for name in written[2].split(","))
    return None if "*" in names else names


def _read(world: World, export: Export, request: Request) -> Asked:
    query = request.query
    asked = Asked(
        start_us=_start_us(export, query.get("start_time") or "0"),
        start_id=query.get("start_id", ""),
        limit=_limit(world, query.get("limit", str(MAX_LIMIT))),
        fields=_fields(export, query.get("fields", "")),
    )
    if world.switches.recent_window == "reject":
        newest = int((world.clock.time() - world.switches.recent_seconds) * SECOND_US)
        if asked.start_us > newest:
            raise _too_recent(world)
    return asked


def _too_recent(world: World) -> ApiError:
    if world.switches.recent_status == 422:  # noqa: PLR2004 -- the switch is a Literal of numbers
        text = "Too recent start_time. Use a start_time older than 5 minutes"
        return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, text, "InvalidValue")
    return bad_request("start_time must lie more than five minutes in the past")


def _begin(world: World, export: Export, feed: Feed, asked: Asked) -> int:
    """Return the position of the first record of the page."""
    switches = world.switches
    if export.name == "agent_timeline":
        skip = switches.timeline_boundary == "skip"
        return feed.first_beyond(asked.start_us) if skip and asked.start_us else feed.first_at(asked.start_us)
    if not asked.start_id or switches.start_id == "ignored":
        return feed.first_at(asked.start_us)
    return feed.position((asked.start_us, asked.start_id), beyond=switches.start_id == "exclusive")


def _end(world: World, feed: Feed) -> int:
    """Return the position after the last record that may be shown."""
    hidden = world.switches.recent_seconds if world.switches.recent_window == "exclude" else 0
    return feed.first_beyond(int((world.clock.time() - hidden) * SECOND_US))


def _cut(world: World, export: Export, asked: Asked) -> tuple[Sequence[Key], bool]:
    """Return the keys of the page and whether records follow it."""
    feed = world.account.feed(export.name)
    switches = world.switches
    begin, end = _begin(world, export, feed, asked), _end(world, feed)
    limit = min(asked.limit, switches.export_page_cap or asked.limit)
    if end - begin > limit and switches.short_page_every:
        world.export_pages += 1
        if world.export_pages % switches.short_page_every == 0:
            limit = max(1, limit // 2)
    if export.name == "chats" and switches.deleted_chats == "gone":
        live = [key for key in feed.keys[begin:end] if key[1] not in world.account.chats.deleted]
        return live[:limit], len(live) > limit
    last = min(begin + limit, end)
    if export.name == "agent_timeline" and switches.timeline_boundary == "skip" and last > begin:
        # Nothing may be split that starts together, or the rest would be lost to an exclusive start_time.
        last = min(end, feed.first_beyond(feed.keys[last - 1][0]))
    return feed.keys[begin:last], last < end


def _bodies(world: World, export: Export, keys: Sequence[Key], fields: tuple[str, ...] | None) -> list[bytes]:
    if fields == ("id",):
        return [encode({"id": identity}) for _, identity in keys]
    account = world.account
    found = account.feed(export.name).bodies
    bodies = [found[identity] for _, identity in keys]
    if export.name == "chats" and world.switches.deleted_chats == "tombstone":
        gone = account.chats.deleted
        for number, (_, identity) in enumerate(keys):
            if identity in gone:
                bodies[number] = account.chats.tombstone(identity)
    if export.name == "chats" and not has_usual_chats(world.switches):
        bodies = [chat_body(world.switches, body) for body in bodies]
    if fields is None:
        return bodies
    return [_only(body, fields) for body in bodies]


def _only(body: bytes, fields: tuple[str, ...]) -> bytes:
    record = json.loads(body)
    return encode({name: record[name] for name in fields if name in record})


def _with_id(world: World, export: Export) -> bool:
    if export.name == "department_events":
        return world.switches.department_events_end_id
    return export.name == "chats" or (export.name == "conversions" and world.switches.conversions_end_id)


def _time_out(export: Export, time_us: int) -> int | float:
    return time_us / SECOND_US if export.fraction else time_us // export.unit_us


def _link(world: World, export: Export, request: Request, end: tuple[int | float | None, str | None]) -> str:
    origin = world.switches.next_page_host or request.origin
    query = {name: request.query[name] for name in ("fields", "limit") if name in request.query}
    if end[0] is None:
        query |= {name: request.query[name] for name in ("start_time", "start_id") if name in request.query}
    else:
        query |= {"start_time": str(end[0])} | ({"start_id": end[1]} if end[1] else {})
    pairs = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
    return f"{origin}{API}/incremental/{export.name}?{pairs}"


def _envelope(world: World, export: Export, request: Request, asked: Asked) -> bytes:
    keys, more = _cut(world, export, asked)
    bodies = _bodies(world, export, keys, asked.fields)
    end_time: int | float | None = _time_out(export, keys[-1][0] if keys else asked.start_us)
    end_id: str | None = keys[-1][1] if keys else asked.start_id or None
    if not keys and world.switches.empty_page_end == "null":
        end_time = end_id = None
    tail: dict[str, object] = {"count": len(keys)}
    if _with_id(world, export):
        tail["end_id"] = end_id
    tail["end_time"] = end_time
    link = _link(world, export, request, (end_time, end_id if _with_id(world, export) else None))
    if more or world.switches.next_page == "always":
        tail["next_page"] = link
    elif world.switches.next_page == "null_at_end":
        tail["next_page"] = None
    return b'{"%s":[%s],%s' % (export.name.encode(), b",".join(bodies), encode(tail)[1:])


def _export(world: World, name: str) -> Export:
    export = EXPORTS[name]
    if name == "agent_events" and world.switches.agent_events_unit == "microseconds":
        return replace(export, unit_us=1, fraction=False)
    return export


def export_page(world: World, request: Request, parts: Sequence[str]) -> Response:
    """Respond to ``/incremental/{name}``."""
    export = _export(world, parts[-1])
    asked = _read(world, export, request)
    account = world.account
    with account.lock:
        return Response(HTTPStatus.OK, _envelope(world, export, request, asked))
