"""Runs one command to its end: what it cost, and what it delivered."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Final

import msgspec

LAUNCHER: Final = Path(__file__).with_name("launch.py")
PIPE_BYTES: Final = 1024 * 1024
HEAD_BYTES: Final = 300  # of each line, enough to see its type and which chat it holds
TIMEOUT_SECONDS: Final = 1800
RECORD: Final = re.compile(rb'\{"type": ?"RECORD"')
CHAT: Final = re.compile(rb'\{"type": ?"RECORD", ?"record": ?\{.{0,40}?"stream": ?"chats"')
CHAT_ID: Final = re.compile(rb'"data": ?\{"id": ?"([^"]+)"')


class Usage(msgspec.Struct):
    """What the launcher saw; ``began`` is a monotonic clock's time."""

    began: float
    wall_seconds: float
    cpu_seconds: float
    peak_mb: float
    exit_code: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """The chats that came, and when the first did, as a monotonic clock's time."""

    records: int = 0
    ids: set[str] = field(default_factory=set)
    first_at: float | None = None


@dataclass(slots=True)
class Output:
    """The beginnings of the lines that came, and when the first RECORD did."""

    heads: list[bytes] = field(default_factory=list)
    first_at: float | None = None

    def add(self, head: bytes) -> None:
        """Take a line."""
        self.heads.append(head)
        if self.first_at is None and RECORD.match(head):
            self.first_at = time.monotonic()

    def delivery(self) -> Delivery:
        """Which chats the lines hold."""
        records = [head for head in self.heads if CHAT.match(head)]
        ids = {match[1].decode() for match in map(CHAT_ID.search, records) if match}
        return Delivery(len(records), ids, self.first_at)


def measure(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> tuple[Usage, Delivery, str]:
    """Run a command in a folder; returns its cost, its delivery and its stderr.

    While it runs, its output is only split into lines, whose beginnings are kept: it must not wait for the reader.
    """
    report, errors = folder / "usage.json", folder / "stderr.txt"
    report.unlink(missing_ok=True)
    launch = [sys.executable, "-I", "-S", LAUNCHER, report, *command]
    began = time.monotonic()
    with (
        errors.open("wb") as stderr,
        subprocess.Popen(
            launch,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
            pipesize=PIPE_BYTES,
        ) as process,
    ):
        assert process.stdout
        limit = Timer(TIMEOUT_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
        limit.start()
        try:
            output = split(_chunks(process.stdout.fileno()))
            process.wait()
        finally:
            limit.cancel()
    spent = time.monotonic() - began
    usage = Usage(began, spent, 0, 0, process.returncode)  # of one that was stopped, and its launcher with it
    if report.exists():
        usage = msgspec.json.decode(report.read_bytes(), type=Usage)
    return usage, output.delivery(), errors.read_text(errors="replace")


def split(chunks: Iterable[bytes]) -> Output:
    """Split an output into lines."""
    output, head = Output(), b""
    for chunk in chunks:
        begin = 0
        while (end := chunk.find(b"\n", begin)) >= 0:
            output.add(head + chunk[begin : min(end, begin + HEAD_BYTES)])
            begin, head = end + 1, b""
        if len(head) < HEAD_BYTES:
            head += chunk[begin : begin + HEAD_BYTES]
    if head:
        output.add(head)
    return output


def _chunks(pipe: int) -> Iterator[bytes]:
    while chunk := os.read(pipe, PIPE_BYTES):
        yield chunk
