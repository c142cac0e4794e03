"""Singer's messages as lines of bytes on stdout, and log lines on stderr."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Literal, TextIO

import msgspec

from zendesk_chat.clock import Clock
from zendesk_chat.printable import printable
from zendesk_chat.record_lines import write_records
from zendesk_chat.secret_mask import SecretMask
from zendesk_chat.singer.catalog import Selected
from zendesk_chat.streams.records import SECOND_US, iso_micros
from zendesk_chat.streams.stream import RawRecord, StateBlob

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class Writer:
    """Writes messages, one a line. Records wait in the buffer of ``out`` until another message, or more records, follow.

    Args:
        out: For messages.
        log: For log lines. Secrets are masked in them, and control characters escaped.
        clock: The source of time.
        debug: Whether to write log lines of the level DEBUG.
    """

    def __init__(self, out: IO[bytes], log: TextIO, clock: Clock, *, debug: bool = False) -> None:
        self._out = out
        self._log = log
        self._clock = clock
        self._debug = debug
        self._mask = SecretMask()

    def keep_secret(self, secrets: Iterable[str]) -> None:
        """Mask these strings in log lines from now on."""
        self._mask.keep(secrets)

    def catalog(self, entries: Sequence[Mapping[str, object]]) -> None:
        """Write the catalog, indented for people who edit it."""
        self._out.write(msgspec.json.format(msgspec.json.encode({"streams": entries}), indent=2) + b"\n")
        self._out.flush()

    def schema(self, selected: Selected) -> None:
        """SCHEMA: the form of the records that follow."""
        stream = selected.stream
        cursor = [] if selected.full_table or not stream.stream.cursor_field else [stream.stream.cursor_field]
        self._write(
            {
                "type": "SCHEMA",
                "stream": stream.name,
                "schema": selected.schema.to_json(),
                "key_properties": stream.key,
                "bookmark_properties": cursor,
            }
        )

    def records(self, stream: str, records: Sequence[RawRecord], version: int | None = None) -> None:
        """RECORD: one line for each raw record. ``version`` is that of a table which is read completely."""
        time = iso_micros(int(self._clock.now() * SECOND_US))
        numbered = "" if version is None else f'"version":{version},'
        head = f'{{"type":"RECORD","stream":"{stream}",{numbered}"time_extracted":"{time}","record":'
        write_records(self._out, head.encode(), records, b"}\n")

    def activate_version(self, stream: str, version: int) -> None:
        """ACTIVATE_VERSION: the table is complete. Records of earlier versions do not exist any more."""
        self._write({"type": "ACTIVATE_VERSION", "stream": stream, "version": version})

    def state(self, bookmarks: Mapping[str, StateBlob]) -> None:
        """STATE: all records before these bookmarks are written."""
        self._write({"type": "STATE", "value": {"bookmarks": bookmarks}})

    def log(self, level: Level, message: str) -> None:
        """Write a log line, in the form of Singer's own library."""
        if level != "DEBUG" or self._debug:
            self._log.write(f"{level} {printable(self._mask.masked(message))}\n")

    def metric(self, stream: str, records: int) -> None:
        """Log the number of records of a stream in the form that programs read."""
        point = {"type": "counter", "metric": "record_count", "value": records, "tags": {"endpoint": stream}}
        self.log("INFO", f"METRIC: {msgspec.json.encode(point).decode()}")

    def _write(self, message: Mapping[str, object]) -> None:
        self._out.write(msgspec.json.encode(message) + b"\n")
        self._out.flush()
