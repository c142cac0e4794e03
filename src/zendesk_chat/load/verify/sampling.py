"""Which chats are compared: a random sample of the file and the account's newest; chats at random times; or all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from zendesk_chat.errors import DataError, UnavailableError
from zendesk_chat.load.verify.answers import IDS_A_REQUEST, Requests, chats_by_id, ids_until, newest_chats
from zendesk_chat.load.verify.chats import ChatCheck
from zendesk_chat.streams.keys import MADE_PREFIX

TIMES: Final = 5
FEW_IDS: Final = 10
ROWS_AT_ONCE: Final = 1_000  # a query of the file compares many as fast as few

# The API does not know ids that were derived for chats without one.
_ASKABLE: Final = f"id IS NOT NULL AND NOT starts_with(id, '{MADE_PREFIX}') AND NOT contains(id, ',')"


def compare_sample(check: ChatCheck, fetch: Requests, size: int, seed: int) -> int | None:
    """Compare the account's newest chats and ``size`` rows of the file. Return the account's total, or None if it has none."""
    page = fetch(newest_chats())
    check.compare(page.chats, (), fetch.now_us)
    lost = sorted(check.held - check.changes.deleted - check.table.known(check.held) - check.seen)
    check.compare(_chats_of(fetch, lost, IDS_A_REQUEST), (), fetch.now_us)
    _compare_rows(check, fetch, sorted(map(str, check.repeated - check.seen)))
    sql = f"SELECT id FROM {check.table.name} WHERE {_ASKABLE} ORDER BY hash(id || ?), id LIMIT ?"
    _compare_rows(check, fetch, [identity for (identity,) in check.table.stored.rows(sql, [str(seed), size])])
    return page.total


def compare_named(check: ChatCheck, fetch: Requests, seed: int) -> int | None:
    """Find chats that the file lacks among those that the account lists for random times and before the first chat.

    Returns how many chats the account listed; None if it does not support such a search.
    """
    named = 0
    try:
        for time in _times(check, seed):
            ids = fetch(ids_until(time))
            named += len(ids)
            known = check.table.known(ids) | check.seen
            unknown = [identity for identity in ids if identity not in known]
            check.compare(_chats_of(fetch, unknown, IDS_A_REQUEST), (), fetch.now_us)
    except (UnavailableError, DataError):
        return None
    return named


def compare_all(check: ChatCheck, fetch: Requests) -> int | None:
    """Compare all chats of the account with the file. Return the account's total, or None if it has none."""
    total: int | None = None
    for raws, of in _all_pages(fetch):
        total = of
        check.compare(raws, (), fetch.now_us)
        fetch.note(f"Compared {len(check.seen):,} chats{f' of {total:,}' if total else ''} ...")
    rows = check.table.stored.rows(f"SELECT id FROM {check.table.name} WHERE {_ASKABLE} AND {check.table.alive}")
    _compare_rows(check, fetch, [identity for (identity,) in rows if identity not in check.seen])
    return total


def _all_pages(fetch: Requests) -> Iterator[tuple[Sequence[msgspec.Raw], int | None]]:
    """Yield all chats of the account, from several pages at once, with the account's total."""
    following: Mapping[str, str] | None = None
    asked: set[tuple[tuple[str, str], ...]] = set()
    raws: list[msgspec.Raw] = []
    while True:
        page = fetch(newest_chats(following))
        raws += page.chats
        following = page.next
        cursor = tuple(following.items()) if following else ()
        ends = not cursor or cursor in asked  # otherwise repeated pages would never end
        if ends or len(raws) >= ROWS_AT_ONCE:
            yield raws, page.total
            raws = []
        if ends:
            return
        asked.add(cursor)


def _compare_rows(check: ChatCheck, fetch: Requests, ids: Sequence[str]) -> None:
    """Compare rows of the file with the account's chats of the same ids.

    Chats that a response lacks are requested again, a few at a time: a server may limit the number of chats in a response.
    """
    for some in _groups([identity for identity in ids if identity not in check.seen], ROWS_AT_ONCE):
        check.compare(_chats_of(fetch, some, IDS_A_REQUEST), (), fetch.now_us)
        absent = [identity for identity in some if identity not in check.seen]
        check.compare(_chats_of(fetch, absent, FEW_IDS), absent, fetch.now_us)


def _chats_of(fetch: Requests, ids: Sequence[str], ids_a_request: int) -> list[msgspec.Raw]:
    return [raw for group in _groups(ids, ids_a_request) for raw in fetch(chats_by_id(group))]


def _times(check: ChatCheck, seed: int) -> list[int]:
    """Return the time of the first chat in the file and some random times of others, in microseconds since 1970."""
    if "timestamp" not in check.table.columns:
        return []
    name = check.table.name
    first = check.table.stored.rows(f"SELECT epoch_us(min(timestamp)) FROM {name}")
    some = check.table.stored.rows(
        f"SELECT epoch_us(timestamp) FROM {name} WHERE timestamp IS NOT NULL ORDER BY hash(id || ?), id LIMIT ?",
        [f"times {seed}", TIMES],
    )
    return [time for (time,) in (*first, *some) if time is not None and time >= 0]


def _groups(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for begin in range(0, len(ids), size):
        yield ids[begin : begin + size]
