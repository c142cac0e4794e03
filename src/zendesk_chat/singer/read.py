"""Discovery and reading: the events of a run as Singer's messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from zendesk_chat.api.client import connect
from zendesk_chat.clock import Clock
from zendesk_chat.config import Config, require_past_start
from zendesk_chat.engine.events import (
    Event,
    Note,
    PageRead,
    RateLimited,
    SchemaChange,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    StreamUnavailable,
)
from zendesk_chat.engine.run import Rotations, Task, run
from zendesk_chat.errors import ConfigError, ExitCode
from zendesk_chat.json_files import read_json
from zendesk_chat.singer.catalog import Selected, catalog_entry, parse_catalog
from zendesk_chat.singer.config import read_config, token_store
from zendesk_chat.singer.messages import Writer
from zendesk_chat.singer.state import Bookmarks, parse_state, resume
from zendesk_chat.singer.streams import tap_streams
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.stream import Bounds

STATE_SECONDS: Final = 5.0  # a state has the bookmarks of all streams, so one for each page would be too much


def discover(writer: Writer, config_path: str | None) -> int:
    """Write the catalog, without a request to Zendesk. Return the exit code."""
    try:
        redaction = read_config(config_path, writer).redaction if config_path else None
        streams = tap_streams(Catalog(redaction), redaction)
    except ConfigError as error:
        writer.log("CRITICAL", str(error))
        return ExitCode.INCOMPLETE
    writer.catalog([catalog_entry(stream) for stream in streams.values()])
    return ExitCode.COMPLETE


def read(
    writer: Writer,
    clock: Clock,
    config_path: str,
    catalog_path: str | None = None,
    state_path: str | None = None,
    *,
    state_seconds: float = STATE_SECONDS,
) -> int:
    """Read the selected streams. Return the exit code: 0 only if every stream is complete."""
    try:
        config = read_config(config_path, writer)
        require_past_start(config, clock.now())
        known = Catalog(config.redaction)
        streams = tap_streams(known, config.redaction)
        discovered = {"streams": [catalog_entry(stream) for stream in streams.values()]}
        chosen = parse_catalog(read_json(catalog_path, "catalog") if catalog_path else discovered, streams)
        bookmarks = parse_state(read_json(state_path, "state") if state_path else None)
        for warning in (*known.warnings, *([] if chosen else ["The catalog selects no stream, so nothing is read."])):
            writer.log("WARNING", warning)
        out = EventWriter(writer, clock, chosen, bookmarks, state_seconds)
        rotations = Rotations(clock)
        client = connect(config, clock, rotations.save, token_store(config, config_path, clock))
        for event in run(_tasks(writer, config, chosen, bookmarks, clock.now()), client, rotations, clock):
            out.write(event)
    except ConfigError as error:
        writer.log("CRITICAL", str(error))
        return ExitCode.INCOMPLETE
    out.end()
    return ExitCode.COMPLETE if out.is_complete else ExitCode.INCOMPLETE


def _tasks(writer: Writer, config: Config, chosen: Sequence[Selected], bookmarks: Bookmarks, now: float) -> list[Task]:
    bounds = Bounds(config.start, now, config.lookback, end=config.end)
    tasks = []
    for selected in chosen:
        state, notice = (None, "") if selected.full_table else resume(bookmarks, selected.stream)
        if notice:
            writer.log("INFO", notice)
        tasks.append(Task(selected.stream.stream, state, bounds, encode=True))
    return tasks


class EventWriter:
    """Writes the events of a run as Singer's messages.

    Args:
        writer: Writes the messages.
        clock: The source of time.
        chosen: The streams that are read.
        bookmarks: Those of the state that the run began with. Bookmarks of streams that are not read stay in the state.
        state_seconds: The least time between two states.
    """

    def __init__(
        self, writer: Writer, clock: Clock, chosen: Sequence[Selected], bookmarks: Bookmarks, state_seconds: float
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._streams: Mapping[str, Selected] = {selected.stream.stream.name: selected for selected in chosen}
        self._open = set(self._streams)
        self._bookmarks = dict(bookmarks)
        self._state_seconds = state_seconds
        self._state_at = clock.monotonic()
        self._unsaved = False
        self._version = int(clock.now())  # in seconds: some targets keep it in 32 bits
        self._failures: dict[str, list[str]] = {}

    @property
    def is_complete(self) -> bool:
        """Whether every stream has ended, and none of them failed."""
        return not self._open and not self._failures

    def write(self, event: Event) -> None:
        """Write an event, and the state if the last one was written long ago."""
        self._write(event)
        if self._unsaved and self._clock.monotonic() - self._state_at >= self._state_seconds:
            self._write_state()

    def end(self) -> None:
        """Write the last state, and each reason why streams failed once."""
        self._write_state()
        for message, streams in self._failures.items():
            self._writer.log("CRITICAL", f"{', '.join(streams)}: {message}")

    def _write(self, event: Event) -> None:
        match event:
            case StreamStarted(stream):
                self._writer.schema(self._streams[stream])
            case PageRead(stream):
                self._write_page(event)
            case RateLimited(stream, reset_at):
                wait_seconds = max(0.0, reset_at - self._clock.now())
                self._writer.log("INFO", f"{self._name(stream)}: waiting {wait_seconds:.0f} s for the request quota.")
            case SchemaChange():
                self._writer.log("WARNING", str(event))
            case Note(level, message):
                self._writer.log("WARNING" if level == "WARN" else level, message)
            case StreamCompleted(stream) | StreamFailed(stream) | StreamUnavailable(stream):
                self._open.discard(stream)
                self._write_end(event)

    def _write_page(self, page: PageRead) -> None:
        selected = self._streams[page.stream]
        records = page.records if selected.select is None else [selected.select(record) for record in page.records]
        name = selected.stream.name
        self._writer.records(name, records, self._version if selected.full_table else None)
        if not selected.full_table:
            self._bookmarks[name] = page.state
            self._unsaved = True

    def _write_state(self) -> None:
        self._writer.state(self._bookmarks)
        self._state_at = self._clock.monotonic()
        self._unsaved = False

    def _write_end(self, event: StreamCompleted | StreamFailed | StreamUnavailable) -> None:
        selected, name = self._streams[event.stream], self._name(event.stream)
        match event:
            case StreamCompleted(_, stats):
                if selected.full_table:
                    self._writer.activate_version(name, self._version)
                self._writer.log("INFO", f"{name}: {stats}")
            case StreamUnavailable(_, error):
                self._writer.log("WARNING", f"{name}: no records, because this account lacks it. {error}")
            case StreamFailed(_, error, stats):
                self._writer.log("INFO", f"{name}: stopped after {stats}")
                self._failures.setdefault(str(error), []).append(name)
        self._writer.metric(name, event.stats.emitted)

    def _name(self, stream: str) -> str:
        return self._streams[stream].stream.name
