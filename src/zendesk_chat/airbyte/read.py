"""The ``read`` command: the events of a run as Airbyte messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from zendesk_chat.airbyte.inputs import NO_CURSOR_STATE, parse_catalog, parse_state, read_config, require_stdout
from zendesk_chat.airbyte.messages import Writer, failure_type
from zendesk_chat.api.client import connect
from zendesk_chat.clock import Clock
from zendesk_chat.config import require_past_start, unknown_keys
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
from zendesk_chat.streams.stream import Bounds, StateBlob

KEEP_ALIVE_SECONDS: Final = 30.0  # Airbyte stops a source that sends no RECORD or STATE; its own connector gets 60 seconds


def read(writer: Writer, clock: Clock, config_path: str, catalog_path: str, state_path: str | None) -> int:
    """Read the configured streams. Return the exit code: 0 only if every stream is complete."""
    now = clock.now()
    try:
        require_stdout()
        config = read_config(config_path, writer)
        require_past_start(config, now)
        configured = parse_catalog(read_json(catalog_path, "catalog"))
        states = parse_state(read_json(state_path, "state")) if state_path else {}
        catalog = Catalog(config.redaction)
        streams = catalog.streams
    except ConfigError as error:
        writer.error(str(error), failure_type(error))
        return ExitCode.INCOMPLETE
    for warning in (*unknown_keys(config.raw), *catalog.warnings):
        writer.log("WARN", warning)
    tasks = [
        Task(
            streams[name],
            states.get(name),
            Bounds(config.start, now, config.lookback, incremental=incremental, end=config.end),
            encode=True,
        )
        for name, incremental in configured.items()
        if name in streams
    ]
    out = EventWriter(writer, clock, {task.stream.name: task.state or NO_CURSOR_STATE for task in tasks})
    try:
        rotations = Rotations(clock)
        for event in run(tasks, connect(config, clock, rotations.save), rotations, clock):
            out.write(event)
    except ConfigError as error:  # from the client, before any stream
        writer.error(str(error), failure_type(error))
    out.end_unfinished()
    for name in [name for name in configured if name not in streams]:
        out.end_unknown(name, streams)
    return ExitCode.INCOMPLETE if out.failed else ExitCode.COMPLETE


class EventWriter:
    """Writes the events of a run as Airbyte messages, and remembers which streams have not ended.

    Args:
        writer: Writes the messages.
        clock: The source of time.
        states: The state of each stream to read.
    """

    def __init__(self, writer: Writer, clock: Clock, states: Mapping[str, StateBlob]) -> None:
        self._writer = writer
        self._clock = clock
        self._open = dict(states)
        self._alive_at = clock.monotonic()
        self._begun: set[tuple[str, str]] = set()  # streams, with the statuses that they have had
        self.failed = False

    def write(self, event: Event) -> None:
        """Write an event. If no record or state was written for a while, repeat a state to keep the connection alive.

        Airbyte's heartbeat counts neither logs nor statuses, and a wait may take minutes.
        """
        self._write(event)
        if self._clock.monotonic() - self._alive_at >= KEEP_ALIVE_SECONDS:
            started = (stream for stream in self._open if (stream, "STARTED") in self._begun)
            if (stream := next(started, None)) is not None:
                self._write_state(stream, self._open[stream])

    def end_unfinished(self) -> None:
        """End the streams that a stopped run did not finish."""
        for stream in tuple(self._open):
            self._end(stream, "INCOMPLETE")

    def end_unknown(self, stream: str, known: Iterable[str]) -> None:
        """Report a stream in the catalog that does not exist."""
        unknown = f"The catalog contains an unknown stream: {printable(stream, LONGEST_NAME)}. "
        advice = f"Refresh the source's schema and choose from: {', '.join(known)}."
        self._writer.error(unknown + advice, "config_error", stream=stream)
        self._end(stream, "INCOMPLETE")

    def _write(self, event: Event) -> None:
        match event:
            case StreamStarted(stream):
                self._begin(stream, "STARTED")
            case PageRead(stream, records, state):
                self._begin(stream, "RUNNING")
                self._writer.records(stream, records)
                self._write_state(stream, state or NO_CURSOR_STATE, len(records))
            case RateLimited(stream, reset_at):
                self._writer.stream_status(stream, "RUNNING", quota_reset=reset_at)
            case Note(level, message):
                self._writer.log(level, message)
            case SchemaChange():
                self._writer.log("WARN", str(event))
            case CredentialsRotated(config):
                self._writer.save_config(config)
            case _:
                self._write_end(event)

    def _write_end(self, event: Event) -> None:
        match event:
            case StreamCompleted(stream, stats):
                self._writer.log("INFO", f"{stream}: {stats}")
                self._end(stream, "COMPLETE")
            case StreamUnavailable(stream, error):  # an error would make Airbyte fail the complete sync
                self._writer.log("WARN", f"{stream}: no records, because this account lacks it. {error}")
                self._write_state(stream, self._open[stream])
                self._end(stream, "COMPLETE")
            case StreamFailed(stream, error, stats):
                internal = type(error).__name__ + (f" from {origin(error.__cause__)}" if error.__cause__ else "")
                self._writer.log("INFO", f"{stream}: stopped after {stats}")
                self._writer.error(str(error), failure_type(error), stream=stream, internal=internal)
                self._end(stream, "INCOMPLETE")

    def _write_state(self, stream: str, blob: StateBlob, record_count: int = 0) -> None:
        self._begin(stream, "RUNNING")  # Airbyte expects a state only from a running stream
        self._writer.state(stream, blob, record_count)
        self._open[stream] = blob
        self._alive_at = self._clock.monotonic()

    def _begin(self, stream: str, status: Literal["STARTED", "RUNNING"]) -> None:
        if (stream, status) not in self._begun:
            self._begun.add((stream, status))
            self._writer.stream_status(stream, status)

    def _end(self, stream: str, status: Literal["COMPLETE", "INCOMPLETE"]) -> None:
        self._open.pop(stream, None)
        self._begin(stream, "STARTED")
        self._writer.stream_status(stream, status)
        self.failed |= status == "INCOMPLETE"
