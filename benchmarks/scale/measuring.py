"""Runs `zendesk-chat sync` as a process of its own, and reports what it cost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.measure import LAUNCHER, Usage

COMMAND: Final = Path(sys.executable).with_name("zendesk-chat")
FULL_HISTORY: Final = "2015-01-01"
LONGEST_SECONDS: Final = 600
BEHIND_SECONDS: Final = 900.0
"""By how much a sandbox's clock is behind, until new chats are old enough to be exported."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a command."""

    wall_seconds: float
    cpu_seconds: float
    peak_mb: float


def run_sync(arguments: Sequence[str | Path], folder: Path) -> Measured:
    """Run ``zendesk-chat sync`` in a folder. Raises SystemExit if it fails."""
    report = folder / "usage.json"
    command: list[str | Path] = [sys.executable, "-I", "-S", LAUNCHER, report, COMMAND, "sync", "--quiet", *arguments]
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS
    )
    usage = msgspec.json.decode(report.read_bytes(), type=Usage)
    if usage.exit_code:
        raise SystemExit(done.stderr)
    return Measured(
        wall_seconds=round(usage.wall_seconds, 3), cpu_seconds=round(usage.cpu_seconds, 3), peak_mb=round(usage.peak_mb, 1)
    )
