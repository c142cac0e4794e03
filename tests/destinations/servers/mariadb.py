"""A private MariaDB."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
from pymysql.cursors import DictCursor

from tests.destinations.servers.processes import free_port, program, running, server_folder, unprivileged

_FOLDERS = ["/usr/sbin", "/usr/bin", "/usr/local/mysql/bin"]
_STRICT = "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"


@dataclass(frozen=True)
class MariaDB:
    """A server. Each database of a test has a name of its own."""

    port: int
    folder: Path

    def url(self, database: str = "", user: str = "loader", password: str = "secret") -> str:
        return f"mysql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def execute(self, sql: str, *values: object, database: str | None = None) -> list[dict[str, Any]]:
        """Execute a statement as the administrator."""
        connection = pymysql.connect(
            host="127.0.0.1", port=self.port, user="root", database=database, cursorclass=DictCursor, autocommit=True
        )
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())

    def new_database(self, name: str) -> str:
        """Create a database, and return its URL. The user may create databases, as dlt's staging area needs."""
        self.execute(f"CREATE DATABASE `{name}` CHARACTER SET latin1")
        return self.url(name)


@contextmanager
def mariadb_server() -> Iterator[MariaDB]:
    """Run a server in a folder of its own."""
    with server_folder() as folder, _started(folder) as server:
        yield server


@contextmanager
def _started(folder: Path) -> Iterator[MariaDB]:
    """Run a strict server without durability, whose databases have latin1 by default, with an ordinary user."""
    install, mariadbd = program("mariadb-install-db", *_FOLDERS), program("mariadbd", *_FOLDERS)
    user = unprivileged(folder, "mysql")
    data = folder / "data"
    create = [install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"]
    done = subprocess.run(create, cwd=folder, user=user, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    server = MariaDB(free_port(), folder)
    settings = {
        "datadir": data,
        "socket": folder / "socket",
        "pid-file": folder / "pid",
        "bind-address": "127.0.0.1",
        "port": server.port,
        "sql-mode": _STRICT,
        "character-set-server": "latin1",
        "default-time-zone": "+05:00",
        "innodb-flush-log-at-trx-commit": 0,
        "innodb-buffer-pool-size": "64M",
    }
    command = [mariadbd, "--no-defaults", *(f"--{name}={value}" for name, value in settings.items())]
    with running(command, folder, user, lambda: server.execute("SELECT 1")):
        server.execute("CREATE USER loader@'127.0.0.1' IDENTIFIED BY 'secret'")
        server.execute("GRANT ALL ON *.* TO loader@'127.0.0.1'")
        yield server
