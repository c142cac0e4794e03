"""Singer's messages as lines of bytes on stdout, and log lines on stderr."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Literal, TextIO

import msgspec

from zendesk_chat.clock import Clock
from zendesk_chat.printable import printable
from zendesk_chat.record_lines import write_records
from zendesk_chat.secret_mask import SecretMask
from zendesk_chat.singer.catalog import TapStream
from zendesk_chat.streams.records import SECOND_US, iso_micros
from zendesk_chat.streams.stream import RawRecord, StateBlob

Level = Literal["DEBUG", "INFO", "WARNING", "CRITICAL"]


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes messages, one a line. Records wait in the buffer of ``out`` until another message, or more records, follow.

    Attributes:
        out: For messages.
        logs: For log lines. Control characters are escaped in them.
        clock: The source of time.
        debug: Whether to write log lines of the level DEBUG.
        mask: Masks secrets in log lines.
    """

    out: IO[bytes]
    logs: TextIO
    clock: Clock
    debug: bool = False
    mask: SecretMask = field(default_factory=SecretMask)

    def schema(self, stream: TapStream) -> None:
        """SCHEMA: the form of the records that follow."""
        keys = {"key_properties": stream.key, "bookmark_properties": [] if stream.full_table else stream.cursor}
        self._write({"type": "SCHEMA", "stream": stream.name, "schema": stream.schema.to_json(), **keys})

    def records(self, stream: TapStream, records: Sequence[RawRecord], version: int) -> None:
        """RECORD: one line for each raw record. Those of a table that is read completely have a version."""
        time = iso_micros(int(self.clock.now() * SECOND_US))
        numbered = f'"version":{version},' if stream.full_table else ""
        head = f'{{"type":"RECORD","stream":"{stream.name}",{numbered}"time_extracted":"{time}","record":'
        write_records(self.out, head.encode(), records, b"}\n")

    def activate_version(self, stream: TapStream, version: int) -> None:
        """ACTIVATE_VERSION: a table that is read completely is complete. Records of earlier versions do not exist any more."""
        if stream.full_table:
            self._write({"type": "ACTIVATE_VERSION", "stream": stream.name, "version": version})

    def state(self, bookmarks: Mapping[str, StateBlob]) -> None:
        """STATE: all records before these bookmarks are written."""
        self._write({"type": "STATE", "value": {"bookmarks": bookmarks}})

    def log(self, level: Level, message: str) -> None:
        """Write a log line, in the form of Singer's own library."""
        if level != "DEBUG" or self.debug:
            self.logs.write(f"{level} {printable(self.mask.masked(message))}\n")

    def _write(self, message: Mapping[str, object]) -> None:
        self.out.write(msgspec.json.encode(message) + b"\n")
        self.out.flush()
