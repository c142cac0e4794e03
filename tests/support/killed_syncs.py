"""A process that starts syncs and kills them: ``python -m tests.support.killed_syncs FOLDER SEED KILLS``.

Each sync of all streams, every other one a full refresh, is killed with SIGKILL at a random time, with changes of the account
in between. After each kill the file opens, holds each key once, and not fewer chats than before.
"""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import duckdb

from tests.support.syncs import differing, edit
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat_sandbox import Fault, Sandbox, Switches

COMMAND = Path(sys.executable).with_name("zendesk-chat")
CHATS = 600
LONGEST_SECONDS = 2.5


def killed_sync(sandbox: Sandbox, path: Path, seconds: float, *options: str) -> int:
    """Start a sync, kill it after so many seconds, and return how it ended."""
    account = ["--subdomain", "acme", "--token", sandbox.token, "--api-url", sandbox.url, "--to", f"duckdb:///{path}"]
    process = subprocess.Popen([COMMAND, "sync", *account, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def visible_chats(path: Path) -> int:
    """Return the number of chats; each table that has a key holds it once."""
    if not path.exists():
        return 0
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        for stream in STREAMS.values():
            if stream.name in tables and stream.primary_key:
                key = stream.primary_key[0]
                doubled = f"SELECT {key} FROM main.{stream.name} GROUP BY ALL HAVING count(*) > 1"
                assert connection.execute(doubled).fetchall() == [], f"{stream.name} holds a key twice"
        return len(connection.execute("SELECT id FROM main.chats").fetchall()) if "chats" in tables else 0


def main(folder: Path, seed: int, kills: int) -> None:
    chance = random.Random(seed)
    path = folder / "chats.duckdb"
    switches = Switches(rate_limit=0, export_page_cap=60)
    with Sandbox(seed=seed, chats=CHATS, switches=switches) as sandbox:
        sandbox.inject(Fault(kind="latency", seconds=0.05, times=None))
        held = 0
        for number in range(kills):
            code = killed_sync(sandbox, path, chance.uniform(0.3, LONGEST_SECONDS), *["--full-refresh"] * (number % 2))
            found = visible_chats(path)
            assert found >= held, f"{found} chats after kill {number}, {held} before"
            held = found
            sys.stdout.write(f"{code} {found}\n")
            sys.stdout.flush()
            edit(sandbox, chance.sample(sandbox.account.chat_ids(), 20), f"edit {number}")
            sandbox.account.add_chats(5)
            sandbox.clock.advance(600)  # the API exports changes after five minutes
        sandbox.clear_faults()
        assert killed_sync(sandbox, path, 60) == 0
        assert differing(sandbox, path, ",".join(STREAMS)) == []
        assert killed_sync(sandbox, path, 60, "--full-refresh") == 0
        assert differing(sandbox, path, ",".join(STREAMS)) == []
        with duckdb.connect(str(path), read_only=True) as connection:
            tables = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        assert not [name for name in tables if name.startswith("_sync_new_")]
        assert [found.name for found in folder.iterdir()] == ["chats.duckdb"]


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
