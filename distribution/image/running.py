"""Run the image as Airbyte's platform does."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from distribution.image import engine

LOCKED_DOWN: Final = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--network=host")
ENTRYPOINT: Final = "/usr/local/bin/source-zendesk-chat"


def started(*command: str, folder: Path | None = None, options: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """A container; ``folder`` is what the platform mounts and makes the working directory."""
    mounted = (f"--volume={folder}:/source:ro", "--workdir=/source") if folder else ()
    given = [*engine.command(), "run", "--rm", *engine.platform(), *LOCKED_DOWN, *mounted, *options, *command]
    return subprocess.Popen(given, env=engine.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)


def run(*command: str, folder: Path | None = None, options: Sequence[str] = (), code: int = 0) -> bytes:
    """The stdout of a container that ends as expected and complains of nothing."""
    process = started(*command, folder=folder, options=options)
    stdout, stderr = process.communicate(timeout=100)
    assert process.returncode == code, (stdout[-1000:], stderr)
    assert not stderr
    return stdout


def shell(line: str, folder: Path | None = None, *, options: Sequence[str] = (), code: int = 0) -> bytes:
    """The stdout of a shell in the image."""
    return run(engine.IMAGE, "-c", line, folder=folder, options=("--entrypoint=sh", *options), code=code)


def launched(verb: str, folder: Path | None = None, *, code: int = 0) -> bytes:
    """A command in the words of the platform's launcher, which knows the environment's variable only and has no home."""
    return shell(f'unset HOME; eval "$AIRBYTE_ENTRYPOINT {verb}"', folder, code=code)
