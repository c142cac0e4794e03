"""No option makes a command overwrite a file that it uses, or append log lines to one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from zendesk_chat.cli import main
from zendesk_chat.errors import ConfigError
from zendesk_chat.load.named_files import require_own_files
from zendesk_chat_sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(chats=3) as running:
        yield running


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZENDESK_CHAT_SUBDOMAIN", "acme")
    monkeypatch.setenv("ZENDESK_CHAT_API_URL", sandbox.url)
    monkeypatch.setenv("ZENDESK_CHAT_TOKEN_FILE", "token.txt")
    Path("token.txt").write_text(sandbox.token)
    Path("named.json").write_text("{}")
    Path("other.duckdb").write_bytes(b"12345678DUCK\0\0")
    Path("chats.prom").symlink_to("named.json")
    Path("hard.txt").hardlink_to("token.txt")
    os.mkfifo("pipe")


def contents() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path().iterdir() if path.is_file()}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--metrics-file md.duckdb --to md.duckdb", "the name of md.duckdb does not end in .prom"),
        ("--metrics-file chats.prom --config named.json", "--metrics-file and --config name the same file, chats.prom."),
        ("--metrics-file m.prom --log-file ./m.prom", "--log-file and --metrics-file name the same file, ./m.prom."),
        (
            "--metrics-file m.prom --to duckdb:///m.prom",
            "--metrics-file and --to name the same file, m.prom. Use another path",
        ),
        ("--metrics-file /proc/x.prom", "/proc/x.prom cannot be written: no file can be created there."),
        ("--log-file md.duckdb --to md.duckdb", "--log-file and --to name the same file, md.duckdb."),
        ("--log-file md --to duckdb:///md", "--log-file and --to name the same file, md."),
        ("--log-file chats.duckdb", "--log-file chats.duckdb: this is the name of a database. Name a text file"),
        ("--log-file named.json --config named.json", "--log-file and --config name the same file, named.json."),
        ("--log-file chats.prom --config named.json", "--log-file and --config name the same file, chats.prom."),
        ("--log-file hard.txt", "--log-file and ZENDESK_CHAT_TOKEN_FILE name the same file, hard.txt."),
        ("--log-file .env", "--log-file and .env name the same file"),
        ("--log-file zendesk-chat.toml", "--log-file and zendesk-chat.toml name the same file"),
        ("--log-file pipe", "--log-file pipe: this is a named pipe. Name a regular file."),
    ],
)
def test_a_file_in_use_is_not_written(line: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents()
    assert main(["sync", "--streams", "goals", *line.split()]) == 2
    assert message in capsys.readouterr().err
    assert contents() == before


def test_no_line_is_added_to_a_database(capsys: pytest.CaptureFixture[str]) -> None:
    Path("other").hardlink_to("other.duckdb")
    for command in ("sync", "verify"):
        assert main([command, "--log-file", "other"]) == 2
        assert "--log-file other: this is not a text file, so no line is added to it." in capsys.readouterr().err
    assert Path("other").read_bytes() == b"12345678DUCK\0\0"


def test_a_secret_that_only_a_file_names_gets_no_line(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    monkeypatch.delenv("ZENDESK_CHAT_TOKEN_FILE")
    monkeypatch.delenv("ZENDESK_CHAT_API_URL")
    Path("zendesk-chat.toml").write_text(f'token_file = "token.txt"\napi_url = "{sandbox.url}"\n')
    assert main(["sync", "--log-file", "hard.txt", "--streams", "goals"]) == 2
    assert Path("token.txt").read_text() == sandbox.token


def test_the_files_of_accounts_are_not_written(capsys: pytest.CaptureFixture[str], sandbox: Sandbox) -> None:
    text = (
        f'api_url = "{sandbox.url}"\nto = "duckdb:///all"\nschema = "{{account}}"\n[accounts.acme]\ntoken_file = "token.txt"\n'
    )
    Path("accounts.toml").write_text(text)
    Path("acme.json").write_text(json.dumps({"access_token": sandbox.token}))
    for option, path, other in (
        ("--log-file", "accounts.toml", "--accounts"),
        ("--log-file", "all", "to in accounts.toml"),
        ("--log-file", "hard.txt", "ZENDESK_CHAT_TOKEN_FILE"),
    ):
        before = Path(path).read_bytes() if Path(path).exists() else b""
        assert main(["sync", "--accounts", "accounts.toml", option, path]) == 2
        assert f"{option} and {other} name the same file, {path}." in capsys.readouterr().err
        assert Path(path).read_bytes() == before


@pytest.mark.parametrize(
    "line",
    ["sync --config", "sync --log-file", "sync --metrics-file", "sync --accounts", "status --accounts", "login --config"],
)
def test_an_empty_path_is_not_an_option_that_is_not_given(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        main([*line.split(), ""])
    assert exited.value.code == 2
    assert f"{line.split()[1]}: missing. Name a file, or remove the option." in capsys.readouterr().err


def test_files_that_do_not_exist_are_compared_by_their_paths(tmp_path: Path) -> None:
    Path("link").symlink_to(tmp_path)
    with pytest.raises(
        ConfigError, match=r"^--log-file and --to name the same file, link/new\. Use another path with --log-file\.$"
    ):
        require_own_files({"--log-file": "link/new"}, {"--to": "new"})
    require_own_files({"--log-file": "one"}, {"--to": "new"})
