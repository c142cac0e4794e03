"""The ``read`` command: events of a run as Airbyte messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

from zendesk_chat.airbyte.inputs import (
    NO_CURSOR_STATE,
    ConfiguredStream,
    parse_catalog,
    parse_state,
    read_config,
    require_stdout,
)
from zendesk_chat.airbyte.messages import Writer, failure_type
from zendesk_chat.api.client import connect
from zendesk_chat.clock import Clock
from zendesk_chat.config import Config, require_past_start, unknown_keys
from zendesk_chat.engine.events import (
    CredentialsRotated,
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
from zendesk_chat.errors import ConfigError, ExitCode, origin
from zendesk_chat.json_files import read_json
from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.stream import Bounds, StateBlob, Stream

KEEP_ALIVE_SECONDS: Final = 30.0  # Airbyte gives up on a source without RECORD or STATE; its own connector is given 60 seconds


def read(writer: Writer, clock: Clock, config_path: str, catalog_path: str, state_path: str | None) -> int:
    """Read the configured streams. Returns the exit code: 0 only if every stream is complete."""
    try:
        require_stdout()
        config = read_config(config_path, writer)
        require_past_start(config, clock.now())
        configured = parse_catalog(read_json(catalog_path, "catalog"))
        states = parse_state(read_json(state_path, "state")) if state_path else {}
        catalog = Catalog(config.redaction)
        streams = catalog.streams
    except ConfigError as error:
        writer.error(str(error), failure_type(error))
        return ExitCode.INCOMPLETE
    for warning in (*unknown_keys(config.raw), *catalog.warnings):
        writer.log("WARN", warning)
    known = [stream for stream in configured if stream.name in streams]
    out = EventWriter(writer, clock, {stream.name: states.get(stream.name, NO_CURSOR_STATE) for stream in known})
    try:
        rotations = Rotations(clock)
        client = connect(config, clock, rotations.save)
        for event in run(_tasks(known, streams, states, config, clock), client, rotations, clock):
            out.write(event)
    except ConfigError as error:  # of the client, before any stream
        writer.error(str(error), failure_type(error))
    out.end_unfinished()
    for stream in configured:
        if stream.name not in streams:
            out.end_unknown(stream.name, streams)
    return ExitCode.INCOMPLETE if out.failed else ExitCode.COMPLETE


def _tasks(
    configured: Sequence[ConfiguredStream],
    streams: Mapping[str, Stream],
    states: dict[str, StateBlob],
    config: Config,
    clock: Clock,
) -> Iterator[Task]:
    now = clock.now()
    for stream in configured:
        bounds = Bounds(config.start, now, config.lookback, incremental=stream.incremental, end=config.end)
        yield Task(streams[stream.name], states.get(stream.name), bounds)


class EventWriter:
    """Writes the events of a run as Airbyte messages, and remembers which streams have not ended.

    Args:
        writer: Writes the messages.
        clock: Time.
        states: The state of each stream that is to be read.
    """

    def __init__(self, writer: Writer, clock: Clock, states: Mapping[str, StateBlob]) -> None:
        self._writer = writer
        self._clock = clock
        self._open = dict(states)
        self._alive_at = clock.monotonic()
        self._started: set[str] = set()
        self._running: set[str] = set()
        self.failed = False

    def write(self, event: Event) -> None:
        """Write an event. If no record or state was written for long, repeat a state as a sign of life."""
        self._write(event)
        if self._clock.monotonic() - self._alive_at >= KEEP_ALIVE_SECONDS:
            self._keep_alive()

    def _write(self, event: Event) -> None:
        match event:
            case StreamStarted(stream):
                self._start(stream)
            case PageRead():
                self._page(event)
            case RateLimited(stream, reset_at):
                self._writer.stream_status(stream, "RUNNING", quota_reset=reset_at)
            case Note(level, message):
                self._writer.log(level, message)
            case SchemaChange():
                self._writer.log("WARN", str(event))
            case CredentialsRotated(config):
                self._writer.save_config(config)
            case _:
                self._ended(event)

    def _ended(self, event: Event) -> None:
        match event:
            case StreamCompleted(stream, stats):
                self._writer.log("INFO", f"{stream}: {stats}")
                self._end(stream, "COMPLETE")
            case StreamUnavailable():
                self._unavailable(event)
            case StreamFailed():
                self._failed(event)

    def end_unfinished(self) -> None:
        """End the streams that a stopped run did not finish."""
        for stream in tuple(self._open):
            self._end(stream, "INCOMPLETE")
            self.failed = True

    def end_unknown(self, stream: str, known: Iterable[str]) -> None:
        """Report a stream that the catalog asks for and that does not exist."""
        self.failed = True
        unknown = f"The catalog asks for a stream that does not exist: {printable(stream, LONGEST_NAME)}. "
        advice = f"Refresh the source's schema and choose among: {', '.join(known)}."
        self._writer.error(unknown + advice, "config_error", stream=stream)
        self._end(stream, "INCOMPLETE")

    def _start(self, stream: str) -> None:
        self._started.add(stream)
        self._writer.stream_status(stream, "STARTED")

    def _run(self, stream: str) -> None:
        if stream not in self._running:
            self._running.add(stream)
            self._writer.stream_status(stream, "RUNNING")

    def _page(self, event: PageRead) -> None:
        self._run(event.stream)
        self._writer.records(event.stream, event.records)
        self._write_state(event.stream, event.state or NO_CURSOR_STATE, len(event.records))

    def _keep_alive(self) -> None:
        """Repeat a state: Airbyte's heartbeat counts neither logs nor statuses, while a wait may take minutes."""
        stream = next((stream for stream in self._open if stream in self._started), None)
        if stream is not None:
            self._write_state(stream, self._open[stream], 0)

    def _write_state(self, stream: str, blob: StateBlob, record_count: int) -> None:
        self._run(stream)  # Airbyte expects a state only from a running stream
        self._writer.state(stream, blob, record_count)
        self._open[stream] = blob
        self._alive_at = self._clock.monotonic()

    def _unavailable(self, event: StreamUnavailable) -> None:
        """Complete a stream without records. If it failed, Airbyte would fail the complete sync."""
        self._writer.log("WARN", f"{event.stream}: no records, because this account does not have it. {event.error}")
        self._write_state(event.stream, self._open[event.stream], 0)
        self._end(event.stream, "COMPLETE")

    def _failed(self, event: StreamFailed) -> None:
        self.failed = True
        cause = event.error.__cause__
        internal = f"{type(event.error).__name__}" + (f" from {origin(cause)}" if cause else "")
        self._writer.log("INFO", f"{event.stream}: stopped after {event.stats}")
        self._writer.error(str(event.error), failure_type(event.error), stream=event.stream, internal=internal)
        self._end(event.stream, "INCOMPLETE")

    def _end(self, stream: str, status: Literal["COMPLETE", "INCOMPLETE"]) -> None:
        self._open.pop(stream, None)
        if stream not in self._started:
            self._start(stream)
        self._writer.stream_status(stream, status)
