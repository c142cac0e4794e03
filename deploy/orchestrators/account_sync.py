"""One account synced by one process, and what its exit code means to a scheduler.

Needs the standard library only, so that a scheduler can import it whatever else is installed there. Settings, from the
environment:

* ``ZENDESK_CHAT_TO``: where to, with ``{account}`` where the account's name belongs. Each account needs a database (or a file,
  or with PyAirbyte a schema) of its own.
* ``ZENDESK_CHAT_SOURCE``: the executable; ``source-zendesk-chat`` on the PATH where it is not set.
* ``ZENDESK_CHAT_PYAIRBYTE``: the Python of an environment with PyAirbyte. Set: PyAirbyte reads into its cache. Not set:
  ``zendesk-chat sync`` loads.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

INTO_CACHE: Final = Path(__file__).with_name("read_into_cache.py")
TO: Final = "duckdb:////data/{account}.duckdb"
NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
EXIT_OK: Final = 0
EXIT_USAGE: Final = 2
EXIT_ACTION_NEEDED: Final = 3
FOR_A_PERSON: Final = (EXIT_USAGE, EXIT_ACTION_NEEDED)
LINES_KEPT: Final = 40
SECONDS_TO_END: Final = 30

Log = Callable[[str], None]


class ConfigProblem(Exception):  # noqa: N818  what a person must solve, named as they would
    """Somebody has to change something; another try would fail in the same way."""


class TemporaryProblem(Exception):  # noqa: N818  likewise
    """Another try may succeed; it resumes where this one ended."""


def sync_account(name: str, config: Path, log: Log, environment: Mapping[str, str] = os.environ) -> str:
    """Sync an account. Returns the last lines of what the sync printed.

    Args:
        name: Lower-case letters, digits and hyphens; names the account's file, database or schema.
        config: A file with the configuration that ``source-zendesk-chat spec`` describes. Renewed OAuth tokens are stored
            in it.
        log: Given each line that is printed.
        environment: Settings, and what the sync finds around it.

    Raises:
        ConfigProblem: Do not try again before somebody has acted.
        TemporaryProblem: Try again later.
    """
    if not NAME.fullmatch(name):
        raise ConfigProblem(f"An account's name has lower-case letters, digits and hyphens only: {name!r}")
    source = environment.get("ZENDESK_CHAT_SOURCE", "source-zendesk-chat")
    try:
        code, printed = _run(_command(name, source, config, environment), log, environment)
    except OSError as error:
        raise ConfigProblem(f"{error.filename} cannot be run: {error.strerror}. Set ZENDESK_CHAT_SOURCE.") from None
    if code == EXIT_OK:
        return printed
    problem = ConfigProblem if code in FOR_A_PERSON else TemporaryProblem
    raise problem(f"{name}: the sync ended with exit code {code}: {_last_line(printed)}")


@contextmanager
def config_file(config: Mapping[str, Any]) -> Iterator[Path]:
    """A file that only its owner can read, for as long as it is needed: a command line is for everybody to see."""
    with tempfile.TemporaryDirectory(prefix="zendesk-chat-") as folder:
        path = Path(folder) / "config.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(config))
        yield path


def _command(name: str, source: str, config: Path, environment: Mapping[str, str]) -> list[str]:
    to = environment.get("ZENDESK_CHAT_TO", TO).replace("{account}", name)
    python = environment.get("ZENDESK_CHAT_PYAIRBYTE")
    if python:
        return [python, str(INTO_CACHE), "--source", source, "--config", str(config), "--account", name, "--to", to]
    return [source, "sync", "--config", str(config), "--to", to]


def _run(command: Sequence[str], log: Log, environment: Mapping[str, str]) -> tuple[int, str]:
    kept: deque[str] = deque(maxlen=LINES_KEPT)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=dict(environment)
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101  it is a pipe
            for line in process.stdout:
                log(line.rstrip())
                kept.append(line)
            return process.wait(), "".join(kept)
        finally:
            _end(process)  # the scheduler may have stopped the task


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _last_line(printed: str) -> str:
    return next((line for line in reversed(printed.splitlines()) if line.strip()), "nothing was printed")
