"""One page of an export: how to request it, in smaller parts if necessary, and what it contains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from math import isfinite
from typing import Final

import msgspec

from zendesk_chat.errors import ConnectorError, EnvelopeError, NetworkError, RequestRejectedError, ServerError
from zendesk_chat.request import FEW_ATTEMPTS, MAX_ATTEMPTS, Request
from zendesk_chat.streams.exports.export import Export, ExportPage, Row
from zendesk_chat.streams.exports.times import RunTimes, TimeFormat
from zendesk_chat.streams.keys import is_made, keyless_note, skipped_note
from zendesk_chat.streams.positions import FIRST_MICROSECOND_VALUE

PAGE_SIZE: Final = 1000  # default and maximum of "limit"; read 2026-11-22
LONGEST_ID: Final = 40  # characters; the API's own have at most 30
SMALLEST_PAGE_SIZE: Final = 40
SHRINK: Final = 5
PAGE_BYTES: Final = 16 * 2**20  # the target size of a page; four times as large as 1,000 ordinary chats
DISCARDED_BYTES: Final = 4 * PAGE_BYTES  # a larger page is not decoded, which takes twice its size, but requested in parts
FEWEST_RECORDS: Final = 10  # of a page that is small because its records are large


class _MiscountedError(EnvelopeError):
    """A page contains a different number of records than its ``count``."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A decoded response: its size in bytes, and its content, which is None if it is too large."""

    size: int
    envelope: ExportPage | None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page to request, and what to request instead if that fails.

    Attributes:
        time: The time from which all records are requested.
        start_id: The record at that time to continue from; "" for all of them.
        limit: The page size.
        counted: Whether the page's ``count`` is compared with its number of records.
        any_size: Whether the page is decoded however large it is.
    """

    export: Export
    format: TimeFormat
    time: int
    start_id: str
    limit: int
    counted: bool = True
    any_size: bool = False

    @property
    def asked(self) -> int:
        """The time from which it requests records, in microseconds."""
        return self.format.first_asked(self.time)

    @property
    def request(self) -> Request[Answer]:
        """Return the request to send. It makes few attempts while there is a smaller page to fall back on."""
        params = {**self.export.complete_records, "start_time": self.format.written(self.asked), "limit": self.limit}
        params |= {"start_id": self.start_id} if self.start_id else {}
        attempts = MAX_ATTEMPTS if self.limit <= SMALLEST_PAGE_SIZE else FEW_ATTEMPTS
        most = None if self.any_size or self.limit <= FEWEST_RECORDS else DISCARDED_BYTES
        return Request(self.export.path, partial(self._decode, most), params, attempts)

    def result(self, outcome: Answer | ConnectorError, latest: int) -> Page | PageRequest | None:
        """Return the page, or the request to send instead; None if the API does not export such recent records yet.

        ``latest`` is the latest ``start_time`` that the API accepts. Raises ConnectorError if there is no other request.
        """
        if isinstance(outcome, ConnectorError):
            return self._instead(outcome, latest)
        if outcome.envelope is None:
            return replace(self, limit=max(FEWEST_RECORDS, self.limit * PAGE_BYTES // outcome.size))
        envelope = outcome.envelope
        rows = [row for raw in envelope.rows if (row := decode_row(self.export, raw))]
        end = _number(envelope.end_time)
        return Page(
            request=self,
            rows=rows,
            size=outcome.size,
            skipped=len(envelope.rows) - len(rows),
            end_time=None if end is None else round(end * self.format.unit),
            end_id=_start_id(envelope.end_id),
            fraction="." in str(envelope.end_time),
        )

    def _instead(self, error: ConnectorError, latest: int) -> PageRequest | None:
        """Return the request to send after an error: the same without a check of ``count``, or a smaller page."""
        if isinstance(error, RequestRejectedError) and self.time > latest:
            return None
        if isinstance(error, _MiscountedError):
            return replace(self, counted=False)
        if isinstance(error, NetworkError | ServerError) and self.limit > SMALLEST_PAGE_SIZE:
            return replace(self, limit=max(SMALLEST_PAGE_SIZE, self.limit // SHRINK))
        raise error

    def _decode(self, most: int | None, body: bytes) -> Answer:
        """Decode a response, unless it is larger than ``most`` bytes."""
        if most is not None and len(body) > most:
            return Answer(len(body), None)
        envelope = self.export.decode(body)
        count, received = envelope.count, len(envelope.rows)
        if self.counted and isinstance(count, int) and count != received:
            raise _MiscountedError(f"Zendesk reported {count} records but sent {received} ({self.export.path}).")
        return Answer(len(body), envelope)


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of a response, without the body that they were decoded from.

    Attributes:
        size: The size of the body in bytes.
        skipped: Number of rows that are not objects.
        end_time: The end of the page according to the API, in microseconds.
        end_id: The ``start_id`` to continue from there.
        fraction: Whether its end has a fraction of a second.
    """

    request: PageRequest
    rows: Sequence[Row]
    size: int
    skipped: int
    end_time: int | None
    end_id: str
    fraction: bool

    def is_short(self, most: int) -> bool:
        """Return whether it has fewer records than its limit and than the largest page so far."""
        return len(self.rows) < min(self.request.limit, most)

    def notes(self) -> Iterator[str]:
        """Yield messages for the user."""
        export = self.request.export
        if any(is_made(row.key) for row in self.rows):
            yield keyless_note(export.stream, export.key)
        if self.skipped:
            yield skipped_note(export.stream)
        if not self.request.counted:
            what = "Zendesk repeatedly sent a different number of records than its `count`."
            yield f"{export.stream}: {what} All records that it sent are read. `count` is no longer checked."

    def times_in_order(self, start: int) -> list[int | None]:
        """Return the position of each record in the API's order: its time, or None if unknown.

        In an export with another order, a record after the start date but before the requested time was changed, and its
        position is where the API put it.
        """
        if self.request.export.ordered:
            return [row.time for row in self.rows]
        asked = self.request.asked
        return [None if row.time is not None and start <= row.time < asked else row.time for row in self.rows]

    def end(self, times: Sequence[int | None], begin: int, run: RunTimes) -> tuple[int, str]:
        """Return the time at which the page ends, and the id to continue from; "" for all records of that time.

        That is its ``end_time`` if one of its records has this time, or if the order is another; otherwise the time of its last
        record. ``begin`` is the time up to which the window was read before.
        """
        end = self.end_time
        known = [time for time in times if time is not None] or [begin if end is None else end]
        last = max(known)
        if end is None:
            return last, self.end_id
        asked = self.request.asked
        older = any(row.time is not None and row.time < asked for row in self.rows)
        other_order = not self.request.export.ordered and (last <= begin or older)
        if run.floor(min(known)) <= end <= last or (other_order and last < end <= run.now):
            return end, self.end_id
        return last, ""

    def retry_limit(self) -> int:
        """Return the page size for requesting it again: it grows again after a failure."""
        return min(PAGE_SIZE, self.request.limit * SHRINK)

    def next_limit(self) -> int:
        """Return the page size for the next request: it grows again after a failure, within ``PAGE_BYTES``."""
        fitting = PAGE_BYTES * max(1, len(self.rows)) // max(1, self.size)
        return min(PAGE_SIZE, self.request.limit * SHRINK, max(FEWEST_RECORDS, fitting))


def filled_times(times: Sequence[int | None], lower: int) -> list[int]:
    """Return the times, with unknown ones replaced by the time before them, and none before ``lower``.

    From 5 on, ``[None, 10, None]`` is ``[5, 10, 10]``.
    """
    known = [time for time in times if time is not None]
    if len(known) == len(times):
        return known
    befores = accumulate(times, lambda before, time: before if time is None else time, initial=lower)
    return [max(lower, before or lower) if time is None else time for time, before in zip(times, befores, strict=False)]


def decode_row(export: Export, raw: msgspec.Raw) -> Row | None:
    """Redact a raw record and find its key and time. Returns None if it is not an object."""
    if export.redact is None:
        return export.row(raw)
    record = bytes(raw)
    return export.row(msgspec.Raw(export.redact(record))) if record.startswith(b"{") else None


def took_for_microseconds(export: Export, envelope: ExportPage, asked: int) -> bool:
    """Return whether the API took a ``start_time`` in seconds for microseconds, thus for 1970, and sent its oldest record."""
    rows = filter(None, (decode_row(export, raw) for raw in envelope.rows))
    old = any(row.time is not None and row.time < asked for row in rows)
    return old or (_number(envelope.end_time) or 0) >= FIRST_MICROSECOND_VALUE


def _number(value: object) -> float | None:
    """Parse a number, which may be a string."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and isfinite(number) else None


def _start_id(value: object) -> str:
    """Return an ``end_id`` as the next ``start_id``, or the empty string if there is none or it does not fit into a URL."""
    if isinstance(value, bool):
        return ""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode() if isinstance(value, int) else ""
    return text if len(text) <= LONGEST_ID else ""
