"""What ``verify`` requests: chats by page, by id and by time, and those that changed lately.

Facts about the API: ``GET chats`` returns 40 chats per page with the total as ``count``. ``GET chats?ids=`` returns ``docs``,
an object by id or an array, without chats that do not exist. ``GET chats/search`` returns ids, newest first. None of them has
the fields that only the export has, such as ``update_timestamp`` and ``engagements``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec

from zendesk_chat.api.client import Client, Observer
from zendesk_chat.clock import Clock
from zendesk_chat.engine.threads import SETTLE_SECONDS
from zendesk_chat.errors import TransientError
from zendesk_chat.load.log import Log
from zendesk_chat.request import FEW_ATTEMPTS, Request
from zendesk_chat.streams.exports.chats import CHATS
from zendesk_chat.streams.exports.export import ExportPage
from zendesk_chat.streams.exports.page import PAGE_SIZE
from zendesk_chat.streams.exports.times import RECENT_US
from zendesk_chat.streams.records import SECOND_US, decode_answer, iso_seconds, micros_of

T = TypeVar("T")
IDS_A_REQUEST: Final = 50  # several clients send this many; read 2026-11-28
CHATS_A_PAGE: Final = 40
MAX_CHANGE_PAGES: Final = 20
UNKNOWN_TIME: Final = 2**62
"""The time of a change that is unknown, after all others."""

_SHORTEST_WAIT_SECONDS: Final = 5.0


class Requests(Observer):
    """Makes the requests of one command, one after the other, and counts them.

    Args:
        client: The account's API.
        clock: No request is made once it is stopped.
        log: Where the progress is reported.
    """

    def __init__(self, client: Client, clock: Clock, log: Log) -> None:
        self._client = client
        self._clock = clock
        self._log = log
        self.count = 0

    def __call__(self, request: Request[T]) -> T:
        """Fetch one page. Raises ConnectorError and Stopped."""
        self._clock.check()
        return self._client.get(request, self)

    @property
    def now_us(self) -> int:
        """Zendesk's time, microseconds since 1970."""
        return int(self._client.time.now() * SECOND_US)

    @property
    def ahead_seconds(self) -> float:
        """By how much this machine's clock is ahead of Zendesk's."""
        return self._client.time.ahead

    def settle(self) -> None:
        """Let a renewal of the token in progress end; otherwise the tokens would be lost."""
        self._client.settle(SETTLE_SECONDS)

    def note(self, message: str) -> None:
        """Report the progress in a sentence."""
        self._log.note(message, "progress")

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Report how an attempt ended, for a detailed log."""
        what = f"GET {path}: {f'HTTP {status}' if status else 'no answer'} in {seconds:.2f} s"
        self._log.detail(what, "request", path=path, status=status, seconds=round(seconds, 3))

    def sent(self) -> None:
        """Count a request."""
        self.count += 1

    def waited(self, seconds: float, reason: str = "") -> None:
        """Report a long wait."""
        if reason:
            self._log.note(reason, "retrying", wait_seconds=round(seconds, 1))
        elif seconds >= _SHORTEST_WAIT_SECONDS:
            what = f"Waiting {seconds:.0f} s for Zendesk's request limit."
            self._log.note(what, "rate_limit", wait_seconds=round(seconds, 1))


class _ChatPage(msgspec.Struct):
    chats: list[msgspec.Raw]
    count: object = None
    next_url: object = None


class _Docs(msgspec.Struct):
    docs: dict[str, msgspec.Raw] | list[msgspec.Raw] | None


class _Result(msgspec.Struct):
    id: object = None


class _Search(msgspec.Struct):
    results: list[_Result]


class _Change(msgspec.Struct):
    id: object = None
    update_timestamp: object = None
    deleted: object = None


_page: Final = msgspec.json.Decoder(_ChatPage)
_docs: Final = msgspec.json.Decoder(_Docs)
_search: Final = msgspec.json.Decoder(_Search)
_change: Final = msgspec.json.Decoder(_Change)


@dataclass(frozen=True, slots=True)
class ChatPage:
    """A page of the account's chats.

    Attributes:
        chats: The chats, unchanged.
        total: How many chats the account has; None if the response has no number.
        next: The parameters of the next page; None at the end.
    """

    chats: Sequence[msgspec.Raw]
    total: int | None
    next: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Changes:
    """The chats that changed since a time, as the export lists them.

    Attributes:
        times: When each was last changed, by its id; ``UNKNOWN_TIME`` if the export does not show it.
        deleted: Those of them that are deleted.
    """

    times: Mapping[str, int]
    deleted: frozenset[str]


def newest_chats(following: Mapping[str, str] | None = None) -> Request[ChatPage]:
    """Return the request for the first page of chats, or for a following one."""
    return Request("chats", _decode_page, following or {})


def chats_by_id(ids: Sequence[str]) -> Request[Sequence[msgspec.Raw]]:
    """Return the request for up to ``IDS_A_REQUEST`` chats. The response lacks those that do not exist."""
    return Request("chats", _decode_docs, {"ids": ",".join(ids)})


def ids_until(time_us: int) -> Request[Sequence[str]]:
    """Return the request for the ids of the last chats that began up to a time."""
    span = f"timestamp:[1970-01-01T00:00:00Z TO {iso_seconds(time_us)}]"
    return Request("chats/search", _decode_search, {"q": span}, FEW_ATTEMPTS)


def read_changes(fetch: Requests, since_us: int) -> Changes:
    """Read which chats changed since a time. The export does not list changes of the last minutes.

    Raises:
        TransientError: There are too many.
    """
    times: dict[str, int] = {}
    deleted: set[str] = set()
    start, start_id = since_us // SECOND_US, ""
    for _ in range(MAX_CHANGE_PAGES):
        if start * SECOND_US > fetch.now_us - RECENT_US:
            return Changes(times, frozenset(deleted))
        page = fetch(_changes_from(start, start_id))
        changes = [change for raw in page.rows if isinstance((change := _decode_change(raw)).id, str)]
        known = len(times)
        times.update({str(change.id): micros_of(change.update_timestamp) or UNKNOWN_TIME for change in changes})
        deleted.update(str(change.id) for change in changes if change.deleted is True)
        if len(times) == known or not isinstance(page.end_time, int):
            return Changes(times, frozenset(deleted))
        start, start_id = page.end_time, page.end_id if isinstance(page.end_id, str) else ""
    what = f"chats: more than {len(times):,} changed since the last sync, too many to compare."
    raise TransientError(f"{what} Run sync, then verify again.")


def complete_chats(start_us: int, limit: int) -> Request[ExportPage]:
    """Return the request for complete chats from the export, from a time of change on."""
    params = {**CHATS.complete_records, "start_time": start_us // SECOND_US, "limit": limit}
    return Request(CHATS.path, CHATS.decode, params)


def _changes_from(start: int, start_id: str) -> Request[ExportPage]:
    params: dict[str, str | int] = {"fields": "chats(id,update_timestamp,deleted)", "start_time": start, "limit": PAGE_SIZE}
    return Request(CHATS.path, CHATS.decode, params | ({"start_id": start_id} if start_id else {}))


def _decode_change(raw: msgspec.Raw) -> _Change:
    try:
        return _change.decode(raw)
    except msgspec.ValidationError:  # a row that is not an object
        return _Change()


def _decode_page(body: bytes) -> ChatPage:
    page = decode_answer(body, _page)
    total = page.count if isinstance(page.count, int) and not isinstance(page.count, bool) else None
    # Only the parameters are used: the token is never sent to an address in a response.
    query = dict(parse_qsl(urlsplit(page.next_url).query)) if isinstance(page.next_url, str) else {}
    return ChatPage(_objects(page.chats), total, query or None)


def _decode_docs(body: bytes) -> Sequence[msgspec.Raw]:
    docs = decode_answer(body, _docs).docs or []
    return _objects(docs.values() if isinstance(docs, dict) else docs)


def _decode_search(body: bytes) -> Sequence[str]:
    return [result.id for result in decode_answer(body, _search).results if isinstance(result.id, str)]


def _objects(raws: Iterable[msgspec.Raw]) -> list[msgspec.Raw]:
    return [raw for raw in raws if bytes(raw).startswith(b"{")]
