"""A private Postgres cluster on loopback, and databases in it with the tables of a DuckDB file."""

from __future__ import annotations

import csv
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

BINARIES: Final = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)), None)
_TYPES: Final = {"VARCHAR": "text", "DOUBLE": "double precision", "JSON": "jsonb"}
_NULL: Final = r"\N"


@dataclass(frozen=True, slots=True)
class Database:
    """A database of the cluster."""

    port: int
    name: str

    def run(self, sql: str) -> str:
        """Execute statements, and return what they print: a row in a line, its columns in CSV."""
        command = ["psql", "-X", "-q", "--csv", "-t", "-v", "ON_ERROR_STOP=1", "-P", f"null={_NULL}"]
        server = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", self.name, "-f", "-"]
        done = subprocess.run([*command, *server], check=False, input=sql, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, sql: str) -> list[tuple[str | None, ...]]:
        """Return the rows of a query as strings."""
        lines = csv.reader(self.run(f"SET TimeZone = 'UTC'; {sql}").splitlines(keepends=True))
        return [tuple(None if value == _NULL else value for value in line) for line in lines]

    def copy_tables(self, source: duckdb.DuckDBPyConnection, schema: str, folder: Path, *, json: str = "jsonb") -> None:
        """Copy all tables of a schema of a DuckDB file into a schema of the same name."""
        source.execute("SET TimeZone = 'UTC'")
        self.run(f'CREATE SCHEMA "{schema}"' if schema != "public" else "")
        tables = source.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = ? AND NOT starts_with(table_name, '_')", [schema]
        ).fetchall()
        for (table,) in tables:
            columns = source.execute(f'DESCRIBE "{schema}"."{table}"').fetchall()
            types = _TYPES | {"JSON": json}
            listed = ", ".join(f'"{column[0]}" {types.get(column[1], column[1])}' for column in columns)
            file = folder / f"{self.name}-{table}.csv"
            source.execute(f"COPY \"{schema}\".\"{table}\" TO '{file}' (HEADER, FORCE_QUOTE *, NULLSTR '{_NULL}')")
            self.run(
                f'CREATE TABLE "{schema}"."{table}" ({listed});\n'
                f"\\copy \"{schema}\".\"{table}\" FROM '{file}' (FORMAT csv, HEADER, NULL '{_NULL}')\n"
            )


@contextmanager
def cluster(folder: Path) -> Iterator[Database]:
    """Run a cluster in a folder. Its language sorts strings in another order than DuckDB.

    Postgres refuses to run as root, so root runs it as the user of Debian's package.
    """
    assert BINARIES is not None
    user = "postgres" if os.getuid() == 0 else None
    data = folder / "data"
    data.mkdir()
    if user:
        shutil.chown(data, user)
        for parent in (folder, *folder.parents[:3]):
            parent.chmod(parent.stat().st_mode | 0o011)
    subprocess.run(
        [BINARIES, "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale-provider=icu", "--icu-locale=en-US"],
        check=True,
        user=user,
        capture_output=True,
        timeout=60,
    )
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = int(chosen.getsockname()[1])
    settings = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "timezone=Asia/Tokyo")
    options = [option for setting in settings for option in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [BINARIES.with_name("postgres"), "-D", data, "-p", str(port), *options], user=user, stdout=log, stderr=log
        )
    try:
        _wait_until_ready(server, port)
        yield Database(port, "postgres")
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_until_ready(server: subprocess.Popen[bytes], port: int, attempts: int = 300) -> None:
    for _ in range(attempts):
        assert server.poll() is None, "Postgres ended"
        ready = ["pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        if subprocess.run(ready, check=False, timeout=10).returncode == 0:
            return
        time.sleep(0.1)
    raise AssertionError("Postgres did not start")


def create_database(server: Database, name: str) -> Database:
    """Create an empty database in the cluster."""
    server.run(f'CREATE DATABASE "{name}"')
    return Database(server.port, name)
