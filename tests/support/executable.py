"""Run the connector as a process. Nothing of it is imported, so that an environment without its dependencies can test it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.support.protocol import Output, parse

ROOT = Path(__file__).resolve().parents[2]
NAME = "source-zendesk-chat"
INSTALLED = [path for path in (Path(sys.executable).with_name(NAME), ROOT / ".venv" / "bin" / NAME) if path.exists()]
EXECUTABLE = Path(os.environ.get("CONNECTOR") or INSTALLED[0])


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    stdout: bytes
    stderr: str = ""

    @cached_property
    def output(self) -> Output:
        return Output(parse(self.stdout))

    @property
    def trouble(self) -> list[str]:
        """What a read without problems has nothing of."""
        code = [f"exit code {self.code}"] if self.code else []
        return [*code, *(error["message"] for error in self.output.errors), *self.stderr.splitlines()]


def environment(**more: str) -> dict[str, str]:
    """The environment of a bare container: no home, no locale."""
    return {"PATH": os.environ.get("PATH", os.defpath), **more}


def files(folder: Path, **contents: Any) -> list[str]:
    """Write JSON files (or bytes as they are) and return them as options."""
    options = []
    for name, content in contents.items():
        path = folder / f"{name}.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        options += [f"--{name}", str(path)]
    return options


def read_files(folder: Path, config: Any, catalog: Any, state: Any = None) -> list[str]:
    """The options of ``read``; without a state there is no such option."""
    return files(folder, config=config, catalog=catalog, **({} if state is None else {"state": state}))


def execute(command: str, *options: str, executable: Path = EXECUTABLE, cwd: str | None = None, **env: str) -> Done:
    """Run a command as a process."""
    ended = subprocess.run(
        [executable, command, *options], capture_output=True, env=environment(**env), timeout=100, cwd=cwd, check=False
    )
    return Done(ended.returncode, ended.stdout, ended.stderr.decode())


def read_process(
    config: Any, catalog: Any, state: Any = None, *options: str, executable: Path = EXECUTABLE, **env: str
) -> Done:
    """``read`` as a process."""
    with tempfile.TemporaryDirectory() as folder:
        given = read_files(Path(folder), config, catalog, state)
        return execute("read", *given, *options, executable=executable, **env)


def names_in(catalog: Mapping[str, Any]) -> list[str]:
    """The streams that a configured catalog asks for."""
    return [entry["stream"]["name"] for entry in catalog["streams"]]
