"""An accounts file is validated completely before anything is read, and each mistake in it gets one sentence."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zendesk_chat.cli import main, make_parser
from zendesk_chat.config import AccessToken, OAuth
from zendesk_chat.errors import ConfigError
from zendesk_chat.load.accounts.planning import Plans, plan_accounts

NOW = 1_795_000_000.0


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plans]:
    """Plan the accounts in a file with this content, in the current directory."""
    monkeypatch.chdir(tmp_path)

    def plan(content: str | bytes, *options: str, **environment: str) -> Plans:
        Path("accounts.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
        given = make_parser().parse(["sync", "--accounts", "accounts.toml", *options])
        return plan_accounts(given, environment, NOW)

    return plan


def refused(plan: Callable[..., Plans], content: str, *options: str) -> str:
    with pytest.raises(ConfigError) as caught:
        plan(content, *options)
    return str(caught.value)


TWO = """
to = "data/{account}.duckdb"
start_date = 2024-05-01
token_env = "TOKEN_{account}"
parallel = 7

[accounts.acme]
[accounts.globex]
subdomain = "globex-eu"
start_date = "2025-01-01"
streams = ["chats", "agents"]
token = "written"
schema = "{account}_chat"
"""


def test_an_account_has_its_own_settings_and_else_those_for_all(plan: Callable[..., Plans]) -> None:
    plans = plan(TWO, TOKEN_acme="from the variable".replace(" ", "-"))
    acme, globex = (planned.job.plan for planned in plans.planned)
    assert plans.parallel == 7
    assert [planned.problem for planned in plans.planned] == [None, None]
    assert (acme.config.subdomain, globex.config.subdomain) == ("acme", "globex-eu")
    assert (acme.config.start, globex.config.start) == (1_714_521_600, 1_735_689_600)
    assert (acme.destination.path, globex.destination.path) == ("data/acme.duckdb", "data/globex.duckdb")
    assert (acme.destination.schema, globex.destination.schema) == (None, "globex_chat")
    assert acme.config.credentials == AccessToken("from-the-variable")
    assert globex.config.credentials == AccessToken("written")
    assert (len(acme.streams), [stream.name for stream in globex.streams]) == (21, ["chats", "agents"])


def test_a_file_of_its_own_beside_the_accounts_file_is_the_default(plan: Callable[..., Plans]) -> None:
    (planned,) = plan('[accounts.acme]\ntoken = "t"').planned
    assert planned.job.plan.destination.path == "acme.duckdb"
    assert plan('[accounts.acme]\ntoken = "t"').parallel == 4


def test_paths_start_in_the_directory_of_the_file(plan: Callable[..., Plans], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("t\n")
    content = b'[accounts.acme]\ntoken_file = "secret"\n[accounts.globex]\ntoken_file = "secret"\nto = "/data/x.duckdb"'
    (tmp_path / "accounts.toml").write_bytes(content)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    os.chdir(elsewhere)
    options = make_parser().parse(["sync", "--accounts", "../accounts.toml"])
    acme, globex = plan_accounts(options, {}, NOW).planned
    assert acme.problem is None
    assert acme.job.plan.config.credentials == AccessToken("t")
    assert acme.job.plan.destination.path == "../acme.duckdb"
    assert globex.job.plan.destination.path == "/data/x.duckdb"


def test_options_apply_to_all_accounts_and_win(plan: Callable[..., Plans]) -> None:
    plans = plan(
        TWO, "--start-date", "2026-01-01", "--streams", "goals", "--full-refresh", "--to", "x/{account}.db", TOKEN_acme="t"
    )
    for planned in plans.planned:
        assert planned.job.plan.config.start == 1_767_225_600
        assert [stream.name for stream in planned.job.plan.streams] == ["goals"]
        assert planned.job.plan.destination.full_refresh
        assert planned.job.plan.destination.path == f"x/{planned.job.account}.db"


def test_redaction_for_all_and_of_an_account_add_up(plan: Callable[..., Plans]) -> None:
    plans = plan(
        """
        redact = ["chats.visitor.email=hash"]
        [accounts.acme]
        token = "t"
        redact = ["chats.visitor.phone=null"]
        [accounts.globex]
        token = "t"
        """,
        "--redact",
        "chats.comment=drop",
        ZENDESK_CHAT_HASH_KEY="0123456789abcdef",
    )
    found = [_redacted(planned.job.plan.config.raw) for planned in plans.planned]
    assert found == [
        {"chats.visitor.email", "chats.visitor.phone", "chats.comment"},
        {"chats.visitor.email", "chats.comment"},
    ]


def _redacted(raw: Any) -> set[str]:
    return {rule["field"] for rule in raw["redact"]["rules"]}


def test_tokens_of_the_environment_reach_no_account(plan: Callable[..., Plans]) -> None:
    plans = plan(
        '[accounts.acme]\ntoken = "t"', ZENDESK_CHAT_TOKEN="other", ZENDESK_CHAT_SUBDOMAIN="other", ZENDESK_CHAT_TO="o.db"
    )
    plan_of = plans.planned[0].job.plan
    assert (plan_of.config.subdomain, plan_of.destination.path) == ("acme", "acme.duckdb")
    assert plan_of.config.credentials == AccessToken("t")


def test_a_json_file_has_the_credentials_and_takes_renewed_ones(plan: Callable[..., Plans], tmp_path: Path) -> None:
    (tmp_path / "acme.json").write_text(
        '{"subdomain": "acme-1", "start_date": "2020-01-01", "lookback_minutes": 3, "credentials": {"credentials": "oauth2.0",'
        ' "client_id": "i", "client_secret": "s", "access_token": "a", "refresh_token": "r"}}'
    )
    (planned,) = plan('start_date = 2024-05-01\nconfig = "{account}.json"\n[accounts.acme]').planned
    config = planned.job.plan.config
    assert planned.problem is None
    assert isinstance(config.credentials, OAuth)
    assert (config.subdomain, config.start, config.lookback) == ("acme-1", 1_714_521_600, 180), "the accounts file wins"
    assert planned.job.plan.config_file == Path("acme.json")


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ('token_file = "no"', "token_file in accounts.toml [accounts.acme]: the file that it names does not exist."),
        ('token_file = "empty"', "token_file in accounts.toml [accounts.acme]: the file that it names is empty."),
        ('token_env = "NO"', "token_env in accounts.toml [accounts.acme]: the environment variable NO is not set."),
        ('config = "no.json"', "The config file does not exist: no.json"),
        ('config = "bad.json"', "bad.json: Unknown key `startdate`: did you mean `start_date`?"),
    ],
)
def test_a_secret_that_cannot_be_read_concerns_its_account_only(
    setting: str, problem: str, plan: Callable[..., Plans], tmp_path: Path
) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "bad.json").write_text('{"startdate": "2020-01-01"}')
    acme, globex = plan(f'[accounts.acme]\n{setting}\n[accounts.globex]\ntoken = "t"').planned
    assert str(acme.problem) == problem
    assert globex.problem is None


MISTAKES = [
    ("", "accounts.toml has no accounts. Add a table for each, such as [accounts.acme]."),
    ("accounts = {}", "accounts.toml has no accounts. Add a table for each, such as [accounts.acme]."),
    ("[[accounts]]", "accounts.toml has accounts that are not tables. Add a table for each, such as [accounts.acme]."),
    (
        '[accounts]\nacme = "x"',
        "accounts.toml has accounts that are not tables. Add a table for each, such as [accounts.acme].",
    ),
    ("[acme]\ntoken = 1", "accounts.toml: [acme] is not a table of this file. For an account, write [accounts.acme]."),
    (
        "startdate = 1\n[accounts.acme]",
        "accounts.toml: Unknown key `startdate`: did you mean `start_date`?",
    ),
    ("paralel = 3\n[accounts.acme]", "accounts.toml: Unknown key `paralel`: did you mean `parallel`?"),
    (
        '[accounts.acme]\ntokenfile = "x"',
        "accounts.toml [accounts.acme]: Unknown key `tokenfile`: did you mean `token_file`?",
    ),
    (
        "[accounts.acme]\nparallel = 2",
        "accounts.toml [accounts.acme]: `parallel` is for all accounts. Move it to the top of the file.",
    ),
    ("parallel = 0\n[accounts.acme]", "parallel in accounts.toml: must be a whole number from 1 to 64."),
    ('parallel = "4"\n[accounts.acme]', "parallel in accounts.toml: must be a whole number from 1 to 64."),
    (
        "[accounts.acme]",
        "accounts.toml [accounts.acme]: the token is missing. Add `token_file`, `token_env` or `config`.",
    ),
    (
        '[accounts.acme]\ntoken = "t"\nconfig = "x.json"',
        "accounts.toml [accounts.acme]: `config` and `token` are both set. Remove one of them.",
    ),
    (
        'token = "t"\n[accounts.acme]',
        (
            "token in accounts.toml: it would apply to all accounts. Move it to the table of its account, such as "
            "[accounts.acme]."
        ),
    ),
    (
        'token_file = "t"\n[accounts.acme]',
        (
            "token_file in accounts.toml: it would apply to all accounts. Move it to the table of its account, such as "
            '[accounts.acme]. Or let it differ by account, as in token_file = "...{account}...".'
        ),
    ),
    (
        '[accounts."../x"]\ntoken = "t"',
        "accounts.toml: the account '../x' needs another name: letters, digits, dots, hyphens and underscores.",
    ),
    (
        '[accounts.acme]\ntoken = "t"\n[accounts.Acme]\ntoken = "u"',
        "accounts.toml: the accounts acme and Acme differ only in upper and lower case. Rename one of them.",
    ),
    (
        '[accounts.acme]\ntoken = "t"\nstart_date = "yesterday"',
        (
            'start_date in accounts.toml [accounts.acme]: "yesterday" is not a date. Use 2026-01-31, or with a time in UTC '
            "2026-01-31T12:00:00Z."
        ),
    ),
    (
        '[accounts.acme]\ntoken = "t"\nto = "x.csv"',
        (
            "to in accounts.toml [accounts.acme] x.csv: `sync` does not write CSV files. Load into a DuckDB file, and export "
            "from it with SQL: COPY chats TO 'chats.csv'."
        ),
    ),
    (
        '[accounts.acme]\n[accounts.acme.credentials]\ncredentials = "oauth2.0"\nrefresh_token = "r"',
        (
            "accounts.toml [accounts.acme]: a refresh token works once, and the next one cannot be stored in a TOML file. Keep "
            'it in a JSON file, and name that file here: config = "acme.json".'
        ),
    ),
]


@pytest.mark.parametrize(("content", "message"), MISTAKES, ids=[message[:60] for _, message in MISTAKES])
def test_a_mistake_in_the_file_is_reported_with_the_table_that_has_it(
    content: str, message: str, plan: Callable[..., Plans]
) -> None:
    assert refused(plan, content) == message


def test_a_mistake_in_the_syntax_has_a_line_and_no_content(plan: Callable[..., Plans]) -> None:
    message = refused(plan, '[accounts.acme]\ntoken = "secret\n')
    assert message.startswith("accounts.toml is not valid TOML, line 2")
    assert "secret" not in message


def test_a_file_from_windows_is_read(plan: Callable[..., Plans]) -> None:
    (planned,) = plan('\ufeff[accounts.acme]\r\ntoken = "t"\r\n').planned
    assert planned.job.account == "acme"


@pytest.mark.parametrize("option", ["--subdomain", "--token", "--config", "--api-url", "--renamed-from"])
def test_an_option_for_one_account_is_refused(option: str, plan: Callable[..., Plans]) -> None:
    message = refused(plan, '[accounts.acme]\ntoken = "t"', option, "x")
    assert message == f"{option} is for one account, but --accounts is for several. Remove one of them."


def test_only_the_chosen_accounts_are_loaded_in_the_order_of_the_file(plan: Callable[..., Plans]) -> None:
    content = "".join(f'[accounts.{name}]\ntoken = "t"\n' for name in ("acme", "globex", "initech", "umbrella"))
    plans = plan(content, "--only", "umbrella,acme", "--only", "acme")
    assert [planned.job.account for planned in plans.planned] == ["acme", "umbrella"]
    assert plans.others == ["globex", "initech"]
    assert refused(plan, content, "--only", "glob") == "--only: accounts.toml has no account glob. Did you mean globex?"
    assert refused(plan, content, "--only", " , ") == "--only: no account is named."


CONFLICTS = [
    (
        'to = "all.duckdb"',
        "",
        "",
        (
            "would load into the same tables, in all.duckdb. Use a file for each, such as "
            'to = "{account}.duckdb", or a schema, such as schema = "{account}".'
        ),
    ),
    ('to = "all.duckdb"', 'schema = "Chat"', 'schema = "chat"', "would load into the same tables, in all.duckdb."),
    ("", 'to = "link.duckdb"', 'to = "folder/../real.duckdb"', "would load into the same tables, in link.duckdb."),
    ('to = "all.duckdb"', "", 'schema = "analytics"', "would load into the same tables, in all.duckdb."),
    ('to = "postgres://u:secret@h/d"', "", "", "would load into the same tables, in postgres."),
    ("", 'to = "postgres://u:secret@h/d"', 'to = "postgresql://v:secret@h/d"', "would load into the same tables, in postgres."),
    (
        'schema = "{account}"',
        'to = "hard.duckdb"',
        'to = "real.duckdb"',
        "load into the same file under two names, hard.duckdb and real.duckdb. Use one name for it.",
    ),
    (
        "",
        'subdomain = "one"',
        'subdomain = "https://ONE.zendesk.com"',
        "have the same subdomain, one, so they would share one rate limit. Remove one of them.",
    ),
]


@pytest.mark.parametrize(("shared", "acme", "globex", "message"), CONFLICTS, ids=[f"{a} {b} {c}" for a, b, c, _ in CONFLICTS])
def test_accounts_that_would_disturb_each_other_are_refused(
    shared: str, acme: str, globex: str, message: str, plan: Callable[..., Plans], tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "real.duckdb").write_bytes(b"x")
    (tmp_path / "link.duckdb").symlink_to("real.duckdb")
    (tmp_path / "hard.duckdb").hardlink_to(tmp_path / "real.duckdb")
    content = f'{shared}\n[accounts.acme]\ntoken = "t"\n{acme}\n[accounts.globex]\ntoken = "t"\n{globex}'
    found = refused(plan, content)
    assert found.startswith(f"accounts.toml: the accounts acme and globex {message}")
    assert "secret" not in found


def test_accounts_with_schemas_of_their_own_share_a_file_or_a_database(plan: Callable[..., Plans]) -> None:
    for to in ("all.duckdb", "postgres://u:p@h/d"):
        plans = plan(f'to = "{to}"\nschema = "{{account}}"\n[accounts.acme]\ntoken = "t"\n[accounts.globex]\ntoken = "t"')
        assert [planned.job.plan.destination.schema for planned in plans.planned] == ["acme", "globex"]


@pytest.mark.parametrize(
    "secret",
    ['token = "t"', 'token_env = "T"\nto = "postgres://u:p@h/d"', 'token_env = "T"\nto = "postgres://u@h/d?password=p"'],
)
def test_a_secret_that_others_can_read_is_warned_of(secret: str, plan: Callable[..., Plans], tmp_path: Path) -> None:
    content = f"[accounts.acme]\n{secret}"
    plan(content)
    (tmp_path / "accounts.toml").chmod(0o644)
    assert plan(content).warnings == [
        "Other users of this machine can read the secrets in accounts.toml. Run: chmod 600 accounts.toml"
    ]
    (tmp_path / "accounts.toml").chmod(0o600)
    assert plan(content).warnings == []


def test_others_may_read_a_url_without_a_password(plan: Callable[..., Plans], tmp_path: Path) -> None:
    content = '[accounts.acme]\ntoken_env = "T"\nto = "postgres://loader@db.example.com:5432/chats?sslmode=require"'
    plan(content)
    (tmp_path / "accounts.toml").chmod(0o644)
    assert plan(content).warnings == []


OAUTH = '{"credentials": {"credentials": "oauth2.0", "client_id": "c", "client_secret": "s", "refresh_token": "r"}}'


def test_two_accounts_do_not_spend_the_same_refresh_token(plan: Callable[..., Plans]) -> None:
    Path("one.json").write_text(OAUTH)
    Path("link.json").symlink_to("one.json")
    Path("hard.json").hardlink_to("one.json")
    for other in ("one.json", "link.json", "hard.json"):
        message = refused(plan, f'[accounts.acme]\nconfig = "one.json"\n[accounts.globex]\nconfig = "{other}"')
        assert "the accounts acme and globex keep their OAuth tokens in the same file, one.json." in message


def test_a_file_that_is_missing_is_called_an_accounts_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sync", "--accounts", "nope.toml"]) == 2
    assert "The accounts file does not exist: nope.toml" in capsys.readouterr().err


def test_one_conflict_among_many_accounts_is_found(plan: Callable[..., Plans]) -> None:
    many = "".join(f'[accounts.a{number}]\ntoken = "t"\n' for number in range(1000))
    assert len(plan(many).planned) == 1000
    assert plan(many, "--only", "a7").others[6:8] == ["a6", "a8"]
    message = refused(plan, f'{many}[accounts.last]\nsubdomain = "a3"\ntoken = "t"\n')
    assert message.startswith("accounts.toml: the accounts a3 and last have the same subdomain, a3,")
