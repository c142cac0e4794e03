"""An accounts file of sandboxes, each with a token of its own, and what was loaded of them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tests.support.executable import EXECUTABLE
from zendesk_chat_sandbox import Fault, Sandbox, Switches

COMMAND = EXECUTABLE.with_name("zendesk-chat")
PAGE = 40
WRONG_TOKEN = "secret-that-no-account-has"


def account(name: str, chats: int) -> Sandbox:
    """A sandbox of several small pages, whose history ended an hour ago."""
    switches = Switches(rate_limit=0, export_page_cap=PAGE)
    until = time.time() - 3600
    return Sandbox(chats=chats, token=f"secret-of-{name}", seed=chats, history_until=until, switches=switches)


def hang_after_two_pages(sandbox: Sandbox) -> None:
    sandbox.inject(Fault(kind="latency", path="*/incremental/chats", seconds=600, after=2, times=None))


def is_hanging(sandbox: Sandbox) -> bool:
    return sum("/incremental/chats" in str(request) for request in sandbox.requests) > 2


def wait_until(condition: Callable[[], object], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


@dataclass(frozen=True)
class AccountsFile:
    """The accounts file in a folder, with the DuckDB files beside it."""

    folder: Path

    @property
    def settings(self) -> dict[str, str]:
        return {"ZENDESK_CHAT_ACCOUNTS": str(self.folder / "accounts.toml"), "ZENDESK_CHAT_COMMAND": str(COMMAND)}

    def write(self, accounts: Mapping[str, Sandbox], refused: Sandbox | None = None, top: str = "") -> None:
        """Write the file. The token of an account is in a file, unless ``top`` names another source.

        Args:
            accounts: Each by its name.
            refused: Is added as ``refused``, with a token that it does not accept.
            top: Settings for all accounts.
        """
        tokens = {name: sandbox.token for name, sandbox in accounts.items()}
        sandboxes = dict(accounts)
        if refused is not None:
            tokens["refused"], sandboxes["refused"] = WRONG_TOKEN, refused
        for name, token in tokens.items():
            (self.folder / f"{name}.token").write_text(token)
        tables = [f'[accounts.{name}]\napi_url = "{sandbox.url}"\n' for name, sandbox in sandboxes.items()]
        first = ['to = "{account}.duckdb"', top or 'token_file = "{account}.token"']
        (self.folder / "accounts.toml").write_text("\n".join([*first, *tables]))

    def database(self, name: str) -> Path:
        return self.folder / f"{name}.duckdb"

    def chats(self, name: str) -> set[str]:
        """The ids of the chats of an account, none of which is there twice."""
        with duckdb.connect(str(self.database(name)), read_only=True) as connection:
            rows = connection.sql("SELECT id FROM chats").fetchall()
        ids = {id_ for (id_,) in rows}
        assert len(ids) == len(rows)
        return ids

    def loaded_records(self, name: str) -> int:
        """How many records the runs loaded, by their own log."""
        with duckdb.connect(str(self.database(name)), read_only=True) as connection:
            (loaded,) = connection.sql("SELECT sum(loaded) FROM _sync_run_streams").fetchall()[0]
        return int(loaded)

    def last_result(self, name: str) -> str | None:
        """How the last run ended, or nothing while the file does not exist or a run has it open."""
        try:
            with duckdb.connect(str(self.database(name)), read_only=True) as connection:
                rows = connection.sql("SELECT result FROM _sync_runs ORDER BY started_at DESC LIMIT 1").fetchall()
        except duckdb.Error:
            return None
        return str(rows[0][0]) if rows else None

    def is_complete(self, name: str, sandbox: Sandbox) -> bool:
        """Whether the database holds every record as the account has it, and no other."""
        assert self.chats(name) == set(sandbox.account.chat_ids())
        account = {"SUBDOMAIN": name, "TOKEN": sandbox.token, "API_URL": sandbox.url}
        variables = {f"ZENDESK_CHAT_{key}": value for key, value in account.items()}
        command = [COMMAND, "verify", "--all", str(self.database(name))]
        done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return True
