"""The tap as a process: its options, its exit codes, and how it ends from outside."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.singer.target import Target, discover_here, select, tap_here
from tests.support.executable import EXECUTABLE, environment, files
from tests.support.sandbox import by_content, config_of, small, truth
from zendesk_chat_sandbox import Fault, Sandbox

pytestmark = pytest.mark.long

TAP = EXECUTABLE.with_name("tap-zendesk-chat")
HEAVY = {"dlt", "duckdb", "pyarrow", "rich", "numpy", "pandas", "zendesk_chat_sandbox", "jsonschema"}


def run(*options: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([TAP, *options], capture_output=True, env=environment(), timeout=60, check=False)


@contextlib.contextmanager
def reading(sandbox: Sandbox, folder: Path, **fault: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A run that has read some pages of chats, and is slow from there on."""
    sandbox.inject(Fault(path="*/incremental/chats", after=2, times=None, **fault))
    config = config_of(sandbox, request_timeout_seconds=30)
    options = files(folder, config=config, catalog=select(discover_here(), "bans", "chats"))
    process = subprocess.Popen([TAP, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), bufsize=0)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(process: subprocess.Popen[bytes], start: bytes = b'{"type":"RECORD","stream":"chats"') -> bytes:
    """Its output up to a line that starts in this way: by default, the first chat."""
    assert process.stdout is not None
    written = b""
    for line in process.stdout:
        written += line
        if line.startswith(start):
            return written
    raise AssertionError(written[-2000:])


def resume(sandbox: Sandbox, target: Target, state: dict[str, Any] | None) -> None:
    sandbox.clear_faults()
    target.load(tap_here(config_of(sandbox), select(discover_here(), "bans", "chats"), state).output)
    for stream in ("bans", "chats"):
        assert by_content(target.rows(stream)) == by_content(truth(sandbox, stream))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_with_a_state_of_what_is_written(number: signal.Signals, code: int, tmp_path: Path) -> None:
    with small(chats=450) as sandbox, reading(sandbox, tmp_path, kind="hang") as process:
        written = until(process)
        process.send_signal(number)
        more, _ = process.communicate(timeout=20)
        assert process.returncode == code
        target = Target()
        state = target.load(written + more)
        assert set(state["bookmarks"]) == {"chats"}
        resume(sandbox, target, state)
        assert len(target.records["chats"]) < 450


def test_a_kill_loses_nothing(tmp_path: Path) -> None:
    with small(chats=450) as sandbox, reading(sandbox, tmp_path, kind="hang") as process:
        written = until(process)
        process.kill()
        more, _ = process.communicate(timeout=20)
        output, target = written + more, Target()
        with contextlib.suppress(IndexError):  # there may be no state yet
            target.load(output[: output.rindex(b"\n") + 1])
        resume(sandbox, target, target.states[-1] if target.states else None)


def test_a_state_is_written_while_it_waits(tmp_path: Path) -> None:
    with small(chats=450) as sandbox, reading(sandbox, tmp_path, kind="hang") as process:
        state = until(process, b'{"type":"STATE"').splitlines()[-1]
        assert b'"chats":{"update_timestamp"' in state


def test_a_target_that_ends_ends_it_quietly(tmp_path: Path) -> None:
    with small(chats=450) as sandbox, reading(sandbox, tmp_path, kind="latency", seconds=0.1) as process:
        until(process)
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, log = process.communicate(timeout=20)
        assert process.returncode == 1
        assert b"Traceback" not in log
        assert b"CRITICAL" not in log


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    with small(chats=30) as sandbox, Path("/dev/full").open("wb") as full:
        options = files(tmp_path, config=config_of(sandbox))
        done = subprocess.run([TAP, *options], stdout=full, stderr=subprocess.PIPE, env=environment(), timeout=60, check=False)
        assert done.returncode == 1
        assert done.stderr.decode().splitlines()[-1] == "CRITICAL standard output: No space left on device."


@pytest.mark.parametrize(
    "options", [["-c", "{config}", "-d"], ["--config", "{config}", "--discover"], ["--discover"], ["-d", "-p", "{config}"]]
)
def test_discovery_prints_the_catalog_without_a_request(options: list[str], tmp_path: Path) -> None:
    with small(chats=10) as sandbox:
        config = files(tmp_path, config=config_of(sandbox))[1]
        done = run(*(option.format(config=config) for option in options))
        assert (done.returncode, done.stderr) == (0, b"")
        assert b'"tap_stream_id": "chats"' in done.stdout
        assert sandbox.requests == []


@pytest.mark.parametrize(("options", "message"), [([], "the config is missing"), (["--confg", "x"], "unrecognized arguments")])
def test_wrong_options_exit_with_2(options: list[str], message: str) -> None:
    done = run(*options)
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()


def test_a_missing_file_is_named() -> None:
    done = run("--config", "no-such-file.json")
    assert (done.returncode, done.stderr) == (1, b"CRITICAL The config file does not exist: no-such-file.json\n")


def test_it_imports_only_what_it_needs(tmp_path: Path) -> None:
    with small(chats=30) as sandbox:
        options = files(tmp_path, config=config_of(sandbox))
        program = (
            "import sys; from zendesk_chat.tap import main; code = main(sys.argv[1:]);"
            "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr); sys.exit(code)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, *options], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0
        assert HEAVY.isdisjoint(done.stderr.splitlines()[-1].split())
