"""Measures syncs of one account: the first one, one that finds nothing new, and some that find new chats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.scale.measuring import BEHIND_SECONDS, FULL_HISTORY, Measured, run_sync
from zendesk_chat_sandbox import Sandbox, Switches

SIZES: Final = (1_000, 10_000)
NEW_CHATS: Final = (10, 2_500)
SELECTIONS: Final = {"all": (), "chats": ("--streams", "chats")}
UNLIMITED: Final = Switches(rate_limit=0)


@dataclass(frozen=True, slots=True)
class SyncKind:
    """What is measured."""

    streams: str
    kind: str
    history: int
    new_chats: int


class SingleSync(msgspec.Struct, frozen=True, kw_only=True):
    """One sync of one account.

    Attributes:
        streams: "all" or "chats".
        kind: "first", "nothing new" or "new".
        history: How many chats the account has, without the new ones.
        rounds: The longest sequence of requests to one endpoint, and the one request before all others.
    """

    streams: str
    kind: str
    history: int
    new_chats: int
    requests: int
    rounds: int
    file_mb: float
    cost: Measured


def measure_single(folder: Path) -> Iterator[SingleSync]:
    """Measure each kind of sync of each size, with all streams and with chats only."""
    for streams, options in SELECTIONS.items():
        for size in SIZES:
            with Sandbox(chats=size, switches=UNLIMITED) as sandbox:
                to = folder / f"{streams}-{size}.duckdb"
                for kind in ("first", "nothing new"):
                    new = size if kind == "first" else 0
                    yield _measure(sandbox, to, options, SyncKind(streams, kind, size, new))
        for new in NEW_CHATS:
            with Sandbox(chats=SIZES[0], switches=UNLIMITED, clock_skew=-BEHIND_SECONDS) as sandbox:
                to = folder / f"{streams}-new-{new}.duckdb"
                run_sync(_arguments(sandbox, to, *options), folder)
                sandbox.account.add_chats(new)
                sandbox.clock.advance(BEHIND_SECONDS)
                yield _measure(sandbox, to, options, SyncKind(streams, "new", SIZES[0], new))


def _measure(sandbox: Sandbox, to: Path, options: tuple[str, ...], key: SyncKind) -> SingleSync:
    sandbox.clear_requests()
    cost = run_sync(_arguments(sandbox, to, *options), to.parent)
    paths = Counter(request.path for request in sandbox.requests)
    return SingleSync(
        streams=key.streams,
        kind=key.kind,
        history=key.history,
        new_chats=key.new_chats,
        requests=paths.total(),
        rounds=1 + max(paths.values()),
        file_mb=round(to.stat().st_size / 2**20, 2),
        cost=cost,
    )


def _arguments(sandbox: Sandbox, to: Path, *options: str) -> list[str | Path]:
    account = ["--subdomain", "demo", "--token", sandbox.token, "--api-url", sandbox.url, "--start-date", FULL_HISTORY]
    return [*account, "--to", to, *options]
