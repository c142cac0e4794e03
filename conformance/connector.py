"""The source as a client sees it: an executable that is given files and writes lines. Nothing of it is imported."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from account import INCREMENTAL
from checked import Catalog, checked, checked_read

from tests.support.protocol import Output

CHECKOUT: Final = Path(__file__).resolve().parent.parent
EXECUTABLE: Final = Path(os.environ.get("CONNECTOR") or CHECKOUT / ".venv/bin/source-zendesk-chat")
ENVIRONMENT: Final = {"PATH": os.environ.get("PATH", os.defpath), "DO_NOT_TRACK": "1"}


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    code: int
    output: Output
    stderr: str = ""

    @property
    def trouble(self) -> list[str]:
        """What a read that went well has nothing of."""
        code = [f"exit code {self.code}"] if self.code else []
        return [*code, *(error["message"] for error in self.output.errors), *self.stderr.splitlines()]


def written(folder: Path, **contents: Any) -> list[str]:
    """Write each value into a JSON file of its name; returns the options that hand them over."""
    options = []
    for name, content in contents.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(content))
        options += [f"--{name}", str(path)]
    return options


def start(command: Sequence[str], executable: Path = EXECUTABLE) -> subprocess.CompletedProcess[bytes]:
    """Run the executable to its end."""
    return subprocess.run([executable, *command], capture_output=True, env=ENVIRONMENT, timeout=120, check=False)


def run(command: str, executable: Path = EXECUTABLE, **files: Any) -> Ran:
    """``spec``, ``check`` or ``discover`` with these files."""
    with tempfile.TemporaryDirectory() as folder:
        ended = start([command, *written(Path(folder), **files)], executable)
    return Ran(ended.returncode, checked(ended.stdout), ended.stderr.decode())


@cache
def discovered() -> Catalog:
    """The catalog that the source discovers, which asks for no account."""
    config = {
        "start_date": "2020-01-01T00:00:00Z",
        "subdomain": "acme",
        "credentials": {"credentials": "access_token", "access_token": "sandbox-token"},
    }
    ran = run("discover", config=config)
    (catalog,) = ran.output.payloads("CATALOG")
    return catalog


def all_streams() -> tuple[str, ...]:
    """The names of the streams that there are."""
    return tuple(entry["name"] for entry in discovered()["streams"])


def primary_key(stream: str) -> list[str]:
    """The fields of a stream's key, as discovered."""
    (entry,) = [entry for entry in discovered()["streams"] if entry["name"] == stream]
    return [field for (field,) in entry["source_defined_primary_key"]]


def configured(streams: Iterable[str] | None = None, *, full_refresh: bool = False) -> dict[str, Any]:
    """A configured catalog as the platform makes it from the discovered one."""
    wanted = all_streams() if streams is None else tuple(streams)
    return {
        "streams": [
            {
                "stream": {**entry, "namespace": None},
                "sync_mode": "full_refresh" if full_refresh or entry["name"] not in INCREMENTAL else "incremental",
                "destination_sync_mode": "overwrite" if full_refresh else "append_dedup",
                "cursor_field": entry.get("default_cursor_field"),
                "primary_key": entry["source_defined_primary_key"],
                "generation_id": 1,
                "minimum_generation_id": 1 if full_refresh else 0,
                "sync_id": 1,
            }
            for entry in discovered()["streams"]
            if entry["name"] in wanted
        ]
    }


def names_in(catalog: Mapping[str, Any]) -> list[str]:
    """The streams that a configured catalog asks for."""
    return [entry["stream"]["name"] for entry in catalog["streams"]]


def read(config: Any, catalog: Mapping[str, Any], state: Any = None, executable: Path = EXECUTABLE) -> Ran:
    """A whole ``read``, every line of it checked."""
    files = {"config": config, "catalog": catalog, **({} if state is None else {"state": state})}
    with tempfile.TemporaryDirectory() as folder:
        ended = start(["read", *written(Path(folder), **files)], executable)
    return Ran(ended.returncode, checked_read(ended.stdout, names_in(catalog), discovered()), ended.stderr.decode())
