"""The options that say what sync and verify log, and where."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.load.test_run_log import START, options
from tests.support.clock import FakeClock
from tests.support.syncs import complete, logged, sync
from zendesk_chat.errors import ExitCode
from zendesk_chat.load.log import Log, open_log, run_logged
from zendesk_chat_sandbox import Sandbox

FULL = Path("/dev/full")
STREAMS = ("--streams", "agents,chats")


@pytest.fixture(scope="module")
def account() -> Iterator[Sandbox]:
    with Sandbox(chats=20) as sandbox:
        yield sandbox


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chats.duckdb"


def test_quiet_prints_nothing_if_all_goes_well(account: Sandbox, path: Path) -> None:
    for more in ((), ("--log-format", "json"), ("--log-file", str(path.with_name("sync.log")))):
        done = complete(account, path, "--quiet", *more)
        assert (done.report, done.errors) == ("", "")
    text = path.with_name("sync.log").read_text()
    assert logged(text, "INFO")[0] == f"Loading acme into {path}: 21 streams", "the file has what standard error has not"


def test_quiet_prints_errors(account: Sandbox, path: Path) -> None:
    account.switch(unavailable={"goals": 403})
    try:
        done = sync(account, path, "--quiet", "--streams", "goals,agents")
    finally:
        account.switch(unavailable={})
    assert (done.code, done.report) == (3, "")
    assert done.error.startswith("goals: ")
    assert done.errors.count("\n") == 1


def test_json_lines_parse_and_have_the_documented_fields(account: Sandbox, path: Path) -> None:
    done = complete(account, path, "--log-format", "json", *STREAMS)
    lines = [json.loads(line) for line in done.errors.splitlines()]
    assert all(list(line)[:3] == ["time", "level", "event"] and "message" in line for line in lines)
    assert {(line["event"], line.get("stream")) for line in lines} == {
        ("run_started", None),
        *((event, stream) for event in ("stream_started", "stream_complete") for stream in ("agents", "chats")),
        ("saved", None),
        ("summary", None),
    }
    assert lines[0].items() >= {"subdomain": "acme", "destination": str(path), "streams": ["agents", "chats"]}.items()
    summary = lines[-1]
    assert (summary["event"], summary["result"], summary["exit_code"], summary["records"]) == ("summary", "complete", 0, 270)
    assert summary["streams"]["chats"].items() >= {"state": "complete", "records": 20, "skipped": 0}.items()
    assert done.report.splitlines()[0].split()[0] == "stream", "standard output keeps the table"


def test_json_has_an_error_of_the_configuration(account: Sandbox, path: Path) -> None:
    done = sync(account, path, "--log-format", "json", "--streams", "chat")
    (line,) = done.errors.splitlines()
    assert (done.code, json.loads(line)["level"], json.loads(line)["kind"]) == (2, "error", "ConfigError")


def test_verbose_has_requests_and_sources_of_settings_and_no_token(account: Sandbox, path: Path) -> None:
    for form in ("text", "json"):
        done = complete(account, path, "--verbose", "--full-refresh", "--log-format", form, *STREAMS)
        assert "GET incremental/chats: HTTP 200 in " in done.errors
        assert "token: --token" in done.errors
        assert account.token not in done.errors + done.report
    assert logged(complete(account, path, "--verbose", *STREAMS).errors, "DEBUG")[0].startswith("zendesk-chat ")


def test_quiet_and_verbose_exclude_each_other(account: Sandbox, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        sync(account, path, "--quiet", "--verbose")
    assert ended.value.code == 2
    capsys.readouterr()


def test_a_log_file_grows_and_only_its_owner_may_read_it(account: Sandbox, path: Path) -> None:
    log = path.with_name("sync.log")
    for _ in range(2):
        complete(account, path, "--log-file", str(log), *STREAMS)
    started = f"Loading acme into {path}: 2 streams"
    lines = logged(log.read_text(), "INFO")
    assert [line for line in lines if line == started] == [started] * 2
    assert lines[-1].startswith("No new records in ")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_verify_logs_likewise(account: Sandbox, path: Path) -> None:
    complete(account, path, *STREAMS)
    log = path.with_name("verify.log")
    command = Path(sys.executable).with_name("zendesk-chat")
    given = ["--subdomain", "acme", "--token", account.token, "--api-url", account.url, "--quiet", "--log-file", str(log)]
    done = subprocess.run([command, "verify", path, *given], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert logged(log.read_text(), "INFO")[-1] == "No difference was found."


@pytest.mark.parametrize("name", ["nowhere/sync.log", "."])
def test_a_log_file_that_cannot_be_written_is_one_sentence_before_anything_is_read(
    name: str, account: Sandbox, path: Path
) -> None:
    account.clear_requests()
    log = path.parent / name
    done = sync(account, path, "--log-file", str(log))
    assert done.code == 2
    assert done.error.startswith(f"--log-file {log}: ")
    assert (done.report, account.requests, path.exists()) == ("", [], False)


def run(tmp_path: Path, *steps: object) -> int:
    """A command that logs `1`, `2` ... into sync.log, with a step between two of them."""

    def command(log: Log) -> int:
        for number, step in enumerate(steps, 1):
            log.note(str(number), "test")
            step() if callable(step) else None
        log.note("last", "test")
        return 7

    return run_logged(options(log_file=str(tmp_path / "logs" / "sync.log")), FakeClock(), command)


def test_a_log_file_that_is_rotated_or_removed_begins_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    rotate, remove = lambda: (logs / "sync.log").rename(logs / "sync.log.1"), (logs / "sync.log").unlink
    assert run(tmp_path, rotate, remove) == 7
    assert (logs / "sync.log.1").read_text() == f"{START} INFO 1\n"
    assert (logs / "sync.log").read_text() == f"{START} INFO last\n"
    assert logged(capsys.readouterr().err, "WARNING") == []


def test_a_log_file_whose_directory_disappears_is_reported_once_and_the_command_continues(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    assert run(tmp_path, lambda: shutil.rmtree(logs), None) == 7
    shown = capsys.readouterr().err
    assert logged(shown, "INFO") == ["1", "2", "last"]
    assert logged(shown, "WARNING") == [
        f"--log-file {logs / 'sync.log'}: No such file or directory. The command continues without it."
    ]


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a full device")
def test_a_full_disk_is_reported_once(capsys: pytest.CaptureFixture[str]) -> None:
    def command(log: Log) -> int:
        log.note("1", "test")
        log.note("2", "test")
        return 0

    assert run_logged(options(log_file=str(FULL)), FakeClock(), command) == 0
    assert logged(capsys.readouterr().err, "WARNING") == [
        "--log-file /dev/full: No space left on device. The command continues without it."
    ]


def test_an_unexpected_error_is_one_line_of_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def command(_log: Log) -> int:
        raise ValueError("a secret")

    log = tmp_path / "sync.log"
    assert run_logged(options(log_file=str(log), log_format="json"), FakeClock(), command) == ExitCode.INCOMPLETE
    shown = capsys.readouterr().err
    assert log.read_text() == shown
    assert json.loads(shown)["message"].startswith("Unexpected ValueError at test_log.py:")
    assert "secret" not in shown


def test_the_last_words_need_no_lock(capfd: pytest.CaptureFixture[str]) -> None:
    """The main thread may hold the lock of the log when a second signal ends the process."""
    for given in ({}, {"log_format": "json"}):
        log = open_log(options(**given), FakeClock())
        log.logger.handlers[0].acquire()
        log.last_words("Ended.")
        shown = capfd.readouterr().err
        assert json.loads(shown)["event"] == "killed" if given else shown == f"{START} WARNING Ended.\n"


def test_each_line_of_one_of_several_accounts_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    open_log(options(), FakeClock()).of("acme").fail("The token is wrong.")
    open_log(options(log_format="json"), FakeClock()).of("acme").fail("The token is wrong.")
    text, line = capsys.readouterr().err.splitlines()
    assert text == f"{START} ERROR acme: The token is wrong."
    assert (json.loads(line)["account"], json.loads(line)["message"]) == ("acme", "The token is wrong.")
