"""What every destination has to pass: each scenario loads an account several times, and compares every row after each load.

A test of a destination is::

    SQLITE = Destination("sqlite", new_url, rows)

    @pytest.mark.parametrize("scenario", SCENARIOS, ids=name_of)
    def test_scenario(scenario: Scenario, tmp_path: Path) -> None:
        scenario(SQLITE, tmp_path)
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import environ
from pathlib import Path
from subprocess import CompletedProcess
from typing import TypeAlias

import pytest

from tests.destinations.content import ALL, Row, check_content
from tests.support.commands import run_here
from tests.support.sandbox import still, truth
from tests.support.syncs import edit, logged
from zendesk_chat_sandbox import Fault, Sandbox

COMMAND = Path(sys.executable).with_name("zendesk-chat")
KILLS = 30 if "SOAK" in environ else 6
CHATS = 150
HASH_KEY = "a key of sixteen or more"
_LONGEST_SECONDS = 5.0


@dataclass(frozen=True)
class Destination:
    """A kind of destination.

    Attributes:
        name: Of the kind, which is the name of the group of databases.
        url: Returns the URL of a new, empty destination. The argument is a name that no other test has.
        rows: Returns the rows of the table with this name, as the destination's own driver returns them. Of a destination that
            only appends, those of the view in the documentation.
        options: Of ``sync``, in addition to ``--to``.
        upserts: Whether a later row replaces an earlier one with the same key.
        locks: Whether a second sync into the same schema is kept out.
        streams: That the destination can hold.
    """

    name: str
    url: Callable[[str], str]
    rows: Callable[[str, str], Iterable[Row]]
    options: tuple[str, ...] = ()
    upserts: bool = True
    locks: bool = True
    streams: tuple[str, ...] = ALL


@dataclass(frozen=True)
class Loads:
    """Syncs of one account into one destination."""

    destination: Destination
    sandbox: Sandbox
    url: str
    folder: Path

    def arguments(self, *options: str) -> list[str]:
        account = ["--subdomain", "acme", "--token", self.sandbox.token, "--api-url", self.sandbox.url]
        return ["sync", *account, "--to", self.url, *self.destination.options, *options]

    def sync(self, *options: str) -> CompletedProcess[str]:
        """Run the command in this process."""
        return run_here(self.arguments(*options), self.folder, ZENDESK_CHAT_HASH_KEY=HASH_KEY)

    def complete(self, *options: str) -> CompletedProcess[str]:
        """Run the command, which succeeds."""
        done = self.sync(*options)
        assert done.returncode == 0, done.stderr + done.stdout
        return done

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start the command in a process of its own."""
        command = [str(COMMAND), *self.arguments(*options)]
        return subprocess.Popen(command, cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def rows(self, table: str) -> Iterable[Row]:
        return self.destination.rows(self.url, table)

    def check(self, *without: str) -> None:
        """Compare all tables with the account."""
        check_content(self.sandbox, self.rows, [name for name in self.destination.streams if name not in without])

    def load(self, *options: str) -> None:
        """Run the command, which succeeds, and compare all tables with the account."""
        self.complete(*options)
        self.check()


@contextmanager
def loads(destination: Destination, folder: Path, name: str, chats: int = CHATS) -> Iterator[Loads]:
    """An account, and a new destination for it."""
    with still(chats=chats) as sandbox:
        yield Loads(destination, sandbox, destination.url(name), folder)


Scenario: TypeAlias = Callable[[Destination, Path], None]


def first_load_and_nothing_new(destination: Destination, folder: Path) -> None:
    with loads(destination, folder, "first") as account:
        account.load()
        account.load()


def edits(destination: Destination, folder: Path) -> None:
    """Edited chats have other columns and other messages, and some have none left."""
    with loads(destination, folder, "edits") as account:
        account.load()
        chats = account.sandbox.account
        edit(account.sandbox, chats.chat_ids()[:20], "edited")
        for identity in chats.chat_ids()[30:35]:
            chats.edit_chat(identity, history=[], engagements=[], webpath=[])
        chats.add_generated("chats", 10)
        account.sandbox.clock.advance(700)  # the API exports changes after five minutes
        account.load()
        edit(account.sandbox, chats.chat_ids()[10:30], "edited again")
        account.sandbox.clock.advance(700)
        account.load()


def mirrored_lists(destination: Destination, folder: Path) -> None:
    """A list becomes shorter, longer, and other than before."""
    with loads(destination, folder, "lists") as account:
        account.load()
        lists = account.sandbox.account
        first, second, *_ = truth(account.sandbox, "departments")
        lists.delete("departments", first["id"])
        lists.edit("departments", second["id"], {"name": "Renamed", "description": ""})
        lists.add_generated("shortcuts", 2)
        account.load()
        account.load()


def visitors_as_last_seen(destination: Destination, folder: Path) -> None:
    """A visitor whose older chat was edited stays as the later chat has it."""
    with loads(destination, folder, "visitors") as account:
        account.load()
        chats = truth(account.sandbox, "chats")
        by_time = sorted((chat for chat in chats if "visitor" in chat), key=lambda chat: str(chat["timestamp"]))
        edit(account.sandbox, [chat["id"] for chat in by_time[:25]], "seen long ago")
        account.sandbox.clock.advance(700)
        account.load()


def full_refresh(destination: Destination, folder: Path) -> None:
    """What the account has deleted for good disappears, and what was loaded stays until then."""
    with loads(destination, folder, "refresh") as account:
        account.load()
        edit(account.sandbox, account.sandbox.account.chat_ids()[:10], "edited", moved=False)
        account.load("--full-refresh")
        account.load()


def interrupted_full_refresh(destination: Destination, folder: Path) -> None:
    """Until a full refresh is complete, the rows of before are there."""
    with loads(destination, folder, "interrupted") as account:
        account.load()
        before = sorted(str(row["id"]) for row in account.rows("chats"))
        account.sandbox.inject(Fault(kind="status", path="*incremental/chats*", status=403, times=None))
        assert account.sync("--full-refresh").returncode != 0
        assert sorted(str(row["id"]) for row in account.rows("chats")) == before
        account.sandbox.clear_faults()
        account.load()
        account.load("--full-refresh")


def schema_that_grew(destination: Destination, folder: Path) -> None:
    """Columns that an earlier run did not have are added."""
    with loads(destination, folder, "grown") as account:
        account.complete("--redact", "departments.description=drop", "--redact", "chats.comment=drop")
        account.complete()
        account.check("chats")
        account.load("--full-refresh")


def field_hashed_later(destination: Destination, folder: Path) -> None:
    """A column of numbers becomes one of hashes: the table is loaded again, and has no number and no null of before."""
    with loads(destination, folder, "hashed") as account:
        account.load()
        before = {row["id"]: row["zendesk_ticket_id"] for row in account.rows("chats")}
        account.complete("--redact", "chats.zendesk_ticket_id=hash")
        after = {row["id"]: row["zendesk_ticket_id"] for row in account.rows("chats")}
        assert after.keys() == before.keys()
        assert {key for key, value in after.items() if value is None} == {key for key, value in before.items() if value is None}
        assert all(value is None or isinstance(value, str) for value in after.values())
        account.check("chats")


def killed(destination: Destination, folder: Path) -> None:
    """Syncs are killed at random times while the account changes. The next one completes the load."""
    if not destination.upserts:
        pytest.skip(f"{destination.name} cannot replace rows")
    chance = random.Random(1)
    with loads(destination, folder, "killed") as account:
        account.sandbox.inject(Fault(kind="latency", seconds=0.02, times=None))
        for number in range(KILLS):
            process = account.start(*["--full-refresh"] * (number % 3 == 2))
            try:
                process.communicate(timeout=chance.uniform(0.5, _LONGEST_SECONDS))
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
            edit(account.sandbox, chance.sample(account.sandbox.account.chat_ids(), 10), f"edit {number}")
            account.sandbox.account.add_chats(3)
            account.sandbox.clock.advance(700)
        account.sandbox.clear_faults()
        account.load()
        account.load("--full-refresh")


def two_syncs_at_once(destination: Destination, folder: Path) -> None:
    """The second one is refused, or it loads after the first one; no row is doubled."""
    if not destination.locks:
        pytest.skip(f"{destination.name} has no lock")
    with loads(destination, folder, "two") as account:
        account.sandbox.inject(Fault(kind="latency", seconds=0.1, times=None))
        processes = [account.start() for _ in range(2)]
        errors = [process.communicate(timeout=120)[1] for process in processes]
        codes = [process.returncode for process in processes]
        assert sorted(codes) in ([0, 0], [0, 1]), errors
        for code, error in zip(codes, errors, strict=True):
            if code:
                assert "Another sync is loading into" in logged(error, "ERROR")[0]
        account.sandbox.clear_faults()
        account.check()
        account.load()
        keys = [row["id"] for row in account.rows("chats")]
        assert len(keys) == len(set(keys)) == len(truth(account.sandbox, "chats"))


def another_account(destination: Destination, folder: Path) -> None:
    """It is refused, and nothing changes."""
    with loads(destination, folder, "another") as account:
        account.load()
        options = ["--subdomain", "other"]
        done = run_here([*account.arguments(), *options], folder)
        assert done.returncode == 3, done.stderr
        assert "contains the account acme, but you are loading other" in logged(done.stderr, "ERROR")[0]
        account.check()


SCENARIOS: tuple[Scenario, ...] = (
    first_load_and_nothing_new,
    edits,
    mirrored_lists,
    visitors_as_last_seen,
    full_refresh,
    interrupted_full_refresh,
    schema_that_grew,
    field_hashed_later,
    killed,
    two_syncs_at_once,
    another_account,
)


def name_of(scenario: Scenario) -> str:
    return scenario.__name__
