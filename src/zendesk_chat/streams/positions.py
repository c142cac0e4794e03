"""Positions: where a stream resumes, and their stored form.

A stored position keeps the field that Airbyte's own connector writes, with a value that it can resume from, so that a user can
switch to this connector and back. Our own fields stand beside it. Every form that any version of that connector wrote is
accepted: ISO 8601, epoch seconds or microseconds as number or text (told apart by magnitude), and integers for lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from zendesk_chat.errors import StateError
from zendesk_chat.streams.keys import INTEGER
from zendesk_chat.streams.records import SECOND_US, iso_micros, iso_seconds, micros_of
from zendesk_chat.streams.stream import StateBlob

STATE_VERSION: Final = 1
FIRST_MILLISECOND_VALUE: Final = 10**11  # as seconds this is the year 5138, as milliseconds 1973
FIRST_MICROSECOND_VALUE: Final = 10**14  # as milliseconds this is the year 5138, as microseconds 1973
LATEST_US: Final = 253_370_764_800 * SECOND_US  # the year 9999
RESET: Final = "Reset this stream's state to read it again from the start_date."

Remembered: TypeAlias = Mapping[str, tuple[int, str]]
"""Records already emitted: their time (microseconds) and digest by key."""

Stretch: TypeAlias = tuple[int, int]
"""From a time on, and before another; microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class ExportPosition:
    """How far an incremental export is read.

    Attributes:
        time: Microseconds since 1970 of the last record read; never in the future.
        id: The API's ``start_id`` after it, to go on exactly there; "" to go on from ``known_from``.
        known_from: Every record before this time was emitted; those since are in ``seen`` or ``ahead`` if they were.
        seen: The records emitted lately, so that they can be read again and left out.
        ahead: Stretches of time behind ``known_from``, in order, of which every record was emitted too.
        complete_from: The start date that the position was read from: no record before it was asked for. None where the stored
            state does not say, as that of Airbyte's connector.
    """

    time: int
    id: str = ""
    known_from: int = 0
    seen: Remembered = field(default_factory=dict)
    ahead: tuple[Stretch, ...] = ()
    complete_from: int | None = None

    def from_earlier_start(self, start: int) -> ExportPosition:
        """The position for a start date that may have been moved back: what lies before it is still to be read.

        A position read from June up to October, and a start date moved to January, give one that is read up to January and
        has June to October ``ahead``. A position that does not say where it began is taken to have begun at ``start``.
        """
        if self.complete_from is None:
            return replace(self, complete_from=min(start, self.known_from))
        if self.complete_from <= start:
            return self
        done = [(self.complete_from, self.known_from)] if self.complete_from < self.known_from else []
        return replace(self, id="", known_from=start, ahead=(*done, *self.ahead), complete_from=start)


@dataclass(frozen=True, slots=True)
class ListPosition:
    """How far a list ordered by id is read, and what its records looked like.

    Attributes:
        id: Every record up to this id was emitted.
        known_from: Records with this id or a higher one have a digest; older ones are known by their id only.
        digests: Digest of each record by its id.
    """

    id: int
    known_from: int = 0
    digests: Mapping[int, str] = field(default_factory=dict)


def dump_export(cursor_field: str, position: ExportPosition, *, micros: bool) -> StateBlob:
    """Return the state to store for a position of an export."""
    return {
        cursor_field: (iso_micros if micros else iso_seconds)(position.time),
        "start_id": position.id,
        "known_from": iso_micros(position.known_from),
        "seen": {key: [time, fingerprint] for key, (time, fingerprint) in position.seen.items()},
        **({"ahead": position.ahead} if position.ahead else {}),
        **({} if position.complete_from is None else {"complete_from": iso_micros(position.complete_from)}),
        "version": STATE_VERSION,
    }


def load_export(stream: str, cursor_field: str, state: StateBlob) -> ExportPosition | None:
    """Parse a stored position of an export in any of its forms."""
    _check_version(stream, state)
    value = state.get(cursor_field)
    if value is None or value == "":
        _nothing_else(stream, cursor_field, state)
        return None
    time = _time(stream, cursor_field, value)
    seen = state.get("seen", {})
    known_from = state.get("known_from")
    complete_from = state.get("complete_from")
    ahead = state.get("ahead", [])
    if not isinstance(seen, Mapping) or not isinstance(ahead, list) or not isinstance(state.get("start_id", ""), str):
        raise _unreadable(stream)
    return ExportPosition(
        time=time,
        id=state.get("start_id", ""),
        known_from=time if known_from is None else _time(stream, "known_from", known_from),
        seen={key: _remembered(stream, entry) for key, entry in seen.items()},
        ahead=tuple(sorted(_stretch(stream, entry) for entry in ahead)),
        complete_from=None if complete_from is None else _time(stream, "complete_from", complete_from),
    )


def dump_list(cursor_field: str, position: ListPosition) -> StateBlob:
    """Store a position of a list."""
    return {
        cursor_field: position.id,
        "known_from": position.known_from,
        "digests": {str(key): value for key, value in position.digests.items()},
        "version": STATE_VERSION,
    }


def load_list(stream: str, cursor_field: str, state: StateBlob) -> ListPosition | None:
    """Parse a stored position of a list in any of its forms."""
    _check_version(stream, state)
    value = state.get(cursor_field)
    if value is None or value == "":
        _nothing_else(stream, cursor_field, state)
        return None
    last = _whole_number(stream, value)
    digests = state.get("digests", {})
    if not isinstance(digests, Mapping):
        raise _unreadable(stream)
    return ListPosition(
        id=last,
        known_from=_whole_number(stream, state.get("known_from", last + 1)),
        digests={_list_key(stream, key): str(value) for key, value in digests.items()},
    )


def _check_version(stream: str, state: StateBlob) -> None:
    version = state.get("version", STATE_VERSION)
    if version != STATE_VERSION:
        raise StateError(f"The state of {stream} was written by a newer version of this connector. Upgrade, or: {RESET}")


def _nothing_else(stream: str, cursor_field: str, state: StateBlob) -> None:
    """An absent cursor means a fresh start, unless something else is there that was meant to be one."""
    if any(key != cursor_field for key in state):
        raise StateError(f"The state of {stream} has no `{cursor_field}`. {RESET}")


def _time(stream: str, field_name: str, value: object) -> int:
    micros = _epoch(value)
    if micros is None:
        micros = micros_of(value)
    if micros is None or not 0 <= micros <= LATEST_US:
        raise StateError(
            f"The state of {stream} cannot be read: `{field_name}` must be a time, such as 2021-02-01T00:00:00Z. {RESET}"
        )
    return micros


def _epoch(value: object) -> int | None:
    """An epoch value of unknown unit, as a number or as its text, in microseconds."""
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


def _whole_number(stream: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and INTEGER.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise _unreadable(stream)


def _list_key(stream: str, key: str) -> int:
    """The key of a list's record. It is negative where the connector made it."""
    number = _whole_number(stream, key.removeprefix("-"))
    return -number if key.startswith("-") else number


def _remembered(stream: str, entry: Any) -> tuple[int, str]:  # noqa: ANN401  any JSON value
    match entry:
        case [int(time), str(fingerprint)]:
            return time, fingerprint
        case _:
            raise _unreadable(stream)


def _stretch(stream: str, entry: Any) -> Stretch:  # noqa: ANN401  any JSON value
    match entry:
        case [int(begin), int(end)] if 0 <= begin <= end <= LATEST_US:
            return begin, end
        case _:
            raise _unreadable(stream)


def _unreadable(stream: str) -> StateError:
    return StateError(f"The state of {stream} cannot be read. {RESET}")
