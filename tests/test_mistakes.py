"""Each mistake that people make gets one helpful sentence: what happened, in their own words, and what to do."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

from tests.support.commands import run_here
from zendesk_chat.cli import main
from zendesk_chat_sandbox import AGENT_TOKEN, Sandbox, Switches

ROOT = Path(__file__).parent.parent
COMMAND = Path(sys.executable).with_name("zendesk-chat")
SECRETS = ("sandbox-token", "T-secret")
FORMATS = "Use the path of a DuckDB file, such as chats.duckdb, or a URL, such as duckdb:///chats.duckdb or postgres://"
HOLDS_ACME = (
    "chats.duckdb contains the account acme, but you are loading beta. Choose another file with --to, or a separate schema"
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(chats=30, switches=Switches(rate_limit=0)) as running:
        yield running


@dataclass(frozen=True)
class Mistake:
    """A command line, and the sentence that it prints.

    Attributes:
        line: The arguments. ``ACCOUNT`` is the sandbox's account with its token, ``URL`` its address.
        before: A command that succeeds before it.
        files: Files by name.
        variables: Of the environment.
        unlike: What must not be printed.
    """

    line: str
    sentence: str
    code: int = 2
    before: str = ""
    files: dict[str, str | bytes] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    unlike: str = "Traceback"

    def __str__(self) -> str:
        return self.line.replace("/", "|")[:60] or "nothing"


def config(**settings: object) -> str:
    return json.dumps({"subdomain": "acme", "access_token": "T-secret", **settings})


ADDRESSES = [
    Mistake("sync --subdomain no-such-account.invalid --token T-secret", "--subdomain: use only the name of the account"),
    Mistake(
        "sync --subdomain acme --token T-secret --api-url http://127.0.0.1:1",
        "The request failed: the connection to 127.0.0.1:1 was refused. Run again later.",
        code=1,
        unlike="Zendesk Chat",
    ),
    Mistake(
        "check --subdomain acme --token T-secret --api-url http://127.0.0.1:1", "connection to 127.0.0.1:1 was refused.", 1
    ),
    Mistake(
        "sync --subdomain acme --token T-secret --api-url http://example.com", "--api-url: use https://HOST, or http://127"
    ),
    Mistake("sync --subdomain acme --api-url URL --token wrong", "Zendesk Chat rejected the token (HTTP 401)", 3),
    Mistake("check --subdomain acme --api-url URL --token wrong", "Zendesk Chat rejected the token (HTTP 401)", 3),
    Mistake(
        f"sync --subdomain acme --api-url URL --token {AGENT_TOKEN}",
        "Use an administrator's token with the scope `read`, or exclude this stream if your plan does not include it.",
        3,
    ),
    Mistake(
        f"check --subdomain acme --api-url URL --token {AGENT_TOKEN}",
        "Use an administrator's token with the scope `read`, or make its agent an administrator.",
        3,
    ),
    Mistake(
        "sync --subdomain acme --api-url URL --token “sandbox-token”",
        "--token: contains characters that are not valid in a token. Copy",
    ),
    Mistake(
        "sync --subdomain beta", "ZENDESK_CHAT_TOKEN is for acme, but --subdomain is beta.", variables={"SUBDOMAIN": "acme"}
    ),
]
ARGUMENTS = [
    Mistake(
        "sync ACCOUNT --streams chats,agnts",
        "--streams: no such stream: agnts. Did you mean agents? The streams are accounts, ",
    ),
    Mistake("sync ACCOUNT --start-date yesterday", '--start-date: "yesterday" is not a date. Use 2026-01-31, or with a time'),
    Mistake("sync ACCOUNT --start-date 2026-13-01", '--start-date: "2026-13-01" is not a date. Use 2026-01-31'),
    Mistake("sync ACCOUNT --start-date 01/02/2026", '--start-date: "01/02/2026" is not a date. Use 2026-01-31'),
    Mistake("sync ACCOUNT --start-date 2199-01-01", '--start-date: "2199-01-01" is in the future. Choose a date and time that'),
    Mistake("snyc", "unknown command snyc. Did you mean sync? The commands are: login, sync, "),
    Mistake("sync --startdate 2026-01-01", "unknown option --startdate. Did you mean --start-date?"),
    Mistake("sync --start_date=2026-01-01", "unknown option --start_date. Did you mean --start-date?"),
    Mistake("sync acme.duckdb", "unexpected argument acme.duckdb. Did you mean --to acme.duckdb?"),
    Mistake("sync config.json", "unexpected argument config.json. Did you mean --config config.json?"),
    Mistake("sync chats", "unexpected argument chats. Did you mean --streams chats?"),
    Mistake("sync --qqq", "unknown option --qqq. See: zendesk-chat sync --help"),
    Mistake("sync --wait soon", "argument --wait: 'soon' is not a number of seconds. Use 0 or more, such as 60"),
    Mistake("verify --sample 0", "argument --sample: '0' is not a number. Use 1 or more"),
    Mistake(
        "status --max-age 2",
        "argument --max-age: '2' is not a length of time. Use a number and a unit, such as 90s, 30m, 2h or 1d",
    ),
    Mistake("status --to x.duckdb", "unknown option --to. See: zendesk-chat status --help"),
    Mistake("sandbox --port 99999", "argument --port: '99999' is not a port. Use a number from 0 to 65535"),
    Mistake("sandbox --chats -5", "argument --chats: '-5' is not a number of chats. Use 0 or more"),
    Mistake("sandbox --now yesterday", "argument --now: 'yesterday' is not a time. Use the form 2026-"),
    Mistake("sandbox --seed x", "argument --seed: 'x' is not a whole number"),
    Mistake("sandbox --prot 1", "unknown option --prot. Did you mean --port?"),
    Mistake("completion powershell", "invalid choice: 'powershell'"),
]
DESTINATIONS = [
    Mistake("sync ACCOUNT --to csv", "--to csv: `sync` does not write CSV files. Load into a DuckDB file, and export from it"),
    Mistake(
        "sync ACCOUNT --to chats.parquet",
        "--to chats.parquet: `sync` loads Parquet files into a folder. Use its URL, such as file:///data/chats.",
    ),
    Mistake("sync ACCOUNT --to chats.sqlite", "--to chats.sqlite: use a URL for an SQLite file: sqlite:///chats.sqlite."),
    Mistake(
        "sync ACCOUNT --to app.db",
        "--to app.db: this is an SQLite file. Use a URL: sqlite:///app.db.",
        files={"app.db": b"SQLite format 3\0" + bytes(84)},
    ),
    Mistake("sync ACCOUNT --to hive", f"--to hive: this is neither the path of a .duckdb file nor a URL. {FORMATS}"),
    Mistake("sync ACCOUNT --to bigquery", "--to bigquery: use a URL, such as bigquery://PROJECT/DATASET."),
    Mistake("sync ACCOUNT --to postgres", "--to postgres: use a URL, such as postgres://USER@HOST/DATABASE."),
    Mistake(
        "sync ACCOUNT --to data/",
        "--to data/: this is a directory. Name a file in it: data/chats.duckdb. For Parquet files, use its URL: file:///",
    ),
    Mistake("sync ACCOUNT --to .", "--to .: this is a directory. Name a file in it: ./chats.duckdb."),
    Mistake(
        "sync ACCOUNT --to duckdb://chats.duckdb", "--to: write the path after three slashes, as in duckdb:///chats.duckdb"
    ),
    Mistake("sync ACCOUNT --to hive://u:T-secret@h/d", f"--to: hive:// is not supported. {FORMATS}"),
    Mistake("sync ACCOUNT --to postgress://u:T-secret@h/d", "postgress:// is not supported. Did you mean postgres://? "),
    Mistake("sync ACCOUNT --to postgres:u:T-secret@h/d", "--to: write two slashes after postgres:. Example: postgres://"),
    Mistake("sync ACCOUNT --to s3:/bucket", "--to: write two slashes after s3:. Example: s3://BUCKET/PREFIX."),
    Mistake("sync ACCOUNT --to postgres://u:@h/d", "--to: the password is empty. Remove the colon before the @, and set"),
    Mistake(
        "sync ACCOUNT --to snowflake://u:T-secret@h/d",
        "The driver of Snowflake is not installed. Run: pip install 'zendesk-chat[snowflake]'",
        code=3,
    ),
    Mistake(
        "sync ACCOUNT --to s3://bucket/x",
        "The driver of S3 is not installed. Run: pip install 'zendesk-chat[s3]'",
        code=3,
    ),
    Mistake("sync ACCOUNT --to no/such/x.duckdb", "Failed while opening no/such/x.duckdb: the directory does not exist.", 3),
]
CONFIGURATIONS = [
    Mistake("sync --config c.json", "c.json, line 1, column 15: a curly quote", files={"c.json": '{"subdomain": “acme”}'}),
    Mistake("sync --config c.json", "line 1, column 21: a comma after the last", files={"c.json": '{"subdomain": "acme",}'}),
    Mistake(
        "sync --config c.json",
        "line 2, column 1: a comment, which JSON does not allow",
        files={"c.json": '{\n// mine\n"subdomain": 1}'},
    ),
    Mistake("sync --config c.yaml", "this looks like YAML or an .env file", files={"c.yaml": "subdomain: acme\n"}),
    Mistake("sync --config c.toml", "c.toml is not valid TOML, line 1, column 13", files={"c.toml": "subdomain = acme"}),
    Mistake("sync --config c.json", "The config file does not exist: c.json"),
    Mistake(
        "sync --config c.json",
        "c.json: Unknown key `acess_token`: did you mean `access_token`?",
        files={"c.json": '{"subdomain": "acme", "acess_token": "T-secret"}'},
    ),
    Mistake(
        "sync --config c.json", "Unknown key `startdate`: did you mean `start_date`?", files={"c.json": config(startdate="x")}
    ),
    Mistake("sync --config c.json", "streams in c.json: no such stream: chat. Did", files={"c.json": config(streams=["chat"])}),
    Mistake("sync --config c.json", "to in c.json csv: `sync` does not write CSV", files={"c.json": config(to="csv")}),
    Mistake(
        "sync --config c.json",
        "Missing in c.json: subdomain. Add `subdomain` to the file, or pass --subdomain.",
        files={"c.json": '{"access_token": "T-secret"}'},
    ),
    Mistake("check c.json", 'start_date in c.json: "soon" is not a date.', files={"c.json": config(start_date="soon")}),
    Mistake("sync", "or pass --token, or set ZENDESK_CHAT_TOKEN, or pass --config FILE.", variables={"SUBDOMAIN": "a"}),
    Mistake(
        "check",
        "Missing: subdomain and access token. Run `zendesk-chat login`, or pass --subdomain and --token, or set ",
    ),
    Mistake(
        "sync",
        "ZENDESK_CHAT_ACCESS_TOKEN is not used. Did you mean ZENDESK_CHAT_TOKEN?",
        variables={"SUBDOMAIN": "acme", "ACCESS_TOKEN": "T-secret"},
    ),
    Mistake("sync", "ZENDESK_CHAT_TOKEN_FILE: the file ./none does not exist.", variables={"TOKEN_FILE": "./none"}),
    Mistake("sync", ".env, line 1: this is not NAME=value.", files={".env": 'ZENDESK_CHAT_TOKEN="T-secret'}),
    Mistake("status", "zendesk-chat.toml: Unknown key `too`", files={"zendesk-chat.toml": 'too = "x.duckdb"'}),
    Mistake("status", "`status` reads only DuckDB files", files={"zendesk-chat.toml": 'to = "postgres://u:T-secret@h/d"'}),
]
SMALL = "sync ACCOUNT --streams chats"
FILES = [
    Mistake(
        "profile x.json", "Failed while reading x.json: the file is not a DuckDB database.", 1, files={"x.json": '{"a": 1}'}
    ),
    Mistake(
        "status x.json", "Failed while reading x.json: the file is not a DuckDB database.", 1, files={"x.json": '{"a": 1}'}
    ),
    Mistake("profile none.duckdb", "There is no file none.duckdb. Create it with `zendesk-chat sync`"),
    Mistake("status .", ". is a directory, and `status` reads only DuckDB files. Query other destinations with SQL."),
    Mistake(f"{SMALL} --subdomain beta", HOLDS_ACME, 3, before=SMALL),
    Mistake(
        f"{SMALL} --redact chats.visitor.email=null",
        "The redaction rules changed. Rows that were loaded before are unchanged: ",
        0,
        before=SMALL,
    ),
    Mistake(
        f"{SMALL} --start-date 2020-01-01",
        "start_date was 2026-01-01T00:00:00Z and is earlier now. Records since 2020-01-01T00:00:00Z are read too.",
        0,
        before=f"{SMALL} --start-date 2026-01-01",
    ),
]


@pytest.mark.parametrize("mistake", [*ADDRESSES, *ARGUMENTS, *DESTINATIONS, *CONFIGURATIONS, *FILES], ids=str)
def test_a_mistake_gets_one_sentence(mistake: Mistake, sandbox: Sandbox, tmp_path: Path) -> None:
    for name, content in mistake.files.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    if mistake.before:
        assert run(mistake.before, sandbox, tmp_path).returncode == 0
    variables = {f"ZENDESK_CHAT_{name}": value for name, value in mistake.variables.items()}
    if "is for acme" in mistake.sentence:
        variables["ZENDESK_CHAT_TOKEN"] = "T-secret"
    done = run(mistake.line, sandbox, tmp_path, **variables)
    printed = done.stdout + done.stderr
    assert [mistake.sentence in line for line in printed.splitlines() if "Retrying in" not in line].count(True) == 1, printed
    assert done.returncode == mistake.code, printed
    assert "Traceback" not in printed
    assert mistake.unlike not in printed
    assert not [secret for secret in SECRETS if secret in printed.replace("“sandbox-token”", "")]


def run(line: str, sandbox: Sandbox, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    text = line.replace("ACCOUNT", f"--subdomain acme --api-url URL --token {sandbox.token}").replace("URL", sandbox.url)
    return run_here(text.split(), folder, **variables)


def test_streams_that_are_given_twice_add_up(sandbox: Sandbox, tmp_path: Path) -> None:
    done = run("sync ACCOUNT --streams goals --streams skills --to chats.duckdb", sandbox, tmp_path)
    assert [line.split()[0] for line in done.stdout.splitlines()[1:3]] == ["goals", "skills"]


def test_the_option_that_comes_later_replaces_a_subdomain_that_was_a_mistake(sandbox: Sandbox, tmp_path: Path) -> None:
    wrong = run("sync --subdomain typo --api-url URL --token wrong --streams goals", sandbox, tmp_path)
    right = run("sync ACCOUNT --streams goals", sandbox, tmp_path)
    assert (wrong.returncode, right.returncode) == (3, 0)
    with duckdb.connect(str(tmp_path / "chats.duckdb"), read_only=True) as database:
        assert database.execute("SELECT subdomain FROM _sync_account").fetchall() == [("acme",)]


def test_a_host_that_does_not_exist_is_found_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def find(*_arguments: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", find)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.chdir(tmp_path)
    assert main(["sync", "--subdomain", "acmee", "--token", "T-secret"]) == 3
    lines = "".join(capsys.readouterr()).splitlines()
    sentence = "Cannot find acmee.zendesk.com. Check the subdomain and your network."
    assert sum(sentence in line and "Retrying in" not in line for line in lines) == 1


def test_a_dropped_table_of_states_is_named(sandbox: Sandbox, tmp_path: Path) -> None:
    run(SMALL, sandbox, tmp_path)
    with duckdb.connect(str(tmp_path / "chats.duckdb")) as database:
        database.execute("DROP TABLE _sync_streams")
    sentence = "The table main._sync_streams is missing. It records how far sync has read. Restore the file from a copy, or "
    for line, code in ((SMALL, 3), ("status", 1), ("verify ACCOUNT", 3)):
        done = run(line, sandbox, tmp_path)
        assert sentence in done.stderr
        assert done.returncode == code


def test_a_profile_of_a_file_that_sync_did_not_fill_reports_that(sandbox: Sandbox, tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "other.duckdb")) as database:
        database.execute("CREATE TABLE chats (name VARCHAR)")
    done = run("profile other.duckdb", sandbox, tmp_path)
    assert "`sync` did not create other.duckdb. Columns that `sync` does not have are not shown." in done.stderr
    run(SMALL, sandbox, tmp_path)
    assert run("profile", sandbox, tmp_path).stderr == ""


def test_the_example_explains_itself(tmp_path: Path) -> None:
    program = [sys.executable, str(ROOT / "examples/json_lines.py")]
    alone = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert alone.stderr.startswith("usage: python json_lines.py FOLDER\n")
    assert "Set ZENDESK_CHAT_SUBDOMAIN and ZENDESK_CHAT_TOKEN" in alone.stderr
    without = subprocess.run([*program, "out"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert without.stderr == "error: subdomain: missing. Pass subdomain=..., or set ZENDESK_CHAT_SUBDOMAIN.\n"


def test_check_names_the_account_and_where_it_comes_from(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "zendesk-chat.toml").write_text('subdomain = "acme"\n')
    (tmp_path / ".env").write_text(f"ZENDESK_CHAT_TOKEN={sandbox.token}\nZENDESK_CHAT_API_URL={sandbox.url}\n")
    done = run("check", sandbox, tmp_path)
    assert done.stdout.splitlines() == [
        "account  acme (subdomain in zendesk-chat.toml)",
        "token    ZENDESK_CHAT_TOKEN in .env",
        f"server   {sandbox.url} (ZENDESK_CHAT_API_URL in .env)",
        "All 21 streams can be read.",
    ]
    assert (done.returncode, done.stderr) == (0, "")


def test_check_with_the_config_option_is_for_people(sandbox: Sandbox, tmp_path: Path) -> None:
    """As `login --config` writes it: without a start date."""
    account = {"subdomain": "acme", "api_url": sandbox.url, "access_token": sandbox.token}
    (tmp_path / "acme.json").write_text(json.dumps(account))
    (tmp_path / "zendesk-chat.toml").write_text("broken")
    done = run("check --config acme.json", sandbox, tmp_path)
    assert done.stdout.splitlines() == [
        "account  acme (subdomain in acme.json)",
        "token    access_token in acme.json",
        f"server   {sandbox.url} (api_url in acme.json)",
        "All 21 streams can be read.",
    ]
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "acme.json").write_text(json.dumps(account | {"access_token": "wrong"}))
    refused = run("check --config acme.json", sandbox, tmp_path)
    assert (refused.returncode, "HTTP 401" in refused.stderr) == (3, True)


@pytest.mark.parametrize("command", ["check", "sync --streams chats", "verify"])
def test_an_error_names_the_login(command: str, sandbox: Sandbox, tmp_path: Path) -> None:
    assert run(SMALL, sandbox, tmp_path).returncode == 0
    done = run(f"{command} --subdomain acme --api-url URL --token wrong", sandbox, tmp_path)
    assert done.returncode == 3
    assert "Create a Chat token, or run `zendesk-chat login`." in done.stderr


def test_airbytes_check_answers_in_its_protocol(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "zendesk-chat.toml").write_text("broken")
    (tmp_path / ".env").write_text("ZENDESK_CHAT_SUBDOMAIN=other\n")
    account = {"subdomain": "acme", "api_url": sandbox.url, "access_token": sandbox.token, "start_date": "2026-01-01"}
    (tmp_path / "c.json").write_text(json.dumps(account))
    done = run("check --config c.json --airbyte", sandbox, tmp_path)
    status = json.loads(done.stdout)["connectionStatus"]
    assert (status["status"], done.returncode, done.stderr) == ("SUCCEEDED", 0, "")
    called: list[str | Path] = [COMMAND.with_name("source-zendesk-chat"), "check", "--config", "c.json"]
    by_name = subprocess.run(called, cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False)
    assert (by_name.stdout, by_name.returncode, by_name.stderr) == (done.stdout, 0, "")
    (tmp_path / "c.json").write_text(json.dumps(account | {"start_date": None}))
    failed = run("check --config c.json --airbyte", sandbox, tmp_path)
    assert json.loads(failed.stdout)["connectionStatus"]["message"] == "Config validation error: start_date: missing."
    assert failed.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("check a.json --config b.json", "FILE and --config name the same thing. Pass only one of them."),
        ("check --airbyte", "--airbyte needs the config. Pass it with --config FILE."),
        ("--verbose sync", "write --verbose after the command, as in: zendesk-chat sync --verbose"),
        ("--to=x.duckdb sync", "write --to after the command, as in: zendesk-chat sync --to"),
        ("--nonsense sync", "unknown option --nonsense. See: zendesk-chat --help"),
    ],
)
def test_misplaced_options_are_named(arguments: str, message: str, sandbox: Sandbox, tmp_path: Path) -> None:
    done = run(arguments, sandbox, tmp_path)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        2,
        f"zendesk-chat{arguments.startswith('check') * ' check'}: error: {message}",
    )


def test_without_a_command_the_help_is_printed(sandbox: Sandbox, tmp_path: Path) -> None:
    done = run("", sandbox, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == run("--help", sandbox, tmp_path).stdout
