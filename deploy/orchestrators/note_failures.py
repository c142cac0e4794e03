"""Run a source, pass its messages on, and write each error that it reports to a file, a JSON object on each line.

PyAirbyte keeps the text of an error, but not its type, which decides whether another try may succeed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import IO

TRACE = b'{"type":"TRACE"'


def main() -> int:
    """Run ``sys.argv[2:]`` and note its errors in the file ``sys.argv[1]``. Returns its exit code."""
    notes, *command = sys.argv[1:]
    with Path(notes).open("a") as file, subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101  it is a pipe
        try:
            for line in process.stdout:
                _note(line, file)
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()
        finally:
            process.terminate()  # whoever reads may have enough
        return process.wait()


def _note(line: bytes, file: IO[str]) -> None:
    if line.startswith(TRACE) and (error := json.loads(line)["trace"].get("error")):
        file.write(json.dumps(error) + "\n")
        file.flush()


if __name__ == "__main__":
    sys.exit(main())
