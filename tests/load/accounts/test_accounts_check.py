"""``check --accounts`` tests the token of each account, and loads nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sandbox import still
from zendesk_chat.cli import main, make_parser
from zendesk_chat.clock import SystemClock
from zendesk_chat.load.accounts.check import run_accounts_check
from zendesk_chat_sandbox import Sandbox


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """An account whose token acme and hooli have, in a file with one that has a wrong token, and one that has none."""
    monkeypatch.chdir(tmp_path)
    with still() as sandbox:
        Path("right").write_text(sandbox.token)
        Path("wrong").write_text("wrong-token")
        accounts = [("acme", "right", ""), ("globex", "wrong", ""), ("hooli", "right", 'to = "postgres://db.example.com/x"')]
        tables = [f'[accounts.{name}]\ntoken_file = "{file}"\n{more}\n' for name, file, more in accounts]
        missing = '[accounts.initech]\ntoken_env = "NOT_SET"\n'
        Path("accounts.toml").write_text(f'parallel = 2\napi_url = "{sandbox.url}"\n{"".join(tables)}{missing}')
        yield sandbox


def check(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, list[str], list[str]]:
    code = main(["check", "--accounts", "accounts.toml", *options])
    captured = capsys.readouterr()
    return code, captured.out.splitlines(), captured.err.splitlines()


@pytest.mark.usefixtures("sandbox")
def test_each_account_has_a_row_and_each_failure_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    code, rows, errors = check(capsys)
    assert code == 3
    assert [" ".join(row.split()).partition(" This machine's clock is ")[0] for row in rows] == [
        "account result",
        "acme All 21 streams can be read.",
        "globex failed",
        "hooli All 21 streams can be read.",
        "initech failed",
    ]
    assert [error.split(": ")[:2] for error in errors] == [["error", "globex"], ["error", "initech"]]
    assert errors[1].endswith("the environment variable NOT_SET is not set.")
    assert "wrong-token" not in "".join(errors)
    assert {path.name for path in Path().iterdir()} == {"accounts.toml", "right", "wrong"}


@pytest.mark.usefixtures("sandbox")
def test_only_the_chosen_accounts_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    code, rows, errors = check(capsys, "--only", "acme,hooli")
    assert (code, len(rows), errors) == (0, 3, [])


def test_a_signal_ends_all_checks(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    clock = SystemClock()
    clock.stop()
    options = make_parser().parse(["check", "--accounts", "accounts.toml", "--only", "acme,hooli"])
    assert run_accounts_check(options, clock) == 1
    stopped = "The check was stopped before Zendesk responded. Run it again."
    assert capsys.readouterr().err.splitlines() == [f"error: {account}: {stopped}" for account in ("acme", "hooli")]
    assert sandbox.requests == []


@pytest.mark.parametrize("options", [("--token", "x"), ("--config", "x.json"), ("x.json",)])
@pytest.mark.usefixtures("sandbox")
def test_what_names_one_account_is_refused(options: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    code, rows, errors = check(capsys, *options)
    assert (code, rows) == (2, [])
    assert "is for one account, but --accounts is for several. Remove one of them." in errors[0]
