"""The image's commands as Airbyte's platform runs them: uid 1000, a root that nobody can write to, no capability, no home."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from distribution.image import engine
from distribution.image.running import ENTRYPOINT, launched, run, shell, started
from tests.support.executable import execute, files, names_in
from tests.support.in_process import ALL, catalog_of
from tests.support.protocol import Output, check_read, parse
from tests.support.sandbox import by_content, config_of, small, truth
from zendesk_chat_sandbox import Fault, Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with small() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, sandbox: Sandbox) -> Path:
    """The files of a sync, where another user may read them."""
    files(tmp_path, config=config_of(sandbox), catalog=catalog_of())
    tmp_path.chmod(0o755)
    return tmp_path


def comparable(stdout: bytes) -> list[Any]:
    """Messages without the time when they were sent."""

    def timeless(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: timeless(below) for key, below in value.items() if key != "emitted_at"}
        return [timeless(below) for below in value] if isinstance(value, list) else value

    return [timeless(message) for message in parse(stdout)]


def test_spec_and_discover_print_the_same_as_the_checkout(folder: Path) -> None:
    config = ["--config", str(folder / "config.json")]
    assert comparable(launched("spec")) == comparable(execute("spec").stdout)
    discovered = launched("discover --config config.json", folder)
    assert comparable(discovered) == comparable(execute("discover", *config).stdout)
    assert run(engine.IMAGE, "discover", "--config", "/source/config.json", folder=folder) == discovered


def test_check_distinguishes_good_tokens_from_bad(folder: Path, sandbox: Sandbox) -> None:
    good = launched("check --config config.json", folder)
    assert comparable(good) == comparable(execute("check", "--config", str(folder / "config.json")).stdout)
    assert Output(parse(good)).payloads("CONNECTION_STATUS")[0]["status"] == "SUCCEEDED"
    files(folder, config=config_of(sandbox) | {"credentials": {"credentials": "access_token", "access_token": "wrong"}})
    (status,) = Output(parse(launched("check --config config.json", folder))).payloads("CONNECTION_STATUS")
    assert status["status"] == "FAILED"
    assert "HTTP 401" in status["message"]


def test_read_gets_the_complete_account_and_resumes_from_its_state(folder: Path, sandbox: Sandbox) -> None:
    line = "read --config config.json --catalog catalog.json"
    first = check_read(launched(line, folder), ALL)
    for stream in ALL:
        assert by_content(first.records[stream]) == by_content(truth(sandbox, stream))
    assert set(first.endings.values()) == {"COMPLETE"}
    (folder / "state.json").write_text(json.dumps(first.last_state))
    again = check_read(launched(f"{line} --state state.json", folder), ALL)
    assert not again.records["chats"]
    assert not again.records["agent_timeline"]


def test_a_failing_stream_fails_the_read(folder: Path) -> None:
    files(folder, catalog={"streams": [*catalog_of(["chats"])["streams"], {"stream": {"name": "nothing"}}]})
    output = Output(parse(launched("read --config config.json --catalog catalog.json", folder, code=1)))
    assert [error["failure_type"] for error in output.errors] == ["config_error"]


def test_nothing_need_be_writable(folder: Path) -> None:
    sealed = ("--read-only-tmpfs=false",) if engine.command()[0].endswith("podman") else ()  # docker mounts nothing to write to
    assert b"Read-only" in shell("touch /tmp/x /airbyte/x 2>&1; exit 0", options=sealed)
    options = ("--entrypoint=sh", *sealed)
    line = f"unset HOME; {ENTRYPOINT} read --config config.json --catalog catalog.json"
    check_read(run(engine.IMAGE, "-c", line, folder=folder, options=options), names_in(catalog_of()))


@pytest.mark.parametrize("user", ["1000:1000", "1000680000:0", "0:0"])
def test_whoever_runs_it(folder: Path, user: str) -> None:
    """Airbyte's charts use 1000, OpenShift a number of its own, old installations root."""
    read = ["read", "--config", "config.json", "--catalog", "catalog.json"]
    check_read(run(engine.IMAGE, *read, folder=folder, options=(f"--user={user}",)), names_in(catalog_of()))


def test_a_signal_ends_it_at_once(tmp_path: Path) -> None:
    with small() as slow:
        slow.inject(Fault(kind="latency", seconds=2, times=None))
        files(tmp_path, config=config_of(slow, request_timeout_seconds=30), catalog=catalog_of())
        tmp_path.chmod(0o755)
        process = started(
            engine.IMAGE, "read", "--config", "config.json", "--catalog", "catalog.json",
            folder=tmp_path, options=("--sig-proxy=true",),
        )  # fmt: skip
        assert process.stdout is not None
        first = process.stdout.readline()
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == 143
    assert time.monotonic() - asked < 8
    check_read(first + rest, names_in(catalog_of()), interrupted=True)


def test_memory_that_the_smallest_pod_has_is_enough(tmp_path: Path) -> None:
    with Sandbox(chats=20_000) as sandbox:
        files(tmp_path, config=config_of(sandbox), catalog=catalog_of(["chats"]))
        tmp_path.chmod(0o755)
        read = ["read", "--config", "config.json", "--catalog", "catalog.json"]
        stdout = run(engine.IMAGE, *read, folder=tmp_path, options=("--memory=128m", "--memory-swap=128m"))
        assert sum(line.startswith(b'{"type":"RECORD"') for line in stdout.splitlines()) == len(sandbox.account.chat_ids())
