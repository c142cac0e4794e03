"""An account that other processes read: its pickle has no secret, and they share its quota."""

from __future__ import annotations

import copy as copy_module
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.in_process import account_of, assert_complete, records_of
from tests.support.sandbox import OAUTH, small
from zendesk_chat import Account, AuthError, ConfigError, list_streams, read
from zendesk_chat.config import ENVIRONMENT
from zendesk_chat_sandbox import Sandbox

RULES = {"hash_key": "a secret of 20 chars", "rules": [{"field": "chats.visitor.email", "action": "hash"}]}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*ENVIRONMENT.values(), "ZENDESK_CHAT_TOKEN_FILE", "ZENDESK_CHAT_HASH_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with small() as running:
        yield running


@dataclass(frozen=True)
class ConfigIn:
    """A configuration that each process reads from a file."""

    path: str
    url: str

    def __call__(self) -> dict[str, object]:
        token = Path(self.path).read_text(encoding="utf-8")
        return {"subdomain": "acme", "api_url": self.url, "access_token": token}


def copied(account: Account) -> Account:
    restored: Account = pickle.loads(pickle.dumps(account))
    return restored


def test_a_pickle_contains_no_secret(sandbox: Sandbox) -> None:
    passed = Account(subdomain="acme", token="T-secret", redact=RULES)
    configured = Account(config={"subdomain": "acme", "access_token": "T-secret", "redact": RULES})
    nested = Account(config={"subdomain": "acme", "credentials": {"credentials": "access_token", "access_token": "T-secret"}})
    for account in (passed, configured, nested):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            pickled = pickle.dumps(account, protocol)
            assert b"T-secret" not in pickled
            assert b"a secret of 20 chars" not in pickled
        assert "T-secret" not in repr(copied(account))
        assert "T-secret" not in repr(vars(account))


def test_the_environment_has_the_secrets_where_it_is_loaded(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = max(chat["update_timestamp"] for chat in records_of(read(account_of(sandbox), "chats")))
    account = account_of(sandbox, redact=RULES, start_date=newest, lookback_minutes=7)
    expected = records_of(read(account, "chats"))
    copy = copied(account)
    assert repr(copy) == "<Account acme>"
    with pytest.raises(
        ConfigError, match=r"The pickle of the account acme has no token. Set ZENDESK_CHAT_TOKEN in this process"
    ):
        read(copy, "chats")
    monkeypatch.setenv("ZENDESK_CHAT_TOKEN", sandbox.token)
    with pytest.raises(ConfigError, match="hash_key"):
        read(copy, "chats")
    monkeypatch.setenv("ZENDESK_CHAT_HASH_KEY", str(RULES["hash_key"]))
    assert records_of(read(copy, "chats")) == expected
    assert {info.name: info.schema for info in list_streams(copy)} == {i.name: i.schema for i in list_streams(account)}
    assert copied(copy).parsed == copy.parsed


def test_a_file_may_have_the_token(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copy = copied(account_of(sandbox))
    (tmp_path / "token").write_text(f"{sandbox.token}\n")
    monkeypatch.setenv("ZENDESK_CHAT_TOKEN_FILE", str(tmp_path / "token"))
    assert_complete(sandbox, "goals", records_of(read(copy, "goals")))


def test_the_token_of_another_account_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    copy = copied(Account(subdomain="globex", token="t"))
    monkeypatch.setenv("ZENDESK_CHAT_SUBDOMAIN", "acme")
    monkeypatch.setenv("ZENDESK_CHAT_TOKEN", "of-acme")
    with pytest.raises(ConfigError, match="ZENDESK_CHAT_TOKEN is for acme, but subdomain is globex"):
        read(copy, "chats")


def test_a_token_that_may_be_of_another_account_is_not_used(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    account = account_of(sandbox)
    copy = copied(copied(account))
    monkeypatch.setenv("ZENDESK_CHAT_TOKEN", "of-globex")
    with pytest.raises(ConfigError, match="ZENDESK_CHAT_TOKEN is not the token with which the account acme was created"):
        read(copy, "goals")
    monkeypatch.setenv("ZENDESK_CHAT_SUBDOMAIN", "acme")  # the account's new token
    monkeypatch.setenv("ZENDESK_CHAT_TOKEN", sandbox.token)
    assert_complete(
        sandbox, "goals", records_of(read(copied(Account(subdomain="acme", token="old", api_url=sandbox.url)), "goals"))
    )


def test_the_environment_sends_no_copy_to_another_server(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = copied(Account(config={"subdomain": "acme", "access_token": sandbox.token}))
    monkeypatch.setenv("ZENDESK_CHAT_TOKEN", sandbox.token)
    monkeypatch.setenv("ZENDESK_CHAT_API_URL", sandbox.url)
    assert copy.parsed.api_url == "https://acme.zendesk.com/api/v2/chat"


def test_a_copy_in_the_same_process_is_the_account(sandbox: Sandbox) -> None:
    account = account_of(sandbox)
    assert copy_module.copy(account) is account
    assert copy_module.deepcopy([account])[0] is account


def test_a_function_returns_the_configuration_in_each_process(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(sandbox.token)
    account = Account(config=ConfigIn(str(path), sandbox.url), start_date="2020-01-01")
    assert_complete(sandbox, "goals", records_of(read(account, "goals")))
    pickled = pickle.dumps(account)
    assert sandbox.token.encode() not in pickled
    path.write_text("another-token")
    copy: Account = pickle.loads(pickled)
    assert copy.config["start_date"] == "2020-01-01"
    with pytest.raises(AuthError):
        records_of(read(copy, "goals"))


def test_a_function_without_the_key_of_hashes_uses_that_of_the_environment(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text(sandbox.token)
    account = Account(config=ConfigIn(str(tmp_path / "token"), sandbox.url), redact=RULES)
    pickled = pickle.dumps(account)
    assert b"a secret of 20 chars" not in pickled
    monkeypatch.setenv("ZENDESK_CHAT_HASH_KEY", str(RULES["hash_key"]))
    copy: Account = pickle.loads(pickled)
    assert records_of(read(copy, "visitors")) == records_of(read(account, "visitors"))


def test_a_refresh_token_stays_in_its_process() -> None:
    account = Account(config={"subdomain": "acme", "credentials": dict(OAUTH)}, on_rotation=print)
    with pytest.raises(ConfigError, match="cannot be pickled: the token works only once"):
        pickle.dumps(account)


def test_a_new_process_reads_a_pickled_account(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "account").write_bytes(pickle.dumps(account_of(sandbox)))
    script = """
import pickle, sys, zendesk_chat
account = pickle.load(open(sys.argv[1], "rb"))
print(sum(len(batch.records) for batch in zendesk_chat.read(account, "goals")))
"""
    environment = os.environ | {"ZENDESK_CHAT_TOKEN": sandbox.token}
    command = [sys.executable, "-c", script, str(tmp_path / "account")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, str(len(records_of(read(account_of(sandbox), "goals"))))), done.stderr
