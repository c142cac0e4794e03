"""A private cluster of Postgres."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2

from tests.destinations.servers.processes import free_port, program, running, server_folder, unprivileged

_FOLDERS = [f"/usr/lib/postgresql/{version}/bin" for version in range(20, 12, -1)]


@dataclass(frozen=True)
class Postgres:
    """A server. Each database of a test has a name of its own."""

    port: int
    folder: Path

    def url(self, database: str = "postgres", user: str = "postgres", password: str = "secret") -> str:
        return f"postgres://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def execute(self, sql: str, *values: object, database: str = "postgres") -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.url(database))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql, values or None)
                return cursor.fetchall() if cursor.description else []

    def new_database(self, name: str) -> str:
        """Create a database, and return its URL."""
        self.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Run a server in a folder of its own."""
    with server_folder() as folder, _started(folder) as server:
        yield server


@contextmanager
def _started(folder: Path) -> Iterator[Postgres]:
    """Run a server with password authentication and without durability."""
    initdb, postgres = program("initdb", *_FOLDERS), program("postgres", *_FOLDERS)
    user = unprivileged(folder, "postgres")
    password = folder / "password"
    password.write_text("secret")
    password.chmod(0o644)
    data = folder / "data"
    create = [
        initdb,
        "-D",
        str(data),
        "-U",
        "postgres",
        "-A",
        "scram-sha-256",
        f"--pwfile={password}",
        "-E",
        "UTF8",
        "--locale=C",
    ]
    done = subprocess.run(create, cwd=folder, user=user, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    server = Postgres(free_port(), folder)
    settings = {"listen_addresses": "127.0.0.1", "port": server.port, "unix_socket_directories": folder, "fsync": "off"}
    command = [postgres, "-D", str(data), *(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))]
    with running(command, folder, user, lambda: server.execute("SELECT 1")):
        yield server
