"""Chat search: previews of matching chats, newest first, and no further than the cap."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from zendesk_chat_sandbox.http_messages import API, Record, Request, Response, bad_request, json_response
from zendesk_chat_sandbox.search_query import QueryError, parse_query
from zendesk_chat_sandbox.world import World

PAGE_SIZE: Final = 40
_PREVIEW_LENGTH: Final = 80


def search(world: World, request: Request, parts: Sequence[str]) -> Response:  # noqa: ARG001 -- a route's signature
    """Respond to ``/chats/search?q=``."""
    text = request.query.get("q", "")
    page = _page(world, request.query.get("page", "1"))
    try:
        test = parse_query(text)
    except QueryError as error:
        raise bad_request(str(error)) from None
    first = (page - 1) * PAGE_SIZE
    origin = world.switches.next_page_host or request.origin
    with world.account.lock:
        store = world.account.chats
        found = [identity for _, identity in reversed(store.created) if test(store.entries[identity])]
        results = [_result(store.record(identity), request.origin) for identity in found[first : first + PAGE_SIZE]]
    more = len(found) > first + PAGE_SIZE
    answer: Record = {
        "results": results,
        "count": len(found),
        "next_url": _link(origin, text, page + 1) if more else None,
        "prev_url": _link(origin, text, page - 1) if page > 1 else None,
    }
    return json_response(answer)


def _page(world: World, text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise bad_request(f"page is not a positive number: {text!r}")
    if (int(text) - 1) * PAGE_SIZE >= world.switches.search_cap:
        raise bad_request(f"a search gives at most {world.switches.search_cap} results")
    return int(text)


def _link(origin: str, text: str, page: int) -> str:
    return f"{origin}{API}/chats/search?{urlencode({'q': text, 'page': page})}"


def _result(record: Record, origin: str) -> Record:
    return {
        "id": record["id"],
        "type": record.get("type"),
        "timestamp": record["timestamp"],
        "preview": _preview(record)[:_PREVIEW_LENGTH],
        "url": f"{origin}{API}/chats/{record['id']}",
    }


def _preview(record: Record) -> str:
    history = record.get("history")
    if isinstance(history, list):
        return next((str(item["msg"]) for item in history if isinstance(item, dict) and "msg" in item), "")
    return str(record.get("message", ""))
