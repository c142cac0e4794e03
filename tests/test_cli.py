"""The command line: arguments, help, exit codes, what is loaded for which command, and where renewed tokens go."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import duckdb
import pytest

from tests.support.commands import run_here
from tests.support.syncs import logged
from zendesk_chat import __version__
from zendesk_chat.cli import main
from zendesk_chat.errors import ConfigError
from zendesk_chat.load.configuration import gather
from zendesk_chat.load.redaction_rules import add_redactions
from zendesk_chat.load.selection import choose_streams
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat_sandbox import Sandbox

COMMAND = Path(sys.executable).with_name("source-zendesk-chat")
HEAVY = {"dlt", "duckdb", "pyarrow", "rich"}
NOTHING = {
    "config": None,
    "subdomain": None,
    "token": None,
    "start_date": None,
    "end_date": None,
    "redact": None,
    "api_url": None,
}


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command with an environment that holds no account but the one given."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ZENDESK_CHAT_")}
    return subprocess.run(
        [COMMAND, *arguments], cwd=cwd, env=clean | environment, capture_output=True, text=True, check=False, timeout=100
    )


def account(sandbox: Sandbox) -> dict[str, str]:
    """The environment that names a sandbox as the account."""
    return {
        "ZENDESK_CHAT_SUBDOMAIN": "acme",
        "ZENDESK_CHAT_TOKEN": sandbox.token,
        "ZENDESK_CHAT_API_URL": sandbox.url,
    }


def rows(database: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("command", ["", "sync", "profile", "spec", "check", "discover", "read", "sandbox"])
def test_help_has_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*command.split(), "--help"]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    assert "examples:\n" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"zendesk-chat {__version__}\n"


@pytest.mark.parametrize("arguments", [["read"], ["nonsense"], ["sync", "--nonsense"]])
def test_wrong_usage_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: zendesk-chat" in capsys.readouterr().err


def test_no_command_prints_the_help_and_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "zendesk-chat login " in shown.err


def test_airbytes_commands_load_no_more_than_they_need(tmp_path: Path) -> None:
    """None of its commands loads what only `sync` needs, and those without a network no HTTP client."""
    with Sandbox(chats=10) as sandbox:
        config = {
            "subdomain": "acme",
            "start_date": "2020-01-01T00:00:00Z",
            "api_url": sandbox.url,
            "access_token": sandbox.token,
        }
        (tmp_path / "config.json").write_text(json.dumps(config))
        (tmp_path / "catalog.json").write_text('{"streams": [{"stream": {"name": "chats"}}]}')
        for command in ("spec", "check", "discover", "read"):
            files = [] if command == "spec" else ["--config", "config.json"]
            files += ["--airbyte"] if command == "check" else []
            files += ["--catalog", "catalog.json"] if command == "read" else []
            script = (
                "import sys; from zendesk_chat.cli import main; code = main(sys.argv[1:]);"
                "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr); sys.exit(code)"
            )
            done = subprocess.run(
                [sys.executable, "-c", script, command, *files], cwd=tmp_path, capture_output=True, text=True, check=True
            )
            loaded = set(done.stderr.split())
            assert not loaded & HEAVY, command
            assert ("urllib3" in loaded) == (command in {"check", "read"})


def test_sync_by_environment_then_again_then_all_again(tmp_path: Path) -> None:
    database = tmp_path / "chats.duckdb"
    with Sandbox(chats=150) as sandbox:
        first = run("sync", "--streams", "chats,goals", cwd=tmp_path, **account(sandbox))
        assert first.returncode == 0, first.stderr
        ids = sorted(sandbox.account.chat_ids())
        assert rows(database, "SELECT id FROM chats ORDER BY id") == [(id_,) for id_ in ids]
        sandbox.account.edit_chat(ids[0], rating="bad", comment="Edited")
        sandbox.account.add_chats(3)
        second = run("sync", "--streams", "chats,goals", cwd=tmp_path, **account(sandbox))
        assert second.stdout.splitlines()[1].split()[:2] == ["chats", "4"]
        assert rows(database, f"SELECT comment FROM chats WHERE id = '{ids[0]}'") == [("Edited",)]
        everything = run("sync", "--streams", "chats", "--full-refresh", cwd=tmp_path, **account(sandbox))
        assert everything.stdout.splitlines()[1].split()[:2] == ["chats", "153"]
        assert rows(database, "SELECT count(*), count(DISTINCT id) FROM chats") == [(153, 153)]


def test_sync_of_a_stream_that_needs_a_person_exits_3_and_keeps_the_others(tmp_path: Path) -> None:
    with Sandbox(chats=20) as sandbox:
        sandbox.switch(unavailable={"goals": 403})
        done = run("sync", "--streams", "chats,goals", cwd=tmp_path, **account(sandbox))
        assert done.returncode == 3
        assert (done.stdout + done.stderr).count("HTTP 403") == 1
        (error,) = logged(done.stderr, "ERROR")
        assert error.startswith("goals: The token's user is not allowed to read")
        assert rows(tmp_path / "chats.duckdb", "SELECT count(*) FROM chats") == [(20,)]


def test_sync_with_oauth_stores_the_renewed_tokens_in_the_config_file(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    with Sandbox(chats=5) as sandbox:
        credentials = {
            "credentials": "oauth2.0",
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "access_token": "sandbox-expired-token",
            "refresh_token": "sandbox-refresh-token",
        }
        file.write_text(json.dumps({"subdomain": "acme", "api_url": sandbox.url, "credentials": credentials, "_note": "mine"}))
        file.chmod(0o640)
        for _ in range(2):
            done = run("sync", "--config", "config.json", "--streams", "goals", cwd=tmp_path)
            assert done.returncode == 0, done.stderr
            assert not any(secret in done.stdout + done.stderr for secret in list(credentials.values())[1:])
        stored = json.loads(file.read_text())
        renewals = [request for request in sandbox.requests if request.path == "/oauth2/chat/token"]
    assert len(renewals) == 1
    assert stored["credentials"]["access_token"] != credentials["access_token"]
    assert stored["credentials"]["refresh_token"] != credentials["refresh_token"]
    assert stored["_note"] == "mine"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [path.name for path in tmp_path.glob("config*")] == ["config.json"]


ACME = ["sync", "--subdomain", "acme", "--token", "t"]
CHOSEN = {"chats", "agents", "goals"}
FILES = {
    "broken.json": "{",
    "list.json": "[]",
    "old.json": '{"access_token": "t"}',
    "empty.json": "{}",
    "typo.json": '{"subdomain": "acme", "acess_token": "SECRET"}',
    "date.json": '{"subdomain": "acme", "access_token": "t", "start_date": "yesterday"}',
}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["sync"],
            "Missing: subdomain and access token. Run `zendesk-chat login`, or pass --subdomain and --token, or set ",
        ),
        (
            ["sync", "--subdomain", "acme"],
            "Missing: access token. Run `zendesk-chat login`, or pass --token, or set ZENDESK_CHAT_TOKEN, or pass --config",
        ),
        (
            ["sync", "--token", "t"],
            "Missing: subdomain. Run `zendesk-chat login`, or pass --subdomain, or set ZENDESK_CHAT_SUBDOMAIN, or ",
        ),
        (["sync", "--config", "old.json"], "Missing in old.json: subdomain. Add `subdomain` to the file, or pass --subdomain."),
        (["sync", "--config", "empty.json"], "Missing in empty.json: subdomain and access token. Add `subdomain` and "),
        (["sync", "--config", "typo.json"], "typo.json: Unknown key `acess_token`: did you mean `access_token`?"),
        (["sync", "--config", "date.json"], 'start_date in date.json: "yesterday" is not a date. Use 2026-01-31, or '),
        (["sync", "--config", "absent.json"], "The config file does not exist: absent.json"),
        (
            ["sync", "--config", "broken.json"],
            "The config file is not valid JSON: broken.json, line 1, column 2: the file ends",
        ),
        (["sync", "--config", "list.json"], "The config file must contain a JSON object: list.json"),
        (
            ["sync", "--subdomain", "acme", "--token", "t", "--streams", "chat"],
            "--streams: no such stream: chat. Did you mean chats? The streams are ",
        ),
        (["sync", "--subdomain", "a/b", "--token", "t"], "--subdomain: use only the name of the account"),
        (["sync", "--subdomain", "acme", "--token", "t", "--start-date", "2026-13-01"], '--start-date: "2026-13-01" is not'),
        (["sync", "--subdomain", "acme", "--token", "t", "--start-date", ""], "--start-date: missing."),
        (
            [*ACME, "--start-date", "2026-02-01", "--end-date", "2026-01-01"],
            '--end-date: "2026-01-01" must be later than --start',
        ),
        ([*ACME, "--start-date", "2199-01-01"], '--start-date: "2199-01-01" is in the future.'),
        ([*ACME, "--exclude", "chats,agent"], "--exclude: no such stream: agent. Did you mean agents? The streams are "),
        ([*ACME, "--streams", "chats", "--exclude", "chats"], "--exclude: no stream remains."),
        ([*ACME, "--time-zone", "Lisboa"], "There is no time zone 'Lisboa'. Did you mean Europe/Lisbon?"),
        (
            [*ACME, "--to", "postgres://u:p@h/d", "--time-zone", "Europe/Lisbon"],
            "--time-zone is for DuckDB files only. Remove it, or load into a file.",
        ),
    ],
)
def test_sync_reports_what_is_wrong_and_exits_2(arguments: list[str], message: str, tmp_path: Path) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    done = run_here(arguments, tmp_path)
    (error,) = logged(done.stderr, "ERROR")
    assert error.startswith(message)
    assert done.stderr.count("\n") == 1
    assert (done.returncode, done.stdout) == (2, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)


def test_options_beat_the_file_and_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"subdomain": "file", "credentials": {"credentials": "access_token", "access_token": "from-file"}}')
    options = Namespace(**NOTHING | {"config": str(file), "subdomain": "option", "token": "from-option"})
    environment = {"ZENDESK_CHAT_SUBDOMAIN": "environment", "ZENDESK_CHAT_TOKEN": "from-environment"}
    config = gather(options, environment).raw
    assert config == {"subdomain": "option", "access_token": "from-option", "start_date": "1970-01-01T00:00:00Z"}
    assert gather(Namespace(**NOTHING), environment).raw["access_token"] == "from-environment"
    assert gather(Namespace(**NOTHING | {"config": str(file)}), environment).raw["subdomain"] == "file"


def test_streams_are_chosen_by_name() -> None:
    assert choose_streams(None) == list(STREAMS)
    assert choose_streams([" chats, agents,chats "]) == ["chats", "agents"]
    assert choose_streams(["chats", "agents", "chats,goals"]) == ["chats", "agents", "goals"]
    assert choose_streams(None, ["chats,agents", "goals"]) == [name for name in STREAMS if name not in CHOSEN]
    assert choose_streams(["chats,agents,goals"], ["agents"]) == ["chats", "goals"]
    for given, excluded in ([" , "], None), (None, [","]), ([], None):
        with pytest.raises(ConfigError, match="names no stream"):
            choose_streams(given, excluded)


def test_a_start_date_in_the_future_stores_nothing(tmp_path: Path) -> None:
    with Sandbox(chats=20) as sandbox:
        for start, code in (("2199-01-01", 2), ("2015-01-01", 0)):
            done = run("sync", "--streams", "chats", "--start-date", start, cwd=tmp_path, **account(sandbox))
            assert done.returncode == code, done.stderr
            assert (tmp_path / "chats.duckdb").exists() == (code == 0)
    assert rows(tmp_path / "chats.duckdb", "SELECT count(*) FROM chats") == [(20,)]


def test_a_config_file_of_windows_is_read(tmp_path: Path) -> None:
    with Sandbox(chats=5) as sandbox:
        config = json.dumps({"subdomain": "acme", "api_url": sandbox.url, "access_token": sandbox.token})
        for encoding in ("utf-8-sig", "utf-16"):
            (tmp_path / "config.json").write_text(config, encoding=encoding)
            done = run("sync", "--config", "config.json", "--streams", "goals", cwd=tmp_path)
            assert done.returncode == 0, done.stderr


def test_a_refused_token_is_reported_once(tmp_path: Path) -> None:
    with Sandbox(chats=5) as sandbox:
        done = run("sync", cwd=tmp_path, **account(sandbox) | {"ZENDESK_CHAT_TOKEN": "wrong"})
    assert done.returncode == 3
    assert (done.stdout + done.stderr).count("rejected the token") == 1


def test_a_destination_that_may_not_be_written_is_for_a_person(tmp_path: Path) -> None:
    with Sandbox(chats=5) as sandbox:
        missing = run("sync", "--to", "duckdb:///nowhere/a.duckdb", cwd=tmp_path, **account(sandbox))
        (tmp_path / "text.duckdb").write_text("no database " * 1000)
        other = run("sync", "--to", "duckdb:///text.duckdb", cwd=tmp_path, **account(sandbox))
        with duckdb.connect(str(tmp_path / "busy.duckdb")):
            busy = run("sync", "--to", "duckdb:///busy.duckdb", cwd=tmp_path, **account(sandbox))
    assert [done.returncode for done in (missing, other, busy)] == [3, 3, 1]


def test_streams_add_up_and_are_excluded(tmp_path: Path) -> None:
    with Sandbox(chats=5) as sandbox:
        arguments = ["--streams", "goals", "--streams", "agents,skills", "--exclude", "skills"]
        done = run("sync", *arguments, cwd=tmp_path, **account(sandbox))
    assert [line.split()[0] for line in done.stdout.splitlines()[:-1]] == ["stream", "goals", "agents"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full device")
def test_a_stdout_that_cannot_be_written_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([COMMAND, "spec"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "The messages cannot be written to stdout: No space left on device.\n")


RULE = {"field": "bans.reason", "action": "null"}
HASHED = {"field": "chats.visitor.email", "action": "hash"}


def test_rules_of_the_command_line_come_to_those_of_the_file() -> None:
    added = add_redactions({"rules": [RULE]}, ["chats.visitor.email=hash"], "k" * 16)
    assert added == {"rules": [RULE, HASHED], "hash_key": "k" * 16}
    assert add_redactions({"hash_key": "f" * 16}, ["chats.visitor.email=hash"], None)["hash_key"] == "f" * 16
    assert add_redactions(None, ["bans.reason=null"], None) == {"rules": [RULE]}


@pytest.mark.parametrize(
    ("configured", "given", "words"),
    [
        ("chats.visitor.email", "bans.reason=null", "^redact: must be an object"),
        (
            {"rules": {"field": "chats.visitor.email"}},
            "bans.reason=null",
            "a list of `rules`",
        ),
        (None, "chats.visitor.email", "^--redact: use a field and an action"),
        (None, "chats.visitor.email=hash", "^--redact: hashing needs a secret. Set ZENDESK_CHAT_HASH_KEY"),
    ],
)
def test_rules_that_cannot_be_put_together_are_refused_and_none_is_dropped(configured: object, given: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        add_redactions(configured, [given], None)
