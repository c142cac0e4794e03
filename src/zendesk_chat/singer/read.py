"""Discovery and reading: the events of a run as Singer's messages."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable
from typing import Final

import msgspec

from zendesk_chat.api.client import connect
from zendesk_chat.clock import Clock
from zendesk_chat.config import require_past_start
from zendesk_chat.engine import events
from zendesk_chat.engine.run import Rotations, Task, run
from zendesk_chat.errors import ConfigError, ExitCode
from zendesk_chat.json_files import read_struct
from zendesk_chat.singer.catalog import Selection, TapStream, select, tap_streams
from zendesk_chat.singer.inputs import State, read_config, read_state, resume, token_store
from zendesk_chat.singer.messages import Writer
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.stream import Bounds

STATE_SECONDS: Final = 5.0  # a state has the bookmarks of all streams, so one for each page would be too much


def run_tap(options: argparse.Namespace, writer: Writer, clock: Clock, state_seconds: float = STATE_SECONDS) -> ExitCode:
    """Discover or read, as the options ask. Return the exit code: COMPLETE only if every stream is complete."""
    try:
        return _discover(options, writer) if options.discover else _read(options, writer, clock, state_seconds)
    except ConfigError as error:
        writer.log("CRITICAL", str(error))
        return ExitCode.INCOMPLETE


def _discover(options: argparse.Namespace, writer: Writer) -> ExitCode:
    """Write the catalog, indented for people who edit it. Send no request to Zendesk."""
    redaction = read_config(options.config, writer).redaction if options.config else None
    catalog = {"streams": [stream.entry() for stream in tap_streams(Catalog(redaction)).values()]}
    writer.out.write(msgspec.json.format(msgspec.json.encode(catalog), indent=2) + b"\n")
    return ExitCode.COMPLETE


def _read(options: argparse.Namespace, writer: Writer, clock: Clock, state_seconds: float) -> ExitCode:
    config = read_config(options.config, writer)
    require_past_start(config, clock.now())
    known = Catalog(config.redaction)
    streams = tap_streams(known)
    chosen = [stream for stream in streams.values() if stream.stream.extraction is None]
    if options.catalog:
        chosen = select(read_struct(options.catalog, Selection, "catalog"), streams)
    state = read_state(options.state, writer) if options.state else State()
    for warning in (*known.warnings, *([] if chosen else ["The catalog selects no stream, so nothing is read."])):
        writer.log("WARNING", warning)
    bounds = Bounds(config.start, clock.now(), config.lookback, end=config.end)
    tasks = [Task(stream.stream, resume(state, stream, writer), bounds, encode=True) for stream in chosen]
    rotations = Rotations(clock)
    client = connect(config, clock, rotations.save, token_store(config, options.config, clock))
    out = EventWriter(writer, chosen, state, state_seconds)
    for event in run(tasks, client, rotations, clock):
        out.write(event)
    out.end()
    return ExitCode.INCOMPLETE if out.incomplete else ExitCode.COMPLETE


class EventWriter:
    """Writes the events of a run as Singer's messages.

    Args:
        writer: Writes the messages.
        chosen: The streams that are read.
        state: The state that the run began with. Bookmarks of streams that are not read stay in it.
        state_seconds: The least time between two states.

    Attributes:
        incomplete: The streams that have not ended, or failed.
    """

    def __init__(self, writer: Writer, chosen: Iterable[TapStream], state: State, state_seconds: float) -> None:
        self._writer = writer
        self._streams = {stream.stream.name: stream for stream in chosen}
        self._bookmarks = dict(state.bookmarks)
        self._state_seconds = state_seconds
        self._state_due = math.inf
        self._version = int(writer.clock.now())  # in seconds: some targets keep it in 32 bits
        self._failures: dict[str, list[str]] = {}
        self.incomplete = {*self._streams}

    def write(self, event: events.Event) -> None:
        """Write an event, and the state if bookmarks have waited long enough."""
        match event:
            case events.StreamStarted(name):
                self._writer.schema(self._streams[name])
            case events.PageRead(name):
                self._write_page(self._streams[name], event)
            case events.StreamCompleted(name, stats):
                self.incomplete.remove(name)
                self._writer.activate_version(self._streams[name], self._version)
                self._writer.log("INFO", f"{self._streams[name].name}: {stats}")
            case events.StreamUnavailable(name, error):
                self.incomplete.remove(name)
                self._writer.log("WARNING", f"{self._streams[name].name}: no records, because this account lacks it. {error}")
            case events.StreamFailed(name, error):
                self._failures.setdefault(str(error), []).append(self._streams[name].name)
            case _:
                self._log(event)
        if self._writer.clock.monotonic() >= self._state_due:
            self._write_state()

    def end(self) -> None:
        """Write the last state, and each reason why streams failed once."""
        self._write_state()
        for message, names in self._failures.items():
            self._writer.log("CRITICAL", f"{', '.join(names)}: {message}")

    def _write_page(self, stream: TapStream, page: events.PageRead) -> None:
        records = [stream.deselect(record) for record in page.records] if stream.deselect else page.records
        self._writer.records(stream, records, self._version)
        if not stream.full_table:
            self._bookmarks[stream.name] = dict(page.state)
            self._state_due = min(self._state_due, self._writer.clock.monotonic() + self._state_seconds)

    def _write_state(self) -> None:
        self._writer.state(self._bookmarks)
        self._state_due = math.inf

    def _log(self, event: events.Event) -> None:
        match event:
            case events.RateLimited(name, reset_at):
                wait_seconds = max(0.0, reset_at - self._writer.clock.now())
                self._writer.log("INFO", f"{self._streams[name].name}: waiting {wait_seconds:.0f} s for the request quota.")
            case events.SchemaChange():
                self._writer.log("WARNING", str(event))
            case events.Note(level, message):
                self._writer.log("WARNING" if level == "WARN" else level, message)
