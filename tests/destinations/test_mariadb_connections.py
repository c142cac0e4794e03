"""Connections to MariaDB that break, and servers that close idle ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.destinations.servers.losing_commits import losing_proxy
from tests.destinations.servers.mariadb import MariaDB
from tests.support.commands import run_here
from tests.support.sandbox import still
from tests.support.syncs import edit, logged
from zendesk_chat_sandbox import Fault, Sandbox


def arguments(sandbox: Sandbox, to: str) -> list[str]:
    account = ["--subdomain", "acme", "--token", sandbox.token, "--api-url", sandbox.url]
    return ["sync", *account, "--to", to, "--streams", "chats"]


def stored(mariadb: MariaDB, database: str) -> list[str]:
    return sorted(row["id"] for row in mariadb.execute("SELECT id FROM chats", database=database))


@pytest.mark.parametrize("first", [True, False], ids=["first-load", "edits"])
def test_a_commit_whose_response_is_lost_doubles_no_row(mariadb: MariaDB, tmp_path: Path, first: bool) -> None:
    name = f"lost_{first}".lower()
    url = mariadb.new_database(name)
    with still(chats=12) as sandbox:
        edited = sandbox.account.chat_ids()[:5]
        if not first:
            assert run_here(arguments(sandbox, url), tmp_path).returncode == 0
            edit(sandbox, edited, "edited")
            sandbox.clock.advance(700)
        with losing_proxy(mariadb.port, "chats") as proxy:
            done = run_here(arguments(sandbox, url.replace(f":{mariadb.port}/", f":{proxy.port}/")), tmp_path)
        assert proxy.lost == 1
        assert done.returncode == 1, done.stderr
        (error,) = logged(done.stderr, "ERROR")
        assert error.endswith("the connection to the server broke. Records already committed are kept. Run the sync again.")
        done = run_here(arguments(sandbox, url), tmp_path)
        assert done.returncode == 0, done.stderr
        assert stored(mariadb, name) == sorted(sandbox.account.chat_ids())
        if not first:
            found = mariadb.execute("SELECT id FROM chats WHERE comment = 'edited'", database=name)
            assert sorted(row["id"] for row in found) == sorted(edited)


def test_a_server_that_soon_closes_idle_connections_keeps_the_one_of_the_lock(mariadb: MariaDB, tmp_path: Path) -> None:
    url = mariadb.new_database("idle")
    mariadb.execute("SET GLOBAL wait_timeout = 1")
    try:
        with still(chats=5) as sandbox:
            sandbox.inject(Fault(kind="latency", path="*/incremental/chats", seconds=2.5, times=1))
            done = run_here(arguments(sandbox, url), tmp_path)
        assert done.returncode == 0, done.stderr
        assert len(stored(mariadb, "idle")) == 5
    finally:
        mariadb.execute("SET GLOBAL wait_timeout = 28800")
