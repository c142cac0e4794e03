"""Positions: where a stream resumes, and how that is stored.

A stored position keeps the field that Airbyte's own connector writes, with a value that it can resume from, so that users can
switch to this connector and back. Our own fields are next to it. Every form that any version of that connector wrote is
accepted: ISO 8601, epoch seconds or microseconds as a number or string (distinguished by magnitude), and integers for lists.

Example, with times as hours of one day: a backfill from 00:00 on runs in two parts at once, one from 00:00 and one from 12:00.
The first has read up to 03:00, the second up to 15:00. Its position is::

    complete_from=00:00  complete_until=03:00  completed_ranges=((12:00, 15:00),)

The next run reads from 03:00 to 12:00, skips to 15:00, and continues. When it is up to date at 18:00, it will read the last ten
minutes again, because records may become visible late. The position is::

    time=18:00  complete_from=00:00  complete_until=17:50  recent={"chat-7": (17:55, "8a56d77352fa61ad")}

The run after that reads from 17:50 on, and skips chat-7 if it still has that digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias, TypeVar

import msgspec

from zendesk_chat.errors import StateError
from zendesk_chat.streams.keys import INTEGER
from zendesk_chat.streams.records import SECOND_US, iso_micros, iso_seconds, micros_of
from zendesk_chat.streams.stream import StateBlob

STATE_VERSION: Final = 2
FIRST_MILLISECOND_VALUE: Final = 10**11  # as seconds this is the year 5138, as milliseconds 1973
FIRST_MICROSECOND_VALUE: Final = 10**14  # as milliseconds this is the year 5138, as microseconds 1973
LATEST_US: Final = 253_370_764_800 * SECOND_US  # the year 9999
RESET: Final = "Reset this stream's state to read it again from the start_date."

Remembered: TypeAlias = Mapping[str, tuple[int, str]]
"""Records already emitted: their time (microseconds) and digest, by key."""

TimeRange: TypeAlias = tuple[int, int]
"""Start (inclusive) and end (exclusive) of a range; microseconds since 1970."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ExportPosition:
    """How far an incremental export is read. Times are in microseconds since 1970.

    Attributes:
        time: The time of the last record read; never in the future.
        start_id: The API's ``start_id`` after it, to resume exactly there; "" to resume from ``complete_until``.
        complete_until: Every record before this time was emitted. A later record was emitted if it is in ``recent`` or
            ``completed_ranges``.
        recent: The records emitted lately, to skip them when they are read again.
        completed_ranges: Time ranges after ``complete_until``, in order, whose records were all emitted too.
        complete_from: The start date of the read: no record before it was requested. None if the stored state does not contain
            it, like that of Airbyte's connector.
    """

    time: int
    start_id: str = ""
    complete_until: int = 0
    recent: Remembered = field(default_factory=dict)
    completed_ranges: tuple[TimeRange, ...] = ()
    complete_from: int | None = None

    def from_earlier_start(self, start: int) -> ExportPosition:
        """Return the position for a start date that may be earlier than before, so that records since then are read.

        A position read from June to October, with a start date moved to January, becomes one that is read up to January and
        has June to October in ``completed_ranges``. A position that does not contain its start is assumed to have begun at
        ``start``.
        """
        if self.complete_from is None:
            return replace(self, complete_from=min(start, self.complete_until))
        if self.complete_from <= start:
            return self
        done = [(self.complete_from, self.complete_until)] if self.complete_from < self.complete_until else []
        ranges = (*done, *self.completed_ranges)
        return replace(self, start_id="", complete_until=start, completed_ranges=ranges, complete_from=start)


@dataclass(frozen=True, slots=True)
class ListPosition:
    """How far a list ordered by id is read, and the digests of its records.

    Attributes:
        id: Every record up to this id was emitted.
        digests_from: Records with this id or a higher one have a digest. Earlier ones are known by their id only.
        digests: The digest of each record by its id.
    """

    id: int
    digests_from: int = 0
    digests: Mapping[int, str] = field(default_factory=dict)


def joined(ranges: Iterable[TimeRange]) -> list[TimeRange]:
    """Return the same time in as few ranges as possible, in order."""
    fewest: list[TimeRange] = []
    for begin, end in sorted(ranges):
        if fewest and begin <= fewest[-1][1]:
            fewest[-1] = (fewest[-1][0], max(fewest[-1][1], end))
        elif begin < end:
            fewest.append((begin, end))
    return fewest


class _ExportState(msgspec.Struct):
    """Our own fields in the stored state of an export; ``known_from`` is that of version 1."""

    start_id: str = ""
    complete_until: object = None
    known_from: object = None
    recent: dict[str, tuple[int, str]] = {}
    completed_ranges: list[tuple[int, int]] = []
    complete_from: object = None


class _ListState(msgspec.Struct):
    """Our own fields in the stored state of a list; ``known_from`` is that of version 1."""

    digests_from: object = None
    known_from: object = None
    digests: dict[str, str] = {}


def dump_export(cursor_field: str, position: ExportPosition, *, micros: bool) -> StateBlob:
    """Return the state to store for a position of an export. ``micros`` is whether its cursor has microseconds."""
    ranges, start = position.completed_ranges, position.complete_from
    return {
        cursor_field: (iso_micros if micros else iso_seconds)(position.time),
        "start_id": position.start_id,
        "complete_until": iso_micros(position.complete_until),
        "recent": {key: [time, fingerprint] for key, (time, fingerprint) in position.recent.items()},
        **({"completed_ranges": ranges} if ranges else {}),
        **({} if start is None else {"complete_from": iso_micros(start)}),
        "version": STATE_VERSION,
    }


def load_export(stream: str, cursor_field: str, state: StateBlob) -> ExportPosition | None:
    """Parse a stored position of an export in any of its forms. Returns None for a new start. Raises StateError."""
    own = _own_fields(stream, state, _ExportState)
    value = _cursor(stream, cursor_field, state)
    if value is None:
        return None
    time = _parse_time(stream, cursor_field, value)
    start = None if own.complete_from is None else _parse_time(stream, "complete_from", own.complete_from)
    if own.known_from is not None and own.complete_until is None:  # in version 1, the other fields had other names
        until = _parse_time(stream, "known_from", own.known_from)
        return ExportPosition(min(time, until), complete_until=until, complete_from=start)
    if not all(0 <= begin <= end <= LATEST_US for begin, end in own.completed_ranges):
        raise _unreadable(stream)
    until = time if own.complete_until is None else _parse_time(stream, "complete_until", own.complete_until)
    return ExportPosition(time, own.start_id, until, own.recent, tuple(sorted(own.completed_ranges)), start)


def dump_list(cursor_field: str, position: ListPosition) -> StateBlob:
    """Return the state to store for a position of a list."""
    return {
        cursor_field: position.id,
        "digests_from": position.digests_from,
        "digests": {str(key): value for key, value in position.digests.items()},
        "version": STATE_VERSION,
    }


def load_list(stream: str, cursor_field: str, state: StateBlob) -> ListPosition | None:
    """Parse a stored position of a list in any of its forms. Returns None for a new start. Raises StateError."""
    own = _own_fields(stream, state, _ListState)
    value = _cursor(stream, cursor_field, state)
    if value is None:
        return None
    last = _parse_integer(stream, value)
    digests_from = next((given for given in (own.digests_from, own.known_from) if given is not None), last + 1)
    digests = {_parse_list_key(stream, key): value for key, value in own.digests.items()}
    return ListPosition(last, _parse_integer(stream, digests_from), digests)


def _own_fields(stream: str, state: StateBlob, kind: type[T]) -> T:
    if state.get("version", STATE_VERSION) not in (1, STATE_VERSION):
        newer = f"The state of {stream} was written by a newer version of this connector."
        what = f"{newer} Upgrade it, or reset this stream's state."
        raise StateError(what, stream=stream)
    try:
        return msgspec.convert(dict(state), kind)
    except msgspec.ValidationError:
        raise _unreadable(stream) from None


def _cursor(stream: str, cursor_field: str, state: StateBlob) -> object:
    """Return the cursor in a state; None if the state is empty. Raises StateError if it contains other fields only."""
    value = state.get(cursor_field)
    if value is not None and value != "":
        return value
    if any(key != cursor_field for key in state):
        raise StateError(f"The state of {stream} has no `{cursor_field}`. {RESET}", stream=stream)
    return None


def _parse_time(stream: str, field_name: str, value: object) -> int:
    micros = _parse_epoch(value)
    if micros is None:
        micros = micros_of(value)
    if micros is None or not 0 <= micros <= LATEST_US:
        what = f"The state of {stream} cannot be read: `{field_name}` must be a time, such as 2021-02-01T00:00:00Z. {RESET}"
        raise StateError(what, stream=stream)
    return micros


def _parse_epoch(value: object) -> int | None:
    """Parse an epoch value of unknown unit, a number or a string, into microseconds."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = int(value) if isinstance(value, str) and INTEGER.fullmatch(value.strip()) else float(value)
    except (ValueError, OverflowError):
        return None
    if not 0 <= number <= LATEST_US:
        return None
    if number >= FIRST_MICROSECOND_VALUE:
        return int(number)
    return int(number * (1000 if number >= FIRST_MILLISECOND_VALUE else SECOND_US))


def _parse_integer(stream: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and INTEGER.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise _unreadable(stream)


def _parse_list_key(stream: str, key: str) -> int:
    number = _parse_integer(stream, key.removeprefix("-"))
    return -number if key.startswith("-") else number


def _unreadable(stream: str) -> StateError:
    return StateError(f"The state of {stream} cannot be read. {RESET}", stream=stream)
