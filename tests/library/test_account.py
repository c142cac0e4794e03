"""What is read, and with what: configuration, environment, and OAuth tokens that are renewed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.support.in_process import account_of, assert_complete, assert_threads_end, by_stream, oauth_of, records_of
from tests.support.sandbox import OAUTH, small
from zendesk_chat import Account, AuthError, ConfigError, check, read, read_all
from zendesk_chat.api.client import Observer
from zendesk_chat.clock import Stopped, SystemClock
from zendesk_chat.config import ENVIRONMENT
from zendesk_chat.request import Request
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat_sandbox import EXPIRED_TOKEN, Fault, Sandbox

TOKEN_PATH = "/oauth2/chat/token"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT.values():
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with small() as running:
        yield running


def test_the_environment_names_the_account_as_for_sync(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZENDESK_CHAT_SUBDOMAIN", "acme")
    monkeypatch.setenv("ZENDESK_CHAT_TOKEN", sandbox.token)
    monkeypatch.setenv("ZENDESK_CHAT_API_URL", sandbox.url)
    assert_complete(sandbox, "goals", records_of(read(Account(), "goals")))
    assert Account(subdomain="other", token="t").config["subdomain"] == "other"
    with pytest.raises(ConfigError, match="subdomain: missing"):
        Account(config={"access_token": "t"})


def test_what_is_given_beside_a_configuration_goes_before_it() -> None:
    config = {"subdomain": "acme", "credentials": {"credentials": "access_token", "access_token": "old"}, "note": "mine"}
    account = Account(config=config, token="new", start_date="2026-02-03", lookback_minutes=3)
    assert account.config == {
        "subdomain": "acme",
        "access_token": "new",
        "start_date": "2026-02-03",
        "lookback_minutes": 3,
        "note": "mine",
    }
    assert config["credentials"] == {"credentials": "access_token", "access_token": "old"}
    assert repr(account) == "<Account acme>"


@pytest.mark.parametrize(
    ("start_date", "seconds"),
    [
        (None, 0),
        ("2026-01-02T03:04:05Z", 1767323045),
        (date(2026, 1, 2), 1767312000),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), 1767323045),
    ],
)
def test_start_date_is_a_string_or_a_date(start_date: str | date | None, seconds: int) -> None:
    assert Account(subdomain="acme", token="t", start_date=start_date).period().start == seconds


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "subdomain: missing"),
        ({"subdomain": "acme"}, "credentials: missing"),
        ({"subdomain": "a/b", "token": "t"}, "subdomain: use only the name of the account"),
        ({"subdomain": "acme", "token": "t", "start_date": "soon"}, 'start_date: "soon" is not a date'),
        ({"subdomain": "acme", "token": "t", "requests_per_minute": 0}, "requests_per_minute: must be a whole number"),
        ({"subdomain": "acme", "token": "t", "api_url": "http://example.com"}, "api_url: use https"),
        ({"config": []}, "config: must be a dictionary"),
        ({"config": {"subdomain": "acme", "credentials": OAUTH}}, "on_rotation: pass a function"),
    ],
)
def test_wrong_settings_are_reported(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Account(**options)


def renewals(sandbox: Sandbox) -> int:
    return sum(request.path == TOKEN_PATH for request in sandbox.requests)


def test_renewed_tokens_are_handed_over_before_they_are_used_and_kept_for_later_reads(sandbox: Sandbox) -> None:
    reported: list[tuple[dict[str, Any], int]] = []

    def on_rotation(config: dict[str, Any]) -> None:
        time.sleep(0.1)
        reported.append((config, sum(request.status == 200 for request in sandbox.requests if request.path != TOKEN_PATH)))

    account = oauth_of(sandbox, on_rotation=on_rotation)
    records, _ = by_stream(read_all(account, ["goals", "chats", "roles"]))
    for name, those in records.items():
        assert_complete(sandbox, name, those)
    assert_complete(sandbox, "skills", records_of(read(account, "skills")))
    assert renewals(sandbox) == 1
    ((config, answered),) = reported
    assert answered == 0
    assert account.config == config
    assert config["credentials"]["refresh_token"] != OAUTH["refresh_token"]
    assert config["api_url"] == sandbox.url
    again = Account(config=config, on_rotation=on_rotation)
    assert_complete(sandbox, "skills", records_of(read(again, "skills")))
    assert len(reported) == 1


def test_a_check_renews_tokens_too(sandbox: Sandbox) -> None:
    reported: list[dict[str, Any]] = []
    account = oauth_of(sandbox, on_rotation=reported.append)
    assert check(account).message == f"All {len(STREAMS)} streams can be read."
    assert (renewals(sandbox), reported) == (1, [account.config])


def test_tokens_that_are_being_renewed_at_an_early_end_are_not_lost(sandbox: Sandbox) -> None:
    began, stored = [threading.Event(), threading.Event()], list[dict[str, Any]]()

    def on_rotation(config: dict[str, Any]) -> None:
        began[len(stored)].set()
        time.sleep(0.3)
        stored.append(config)

    sandbox.switch(export_page_cap=10)
    sandbox.inject(Fault(kind="latency", path="*/incremental/chats", seconds=0.1, times=None))
    account = oauth_of(sandbox, on_rotation=on_rotation)
    batches = read(account, "chats")
    next(batches)
    sandbox.tokens.expire(stored[0]["credentials"]["access_token"])
    assert began[1].wait(5)
    assert len(stored) == 1
    batches.close()
    assert len(stored) == 2
    assert account.config == stored[1]
    assert_threads_end()
    sandbox.clear_faults()
    assert_complete(sandbox, "chats", records_of(read(account, "chats")))


def test_a_read_that_has_ended_renews_no_tokens(sandbox: Sandbox) -> None:
    account = oauth_of(sandbox, on_rotation=print)
    clock = SystemClock()
    client = account.client(clock)
    clock.stop()
    with pytest.raises(Stopped):
        client.get(Request("goals", bytes), Observer())
    assert sandbox.requests == []


def test_a_callback_that_fails_ends_the_read_and_the_tokens_can_be_had(sandbox: Sandbox) -> None:
    def on_rotation(config: dict[str, Any]) -> None:
        raise PermissionError(config["subdomain"])

    account = oauth_of(sandbox, on_rotation=on_rotation)
    with pytest.raises(ConfigError, match="on_rotation raised PermissionError") as failed:
        list(read(account, "goals"))
    assert isinstance(failed.value.__cause__, PermissionError)
    rescued = Account(config=account.config, on_rotation=print)
    assert_complete(sandbox, "goals", records_of(read(rescued, "goals")))
    with pytest.raises(AuthError):
        list(read(account_of(sandbox, token=EXPIRED_TOKEN), "goals"))
