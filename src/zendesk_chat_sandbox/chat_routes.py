"""Chats outside the incremental export: the list, several by id, one, and the visitor of one."""

import base64
import binascii
import json
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, cast

from zendesk_chat_sandbox.forms import chat_form
from zendesk_chat_sandbox.http_messages import API, Record, Request, Response, bad_request, json_response, not_found
from zendesk_chat_sandbox.timestamps import iso_seconds
from zendesk_chat_sandbox.world import World

PAGE_SIZE: Final = 40


def chats(world: World, request: Request, parts: Sequence[str]) -> Response:
    """Respond to ``/chats``: newest first, 40 a page, linked by an opaque cursor; or the chats named by ``ids``."""
    if "ids" in request.query:
        return _by_ids(world, request.query["ids"])
    with world.account.lock:
        created = world.account.chats.created
        end = _position(created, request.query["cursor"]) if "cursor" in request.query else len(created)
        begin = max(0, end - PAGE_SIZE)
        page = [_shown(world, identity) for _, identity in reversed(created[begin:end])]
        after = min(len(created), end + PAGE_SIZE)
        answer: Record = {
            "chats": page,
            "count": len(created),
            "next_url": _link(world, request, parts, created[begin]) if begin else None,
            "prev_url": None if end == len(created) else _link(world, request, parts, _key_at(created, after)),
        }
    return json_response(answer)


def _shown(world: World, identity: str) -> Record | None:
    record = world.account.chats.shown(identity)
    return None if record is None else chat_form(world.switches, record)


def _key_at(created: Sequence[tuple[int, str]], position: int) -> tuple[int, str]:
    return created[position] if position < len(created) else (created[-1][0] + 1, "")


def _link(world: World, request: Request, parts: Sequence[str], key: tuple[int, str]) -> str:
    cursor = base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")
    return f"{world.switches.next_page_host or request.origin}{API}/{'/'.join(parts)}?cursor={cursor}"


def _position(created: list[tuple[int, str]], cursor: str) -> int:
    """Return the position of the first chat after the page that ends before the cursor's key."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        timestamp, identity = cast("list[object]", json.loads(base64.urlsafe_b64decode(padded)))
        return bisect_left(created, (int(str(timestamp)), str(identity)))
    except (binascii.Error, UnicodeDecodeError, ValueError, TypeError):
        raise bad_request("cursor is not one of this API") from None


def _by_ids(world: World, text: str) -> Response:
    switches = world.switches
    asked = [identity for identity in text.split(",") if identity][: switches.chats_by_id_max or None]
    with world.account.lock:
        found = {identity: _shown(world, identity) for identity in asked}
    known = {identity: record for identity, record in found.items() if record is not None}
    docs = known if switches.absent_chats == "absent" else found
    return json_response({"docs": docs if switches.chats_by_id == "object" else list(docs.values()), "count": len(known)})


def chat(world: World, request: Request, parts: Sequence[str]) -> Response:  # noqa: ARG001 -- a route's signature
    """Respond to ``/chats/{id}``."""
    with world.account.lock:
        record = _shown(world, parts[1])
    if record is None:
        raise not_found()
    return json_response(record)


def visitor(world: World, request: Request, parts: Sequence[str]) -> Response:  # noqa: ARG001 -- a route's signature
    """Respond to ``/visitors/{id}`` from the visitor's latest chat."""
    with world.account.lock:
        own = [entry for entry in world.account.chats.entries.values() if entry.visitor_id == parts[1]]
        if not own:
            raise not_found()
        first = min(own, key=lambda entry: entry.created)
        latest = max(own, key=lambda entry: entry.created)
        seen = world.account.chats.record(latest.identity).get("visitor")
    known: Record = seen if isinstance(seen, dict) else {}
    return json_response({"banned": False, "external_id": None, **known, "created": iso_seconds(first.created)})
