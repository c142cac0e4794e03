"""`make bench-spark`: 8 accounts of 20,000 chats to Parquet, in Spark with one and two executors, and in plain Python.

Prints a table for docs/spark.md. All accounts are on one server, in the process of this script, which sends prepared pages.
Each row is the best of several runs, in turns, so that other work on the machine matters less.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from benchmarks.export import ChatExport
from benchmarks.history import History
from benchmarks.machine import describe_hardware
from benchmarks.processes import Cost, with_cost
from benchmarks.server import AGE_SECONDS, BenchServer
from tests.support.spark_home import spark_environment

PROGRAMS: Final = {0: "plain Python, one account after the other", 1: "Spark, one executor", 2: "Spark, two executors"}
UNLIMITED: Final = 10_000  # requests a minute


@dataclass(frozen=True, slots=True)
class Run:
    """One run. ``seconds`` is the work itself; the cost includes the start of Spark."""

    seconds: float
    total_seconds: float
    cost: Cost


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.spark", description=__doc__)
    parser.add_argument("--accounts", type=int, default=8)
    parser.add_argument("--chats", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency", type=int, nargs="*", default=[0, 300], metavar="MS")
    options = parser.parse_args()
    server = BenchServer()
    server.export = ChatExport(History(options.chats, int(time.time()) - AGE_SECONDS))
    server.export.warm()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"{', '.join(describe_hardware().values())}. {options.accounts} accounts of {options.chats:,} chats.")
    for latency in options.latency:
        server.reset({"latency_seconds": latency / 1000, "requests_per_minute": 0})
        runs: dict[int, list[Run]] = {executors: [] for executors in PROGRAMS}
        for _ in range(options.rounds):
            for executors in PROGRAMS:
                runs[executors].append(run(executors, server.url, options.accounts, options.chats))
        print_table(latency, runs)


def run(executors: int, url: str, accounts: int, chats: int) -> Run:
    """Run a program in a session of its own, and check that every chat is there."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        (folder / "token").write_text("sandbox-token")
        table = f'token_file = "token"\napi_url = "{url}"\nrequests_per_minute = {UNLIMITED}\n'
        file = folder / "accounts.toml"
        file.write_text("".join(f"[accounts.a{number}]\n{table}" for number in range(accounts)))
        (target := folder / "out").mkdir()
        command = [sys.executable, "-m", "benchmarks.spark_program", str(executors), str(file), str(target)]
        begun = time.monotonic()
        output, cost = with_cost(command, {**os.environ, **spark_environment(folder), "TMPDIR": str(folder)})
        total = time.monotonic() - begun
        rows = sum(pq.read_metadata(path).num_rows for path in target.rglob("*.parquet"))
        seconds = re.search(r"^seconds: ([\d.]+)$", output, re.MULTILINE)
        if seconds is None or rows != accounts * chats:
            raise SystemExit(f"{rows:,} rows instead of {accounts * chats:,}. {output[-3000:]}")
        return Run(float(seconds[1]), total, cost)


def print_table(latency_ms: int, runs: Mapping[int, Sequence[Run]]) -> None:
    print(f"\n{f'{latency_ms} ms a response' if latency_ms else 'No latency'}:\n")
    print("| program | seconds | with its start | CPU | memory of Python | memory of Java |\n|---|--:|--:|--:|--:|--:|")
    for executors, program in PROGRAMS.items():
        best = min(runs[executors], key=lambda one: one.seconds)
        cells = [f"{best.seconds:.1f}", f"{best.total_seconds:.1f}", f"{best.cost.cpu_seconds:.0f} s"]
        cells += [f"{best.cost.python_mb:.0f} MB", f"{best.cost.java_mb:.0f} MB" if executors else ""]
        print("|", " | ".join([program, *cells]), "|", flush=True)


if __name__ == "__main__":
    subprocess.run(["java", "-version"], check=True, capture_output=True)
    main()
