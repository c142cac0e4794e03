"""Airbyte messages as lines of bytes, and the one writer that sends them to stdout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import IO, TYPE_CHECKING, Literal

import msgspec

from zendesk_chat.clock import Clock
from zendesk_chat.errors import ConfigError, ConnectorError, TransientError
from zendesk_chat.printable import LONGEST_MESSAGE, LONGEST_REPORT, printable
from zendesk_chat.record_lines import write_records
from zendesk_chat.secret_mask import SecretMask, secrets_of

if TYPE_CHECKING:  # otherwise `spec` would load the streams
    from zendesk_chat.streams.stream import RawRecord, StateBlob

Level = Literal["FATAL", "ERROR", "WARN", "INFO", "DEBUG"]
StreamStatus = Literal["STARTED", "RUNNING", "COMPLETE", "INCOMPLETE"]
FailureType = Literal["config_error", "transient_error", "system_error"]


def failure_type(error: ConnectorError) -> FailureType:
    """Return Airbyte's term for what recovers from an error: the user, another attempt, or neither."""
    if isinstance(error, ConfigError):
        return "config_error"
    return "transient_error" if isinstance(error, TransientError) else "system_error"


class Writer:
    """Writes messages, one per line, and flushes after each message that is not a record.

    In strings for people it masks secrets and escapes control characters, because a log viewer decodes JSON's own escapes.
    """

    def __init__(self, out: IO[bytes], clock: Clock, *, debug: bool = False) -> None:
        self._out = out
        self._clock = clock
        self._debug = debug
        self._mask = SecretMask()

    def keep_secret(self, secrets: Iterable[str]) -> None:
        """Mask these strings from now on."""
        self._mask.keep(secrets)

    def spec(self) -> None:
        """SPEC: the form of a configuration."""
        spec = (files("zendesk_chat.airbyte") / "spec.json").read_bytes()
        self._write({"type": "SPEC", "spec": msgspec.json.decode(spec)})

    def connection_status(self, *, succeeded: bool, message: str) -> None:
        """CONNECTION_STATUS: the outcome of ``check``."""
        status = {"status": "SUCCEEDED" if succeeded else "FAILED", "message": self._shown(message, LONGEST_REPORT)}
        self._write({"type": "CONNECTION_STATUS", "connectionStatus": status})

    def catalog(self, streams: Sequence[Mapping[str, object]]) -> None:
        """CATALOG: the streams."""
        self._write({"type": "CATALOG", "catalog": {"streams": streams}})

    def save_config(self, config: Mapping[str, object]) -> None:
        """CONTROL: a configuration with renewed tokens, for the platform to store. Elsewhere its secrets are masked."""
        self.keep_secret(secrets_of(config))
        self._write_timed("CONTROL", {"type": "CONNECTOR_CONFIG", "connectorConfig": {"config": config}})

    def records(self, stream: str, records: Sequence[RawRecord]) -> None:
        """RECORD: one line for each raw record."""
        head = f'{{"type":"RECORD","record":{{"stream":"{stream}","emitted_at":{self._now_ms()},"data":'.encode()
        write_records(self._out, head, records, b"}}\n")

    def state(self, stream: str, blob: StateBlob, record_count: int) -> None:
        """STATE: all records of the stream so far are written, ``record_count`` of them since its last state."""
        state = {
            "type": "STREAM",
            "stream": {"stream_descriptor": {"name": stream}, "stream_state": blob},
            "sourceStats": {"recordCount": float(record_count)},
        }
        self._write({"type": "STATE", "state": state})

    def log(self, level: Level, message: str) -> None:
        """LOG: a line for people."""
        if level != "DEBUG" or self._debug:
            self._write({"type": "LOG", "log": {"level": level, "message": self._shown(message)}})

    def stream_status(self, stream: str, status: StreamStatus, *, quota_reset: float | None = None) -> None:
        """TRACE STREAM_STATUS; with ``quota_reset`` (seconds since 1970), waiting for the API's quota until then."""
        body: dict[str, object] = {"stream_descriptor": {"name": stream}, "status": status}
        if quota_reset is not None:
            body["reasons"] = [{"type": "RATE_LIMITED", "rate_limited": {"quota_reset": int(quota_reset * 1000)}}]
        self._write_timed("TRACE", {"type": "STREAM_STATUS", "stream_status": body})

    def error(self, message: str, failure_type: FailureType, *, stream: str | None = None, internal: str = "") -> None:
        """TRACE ERROR: what failed, and what to do about it."""
        body: dict[str, object] = {"message": self._shown(message), "failure_type": failure_type}
        if internal:
            body["internal_message"] = self._shown(internal)
        if stream:
            body["stream_descriptor"] = {"name": stream}
        self._write_timed("TRACE", {"type": "ERROR", "error": body})

    def _write_timed(self, kind: str, body: Mapping[str, object]) -> None:
        self._write({"type": kind, kind.lower(): {"emitted_at": self._now_ms(), **body}})

    def _write(self, message: Mapping[str, object]) -> None:
        self._out.write(msgspec.json.encode(message) + b"\n")
        self._out.flush()

    def _now_ms(self) -> int:
        return int(self._clock.now() * 1000)

    def _shown(self, text: str, longest: int = LONGEST_MESSAGE) -> str:
        return printable(self._mask.masked(text), longest)
