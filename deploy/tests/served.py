"""Sandbox accounts, each served by a process, and the records that were loaded from them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SOURCE = Path(os.environ.get("SOURCE", ROOT / ".venv" / "bin" / "source-zendesk-chat"))


@dataclass(frozen=True)
class Served:
    name: str
    url: str
    chats: int
    token: str = "sandbox-token"

    def config(self, **more: Any) -> dict[str, Any]:
        credentials = {"credentials": "access_token", "access_token": self.token}
        fixed = {"start_date": "2015-01-01T00:00:00Z", "subdomain": "demo", "credentials": credentials}
        return fixed | {"api_url": self.url} | more


@contextmanager
def serving(name: str, chats: int, seed: int) -> Iterator[Served]:
    command = [str(SOURCE), "sandbox", "--port", "0", "--chats", str(chats), "--seed", str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        try:
            yield Served(name, found[0], chats)
        finally:
            process.terminate()


def chats(path: Path, schema: str) -> int:
    """How many chats a file holds; none of them twice."""
    with duckdb.connect(str(path), read_only=True) as connection:
        (found,) = connection.sql(f"SELECT count(DISTINCT id), count(*) FROM {schema}.chats").fetchall()
    assert found[0] == found[1]
    return int(found[0])
