"""What a command and all processes of its session cost, from /proc."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SAMPLE_SECONDS: Final = 0.5
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU of all processes, and the most memory that those of Python and of Java had at the same time."""

    cpu_seconds: float
    python_mb: float
    java_mb: float


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    is_java: bool
    cpu_seconds: float
    memory_mb: float


def with_cost(command: Sequence[str], environment: Mapping[str, str]) -> tuple[str, Cost]:
    """Run a command in a session of its own, and return its output and its cost. A short process may be missed."""
    cpu: dict[int, float] = {}
    python_mb = java_mb = 0.0
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, env=dict(environment), stdout=output, stderr=output, start_new_session=True)
        while process.poll() is None:
            found = list(_session(process.pid))
            cpu |= {one.pid: one.cpu_seconds for one in found}
            python_mb = max(python_mb, sum(one.memory_mb for one in found if not one.is_java))
            java_mb = max(java_mb, sum(one.memory_mb for one in found if one.is_java))
            with suppress(subprocess.TimeoutExpired):
                process.wait(SAMPLE_SECONDS)
        output.seek(0)
        return output.read().decode(errors="replace"), Cost(sum(cpu.values()), python_mb, java_mb)


def _session(leader: int) -> Iterator[_Process]:
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError, IndexError, StopIteration):  # it has ended
            name, _, rest = (entry / "stat").read_text().partition("(")[2].rpartition(")")
            values = rest.split()
            if int(values[3]) == leader:
                cpu_seconds = (int(values[11]) + int(values[12])) / _TICKS
                yield _Process(int(entry.name), name == "java", cpu_seconds, _memory_mb(entry))


def _memory_mb(entry: Path) -> float:
    """Return the memory of a process. What it shares with others, such as the process it was forked from, is divided."""
    lines = (entry / "smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1e3
