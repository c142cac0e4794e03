"""Read one account into a PyAirbyte cache of its own; run by the Python that has PyAirbyte.

Exit codes as those of ``zendesk-chat sync``: 0 everything is read, 1 something is not and another try may read it, 2 the
arguments are wrong, 3 someone must fix something first.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

# Both are read when PyAirbyte is imported: no telemetry, and no request to its registry about a local source.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("AIRBYTE_OFFLINE_MODE", "1")

from airbyte.caches import CacheBase, DuckDBCache, PostgresCache
from airbyte.exceptions import AirbyteConnectorValidationFailedError, PyAirbyteError

import airbyte as ab

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_ACTION_NEEDED = 3
NOTE_FAILURES = Path(__file__).with_name("note_failures.py")


def main() -> int:
    """Run it. Returns the exit code."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="zendesk-chat-") as folder:
        notes = Path(folder) / "failures"
        notes.touch()
        try:
            _read(options, _executable(options.source, notes))
        except AirbyteConnectorValidationFailedError as error:
            return _failed(str(error), EXIT_ACTION_NEEDED)
        except PyAirbyteError as error:
            failures = [json.loads(line) for line in notes.read_text().splitlines()]
            for_a_person = [failure["message"] for failure in failures if failure["failure_type"] == "config_error"]
            if for_a_person:
                return _failed(" ".join(dict.fromkeys(for_a_person)), EXIT_ACTION_NEEDED)
            return _failed(str(error), EXIT_FAILED)
    return EXIT_OK


def _read(options: argparse.Namespace, executable: Path) -> None:
    source = ab.get_source(
        "source-zendesk-chat",
        config=json.loads(options.config.read_text()),
        local_executable=executable,
        config_change_callback=partial(_save, options.config),
    )
    source.select_all_streams()
    with cache_of(options.to, options.account) as cache:
        result = source.read(cache=cache)
        print(f"{options.account}: {result.processed_records} records are new or changed")  # noqa: T201  for the log


def _executable(source: Path, notes: Path) -> Path:
    """What PyAirbyte starts: the source, with its errors noted."""
    path = notes.with_name("source")
    command = [sys.executable, str(NOTE_FAILURES), str(notes), str(source)]
    path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    path.chmod(0o700)
    return path


def _failed(message: str, code: int) -> int:
    print(f"error: {message}", file=sys.stderr)  # noqa: T201  for the log
    return code


def cache_of(to: str, account: str) -> CacheBase:
    """Return what a URL names, with the account's own schema.

    Args:
        to: ``duckdb:///file`` or ``postgresql://user:password@host:port/database``.
        account: Its name.

    Raises:
        SystemExit: It is neither.
    """
    schema = "zendesk_chat_" + account.replace("-", "_")
    url = urlsplit(to)
    if url.scheme == "duckdb" and url.path:
        return DuckDBCache(db_path=to.removeprefix("duckdb:///"), schema_name=schema)
    if url.scheme in {"postgres", "postgresql"} and url.hostname:
        return PostgresCache(
            host=url.hostname,
            port=url.port or 5432,
            username=unquote(url.username or ""),
            password=unquote(url.password or ""),
            database=url.path.removeprefix("/"),
            schema_name=schema,
        )
    print("--to must be duckdb:///file or postgresql://user:password@host:port/database", file=sys.stderr)  # noqa: T201  likewise
    raise SystemExit(EXIT_USAGE)


def _save(path: Path, config: Mapping[str, Any]) -> None:
    """Store renewed tokens where the old ones came from: completely or not at all, readable by their owner only."""
    real = path.resolve()  # so that a symbolic link stays one
    new = real.with_name(f".{real.name}.new")
    new.touch(mode=0o600)
    new.write_text(json.dumps(config))
    new.replace(real)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="the executable of the source")
    parser.add_argument("--config", type=Path, required=True, help="its configuration")
    parser.add_argument("--account", required=True, help="names the schema")
    parser.add_argument("--to", required=True, help="the cache")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
