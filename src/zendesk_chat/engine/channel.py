"""How events and renewed credentials pass from the threads of a run to its one consumer."""

from __future__ import annotations

import queue
from collections.abc import Mapping
from typing import Final

from zendesk_chat.clock import POLL_SECONDS, Clock, Stopped
from zendesk_chat.engine.events import CredentialsRotated, Event
from zendesk_chat.json_types import Json

MAX_WAITING: Final = 1  # events; a slow consumer makes the threads wait, so that memory stays bounded


class Rotations:
    """Renewed credentials that the consumer of a run must save."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: list[CredentialsRotated] = []

    def save(self, config: Mapping[str, Json]) -> None:
        """Hand over a renewed configuration. Return only when the consumer has saved it. Raises Stopped."""
        event = CredentialsRotated(config)
        self._events.append(event)
        while not event.saved.wait(POLL_SECONDS):
            self._clock.check()

    def unsaved(self) -> list[CredentialsRotated]:
        """Return what is not saved yet. The old credentials are used up, so these MUST be saved, even in a stopped run."""
        return [event for event in self._events if not event.saved.is_set()]


class Channel:
    """The bounded queue from the reading threads to the consumer, which gets rotations before any other event."""

    def __init__(self, rotations: Rotations, clock: Clock) -> None:
        self._rotations = rotations
        self._clock = clock
        self._events: queue.Queue[Event] = queue.Queue(MAX_WAITING)

    def put(self, event: Event) -> None:
        """Hand over an event as soon as the queue has a free slot. Raises Stopped."""
        while not self._clock.stopped:
            try:
                return self._events.put(event, timeout=POLL_SECONDS)
            except queue.Full:
                continue
        raise Stopped

    def get(self, seconds: float) -> Event | None:
        """Return the next event, or None if none arrives within this many seconds."""
        if rotated := self._rotations.unsaved():
            return rotated[0]
        try:
            return self._events.get(timeout=seconds) if seconds else self._events.get_nowait()
        except queue.Empty:
            return None
