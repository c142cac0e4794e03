"""`make bench-destinations`: load 20,000 chats with everything into each destination whose server runs here.

Prints a table for docs/destinations.md. All runs of one table are of one session, so compare the ratios, not the seconds.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.machine import describe_hardware
from benchmarks.measure import LAUNCHER, Usage
from tests.destinations.servers.mariadb import mariadb_server
from tests.destinations.servers.postgres import postgres_server
from tests.destinations.servers.processes import free_port

CHATS: Final = 20_000
COMMAND: Final = Path(sys.executable).with_name("zendesk-chat")


@dataclass(frozen=True, slots=True)
class Destination:
    """What is measured: ``start`` runs the server in a folder until the stack is closed, and returns the URL."""

    name: str
    start: Callable[[ExitStack, Path], str]


def _postgres(stack: ExitStack, _folder: Path) -> str:
    return stack.enter_context(postgres_server()).new_database("chats")


def _mariadb(stack: ExitStack, _folder: Path) -> str:
    return stack.enter_context(mariadb_server()).new_database("chats")


DESTINATIONS: Final = (
    Destination("DuckDB file", lambda _stack, folder: str(folder / "chats.duckdb")),
    Destination("Postgres", _postgres),
    Destination("SQLite", lambda _stack, folder: f"sqlite:///{folder}/chats.sqlite"),
    Destination("MariaDB", _mariadb),
    Destination("Parquet", lambda _stack, folder: f"file://{folder}"),
    Destination("Delta", lambda _stack, folder: f"file://{folder}?format=delta"),
    Destination("Iceberg", lambda _stack, folder: f"file://{folder}?format=iceberg"),
)


def main() -> int:
    """Measure the chosen destinations, each against the DuckDB file."""
    parser = argparse.ArgumentParser("python -m benchmarks.destinations", description=__doc__)
    parser.add_argument("--chats", type=int, default=CHATS, help="the size of the account (default: %(default)s)")
    parser.add_argument("--only", help="a part of a destination's name")
    options = parser.parse_args()
    chosen = [each for each in DESTINATIONS if not options.only or options.only in each.name or each is DESTINATIONS[0]]
    print(f"{', '.join(describe_hardware().values())}. {options.chats:,} chats with everything.\n")
    print("| destination | first load | compared with DuckDB | CPU | memory | nothing new |\n|---|--:|--:|--:|--:|--:|")
    with sandbox(options.chats) as url:
        first_seconds = 0.0
        for destination in chosen:
            first, again = measure(destination, url)
            first_seconds = first_seconds or first.wall_seconds
            ratio = f"{first.wall_seconds / first_seconds:.1f}"
            cells = [f"{first.wall_seconds:.1f} s", ratio, f"{first.cpu_seconds:.1f} s", f"{first.peak_mb:.0f} MB"]
            print("|", " | ".join([destination.name, *cells, f"{again.wall_seconds:.1f} s"]), "|", flush=True)
    return 0


def measure(destination: Destination, api_url: str) -> tuple[Usage, Usage]:
    """Load an account for the first time, and then again without news."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        folder.chmod(0o755)  # a server may run as another user
        url = destination.start(stack, folder)
        return sync(url, api_url, folder), sync(url, api_url, folder)


def sync(to: str, api_url: str, folder: Path) -> Usage:
    """Run ``sync`` in a process of its own."""
    report = folder / "usage.json"
    account = ["--subdomain", "demo", "--token", "sandbox-token", "--api-url", api_url]
    arguments = [*account, "--start-date", "2020-01-01", "--to", to]
    launch: list[str | Path] = [sys.executable, "-I", "-S", LAUNCHER, report, COMMAND, "sync", "--quiet", *arguments]
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder)}
    done = subprocess.run(launch, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return msgspec.json.decode(report.read_bytes(), type=Usage)


@contextmanager
def sandbox(chats: int) -> Iterator[str]:
    """Serve an account without a rate limit in a process of its own."""
    port = free_port()
    options = ["--port", str(port), "--chats", str(chats), "--switch", "rate_limit=0"]
    with subprocess.Popen([COMMAND, "sandbox", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/_sandbox/state").close()
                    break
                except OSError:
                    time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


if __name__ == "__main__":
    sys.exit(main())
