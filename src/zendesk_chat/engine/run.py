"""Reads streams concurrently in threads, and yields what happens to one consumer, in order.

Memory is bounded by the pages in the queue and in the threads, whatever the size of the account: a slow consumer makes the
threads wait.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from zendesk_chat.api.client import Client
from zendesk_chat.clock import POLL_SECONDS, Clock, Stopped
from zendesk_chat.engine.channel import Channel, Rotations
from zendesk_chat.engine.events import CredentialsRotated, Event, Heartbeat, StreamCompleted, StreamFailed, StreamUnavailable
from zendesk_chat.engine.fetcher import ConcurrencyLimit
from zendesk_chat.engine.first_request import FirstRequest
from zendesk_chat.engine.reading import Reading, Shared
from zendesk_chat.engine.stream_run import Task
from zendesk_chat.engine.threads import SETTLE_SECONDS, start_threads

__all__ = ["Rotations", "Task", "run"]

MAX_THREADS: Final = 16  # one for each sequence of pages, so that a list does not wait for the end of a backfill
HEARTBEAT_SECONDS: Final = 5.0


def run(
    tasks: Iterable[Task],
    client: Client,
    rotations: Rotations,
    clock: Clock,
    *,
    max_threads: int = MAX_THREADS,
    each_request: bool = False,
) -> Iterator[Event]:
    """Read the tasks and yield what happens. End when all are done or the clock is stopped.

    When the consumer asks for the next event, it is done with the last one: the records are written, the credentials saved.

    Args:
        tasks: What to read. A task that fails does not affect the others.
        client: The account's API.
        rotations: Receives the credentials that the client's token store renews.
        clock: The consumer may stop it to end early. This function stops it at the end.
        max_threads: The number of sequences of pages that are read at the same time.
        each_request: Whether to yield an ``Answered`` for each attempt of a request, for a detailed log.
    """
    groups: dict[object, list[Task]] = {}  # the tasks of a group have the same pages
    for task in tasks:
        groups.setdefault(task.stream.source, []).append(task)
    pending = deque(groups.values())
    unfinished = sum(map(len, pending))
    channel = Channel(rotations, clock)
    first_request = FirstRequest(clock, answered=client.has_answered)
    shared = Shared(channel, client, ConcurrencyLimit(client.free_slots), first_request, clock, each_request)
    try:
        threads = start_threads(partial(_work, pending, shared), min(max_threads, len(pending)))
        for event in _until_stopped(channel, threads, clock):
            yield event
            if isinstance(event, StreamCompleted | StreamFailed | StreamUnavailable):
                unfinished -= 1
            elif isinstance(event, CredentialsRotated):
                event.saved.set()
    finally:
        clock.stop()
        client.settle(SETTLE_SECONDS)  # otherwise tokens that are being renewed would be lost, even if the consumer failed
    if unfinished:
        yield from rotations.unsaved()


def _until_stopped(channel: Channel, threads: Sequence[threading.Thread], clock: Clock) -> Iterator[Event]:
    """Yield events until no thread is left to send more."""
    quiet_seconds = 0.0
    while not clock.stopped:
        working = any(thread.is_alive() for thread in threads)
        event = channel.get(POLL_SECONDS if working else 0)
        quiet_seconds = 0.0 if event else quiet_seconds + POLL_SECONDS
        if event is not None:
            yield event
        elif not working:
            return
        elif quiet_seconds >= HEARTBEAT_SECONDS:
            quiet_seconds = 0.0
            yield Heartbeat()


def _work(pending: deque[list[Task]], shared: Shared) -> None:
    """Read one group of tasks after another until none is left."""
    with suppress(Stopped, IndexError):
        while True:
            Reading(pending.popleft(), shared).read()
