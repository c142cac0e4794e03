"""Ended from outside in the middle of a read: soon, in order, and the next run completes the data."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.executable import EXECUTABLE, environment, files
from tests.support.in_process import assert_complete, catalog_of, read_here
from tests.support.protocol import Output, check_read, parse
from tests.support.sandbox import config_of, small
from zendesk_chat_sandbox import Fault, Sandbox

pytestmark = pytest.mark.long

STREAMS = ("bans", "chats")
CHATS = "*/incremental/chats"


@contextlib.contextmanager
def reading(sandbox: Sandbox, folder: Path, **fault: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A read that has written its first checkpoint of chats and is slow from there on."""
    sandbox.inject(Fault(path=CHATS, after=2, times=None, **fault))
    options = files(folder, config=config_of(sandbox, request_timeout_seconds=30), catalog=catalog_of(STREAMS))
    process = subprocess.Popen(
        [EXECUTABLE, "read", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(), bufsize=0
    )
    try:
        yield process
    finally:
        process.kill()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()
        process.wait(10)


def until_checkpoint(process: subprocess.Popen[bytes], checkpoints: int = 2) -> bytes:
    """Its output up to so many states of chats."""
    assert process.stdout is not None
    written = b""
    for line in process.stdout:
        written += line
        checkpoints -= line.startswith(b'{"type":"STATE"') and b'"name":"chats"' in line
        if not checkpoints:
            return written
    raise AssertionError(written[-2000:])


def rest(process: subprocess.Popen[bytes]) -> tuple[bytes, str]:
    assert process.stdout is not None
    assert process.stderr is not None
    return process.stdout.read(), process.stderr.read().decode()


def resume(sandbox: Sandbox, first: Output) -> None:
    sandbox.clear_faults()
    code, second = read_here(config_of(sandbox), catalog_of(STREAMS), first.last_state)
    assert code == 0
    for stream in STREAMS:
        assert_complete(sandbox, stream, first.records[stream], second.records[stream])
    assert len(second.records["chats"]) <= 180 - 80


@pytest.mark.parametrize(
    "fault", [{"kind": "hang"}, {"kind": "latency", "seconds": 0.3}, {"kind": "status", "retry_after": 500}]
)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_in_order(number: signal.Signals, code: int, fault: dict[str, Any], tmp_path: Path) -> None:
    with small(chats=180) as sandbox, reading(sandbox, tmp_path, **fault) as process:
        written = until_checkpoint(process)
        began = time.monotonic()
        process.send_signal(number)
        more, complaints = rest(process)
        assert process.wait(20) == code
        assert time.monotonic() - began < 10, "a hung request lasts longer"
        assert complaints == ""
        first = check_read(written + more, STREAMS, interrupted=True)
        assert first.endings["chats"] == "INCOMPLETE"
        assert first.errors == []
        resume(sandbox, first)


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with small(chats=180) as sandbox, reading(sandbox, tmp_path, kind="hang") as process:
        until_checkpoint(process)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        rest(process)
        assert process.wait(5) == 143


def test_a_reader_that_does_not_read_cannot_hold_it(tmp_path: Path) -> None:
    with small(chats=4000, export_page_cap=0) as sandbox:
        options = files(tmp_path, config=config_of(sandbox), catalog=catalog_of(STREAMS))
        process = subprocess.Popen([EXECUTABLE, "read", *options], stdout=subprocess.PIPE, env=environment())
        assert process.stdout is not None
        time.sleep(1)  # the pipe is full by now
        process.send_signal(signal.SIGTERM)
        assert process.wait(8) == 143
        process.stdout.close()


def test_kill_loses_nothing(tmp_path: Path) -> None:
    with small(chats=180) as sandbox, reading(sandbox, tmp_path, kind="hang") as process:
        written = until_checkpoint(process)
        process.kill()
        more, _ = rest(process)
        assert process.wait(5) == -signal.SIGKILL
        everything = written + more
        resume(sandbox, Output(parse(everything[: everything.rindex(b"\n") + 1])))


def test_a_closed_pipe_ends_it_quietly(tmp_path: Path) -> None:
    with small(chats=180) as sandbox, reading(sandbox, tmp_path, kind="latency", seconds=0.1) as process:
        written = until_checkpoint(process, 1)
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(10) == 1
        assert process.stderr is not None
        assert process.stderr.read() == b""
        first = Output(parse(written))
        sandbox.clear_faults()
        _, second = read_here(config_of(sandbox), catalog_of(STREAMS), first.last_state)
        assert_complete(sandbox, "chats", first.records["chats"], second.records["chats"])


def test_a_renewed_refresh_token_survives_a_signal_that_comes_while_it_is_renewed(tmp_path: Path) -> None:
    credentials = {
        "credentials": "oauth2.0",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "refresh_token": "sandbox-refresh-token",
    }
    with small(chats=20) as sandbox:
        sandbox.inject(Fault(kind="latency", path="*/token", seconds=1))
        options = files(
            tmp_path,
            config=config_of(sandbox, credentials=credentials, request_timeout_seconds=30),
            catalog=catalog_of(STREAMS),
        )
        process = subprocess.Popen([EXECUTABLE, "read", *options], stdout=subprocess.PIPE, env=environment())
        assert process.stdout is not None
        first = process.stdout.readline()
        deadline = time.monotonic() + 5
        while not sandbox.requests and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        output = check_read(first + process.stdout.read(), STREAMS, interrupted=True)
        process.stdout.close()
        assert process.wait(5) == 143
        (control,) = output.payloads("CONTROL")
        code, _ = read_here(control["connectorConfig"]["config"], catalog_of(STREAMS))
        assert code == 0
