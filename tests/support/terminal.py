"""A command on a terminal of a given width, and what it then shows."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_PARTS: Final = re.compile(r"\x1b\[([\d;?]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


@dataclass(slots=True)
class Screen:
    """The lines of a terminal that understands what a progress uses: line feeds, cursor up, erase line, and colours, which it
    ignores.
    """

    lines: list[str] = field(default_factory=lambda: [""])
    row: int = 0
    column: int = 0
    cursor_shown: bool = True

    def feed(self, text: str) -> None:
        """Show what a command wrote."""
        for arguments, command, control, shown in _PARTS.findall(text):
            match command, control:
                case "A", _:
                    self.row = max(0, self.row - int(arguments or 1))
                case "K", _:
                    self.lines[self.row] = ""
                case "h" | "l", _:
                    self.cursor_shown = command == "h"
                case _, "\r":
                    self.column = 0
                case _, "\n":
                    self.row, self.column = self.row + 1, 0
                    self.lines += [""] * (self.row + 1 - len(self.lines))
                case _:
                    line = self.lines[self.row].ljust(self.column)
                    self.lines[self.row] = line[: self.column] + shown + line[self.column + len(shown) :]
                    self.column += len(shown)

    @property
    def text(self) -> list[str]:
        """The lines without blanks at their ends."""
        return [line.rstrip() for line in self.lines if line.strip()]


def on_terminal(command: Sequence[str | Path], columns: int, cwd: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a command with a terminal as its standard streams: its exit code, and all that it wrote."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen(command, cwd=cwd, env=dict(environment), stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                part = os.read(ours, 2**16)
            except OSError:  # Linux reports the end so
                part = b""
            if not part:
                break
            written += part
        os.close(ours)
        return process.wait(60), written.decode()
