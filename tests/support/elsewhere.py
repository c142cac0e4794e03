"""Another program that has a DuckDB file open."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROGRAM = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "True")
print(flush=True)
sys.stdin.read()
"""


@contextmanager
def open_elsewhere(path: Path, *, read_only: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """Let another program open the file until its standard input ends."""
    command = [sys.executable, "-c", _PROGRAM, str(path), str(read_only)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"\n"
        yield other
        other.communicate()
