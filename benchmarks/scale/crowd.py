"""Measures `sync --accounts`: many sandbox accounts in one process, more and more of them at the same time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.scale.measuring import BEHIND_SECONDS, FULL_HISTORY, Measured, run_sync
from benchmarks.scale.population import make_accounts
from zendesk_chat_sandbox import Fault, Sandbox, Switches

ACCOUNTS: Final = 20
PARALLEL: Final = (1, 2, 4, 8)
LATENCY_SECONDS: Final = 0.1
LARGEST: Final = 2_000  # chats: the loader's first runs are not what is measured
DAYS: Final = 30
ROUNDS: Final = 2  # the faster one counts: other programs can only make a run slower
FEW: Final = 3  # new chats for each account


class CrowdRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of all accounts.

    Attributes:
        kind: "first", "new" or "nothing new".
        chats: How many chats it read, of all accounts.
    """

    kind: str
    parallel: int
    requests: int
    chats: int
    cost: Measured


def sandbox_sizes() -> list[int]:
    """Return how many chats each account has: those of a month, at most 2,000."""
    return [min(LARGEST, round(account.chats_a_day * DAYS)) for account in make_accounts(ACCOUNTS)]


def measure_crowd(folder: Path) -> Iterator[CrowdRun]:
    """Load all accounts, load a few new chats of each, then find nothing new with more and more accounts at a time."""
    with ExitStack() as stack:
        sizes = sandbox_sizes()
        sandboxes = [
            stack.enter_context(Sandbox(seed=seed, chats=size, switches=Switches(rate_limit=0), clock_skew=-BEHIND_SECONDS))
            for seed, size in enumerate(sizes)
        ]
        for sandbox in sandboxes:
            sandbox.inject(Fault(kind="latency", seconds=LATENCY_SECONDS, times=None))
        yield _run(sandboxes, folder, "first", 4, sum(sizes))
        for sandbox in sandboxes:
            sandbox.account.add_chats(FEW)
            sandbox.clock.advance(BEHIND_SECONDS)
        yield _run(sandboxes, folder, "new", 1, FEW * ACCOUNTS)
        for parallel in PARALLEL * ROUNDS:
            yield _run(sandboxes, folder, "nothing new", parallel, 0)


def _run(sandboxes: Sequence[Sandbox], folder: Path, kind: str, parallel: int, chats: int) -> CrowdRun:
    for sandbox in sandboxes:
        sandbox.clear_requests()
    cost = run_sync(["--accounts", _accounts_file(sandboxes, folder, parallel)], folder)
    requests = sum(len(sandbox.requests) for sandbox in sandboxes)
    return CrowdRun(kind=kind, parallel=parallel, requests=requests, chats=chats, cost=cost)


def _accounts_file(sandboxes: Sequence[Sandbox], folder: Path, parallel: int) -> Path:
    path = folder / "accounts.toml"
    tables = [
        f'[accounts.account-{number}]\ntoken = "{sandbox.token}"\napi_url = "{sandbox.url}"\n'
        for number, sandbox in enumerate(sandboxes)
    ]
    top = f'to = "files/{{account}}.duckdb"\nparallel = {parallel}\nstart_date = {FULL_HISTORY}\n'
    path.write_text(top + "".join(tables))
    path.chmod(0o600)
    return path
