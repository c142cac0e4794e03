"""Options are validated before anything is read, and secrets are refused. No Spark runs here."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql.types import StringType, StructField, StructType

from zendesk_chat.errors import ConfigError
from zendesk_chat.spark.accounts import find_accounts
from zendesk_chat.spark.bounds import Limits
from zendesk_chat.spark.options import parse_options
from zendesk_chat.spark.partition import AccountPartition, open_account
from zendesk_chat.spark.schema import require_columns, schema_of
from zendesk_chat.spark.source import ZendeskChatDataSource

NOW = 1_795_176_000.0
NOW_AS_DATE = "2026-11-20T12:00:00+00:00"
TOMORROW = "2026-11-21T12:00:00+00:00"
LAST_SECOND = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
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
        ({"stream": "chats", "only": " "}, r'option\("only"\): it is empty\. Set a value, or remove the option'),
        ({"stream": "chats", "quota_folder": ""}, r'option\("quota_folder"\): it is empty'),
        ({"stream": ""}, r'option\("stream"\): it is empty'),
        ({"stream": "chats", "parents": "yes"}, r'option\("parents"\): must be one of false, true'),
        ({"stream": "chats", "only": "acme"}, r'option\("only"\): it selects accounts of a file'),
        ({"stream": "chats", "accounts": "a", "subdomain": "b"}, r'option\("subdomain"\): it is for one account'),
    ],
)
def test_a_mistake_names_the_option_and_what_to_do(options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        parse_options(options)
    assert "secret" not in str(raised.value).replace("secrets", "")


@pytest.mark.parametrize("option", ["days_per_batch", "poll_seconds"])
def test_options_of_streaming_queries_are_refused_in_batch_queries(accounts: str, option: str) -> None:
    source = ZendeskChatDataSource({"accounts": accounts, "stream": "chats", option: "5"})
    with pytest.raises(ConfigError, match=rf'option\("{option}"\): it is for streaming queries'):
        source.reader(source.schema())
    source.streamReader(source.schema())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stream": "chat"}, r'option\("stream"\): no such stream: chat\. Did you mean chats\?'),
        ({"stream": "chats", "only": "acm"}, r'option\("only"\): .* has no account acm\. Did you mean acme\?'),
        ({"stream": "chats", "parents": "true"}, r"the records of chats replace no other records"),
        ({"stream": "chats", "only": ","}, r'option\("only"\): no account is named'),
        ({"stream": "chats", "lookback_minutes": "-5"}, r'option\("lookback_minutes"\): .* whole number from 0 to 10080'),
        ({"stream": "chats", "requests_per_minute": "0"}, r'option\("requests_per_minute"\): .* from 1 to 10000'),
        ({"stream": "chats", "request_timeout_seconds": "1.5"}, r'option\("request_timeout_seconds"\): .* from 1 to 600'),
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


def test_the_driver_reads_no_token(accounts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(accounts).parent
    (folder / "globex.token").write_text("not a token")
    (folder / "umbrella.json").write_text(
        '{"access_token": "neither this", "subdomain": "umbrella-us", "api_url": "https://chat.example"}'
    )
    with Path(accounts).open("a") as file:
        file.write('[accounts.initech]\ntoken = "nor this"\n[accounts.umbrella]\nconfig = "umbrella.json"\n')
    monkeypatch.setenv("ZENDESK_CHAT_HASH_KEY_FILE", str(folder / "missing.key"))
    found = find_accounts(parse_options({"accounts": accounts, "stream": "chats"}), NOW)
    assert [(one.parsed.subdomain, one.parsed.start, one.parsed.origin) for one in found[1:]] == [
        ("globex-eu", 1_735_689_600, "https://globex-eu.zendesk.com"),
        ("initech", 1_704_067_200, "https://initech.zendesk.com"),
        ("umbrella-us", 1_704_067_200, "https://chat.example"),
    ]


def test_the_driver_knows_redactions_of_all_accounts_and_of_one(accounts: str) -> None:
    rule = '{ field = "agents.display_name", action = "drop" }'
    with Path(accounts).open("a") as file:
        file.write(f"redact = {{ rules = [{rule}] }}\n")
    found = find_accounts(parse_options({"accounts": accounts, "stream": "agents", "only": "globex"}), NOW)
    assert "display_name" not in schema_of(found).names
    redaction = found[0].parsed.redaction
    assert redaction is not None
    assert [rule.path for rule in redaction.rules[:2]] == [("email",), ("display_name",)]


def test_a_malformed_token_is_reported_with_its_account_and_file(accounts: str) -> None:
    (Path(accounts).parent / "globex.token").write_text("not a token")
    (_, globex) = find_accounts(parse_options({"accounts": accounts, "stream": "chats"}), NOW)
    with pytest.raises(
        ConfigError, match=r"token_file in .*\[accounts\.globex\].*: contains characters that are not"
    ) as raised:
        open_account(globex.config)
    assert raised.value.__notes__ == ["The account is globex."]
    assert "not a token" not in str(raised.value)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([StructField("ID", StringType())], r"schema: there is no column ID\. Did you mean id\?"),
        ([StructField("nope", StringType())], r"schema: there is no column nope\. Remove schema\(\.\.\.\)"),
        ([StructField("id", StringType())] * 2, r"schema: the column id occurs twice"),
        ([StructField("id", StringType(), nullable=False)], r"schema: the column id may be null\. Remove NOT NULL"),
        ([StructField("duration", StringType())], r"schema: duration is double, not string"),
    ],
)
def test_a_mistake_in_the_schema_of_a_user(accounts: str, columns: list[StructField], message: str) -> None:
    complete = schema_of(find_accounts(parse_options({"accounts": accounts, "stream": "chats"}), NOW))
    with pytest.raises(ConfigError, match=message):
        require_columns(StructType(columns), complete)


def test_partitions_carry_no_secret_and_open_with_those_of_the_machine(accounts: str, tmp_path: Path) -> None:
    options = parse_options({"accounts": accounts, "stream": "chats", "quota_folder": str(tmp_path / "quota")})
    found = find_accounts(options, NOW)
    pickled = [pickle.dumps(AccountPartition(one.config, limits=Limits(start=1), state={})) for one in found]
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
