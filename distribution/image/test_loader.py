"""The loader's image as a CronJob runs it: user 1000, a read-only root, no capability, no home, mounted secrets."""

import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from distribution.image import engine
from distribution.image.running import run, started
from distribution.release.packages import locked
from tests.support.sandbox import small
from zendesk_chat import __version__
from zendesk_chat_sandbox import Fault, Sandbox

PYTHON = "/opt/zendesk-chat/bin/python"
INSTALLED = """
import json
from importlib.metadata import distributions
print(json.dumps({found.name: found.version for found in distributions()}))
"""


@dataclass(frozen=True)
class Mounts:
    """The folders that the CronJob mounts: accounts file, secrets, data."""

    folder: Path

    def write(self, sandbox: Sandbox, token: str, **settings: Any) -> None:
        given = {"token_file": "/run/secrets/zendesk-chat/{account}/token", "to": "/data/{account}.duckdb"}
        given |= {"api_url": sandbox.url, **settings}
        lines = [f"{key} = {json.dumps(value)}" for key, value in given.items()]
        for path, content in (
            ("accounts/accounts.toml", "\n".join([*lines, "[accounts.acme]", ""])),
            ("secrets/acme/token", f"{token}\n"),
        ):
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(content)
        (self.folder / "data").mkdir(exist_ok=True)
        (self.folder / "data").chmod(0o777)  # as the volume's group can write to it

    @property
    def options(self) -> list[str]:
        mounted = {"accounts": "/etc/zendesk-chat:ro", "secrets": "/run/secrets/zendesk-chat:ro", "data": "/data"}
        volumes = [f"--volume={self.folder}/{name}:{path}" for name, path in mounted.items()]
        return [*volumes, "--unsetenv=HOME"] if engine.command()[0].endswith("podman") else volumes

    def chats(self) -> set[str]:
        with duckdb.connect(str(self.folder / "data" / "acme.duckdb"), read_only=True) as connection:
            ids = [id_ for (id_,) in connection.sql("SELECT id FROM chats").fetchall()]
        assert len(ids) == len(set(ids))
        return set(ids)


SYNC = (engine.LOADER, "sync", "--quiet", "--accounts=/etc/zendesk-chat/accounts.toml")


@pytest.fixture
def mounts(tmp_path: Path) -> Mounts:
    tmp_path.chmod(0o755)
    return Mounts(tmp_path)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with small() as running:
        yield running


def test_it_describes_itself() -> None:
    (image,) = json.loads(engine.ask("image", "inspect", engine.LOADER))
    config = image["Config"]
    assert config["Entrypoint"] == ["/usr/local/bin/zendesk-chat"]
    assert config["User"] == "1000:1000"
    assert config["Labels"]["org.opencontainers.image.title"] == "zendesk-chat-loader"
    assert config["Labels"]["org.opencontainers.image.version"] == __version__
    assert run(engine.LOADER, "--version").decode() == f"zendesk-chat {__version__}\n"
    assert run(engine.LOADER).startswith(b"usage: zendesk-chat")


def test_it_contains_the_locked_packages_of_its_extras_and_no_other() -> None:
    installed = json.loads(run(engine.LOADER, "-c", INSTALLED, options=(f"--entrypoint={PYTHON}",)))
    expected = {package.name: package.version for package in locked("load", "postgres")} | {"zendesk-chat": __version__}
    assert {name.lower().replace("_", "-").replace(".", "-"): version for name, version in installed.items()} == expected
    assert b"driver   installed" in run(engine.LOADER, "destinations", "postgres")


def test_a_sync_loads_the_account_and_the_next_one_what_is_new(mounts: Mounts) -> None:
    with small() as sandbox:
        mounts.write(sandbox, sandbox.token)
        run(*SYNC, options=mounts.options)
        assert mounts.chats() == set(sandbox.account.chat_ids())
        sandbox.account.add_chats(3, at=time.time() - 1800)
        run(*SYNC, options=mounts.options)
        assert mounts.chats() == set(sandbox.account.chat_ids())


@pytest.mark.parametrize("user", ["1000:1000", "1000680000:0", "0:0"])
def test_whoever_runs_it(user: str, mounts: Mounts, sandbox: Sandbox) -> None:
    """The chart uses 1000, OpenShift a number of its own."""
    mounts.write(sandbox, sandbox.token)
    run(*SYNC, options=(*mounts.options, f"--user={user}"))
    assert mounts.chats() == set(sandbox.account.chat_ids())


def test_exit_codes_show_the_job_whether_to_retry(mounts: Mounts, sandbox: Sandbox) -> None:
    mounts.write(sandbox, "wrong-token")
    process = started(*SYNC, options=mounts.options)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 3
    assert b"rejected the token" in stderr
    assert b"wrong-token" not in stdout + stderr
    mounts.write(sandbox, sandbox.token, start_date="yesterday")
    process = started(*SYNC, options=mounts.options)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 2
    assert b"start_date" in stderr


def test_a_secret_that_is_missing_needs_a_person(mounts: Mounts, sandbox: Sandbox) -> None:
    mounts.write(sandbox, sandbox.token)
    (mounts.folder / "secrets" / "acme" / "token").unlink()
    process = started(*SYNC, options=mounts.options)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 3
    assert b"/run/secrets/zendesk-chat/acme/token does not exist" in stderr


def test_a_pod_that_is_evicted_resumes(mounts: Mounts) -> None:
    with small() as sandbox:
        sandbox.inject(Fault(kind="latency", seconds=0.5, times=None))
        mounts.write(sandbox, sandbox.token, request_timeout_seconds=30)
        process = started(*SYNC, options=(*mounts.options, "--sig-proxy=true"))
        give_up = time.monotonic() + 30
        while len(sandbox.requests) < 5 and time.monotonic() < give_up:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.returncode == 143
        sandbox.clear_faults()
        run(*SYNC, options=mounts.options)
        assert mounts.chats() == set(sandbox.account.chat_ids())


def test_the_smallest_pod_of_the_chart_loads_an_account(mounts: Mounts) -> None:
    with Sandbox(chats=10_000) as sandbox:
        mounts.write(sandbox, sandbox.token)
        run(*SYNC, options=(*mounts.options, "--memory=384m", "--memory-swap=384m"))
        assert mounts.chats() == set(sandbox.account.chat_ids())


def test_no_module_is_compiled_at_a_start() -> None:
    line = "import duckdb, dlt, pyarrow, zendesk_chat.load.loading"
    command = f"{PYTHON} -v -c '{line}' 2>&1 | grep '^# code object from' | grep -c \"[.]py'$\"; exit 0"
    assert run(engine.LOADER, "-c", command, options=("--entrypoint=sh",)) == b"0\n"


def test_it_is_as_small_as_duckdb_and_arrow_allow() -> None:
    assert engine.size_bytes(engine.LOADER) < 500e6
