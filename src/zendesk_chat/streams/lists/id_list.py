"""Lists ordered by id and paged by ``since_id``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final

import msgspec

from zendesk_chat.errors import ConnectorError, PaginationStuckError
from zendesk_chat.request import FEW_ATTEMPTS, Request
from zendesk_chat.streams.keys import list_position
from zendesk_chat.streams.lists.keyed import KeyedList, KeyedRecord
from zendesk_chat.streams.positions import ListPosition, dump_list, load_list
from zendesk_chat.streams.records import digest
from zendesk_chat.streams.stream import Batch, Bounds, Fetch, RawRecord
from zendesk_chat.wording import counted

ID_PAGE_SIZE: Final = 100  # agents responds with 400 to more (singer-io/tap-zendesk-chat #18); read 2026-11-22
MAX_NAMED: Final = 10
MAX_DIGESTS: Final = 10_000  # about 300 KB of state; beyond this, changes to the records with the lowest ids are not detected
DIGEST_IN_STATE_BYTES: Final = 32
RECORDS_PER_STATE: Final = 5  # bytes of records for one byte of state; otherwise states would make up most of a long list
SHORT_LIST: Final = 500  # records; up to this length, a checkpoint follows each page
GROWTH: Final = 4  # the number of records must grow by this factor between two checkpoints


@dataclass(frozen=True, slots=True)
class IdList(KeyedList):
    """A list ordered by id and paged by ``since_id``, which is inclusive.

    Attributes:
        groups: Returns the lists of a response. It is not known whether the page size counts all of them together or each of
            them. So the next page begins after the lowest of their last ids: nothing before it is left unread either way.
        unpaged: Whether the API may lack paging here, and return the complete list each time.
    """

    groups: Callable[[bytes], Sequence[Sequence[msgspec.Raw]]]
    unpaged: bool = False

    load_state = staticmethod(load_list)
    dump_state = staticmethod(dump_list)

    def read(
        self, fetch: Fetch, positions: Sequence[ListPosition | None], bounds: Bounds
    ) -> Iterator[Sequence[Batch[ListPosition]]]:
        """Read the list for one stream.

        An incremental run reads the complete list again, because a change does not give a record a new id, and emits new and
        changed records. A full refresh that resumes continues after the last id. The end is an empty page, or the complete
        list again.
        """
        (position,) = positions
        return ([batch] for batch in _IdReading(self, position, bounds).batches(fetch))

    def probe(self, _bounds: Bounds) -> Request[object]:
        """Return a request for one record."""
        return Request(self.path, self.groups, {"limit": 1, "since_id": 0}, FEW_ATTEMPTS)


@dataclass(slots=True)
class _Pending:
    """What was read since the last checkpoint."""

    records: list[RawRecord] = field(default_factory=list)
    size: int = 0
    pages: int = 0
    received: int = 0
    outside: int = 0
    notes: dict[str, None] = field(default_factory=dict)

    def batch(self, position: ListPosition) -> Batch[ListPosition]:
        """Return the batch that ends with a position."""
        unchanged = self.received - self.outside - len(self.records)
        return Batch(self.records, position, self.received, tuple(self.notes), None, unchanged, self.outside, self.pages)


class _IdReading:
    """One run over a list ordered by id.

    A checkpoint contains the digests of all records so far. So in a long list it follows several pages, and all checkpoints
    together are a fraction of the size of the records.
    """

    def __init__(self, listing: IdList, position: ListPosition | None, bounds: Bounds) -> None:
        self._listing = listing
        self._saved = position or ListPosition(0)
        self._complete = bounds.incremental
        self._since = 0 if bounds.incremental or position is None else position.id + 1
        self._from_start = self._since == 0
        self._digests = dict(self._saved.digests)
        self._positions: set[int] = set()
        self._count_at_checkpoint = 0
        self._emitted_notes: set[str] = set()
        self._pending = _Pending()

    def batches(self, fetch: Fetch) -> Iterator[Batch[ListPosition]]:
        """Read to the end."""
        while True:
            try:
                groups = self._page(fetch)
            except ConnectorError:
                yield from self._checkpoint()
                raise
            following = self._following(groups)
            self._take(list(chain.from_iterable(groups)))
            if following <= self._since:
                error = self._error(fetch, groups)
                if error is None:
                    yield self._last()
                    return
                yield from self._checkpoint()
                raise error
            self._since = following
            if self._is_due():
                yield from self._checkpoint()

    def _page(self, fetch: Fetch) -> list[list[tuple[int, KeyedRecord]]]:
        """Fetch the next page: the records of each of its lists, with their positions in the list's order."""
        raw_groups = fetch(self._request(ID_PAGE_SIZE, self._since))
        groups = [self._listing.keyed(group) for group in raw_groups]
        received, found = sum(map(len, raw_groups)), list(chain.from_iterable(groups))
        skipped = received - len(found)
        self._pending.pages += 1
        self._pending.received += received
        self._pending.outside += skipped
        self._note(self._listing.notes(found, skipped))
        return [[(list_position(keyed.key), keyed) for keyed in group] for group in groups]

    def _request(self, limit: int, since_id: int) -> Request[Sequence[Sequence[msgspec.Raw]]]:
        return Request(self._listing.path, self._listing.groups, {"limit": limit, "since_id": since_id})

    def _following(self, groups: Sequence[Sequence[tuple[int, KeyedRecord]]]) -> int:
        """Return the id at which the next page begins; 0 if no record of a page has a number as its id.

        The next page begins after the lowest of the last ids of its lists. With IP bans up to 90 and visitor bans up to 60, it
        begins at 61, because the page may have ended before a visitor ban between the two.
        """
        lasts = [max(position for position, _ in group) for group in groups if group]
        return min((last for last in lasts if last >= 0), default=-1) + 1

    def _take(self, rows: Sequence[tuple[int, KeyedRecord]]) -> None:
        """Keep the records of a page that this run has not read yet and that are new or changed."""
        for position, keyed in sorted(dict(rows).items()):
            if position in self._positions or 0 <= position < self._since:
                self._pending.outside += 1
                continue
            self._positions.add(position)
            known, self._digests[position] = self._digests.get(position), digest(keyed.record)
            known_by_id = known is None and 0 <= position <= self._saved.id and position < self._saved.digests_from
            if known != self._digests[position] and not known_by_id:
                self._pending.records.append(keyed.record)
                self._pending.size += len(keyed.record)

    def _error(self, fetch: Fetch, groups: Sequence[Sequence[tuple[int, KeyedRecord]]]) -> ConnectorError | None:
        """Return why the list cannot be read to its end, if a page does not lead to another one."""
        stream, rows = self._listing.stream, list(chain.from_iterable(groups))
        if any(position >= 0 for position, _ in rows):
            stuck = not (self._listing.unpaged and self._is_complete(fetch, len(rows)))
            what = f"{stream}: Zendesk keeps returning the same page. Please report this."
            return PaginationStuckError(what) if stuck else None
        if rows and not self._is_complete(fetch, len(rows)):
            what = f"{stream}: none of the {len(rows)} records on a page has a numeric id, so the next page is unknown."
            return PaginationStuckError(f"{what} Please report this.")
        if self._from_start and self._pending.received and not self._positions:
            return self._listing.no_object()
        return None

    def _is_complete(self, fetch: Fetch, rows: int) -> bool:
        """Return whether a page is the complete list: smaller than requested, or larger than a limit that the API ignores."""
        if rows < ID_PAGE_SIZE:
            return True
        return sum(map(len, fetch(self._request(1, 0)))) > 1

    def _is_due(self) -> bool:
        """Return whether a checkpoint is small compared with the records before it."""
        state_bytes = DIGEST_IN_STATE_BYTES * min(len(self._digests), MAX_DIGESTS)
        grown = len(self._positions) >= GROWTH * self._count_at_checkpoint or len(self._positions) <= SHORT_LIST
        return bool(self._pending.records) and (grown or self._pending.size >= RECORDS_PER_STATE * state_bytes)

    def _checkpoint(self) -> Iterator[Batch[ListPosition]]:
        if self._pending.pages:
            yield self._pending.batch(_position(self._saved, self._since - 1, self._digests))
            self._pending = _Pending()
            self._count_at_checkpoint = len(self._positions)

    def _last(self) -> Batch[ListPosition]:
        kept = {position: self._digests[position] for position in self._positions} if self._complete else self._digests
        self._note(_deleted_notes(self._listing.stream, self._digests.keys() - kept.keys()))
        self._note(_uncompared_notes(self._listing.stream, len(kept)) if self._complete else ())
        return self._pending.batch(_position(replace(self._saved, digests_from=0), self._since - 1, kept))

    def _note(self, notes: Sequence[str]) -> None:
        """Add notes, each once per run."""
        self._pending.notes.update(dict.fromkeys(note for note in notes if note not in self._emitted_notes))
        self._emitted_notes.update(notes)


def _deleted_notes(stream: str, gone: Collection[int]) -> tuple[str, ...]:
    if not gone:
        return ()
    ids = sorted(key for key in gone if key >= 0)
    some = f" (id {', '.join(map(str, ids[:MAX_NAMED]))}{' ...' if len(ids) > MAX_NAMED else ''})" if ids else ""
    what = f"{stream}: {counted(len(gone), 'record')} disappeared from the list since the last sync{some}."
    return (f"{what} They stay in the destination until a full refresh.",)


def _uncompared_notes(stream: str, count: int) -> tuple[str, ...]:
    if count <= MAX_DIGESTS:
        return ()
    what = f"{stream}: only the {MAX_DIGESTS} of {count} records with the highest ids are compared for changes."
    return (f"{what} A full refresh updates the others.",)


def _position(saved: ListPosition, read_to: int, digests: dict[int, str]) -> ListPosition:
    """Return the position after a page. ``saved`` keeps what is known by id only until the complete list is read again."""
    # Negative keys, which are derived, come last: nothing else shows that their records were emitted.
    kept = sorted(digests, key=lambda key: (key < 0, key))[-MAX_DIGESTS:]
    lowest = min((key for key in kept if key >= 0), default=read_to + 1)
    digests_from = max(saved.digests_from, lowest) if len(digests) > MAX_DIGESTS else saved.digests_from
    return ListPosition(max(saved.id, read_to), digests_from, {key: digests[key] for key in kept})
