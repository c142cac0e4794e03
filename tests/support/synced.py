"""A DuckDB file as ``sync`` leaves it, for commands that read one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

SYSTEM_TABLES = """
    CREATE SCHEMA IF NOT EXISTS {0};
    CREATE TABLE {0}._sync_account (format BIGINT, subdomain VARCHAR, account_key VARCHAR, time_zone VARCHAR);
    CREATE TABLE {0}._sync_streams (
        stream VARCHAR, state JSON, refresh_state JSON, refreshing BOOLEAN, redaction VARCHAR, digest VARCHAR,
        completed_at TIMESTAMPTZ
    );
    CREATE TABLE {0}._sync_runs (
        run BIGINT, started_at TIMESTAMPTZ, ended_at TIMESTAMPTZ, version VARCHAR, result VARCHAR, exit_code BIGINT
    );
    CREATE TABLE {0}._sync_run_streams (
        run BIGINT, stream VARCHAR, result VARCHAR, received BIGINT, loaded BIGINT, skipped BIGINT, requests BIGINT,
        seconds DOUBLE, resumed_from VARCHAR, reached VARCHAR, error VARCHAR
    );
"""


def synced(path: Path, *, schema: str = "main", subdomain: str = "acme", account_key: str | None = "key-1") -> Path:
    """A file that holds an account, and no run."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(SYSTEM_TABLES.format(f'"{schema}"'))
        connection.execute(
            f'INSERT INTO "{schema}"._sync_account VALUES (1, ?, ?, ?)', [subdomain, account_key, "Europe/Lisbon"]
        )
    return path


def change(path: Path, *statements: str) -> None:
    """Change a file by SQL, as its owner can."""
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)


def add_run(
    path: Path,
    run: int,
    started: str,
    ended: str | None,
    streams: Sequence[tuple[str, str, str | None, str | None]],
    result: str = "complete",
    schema: str = "main",
) -> None:
    """Add a run with its streams: the name, the result, the cursor that was reached, and the error."""
    with duckdb.connect(str(path)) as connection:
        given: list[Any] = [run, started, ended, "1.2.3", result, 0 if result == "complete" else 1]
        connection.execute(f'INSERT INTO "{schema}"._sync_runs VALUES (?, ?, ?, ?, ?, ?)', given)
        for name, outcome, reached, error in streams:
            row = f'INSERT INTO "{schema}"._sync_run_streams VALUES (?, ?, ?, 12, 10, 2, 3, 1.5, NULL, ?, ?)'
            connection.execute(row, [run, name, outcome, reached, error])
            known = f'FROM "{schema}"._sync_streams WHERE stream = ?'
            if not connection.execute(known, [name]).fetchall():
                connection.execute(f'INSERT INTO "{schema}"._sync_streams (stream) VALUES (?)', [name])
            if outcome == "complete":
                done = f'UPDATE "{schema}"._sync_streams SET completed_at = ? WHERE stream = ?'
                connection.execute(done, [ended, name])
