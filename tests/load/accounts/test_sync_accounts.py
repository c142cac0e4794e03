"""``sync --accounts`` loads each account into its own tables, side by side, whatever happens to the others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.commands import run_here
from tests.support.elsewhere import open_elsewhere
from tests.support.syncs import differing, execute
from zendesk_chat_sandbox import Fault, Sandbox, Switches

pytestmark = pytest.mark.long

COMMAND = Path(sys.executable).with_name("zendesk-chat")
NAMES = ("acme", "globex", "initech")
SHARED = 'to = "all.duckdb"\nschema = "{account}"'
STREAMS = "chats,chat_events,chat_engagements,visitors,agents,departments"
ARGUMENTS = ("sync", "--accounts", "accounts.toml", "--streams", STREAMS)


@dataclass
class Accounts:
    """Three accounts with other records each, and a file that names them."""

    folder: Path
    sandboxes: Mapping[str, Sandbox]
    tokens: dict[str, str] = field(default_factory=dict)

    def write(self, top: str = "", **settings: str) -> None:
        tables = [
            f'[accounts.{name}]\ntoken_env = "TOKEN_{name}"\napi_url = "{sandbox.url}"\n{settings.get(name, "")}\n'
            for name, sandbox in self.sandboxes.items()
        ]
        (self.folder / "accounts.toml").write_text("\n".join([top, *tables]))

    @property
    def variables(self) -> dict[str, str]:
        return {f"TOKEN_{name}": self.tokens.get(name, sandbox.token) for name, sandbox in self.sandboxes.items()}

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start the command as a process, which can be interrupted."""
        environment, pipe = {**os.environ, **self.variables}, subprocess.PIPE
        command = [str(COMMAND), *ARGUMENTS, *options]
        return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=pipe, stderr=pipe, text=True)

    def sync(self, *options: str) -> tuple[int, str, str]:
        """Run the command in this process, and return its exit code and what it prints."""
        done = run_here([*ARGUMENTS, *options], self.folder, **self.variables)
        assert "Traceback" not in done.stdout + done.stderr
        assert not [token for token in self.tokens.values() if token in done.stdout + done.stderr]
        return done.returncode, done.stdout, done.stderr

    def states(self, printed: str) -> dict[str, str]:
        """The state of each account in the table."""
        rows = [line.split() for line in printed.splitlines()[1 : len(self.sandboxes) + 1]]
        return {row[0]: row[4] for row in rows}

    def differing(self, streams: str = STREAMS, *, shared: bool = False) -> dict[str, list[str]]:
        """The tables that do not hold exactly what their account holds, by account; all in one file if it is shared."""
        found = {}
        for name, sandbox in self.sandboxes.items():
            path, schema = ("all.duckdb", name) if shared else (f"{name}.duckdb", "main")
            found[name] = differing(sandbox, self.folder / path, streams, schema)
        return {name: tables for name, tables in found.items() if tables}


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    with ExitStack() as stack:
        sandboxes = {}
        for seed, name in enumerate(NAMES, 1):
            sandbox = stack.enter_context(Sandbox(seed=seed, chats=20 * seed, switches=Switches(rate_limit=0)))
            sandbox.account.settings["account_key"] = f"key-{name}"
            sandboxes[name] = sandbox
        yield Accounts(tmp_path, sandboxes)


def test_each_account_is_loaded_into_a_file_of_its_own(accounts: Accounts) -> None:
    accounts.write()
    code, printed, logged = accounts.sync()
    assert code == 0, logged
    assert accounts.differing() == {}
    assert accounts.states(printed) == dict.fromkeys(NAMES, "complete")
    assert [line.split()[-1] for line in printed.splitlines()[1:4]] == ["acme.duckdb", "globex.duckdb", "initech.duckdb"]
    assert printed.splitlines()[-1].startswith("3 accounts complete: ")
    assert all(f" {name}: " in logged for name in NAMES)


def test_a_directory_is_created_but_not_a_longer_path(accounts: Accounts) -> None:
    accounts.write('to = "data/{account}.duckdb"', globex='to = "unmounted/disk/globex.duckdb"')
    code, printed, logged = accounts.sync()
    assert code == 3
    assert accounts.states(printed) == {"acme": "complete", "globex": "failed", "initech": "complete"}
    assert "the directory does not exist" in logged
    assert (accounts.folder / "data/acme.duckdb").exists()
    assert not (accounts.folder / "unmounted").exists()


@pytest.mark.parametrize("parallel", [1, 3])
def test_accounts_share_a_file_with_a_schema_each(parallel: int, accounts: Accounts) -> None:
    accounts.write(f"{SHARED}\nparallel = {parallel}")
    for _ in range(2):
        code, printed, logged = accounts.sync()
        assert code == 0, logged
        assert accounts.differing(shared=True) == {}
    assert accounts.states(printed) == dict.fromkeys(NAMES, "complete")
    assert sorted(path.name for path in accounts.folder.iterdir()) == ["accounts.toml", "all.duckdb"]
    held = execute(
        accounts.folder / "all.duckdb",
        " UNION ALL ".join(f"SELECT subdomain, account_key FROM {name}._sync_account" for name in NAMES) + " ORDER BY 1",
    )
    assert held == [(name, f"key-{name}") for name in NAMES]


def test_a_wrong_token_a_locked_and_a_damaged_file_concern_their_own_accounts(accounts: Accounts) -> None:
    accounts.write(initech='to = "initech-2.duckdb"')
    accounts.tokens["acme"] = "mistyped-token"
    (accounts.folder / "globex.duckdb").write_bytes(b"no database" * 10_000)
    code, printed, logged = accounts.sync()
    assert code == 3
    assert accounts.states(printed) == {"acme": "failed", "globex": "failed", "initech": "complete"}
    assert logged.count("HTTP 401") == 1
    assert "globex.duckdb: the file is not a DuckDB database" in logged
    assert differing(accounts.sandboxes["initech"], accounts.folder / "initech-2.duckdb", STREAMS) == []

    accounts.tokens.clear()
    accounts.write()
    (accounts.folder / "globex.duckdb").unlink()
    assert accounts.sync()[0] == 0
    with open_elsewhere(accounts.folder / "globex.duckdb"):
        code, printed, logged = accounts.sync()
    assert code == 1, "another run may succeed"
    assert accounts.states(printed) == {"acme": "complete", "globex": "failed", "initech": "complete"}
    assert "globex.duckdb is open in " in logged


def test_a_shared_file_that_is_locked_fails_its_accounts_after_one_wait(accounts: Accounts) -> None:
    accounts.write("wait = 1", acme='to = "all.duckdb"\nschema = "acme"', globex='to = "all.duckdb"\nschema = "globex"')
    assert accounts.sync()[0] == 0
    with open_elsewhere(accounts.folder / "all.duckdb"):
        code, printed, logged = accounts.sync()
    assert code == 1
    assert accounts.states(printed) == {"acme": "failed", "globex": "failed", "initech": "complete"}
    assert logged.count("waiting up to 1 s") == 1
    assert accounts.sync()[0] == 0


def test_a_mistake_in_the_file_is_reported_before_any_account_is_read(accounts: Accounts) -> None:
    accounts.write('to = "all.duckdb"')
    code, printed, logged = accounts.sync()
    assert (code, printed) == (2, "")
    assert "the accounts acme and globex would load into the same tables, in all.duckdb." in logged
    assert [sandbox.requests for sandbox in accounts.sandboxes.values()] == [[], [], []]
    assert not (accounts.folder / "all.duckdb").exists()


def test_only_the_chosen_accounts_are_loaded_and_the_metrics_keep_the_others(accounts: Accounts) -> None:
    accounts.write()
    accounts.sync("--metrics-file", "chats.prom")
    before = exit_codes(accounts.folder / "chats.prom")
    accounts.tokens["acme"] = "mistyped-token"
    code, printed, _ = accounts.sync("--only", "acme", "--metrics-file", "chats.prom")
    assert code == 3
    assert [line.split()[0] for line in printed.splitlines()[1:-1]] == ["acme"]
    assert before == dict.fromkeys(NAMES, 0)
    assert exit_codes(accounts.folder / "chats.prom") == {"acme": 3, "globex": 0, "initech": 0}


@pytest.mark.parametrize(("number", "code", "shared"), [(signal.SIGINT, 130, False), (signal.SIGTERM, 143, True)])
def test_a_signal_ends_all_accounts_which_save_what_they_have(number: int, code: int, shared: bool, accounts: Accounts) -> None:
    accounts.write(SHARED if shared else "")
    for sandbox in accounts.sandboxes.values():
        sandbox.inject(Fault(kind="latency", path="*/incremental/chats", seconds=60, times=None))
    process = accounts.start("--metrics-file", "chats.prom")
    wait_for_chats(accounts)
    time.sleep(1.0)  # for the lists to be taken
    process.send_signal(number)
    printed, logged = process.communicate(timeout=30)
    assert process.returncode == code
    assert accounts.states(printed) == dict.fromkeys(NAMES, "interrupted")
    assert printed.splitlines()[-1].endswith("Run the same command to resume.")
    assert logged.count("Stopping and saving ...") == 1
    assert exit_codes(accounts.folder / "chats.prom") == dict.fromkeys(NAMES, code)
    assert accounts.differing("agents,departments", shared=shared) == {}, "what was read before is saved"

    for sandbox in accounts.sandboxes.values():
        sandbox.clear_faults()
    assert accounts.sync()[0] == 0
    assert accounts.differing(shared=shared) == {}


def test_a_second_signal_ends_the_command_at_once(accounts: Accounts) -> None:
    accounts.write()
    for sandbox in accounts.sandboxes.values():
        sandbox.inject(Fault(kind="latency", path="*/incremental/chats", seconds=60, times=None))
    process = accounts.start()
    wait_for_chats(accounts)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 143


@pytest.mark.parametrize("shared", [False, True])
def test_a_kill_in_the_middle_loses_nothing(shared: bool, accounts: Accounts) -> None:
    accounts.write(SHARED if shared else "")
    for seconds in (0.0, 0.3, 0.6):
        for sandbox in accounts.sandboxes.values():
            sandbox.clear_requests()
        process = accounts.start()
        wait_for_chats(accounts)
        time.sleep(seconds)
        process.kill()
        process.communicate()
    assert accounts.sync()[0] == 0
    assert accounts.differing(shared=shared) == {}


def test_quiet_prints_nothing_if_all_goes_well(accounts: Accounts) -> None:
    accounts.write()
    assert accounts.sync("--quiet") == (0, "", "")


def test_only_without_a_file_of_accounts_is_a_mistake(accounts: Accounts) -> None:
    done = subprocess.run([COMMAND, "sync", "--only", "acme"], cwd=accounts.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--only chooses accounts of a file. Name that file with --accounts." in done.stderr


def exit_codes(path: Path) -> dict[str, float]:
    families = text_string_to_metric_families(path.read_text())
    name = "zendesk_chat_last_run_exit_code"
    return {sample.labels["account"]: sample.value for family in families for sample in family.samples if sample.name == name}


def wait_for_chats(accounts: Accounts) -> None:
    """Wait until each account has asked for its chats."""
    deadline = time.monotonic() + 60
    while not all(any("/incremental/chats" in str(request) for request in box.requests) for box in accounts.sandboxes.values()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
