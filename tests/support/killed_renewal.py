"""Renewals of tokens that are killed with SIGKILL; run as a script by ``test_config_file``.

Usage: killed_renewal.py FILE steps|moments SEED. Prints, for each kill, the pairs of tokens in readable files, as JSON.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.clock import FakeClock
from zendesk_chat.load.config_file import ConfigFile

CALLS = ("open", "close", "write", "fsync", "ftruncate", "replace", "unlink", "lseek")
ROUNDS = 60


def renew(path: Path, access: str, refresh: str) -> None:
    with ConfigFile(path, FakeClock()).prepare() as slot:
        assert slot.stored is not None
        slot.save(replace(slot.stored, access_token=access, refresh_token=refresh))


def be_killed_at(step: int) -> None:
    """Let this process kill itself in the middle of a call to the operating system."""
    steps = itertools.count(1)

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **more: Any) -> Any:
            if next(steps) == step:
                if call.__name__ == "write":
                    file, content = arguments
                    call(file, content[: len(content) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **more)

        return counting

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))


def forked(work: Callable[[], None], seconds: float | None) -> bool:
    """Do work in a process that is killed after so many seconds. Returns whether it ended by itself."""
    process = os.fork()
    if not process:
        work()
        os._exit(0)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(process, signal.SIGKILL)
    return os.waitpid(process, 0)[1] == 0


def readable(path: Path, config: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """The pairs of tokens in files that hold everything else too."""
    for file in sorted(path.parent.glob(f"{path.name}*")):
        try:
            found = json.loads(file.read_bytes())
        except ValueError:
            continue
        credentials = found["credentials"]
        if {**found, "credentials": None} == {**config, "credentials": None}:
            yield ("file" if file == path else "copy"), [credentials["access_token"], credentials["refresh_token"]]


def tidy(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for copy in path.parent.glob(f"{path.name}.new-tokens-*"):
        copy.unlink()


def by_steps(path: Path) -> None:
    content = path.read_bytes()
    config = json.loads(content)
    for step in itertools.count(1):

        def killed(step: int = step) -> None:
            be_killed_at(step)
            renew(path, "new-access", "new-refresh")

        ended = forked(killed, None)
        sys.stdout.write(json.dumps(list(readable(path, config))) + "\n")
        if ended:
            return
        tidy(path, content)


def by_moments(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    config = json.loads(path.read_bytes())

    def endless() -> None:
        for number in itertools.count():
            renew(path, f"{number}-access", f"{number}-refresh")

    for _ in range(ROUNDS):
        forked(endless, chance.uniform(0.001, 0.03))
        sys.stdout.write(json.dumps(list(readable(path, config))) + "\n")


if __name__ == "__main__":
    file, how, seed = sys.argv[1:]
    by_steps(Path(file)) if how == "steps" else by_moments(Path(file), int(seed))
