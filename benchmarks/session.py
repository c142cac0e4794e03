"""One run of the benchmark: the server, the programs one after the other, and what came of each."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import duckdb

from benchmarks.certificate import make_certificate
from benchmarks.measure import Delivery, Usage, measure
from benchmarks.plan import API_LIMIT, NO_LIMIT, Task
from benchmarks.programs import COLD_STARTS, DATABASE, Account, Command, Program, environment
from benchmarks.results import Run, Start

UNLIMITED: Final = 10_000  # requests a minute: the most that the connector's configuration takes


class Session:
    """A server and a folder to run programs in."""

    def __init__(self, url: str, trusted: Path, folder: Path) -> None:
        self._url = url
        self._trusted = trusted
        self._folder = folder
        self._environment = environment(trusted, folder)
        self._chats = -1
        self._begins = 0
        self._warm: set[str] = set()

    def rounds(self, task: Task, *, cold: bool = False) -> Iterator[Run]:
        """Run the programs of a task in turns. The first run of each program in this session only counts if ``cold``."""
        if task.chats != self._chats:
            self._begins = self._ask("history", {"chats": task.chats})["begins"]
            self._chats = task.chats
        for program in task.programs:
            if not cold and program.name not in self._warm:
                self.run(program, replace(task, latency_ms=0))
                self._warm.add(program.name)
        for number in range(max(task.programs.values())):
            for program, rounds in task.programs.items():
                if number < rounds:
                    yield self.run(program, task)

    def run(self, program: Program, task: Task) -> Run:
        """Run a program once and check that every chat came exactly once."""
        account = Account(self._url, self._begins, self._folder)
        account.write(task.limit or UNLIMITED)
        if program.after:
            self._ask("reset", {"requests_per_minute": task.limit})
            self._succeed(program.after(account))
        self._ask("reset", {"latency_seconds": task.latency_ms / 1000, "requests_per_minute": task.limit})
        usage, delivery, errors = self._measure(program.command(account))
        counters = self._ask("counters", None)
        if program.loads:
            delivery = _loaded(self._folder / DATABASE)
        return Run(
            program=program.name,
            chats=task.chats,
            latency_ms=task.latency_ms,
            wall_seconds=usage.wall_seconds,
            cpu_seconds=usage.cpu_seconds,
            peak_mb=usage.peak_mb,
            first_record_seconds=delivery.first_at - usage.began if delivery.first_at else None,
            requests=counters["requests"],
            refused=counters["refused"],
            server_cpu_seconds=counters["cpu_seconds"],
            problem=problem_of(usage, delivery, task.chats, errors),
        )

    def cold_starts(self, times: int) -> Iterator[Start]:
        """Run each short command so many times, after one run that is not counted."""
        Account(self._url, self._begins, self._folder).write(API_LIMIT)
        self._ask("reset", {"requests_per_minute": NO_LIMIT})
        for name, command in COLD_STARTS.items():
            usages = [self._succeed(command) for _ in range(times + 1)][1:]
            wall, peak = [usage.wall_seconds for usage in usages], [usage.peak_mb for usage in usages]
            yield Start(command=name, wall_seconds=wall, peak_mb=peak)

    def _measure(self, command: Command) -> tuple[Usage, Delivery, str]:
        return measure(command, self._folder, self._environment)

    def _succeed(self, command: Command) -> Usage:
        usage, _, errors = self._measure(command)
        if usage.exit_code:
            raise RuntimeError(f"{command} failed: {errors}")
        return usage

    def _ask(self, call: str, options: dict[str, Any] | None) -> dict[str, Any]:
        body = None if options is None else json.dumps(options).encode()
        context = ssl.create_default_context(cafile=self._trusted)
        with urllib.request.urlopen(f"{self._url}/_bench/{call}", body, context=context) as response:
            answer: dict[str, Any] = json.load(response)
        return answer


@contextmanager
def session(folder: Path) -> Iterator[Session]:
    """A session with a server of its own, which ends with it."""
    certificate, trusted = make_certificate(folder)
    command: Sequence[str | Path] = [sys.executable, "-m", "benchmarks.server", "--certificate", certificate]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin
        assert server.stdout
        try:
            yield Session(server.stdout.readline().strip(), trusted, folder)
        finally:
            server.stdin.close()


def problem_of(usage: Usage, delivery: Delivery, chats: int, errors: str) -> str:
    """Why a run counts for nothing, or "" when it delivered every chat once."""
    if usage.exit_code:
        return f"exit code {usage.exit_code}: {errors.strip()[-300:]}"
    if delivery.records != chats or len(delivery.ids) != chats:
        return f"{delivery.records:,} records with {len(delivery.ids):,} ids instead of {chats:,}"
    return ""


def _loaded(database: Path) -> Delivery:
    """What is in the table of chats; removes the database."""
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            ids = [str(row[0]) for row in connection.execute("SELECT id FROM chats").fetchall()]
    except duckdb.Error:
        ids = []
    for file in database.parent.glob(f"{database.name}*"):
        file.unlink()
    return Delivery(len(ids), set(ids))
