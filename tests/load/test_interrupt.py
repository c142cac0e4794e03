"""A sync that a signal ends reports it at once, saves what it has, and shows what that is."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from tests.support.syncs import logged
from zendesk_chat_sandbox import Fault, Sandbox, Switches

pytestmark = pytest.mark.long

COMMAND = Path(sys.executable).with_name("zendesk-chat")
ARGUMENTS = ("sync", "--streams", "chats,goals", "--to", "duckdb:///my chats.duckdb")
CHATS, PAGE = 120, 100


@contextmanager
def stuck(folder: Path, sandbox: Sandbox) -> Iterator[subprocess.Popen[str]]:
    """A sync whose second page of chats does not come."""
    sandbox.inject(Fault(kind="latency", path="*/incremental/chats", seconds=60, after=1, times=None))
    process = subprocess.Popen(
        [COMMAND, *ARGUMENTS], cwd=folder, env=environment(sandbox), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 60
        while pages_of_chats(sandbox) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)  # for the first page to be taken
        yield process
    finally:
        process.kill()
        process.communicate()


def pages_of_chats(sandbox: Sandbox) -> int:
    return sum("/incremental/chats" in str(request) for request in sandbox.requests)


def environment(sandbox: Sandbox) -> dict[str, str]:
    account = {"SUBDOMAIN": "acme", "TOKEN": sandbox.token, "API_URL": sandbox.url}
    return {**os.environ, **{f"ZENDESK_CHAT_{name}": value for name, value in account.items()}}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_interrupted_sync_saves_what_it_has_and_the_next_one_resumes(number: int, code: int, tmp_path: Path) -> None:
    with Sandbox(chats=CHATS, switches=Switches(rate_limit=0, export_page_cap=PAGE)) as sandbox:
        with stuck(tmp_path, sandbox) as process:
            process.send_signal(number)
            printed, progress = process.communicate(timeout=30)
        assert process.returncode == code
        assert logged(progress, "INFO")[-1] == "Stopping and saving ..."
        *table, last = printed.splitlines()
        counts = {line.split()[0]: (line.split()[1], line.split()[-1]) for line in table}
        saved = count(tmp_path)
        assert saved in {0, PAGE}, "the page may be read and not yet taken"
        assert counts == {
            "stream": ("records", "state"),
            "chats": (f"{saved:,}", "interrupted"),
            "goals": ("5", "complete"),
        }
        assert last == f"Interrupted: {saved + 5:,} records saved in my chats.duckdb. Run the same command to resume."

        sandbox.clear_faults()
        news = rf"{CHATS - saved:,} records in .*, saved in my chats\.duckdb \(\d+ MB\)\."
        for result in (news, r"No new records in .*; my chats\.duckdb \(\d+ MB\) is up to date\."):
            done = subprocess.run(
                [COMMAND, *ARGUMENTS], cwd=tmp_path, env=environment(sandbox), capture_output=True, text=True, check=True
            )
            assert re.fullmatch(rf"{result} Next: zendesk-chat status 'my chats\.duckdb'", done.stdout.splitlines()[-1])
        assert count(tmp_path) == CHATS


def count(folder: Path) -> int:
    with duckdb.connect(str(folder / "my chats.duckdb"), read_only=True) as database:
        tables = {name for (name,) in database.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        return len(database.execute("SELECT id FROM chats").fetchall()) if "chats" in tables else 0
