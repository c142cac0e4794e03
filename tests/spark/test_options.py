"""Options are validated before anything is read, and secrets are refused. No Spark runs here."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql.datasource import Filter, GreaterThan, LessThan

from zendesk_chat.errors import ConfigError
from zendesk_chat.spark.accounts import find_accounts
from zendesk_chat.spark.batch import FilteringReader
from zendesk_chat.spark.options import parse_options
from zendesk_chat.spark.partition import AccountPartition, open_account
from zendesk_chat.spark.schema import schema_of

NOW = 1_795_176_000.0
TIME = ("update_timestamp",)
SECRETS = ("token-of-acme-91ab", "token-of-globex-77cd", "hash-key-of-all-12ef")


@pytest.fixture
def accounts(tmp_path: Path) -> str:
    path = tmp_path / "accounts.toml"
    path.write_text(
        f"""
        start_date = 2024-01-01
        redact = {{ hash_key = "{SECRETS[2]}", rules = [{{ field = "agents.email", action = "hash" }}] }}
        [accounts.acme]
        token = "{SECRETS[0]}"
        [accounts.globex]
        subdomain = "globex-eu"
        token_file = "globex.token"
        start_date = 2025-01-01
        """
    )
    (tmp_path / "globex.token").write_text(SECRETS[1])
    return str(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"token": "secret"}, r'option\("token"\): Spark shows options in plans and logs'),
        ({"config": "{}"}, r'option\("config"\): Spark shows options'),
        ({"strem": "chats"}, r'option\("strem"\): there is no such option\. Did you mean stream\?'),
        ({}, r'option\("stream"\): missing'),
        ({"stream": "chats", "days_per_batch": "x"}, r'option\("days_per_batch"\): must be a whole number from 1 to 36500'),
        ({"stream": "chats", "parents": "yes"}, r'option\("parents"\): must be one of false, true'),
        ({"stream": "chats", "only": "acme"}, r'option\("only"\): it selects accounts of a file'),
        ({"stream": "chats", "accounts": "a", "subdomain": "b"}, r'option\("subdomain"\): it is for one account'),
    ],
)
def test_a_mistake_names_the_option_and_what_to_do(options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        parse_options(options)
    assert "secret" not in str(raised.value).replace("secrets", "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stream": "chat"}, r'option\("stream"\): no such stream: chat\. Did you mean chats\?'),
        ({"stream": "chats", "only": "acm"}, r'option\("only"\): .* has no account acm\. Did you mean acme\?'),
        ({"stream": "chats", "parents": "true"}, r"the records of chats replace no other records"),
        ({"stream": "chats", "start_date": "soon"}, r'option\("start_date"\): "soon" is not a date'),
    ],
)
def test_a_mistake_in_what_an_option_names(accounts: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        find_accounts(parse_options({"accounts": accounts, **options}), NOW)


def test_a_missing_accounts_file_is_reported_with_the_ways_to_distribute_it(accounts: str) -> None:
    (account, _) = find_accounts(parse_options({"accounts": accounts, "stream": "chats"}), NOW)
    Path(accounts).unlink()
    with pytest.raises(ConfigError, match=r"accounts\.toml does not exist on .* spark\.sparkContext\.addFile"):
        account.config()
    with pytest.raises(ConfigError, match=r"accounts\.toml does not exist on the driver\."):
        find_accounts(account.config.options, NOW)


def test_settings_of_each_account_and_options_that_win(accounts: str) -> None:
    found = find_accounts(parse_options({"accounts": accounts, "stream": "chats", "end_date": "2026-01-01"}), NOW)
    assert [(one.name, one.parsed.subdomain, one.parsed.start, one.parsed.end) for one in found] == [
        ("acme", "acme", 1_704_067_200, 1_767_225_600),
        ("globex", "globex-eu", 1_735_689_600, 1_767_225_600),
    ]


def test_a_driver_without_the_secrets_plans(accounts: str) -> None:
    (Path(accounts).parent / "globex.token").unlink()
    found = find_accounts(parse_options({"accounts": accounts, "stream": "chats"}), NOW)
    assert [one.name for one in found] == ["acme", "globex"]
    with pytest.raises(ConfigError, match=r"globex\.token does not exist"):
        open_account(found[1].config)


@pytest.mark.parametrize(
    ("filters", "start", "end"),
    [
        ([], "2024-01-01T00:00:00+00:00", None),
        ([GreaterThan(TIME, datetime.min.replace(tzinfo=UTC))], "2024-01-01T00:00:00+00:00", None),
        ([LessThan(TIME, datetime.max.replace(tzinfo=UTC))], "2024-01-01T00:00:00+00:00", None),
        ([GreaterThan(TIME, datetime.max.replace(tzinfo=UTC))], "2026-11-20T12:00:00+00:00", None),
        ([LessThan(TIME, datetime(2025, 6, 1, tzinfo=UTC))], "2024-01-01T00:00:00+00:00", "2025-06-01T00:00:00+00:00"),
    ],
)
def test_extreme_times_of_filters(accounts: str, filters: list[Filter], start: str, end: str | None) -> None:
    found = find_accounts(parse_options({"accounts": accounts, "stream": "chats", "only": "acme"}), NOW)
    reader = FilteringReader(found, schema_of(found), NOW)
    assert list(reader.pushFilters(filters)) == filters
    (partition,) = reader.partitions()
    assert isinstance(partition, AccountPartition)
    assert (partition.start_date, partition.end_date) == (start, end)


def test_partitions_carry_no_secret_and_open_with_those_of_the_machine(accounts: str, tmp_path: Path) -> None:
    options = parse_options({"accounts": accounts, "stream": "chats", "quota_folder": str(tmp_path / "quota")})
    found = find_accounts(options, NOW)
    pickled = [pickle.dumps(AccountPartition(one.config, start_date="2025-01-01", state={})) for one in found]
    assert not [secret for secret in SECRETS for one in pickled if secret.encode() in one]
    opened = [open_account(pickle.loads(one).config) for one in pickled]
    assert [account.config["access_token"] for account in opened] == list(SECRETS[:2])
    assert sorted(path.name for path in (tmp_path / "quota").glob("*.sqlite")) == ["acme.sqlite", "globex-eu.sqlite"]


def test_one_account_takes_its_token_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    (account,) = find_accounts(parse_options({"subdomain": "Acme", "stream": "chats"}), NOW)
    with pytest.raises(ConfigError, match=r"The token of acme is missing on .*ZENDESK_CHAT_TOKEN_FILE"):
        account.config()
    monkeypatch.setenv("ZENDESK_CHAT_TOKEN", SECRETS[0])
    assert account.config()["access_token"] == SECRETS[0]
    monkeypatch.setenv("ZENDESK_CHAT_SUBDOMAIN", "globex")
    with pytest.raises(ConfigError, match=r"is for globex, but .* is acme"):
        account.config()


def test_refresh_tokens_are_refused(tmp_path: Path) -> None:
    (tmp_path / "oauth.json").write_text(
        '{"credentials": {"credentials": "oauth2.0", "refresh_token": "r", "client_id": "i", "client_secret": "s"}}'
    )
    (tmp_path / "accounts.toml").write_text('[accounts.acme]\nconfig = "oauth.json"')
    with pytest.raises(ConfigError, match=r"acme has an OAuth refresh token\. It works only once"):
        find_accounts(parse_options({"accounts": str(tmp_path / "accounts.toml"), "stream": "chats"}), NOW)


def test_the_same_account_twice_is_refused(accounts: str) -> None:
    with Path(accounts).open("a") as file:
        file.write('\n[accounts.copy]\nsubdomain = "acme"\ntoken = "x"\n')
    with pytest.raises(ConfigError, match="acme and copy are the same account, acme"):
        find_accounts(parse_options({"accounts": accounts, "stream": "chats"}), NOW)
