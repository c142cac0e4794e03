"""An S3 server, in a process of its own: deltalake keeps Python's lock during a request."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.destinations.servers.processes import free_port, running

VARIABLES = {"AWS_ACCESS_KEY_ID": "acme", "AWS_SECRET_ACCESS_KEY": "a-secret-key", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass(frozen=True)
class S3:
    """A server. Each test has a prefix of its own in one bucket."""

    port: int
    bucket: str = "chats"

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url(self, prefix: str, table_format: str) -> str:
        return f"s3://{self.bucket}/{prefix}?format={table_format}&endpoint_url={self.endpoint}&region=us-east-1"

    @property
    def files(self) -> Any:
        import s3fs

        found = s3fs.S3FileSystem(key="acme", secret="a-secret-key", endpoint_url=self.endpoint)
        found.invalidate_cache()
        return found


@contextmanager
def s3_server(folder: Path) -> Iterator[S3]:
    """Run a server."""
    pytest.importorskip("moto.server")
    server = S3(free_port())
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(server.port)]
    with running(command, folder, None, lambda: server.files.ls("")):
        server.files.mkdir(server.bucket)
        yield server
