"""Which source of a setting wins, and which mixtures of sources are refused because a token would reach another account."""

from __future__ import annotations

import json
import os
import stat
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from tests.support.sandbox import OAUTH
from zendesk_chat import Account
from zendesk_chat.cli import main
from zendesk_chat.config import AccessToken, OAuth
from zendesk_chat.errors import ConfigError
from zendesk_chat.load.configuration import Configuration, gather
from zendesk_chat.load.plan import make_plan
from zendesk_chat.settings import OPTIONS, SETTINGS
from zendesk_chat_sandbox import Sandbox

ACME = {"subdomain": "acme", "token": "T-acme"}
STORED = "home/zendesk-chat/config.json"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))


def write(name: str, content: str | bytes) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def toml(**values: object) -> str:
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


def env_file(**values: str) -> str:
    return "".join(f"ZENDESK_CHAT_{key.upper()}={value}\n" for key, value in values.items())


def options(**given: Any) -> Namespace:
    names = [option.removeprefix("--").replace("-", "_") for option in OPTIONS.values()]
    return Namespace(**{"config": None, **dict.fromkeys(names), **given})


def gathered(sources: dict[str, dict[str, Any]]) -> Configuration:
    """Put settings into sources, and read them as a command does."""
    given = dict(sources)
    named = given.pop("config", None)
    if named is not None:
        write("named.json", json.dumps(named))
    if ".env" in given:
        write(".env", env_file(**given.pop(".env")))
    if "toml" in given:
        write("zendesk-chat.toml", toml(**given.pop("toml")))
    if "stored" in given:
        write(STORED, json.dumps(given.pop("stored")))
    environment = {f"ZENDESK_CHAT_{key.upper()}": value for key, value in given.pop("environment", {}).items()}
    return gather(options(**given.pop("options", {}), config=None if named is None else "named.json"), environment)


ORDER = ["options", "config", "environment", ".env", "toml", "stored"]
NAMES = {
    "options": "--start-date",
    "config": "start_date in named.json",
    "environment": "ZENDESK_CHAT_START_DATE",
    ".env": "ZENDESK_CHAT_START_DATE in .env",
    "toml": "start_date in zendesk-chat.toml",
    "stored": "start_date in {stored}",
}


@pytest.mark.parametrize("strongest", ORDER)
def test_each_setting_comes_from_the_strongest_source_that_has_it(strongest: str) -> None:
    without_named_file = [source for source in ORDER if source != "config"]
    among = ORDER[:4] if strongest == "config" else without_named_file
    weaker = among[among.index(strongest) :]
    sources: dict[str, dict[str, Any]] = {source: {"start_date": f"{source} date"} for source in weaker}
    sources[weaker[-1]] |= ACME
    found = gathered(sources)
    assert found.raw["start_date"] == f"{strongest} date"
    assert found.name("start_date") == NAMES[strongest].format(stored=Path(STORED).resolve())


def test_a_named_file_replaces_those_that_are_found() -> None:
    found = gathered({"config": ACME, "toml": {"start_date": "2026-01-01", "to": "found.duckdb"}, "stored": {"subdomain": "x"}})
    assert found.raw["start_date"] == "1970-01-01T00:00:00Z"
    assert found.settings.to == "chats.duckdb"


KEPT = [  # sources, and the subdomain, token and API URL that are used
    ({"environment": ACME, "stored": {"subdomain": "beta", "token": "T-beta"}}, ("acme", "T-acme", None)),
    ({"environment": {"token": "T"}, "toml": {"subdomain": "acme"}}, ("acme", "T", None)),
    ({"options": {"subdomain": "acme"}, "environment": {"token": "T"}}, ("acme", "T", None)),
    ({"options": {"token": "T"}, "toml": ACME}, ("acme", "T", None)),
    (
        {"config": ACME, "environment": {"subdomain": "beta", "token": "T-beta", "api_url": "https://x"}},
        ("acme", "T-acme", None),
    ),
    ({"config": {"subdomain": "acme"}, "environment": {"token": "T"}}, ("acme", "T", None)),
    ({"options": ACME, "environment": {"api_url": "https://x"}}, ("acme", "T-acme", "https://x")),
    ({"options": ACME, "stored": {"subdomain": "beta", "token": "T", "api_url": "https://x"}}, ("acme", "T-acme", None)),
    ({"options": {"api_url": "https://x"}, "stored": ACME}, ("acme", "T-acme", "https://x")),
    ({"environment": {**ACME, "api_url": "https://x"}}, ("acme", "T-acme", "https://x")),
    ({"environment": {"token": "T", "api_url": "https://x"}, "toml": {"subdomain": "acme"}}, ("acme", "T", "https://x")),
    ({"options": {"subdomain": "https://ACME.zendesk.com/"}, "stored": ACME}, ("https://ACME.zendesk.com/", "T-acme", None)),
]


@pytest.mark.parametrize(("sources", "account"), KEPT)
def test_the_account_is_put_together(sources: dict[str, dict[str, Any]], account: tuple[str | None, ...]) -> None:
    raw = gathered(sources).raw
    assert (raw["subdomain"], raw["access_token"], raw.get("api_url")) == account


REFUSED = [
    (
        {"options": {"subdomain": "beta"}, "toml": ACME},
        "The token of zendesk-chat.toml is for acme, but --subdomain is beta. Set the token of beta in the same way, ",
    ),
    ({"options": {"subdomain": "beta"}, "config": ACME}, "The token of named.json is for acme, but --subdomain is beta."),
    (
        {"options": {"subdomain": "beta"}, "environment": ACME},
        "ZENDESK_CHAT_TOKEN is for acme, but --subdomain is beta.",
    ),
    (
        {"environment": {"subdomain": "beta"}, ".env": ACME},
        "The token of .env is for acme, but ZENDESK_CHAT_SUBDOMAIN is beta.",
    ),
    ({"config": {"subdomain": "beta"}, "environment": ACME}, "ZENDESK_CHAT_TOKEN is for acme, but subdomain in named.json is"),
    ({"toml": {"subdomain": "beta"}, "stored": ACME}, "is for acme, but subdomain in zendesk-chat.toml is beta."),
    (
        {"environment": {"api_url": "https://x"}, "stored": ACME},
        "ZENDESK_CHAT_API_URL would send the token of ",
    ),
    ({"toml": {"api_url": "https://x"}, "stored": ACME}, "api_url in zendesk-chat.toml would send the token of "),
    (
        {"toml": {"api_url": "https://x", "subdomain": "acme"}, "environment": ACME},
        "api_url in zendesk-chat.toml would send ZENDESK_CHAT_TOKEN to another server. If you want that, pass --api-url.",
    ),
    ({".env": {"api_url": "https://x"}, "environment": ACME}, "ZENDESK_CHAT_API_URL in .env would send ZENDESK_CHAT_TOKEN to "),
    ({".env": {"api_url": "https://x"}, "options": ACME}, "ZENDESK_CHAT_API_URL in .env would send --token to another server."),
    ({"config": ACME, "environment": {"api_url": "https://x"}}, "ZENDESK_CHAT_API_URL would send the token of named.json to "),
    (
        {".env": {"token": "T"}, "toml": {"subdomain": "acme", "api_url": "https://x"}},
        "api_url in zendesk-chat.toml would send the token of .env to another server.",
    ),
    (
        {"environment": {"subdomain": "acme"}, ".env": {"api_url": "https://x"}, "toml": {"token": "T"}},
        "ZENDESK_CHAT_API_URL in .env would send the token of zendesk-chat.toml to another server.",
    ),
]


@pytest.mark.parametrize(("sources", "message"), REFUSED)
def test_no_token_goes_to_another_account(sources: dict[str, dict[str, Any]], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        gathered(sources)
    assert message in str(caught.value)
    assert "T-acme" not in str(caught.value)


FILES = ["config", ".env", "toml", "stored"]
ELSEWHERE = {"api_url": "https://elsewhere"}


@pytest.mark.parametrize("own", [{}, {"subdomain": "acme"}], ids=["without subdomain", "with subdomain"])
@pytest.mark.parametrize("of_url", [*FILES, "environment", "options"])
@pytest.mark.parametrize("of_account", ORDER)
@pytest.mark.parametrize("of_token", FILES)
def test_only_its_own_file_and_an_option_redirect_a_token_in_a_file(
    of_token: str, of_account: str, of_url: str, own: dict[str, str]
) -> None:
    sources: dict[str, dict[str, Any]] = {of_account: {"subdomain": "acme"}}
    for source, values in ((of_token, {"token": "T", **own}), (of_url, ELSEWHERE)):
        sources[source] = sources.get(source, {}) | values
    try:
        found = gathered(sources).parse()
    except ConfigError:
        assert of_url not in ("options", of_token) or "config" in sources
    else:
        assert ("elsewhere" in found.origin) == (of_url in ("options", of_token))


def test_the_library_sends_no_token_to_another_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZENDESK_CHAT_SUBDOMAIN", "acme")
    monkeypatch.setenv("ZENDESK_CHAT_TOKEN", "T-acme")
    with pytest.raises(ConfigError, match=r"^ZENDESK_CHAT_TOKEN is for acme, but subdomain is beta\."):
        Account(subdomain="beta")
    with pytest.raises(ConfigError, match=r"^The token of config is for acme, but subdomain is beta\."):
        Account(subdomain="beta", config={"subdomain": "acme", "access_token": "T"})
    assert repr(Account(subdomain="beta", token="T")) == "<Account beta>"


def test_the_library_names_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^subdomain: missing\. Pass subdomain=\.\.\., or set ZENDESK_CHAT_SUBDOMAIN\.$"):
        Account()
    with pytest.raises(ConfigError, match=r"^credentials: missing\. Pass token=\.\.\., or set ZENDESK_CHAT_TOKEN\.$"):
        Account(subdomain="acme")
    with pytest.raises(ConfigError, match=r"^credentials: missing\. Add it to the config\.$"):
        Account(config={"subdomain": "acme"})
    monkeypatch.setenv("ZENDESK_CHAT_TOKEN_FILE", str(write("token.txt", "T-file\r\n")))
    credentials = Account(subdomain="acme").parsed.credentials
    assert credentials == AccessToken("T-file")


def test_sync_status_and_profile_need_no_argument_and_renewed_tokens_are_stored(capsys: pytest.CaptureFixture[str]) -> None:
    with Sandbox(chats=5) as sandbox:
        stored = write(STORED, json.dumps({"subdomain": "acme", "api_url": sandbox.url, "credentials": OAUTH, "_note": "mine"}))
        stored.chmod(0o600)
        write("zendesk-chat.toml", 'to = "other.duckdb"\nschema = "one"\nstreams = "goals"\n')
        assert main(["sync"]) == 0, capsys.readouterr().err
    renewed = json.loads(stored.read_text())
    assert renewed["credentials"]["refresh_token"] != OAUTH["refresh_token"]
    assert renewed["_note"] == "mine"
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    capsys.readouterr()
    assert main(["status"]) == 0
    assert "goals" in capsys.readouterr().out
    assert main(["profile", "--streams", "goals"]) == 0
    assert "goals" in capsys.readouterr().out
    assert main(["status", "chats.duckdb"]) == 1
    assert main(["status", "--schema", "two"]) == 1
    assert "other.duckdb contains no synced data in the schema two" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content",
    [
        "ZENDESK_CHAT_SUBDOMAIN=acme\nZENDESK_CHAT_TOKEN=T-1\n",
        "\ufeffZENDESK_CHAT_SUBDOMAIN=acme\r\nZENDESK_CHAT_TOKEN=T-1\r\n",
        "# mine\n\nexport ZENDESK_CHAT_SUBDOMAIN='acme'  # a comment\nZENDESK_CHAT_TOKEN = \"T-1\"",
        "OTHER ( broken\nDATABASE_URL=postgres://x\nZENDESK_CHAT_SUBDOMAIN=acme\nZENDESK_CHAT_TOKEN=T-1\nZENDESK_CHAT_END_DATE=\n",
        "ZENDESK_CHAT_SUBDOMAIN=acme\nZENDESK_CHAT_TOKEN=T-0\nZENDESK_CHAT_TOKEN=T-1\n",
    ],
)
def test_an_env_file_is_read_as_other_programs_read_it(content: str) -> None:
    write(".env", content)
    raw = gather(options(), {}).raw
    assert (raw["subdomain"], raw["access_token"], raw.get("end_date")) == ("acme", "T-1", None)


def test_an_env_file_in_utf_16_is_read_and_nothing_in_it_is_expanded() -> None:
    write(".env", "ZENDESK_CHAT_SUBDOMAIN=acme\nZENDESK_CHAT_TOKEN=T-${HOME}\n".encode("utf-16"))
    assert gather(options(), {}).raw["access_token"] == "T-${HOME}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'A=1\nZENDESK_CHAT_TOKEN="T-secret\n', ".env, line 2: this is not NAME=value."),
        (b"A=1\nZENDESK_CHAT_TOKEN\xff=T-secret\n", ".env, line 2: the file is not encoded as UTF-8."),
    ],
)
def test_a_broken_line_of_ours_in_an_env_file_is_named(content: bytes, message: str) -> None:
    write(".env", content)
    with pytest.raises(ConfigError) as caught:
        gather(options(), {})
    assert str(caught.value).startswith(message)
    assert "secret" not in str(caught.value)


def test_a_line_of_another_program_in_an_env_file_may_have_any_bytes() -> None:
    write(".env", b"NAME=Jos\xe9\n# caf\xe9\n" + env_file(**ACME).encode())
    assert gather(options(), {}).raw["access_token"] == "T-acme"


@pytest.mark.parametrize("name", [".env", "zendesk-chat.toml", STORED])
def test_what_is_no_regular_file_is_skipped_with_a_warning(name: str) -> None:
    path = Path(name).absolute() if name == STORED else Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    warning = f"{path} is not a regular file and was skipped."
    environment = {"ZENDESK_CHAT_SUBDOMAIN": "acme", "ZENDESK_CHAT_TOKEN": "T"}
    for make in (
        os.mkfifo,
        lambda it: it.symlink_to(it.name),
        lambda it: it.symlink_to("nothing"),
        lambda it: it.symlink_to("/dev/null"),
    ):
        make(path)
        assert gather(options(), environment).warnings == [warning]
        path.unlink()


@pytest.mark.parametrize("name", ["pipe.json", "pipe.toml"])
def test_a_named_pipe_is_refused_and_not_waited_for(name: str) -> None:
    os.mkfifo(name)
    with pytest.raises(ConfigError, match=rf"^The config file is a named pipe: {name}\. Name a regular file\.$"):
        gather(options(config=name), {})
    with pytest.raises(
        ConfigError, match=rf"^ZENDESK_CHAT_TOKEN_FILE: the file {name} is a named pipe\. Name a regular file\.$"
    ):
        gather(options(), {"ZENDESK_CHAT_SUBDOMAIN": "acme", "ZENDESK_CHAT_TOKEN_FILE": name})


def test_an_open_pipe_is_read() -> None:
    source, sink = os.pipe()
    os.write(sink, b"T-pipe\n")
    os.close(sink)
    try:
        found = gather(options(), {"ZENDESK_CHAT_SUBDOMAIN": "acme", "ZENDESK_CHAT_TOKEN_FILE": f"/dev/fd/{source}"})
    finally:
        os.close(source)
    assert found.raw["access_token"] == "T-pipe"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("c.toml", "wait = " + "9" * 5000, "c.toml is not valid TOML: A number in it has too many digits."),
        ("c.json", '{"wait": ' + "9" * 5000 + "}", "The config file is not valid JSON: c.json: a number in it is too large."),
        ("c.json", '{"subdomain": "a", "subdomain": "b"}', "c.json: the key subdomain occurs twice. Remove one of the two."),
        ("c.json", '{"credentials": {"x": 1, "x": 1}}', "c.json: the key x occurs twice. Remove one of the two."),
    ],
)
def test_a_file_that_cannot_be_meant_is_one_sentence(name: str, content: str, message: str) -> None:
    write(name, content)
    with pytest.raises(ConfigError) as caught:
        gather(options(config=name), {})
    assert str(caught.value) == message


def test_a_directory_of_the_name_env_is_no_file() -> None:
    Path(".env").mkdir()
    assert gathered({"environment": ACME}).raw["subdomain"] == "acme"


def test_misspelt_variables_are_named_and_those_of_kubernetes_are_not() -> None:
    environment = {
        "ZENDESK_CHAT_ACCESS_TOKEN": "T-secret",
        "ZENDESK_CHAT_PORT": "tcp://x",
        "ZENDESK_CHAT_SERVICE_HOST": "10.0.0.1",
    }
    with pytest.raises(ConfigError) as caught:
        gather(options(), environment | {"ZENDESK_CHAT_SUBDOMAIN": "acme"})
    assert str(caught.value).endswith(" ZENDESK_CHAT_ACCESS_TOKEN is not used. Did you mean ZENDESK_CHAT_TOKEN?")
    write(".env", env_file(**ACME, startdate="2026-01-01"))
    warning = "ZENDESK_CHAT_STARTDATE in .env is not used. Did you mean ZENDESK_CHAT_START_DATE?"
    assert warning in gather(options(), {}).warnings


@pytest.mark.parametrize(
    ("content", "token"),
    [(b"T-1", "T-1"), (b"T-1\n", "T-1"), (b"\xef\xbb\xbfT-1\r\n", "T-1"), (b" T-1 \n", "T-1")],
)
def test_a_secret_comes_from_a_file(content: bytes, token: str) -> None:
    path = write("secrets/token", content)
    found = gather(options(), {"ZENDESK_CHAT_SUBDOMAIN": "acme", "ZENDESK_CHAT_TOKEN_FILE": str(path)})
    assert found.parse().credentials == AccessToken(token)
    assert found.origins == {"subdomain": "ZENDESK_CHAT_SUBDOMAIN", "token": "ZENDESK_CHAT_TOKEN_FILE"}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("secrets/none", "ZENDESK_CHAT_TOKEN_FILE: the file secrets/none does not exist."),
        (
            "secrets",
            "ZENDESK_CHAT_TOKEN_FILE: the file that it names is a directory. Name the file in it that contains the secret.",
        ),
        ("secrets/empty", "ZENDESK_CHAT_TOKEN_FILE: the file secrets/empty is empty."),
        ("secrets/binary", "ZENDESK_CHAT_TOKEN_FILE: the file secrets/binary is not UTF-8 text."),
        ("secrets/large", "ZENDESK_CHAT_TOKEN_FILE: the file secrets/large is too large for a secret."),
        ("Tsecretsecret", "ZENDESK_CHAT_TOKEN_FILE: the file that it names does not exist."),
        ("a\0/b", "ZENDESK_CHAT_TOKEN_FILE: the file a\\x00/b cannot be read: not a path."),
    ],
)
def test_a_secret_that_cannot_be_read_is_one_sentence(path: str, message: str) -> None:
    write("secrets/empty", "\n")
    write("secrets/binary", b"\xff\xfe\xff")
    write("secrets/large", b"x" * 70_000)
    with pytest.raises(ConfigError) as caught:
        gather(options(), {"ZENDESK_CHAT_SUBDOMAIN": "acme", "ZENDESK_CHAT_TOKEN_FILE": path})
    assert str(caught.value) == message


def test_a_secret_is_given_once() -> None:
    path = write("token.txt", "T-file")
    both = {"ZENDESK_CHAT_TOKEN": "T-1", "ZENDESK_CHAT_TOKEN_FILE": str(path)}
    with pytest.raises(ConfigError, match=r"^ZENDESK_CHAT_TOKEN and ZENDESK_CHAT_TOKEN_FILE are both set\. Remove one of them"):
        gather(options(), both)
    write("zendesk-chat.toml", toml(subdomain="acme", token="T", token_file="token.txt"))
    with pytest.raises(ConfigError, match=r"^zendesk-chat.toml: `token_file` and another token are both set"):
        gather(options(), {})
    write("zendesk-chat.toml", toml(subdomain="acme", token_file="token.txt"))
    assert gather(options(), {}).raw["access_token"] == "T-file"


def test_an_oauth_client_with_a_secret_needs_no_stored_tokens() -> None:
    path = write("client.txt", "S\n")
    environment = {
        "ZENDESK_CHAT_SUBDOMAIN": "acme",
        "ZENDESK_CHAT_CLIENT_ID": "C",
        "ZENDESK_CHAT_CLIENT_SECRET_FILE": str(path),
    }
    assert gather(options(), environment).parse().credentials == OAuth(None, None, "C", "S")


def test_a_refresh_token_needs_a_json_file() -> None:
    remedy = "Run `zendesk-chat login`, or keep it in a JSON file that you name with --config."
    with pytest.raises(ConfigError) as caught:
        gather(options(), {"ZENDESK_CHAT_SUBDOMAIN": "acme", "ZENDESK_CHAT_REFRESH_TOKEN": "R-secret"})
    assert str(caught.value).startswith("ZENDESK_CHAT_REFRESH_TOKEN: a refresh token works once")
    assert str(caught.value).endswith(remedy)
    write("zendesk-chat.toml", 'subdomain = "acme"\n[credentials]\ncredentials = "oauth2.0"\nrefresh_token = "R-secret"\n')
    with pytest.raises(ConfigError) as caught:
        gather(options(), {})
    assert str(caught.value).startswith("credentials.refresh_token in zendesk-chat.toml: a refresh token works once")
    assert str(caught.value).endswith(remedy)
    assert "R-secret" not in str(caught.value)


def test_renewed_tokens_go_to_the_json_file_that_the_credentials_come_from() -> None:
    oauth = {"credentials": "oauth2.0", "client_id": "C", "refresh_token": "R"}
    assert gathered({"config": {"subdomain": "acme", "credentials": oauth}}).store == Path("named.json")
    stored = gathered({"stored": {"subdomain": "acme", "credentials": oauth}, "toml": {"to": "x.duckdb"}})
    assert stored.store == Path(STORED).resolve()
    assert gathered({"options": {"token": "T"}, "stored": {"subdomain": "acme", "credentials": oauth}}).store is None


def test_a_toml_file_has_the_settings_of_sync_and_dates_without_quotes() -> None:
    write(
        "zendesk-chat.toml",
        '\ufeffsubdomain = "acme"\r\ntoken = "T"\r\nstart_date = 2026-01-31\r\nstreams = ["chats", "agents"]\r\n'
        'to = "acme.duckdb"\r\nschema = "one"\r\ntime_zone = "Europe/Lisbon"\r\nwait = 60\r\nredact = ["bans.reason=null"]\r\n',
    )
    plan = make_plan(gather(options(), {}), 2e9)
    assert [stream.name for stream in plan.streams] == ["chats", "agents"]
    assert plan.required == {"chats", "agents"}
    assert plan.config.start == 1769817600
    assert plan.config.raw["redact"] == {"rules": [{"field": "bans.reason", "action": "null"}]}
    destination = plan.destination
    assert (destination.path, destination.schema, destination.time_zone, destination.wait_seconds) == (
        "acme.duckdb",
        "one",
        "Europe/Lisbon",
        60.0,
    )


WRONG_FILES = [
    ('subdomain = "acme"\ntoken = \u201cT-secret\u201d', "line 2, column 9: a curly quote. TOML needs straight quotes"),
    ("subdomain = acme", 'line 1, column 13: a value without quotes. Write it as in subdomain = "acme".'),
    ('{"subdomain": "acme"}', "line 1, column 1: this looks like JSON. Name the file .json"),
    ('subdomain = "acme', "is not valid TOML"),
    ('subdomain = "acme"\nstartdate = 2026-01-01', "zendesk-chat.toml: Unknown key `startdate`: did you mean `start_date`?"),
    ('subdomain = "acme"\nfull_refresh = true', "Unknown key `full_refresh`: it is an option of `sync`, --full-refresh."),
    ('subdomain = "acme"\ntoken = "T"\nstreams = [1]', "streams in zendesk-chat.toml: must be a list of strings, such as"),
    (
        'subdomain = "acme"\ntoken = "T"\nstreams = "chat"',
        "streams in zendesk-chat.toml: no such stream: chat. Did you mean chats?",
    ),
    ('subdomain = "acme"\ntoken = "T"\nwait = "long"', "wait in zendesk-chat.toml: must be a number from 0 to 31536000."),
    ('subdomain = "acme"\ntoken = "T"\nto = "csv"', "to in zendesk-chat.toml csv: `sync` does not write CSV files."),
    ('subdomain = "acme"\ntoken = "T"\nschema = "temp"', "schema in zendesk-chat.toml: 'temp' cannot be used."),
    ('subdomain = "acme"\ntoken = 5', "token in zendesk-chat.toml: must be a string."),
]


@pytest.mark.parametrize(("content", "message"), WRONG_FILES)
def test_a_mistake_in_a_toml_file_is_named(content: str, message: str) -> None:
    write("zendesk-chat.toml", content)
    with pytest.raises(ConfigError) as caught:
        make_plan(gather(options(), {}), 2e9)
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


def test_rules_of_redaction_add_up_and_the_key_may_be_a_secret_file() -> None:
    write("key.txt", "k" * 16 + "\n")
    write(".env", env_file(**ACME, redact="chats.visitor.email=hash, bans.reason=null", hash_key_file="key.txt"))
    write("zendesk-chat.toml", 'redact = {rules = [{field = "visitors.phone", action = "drop"}]}\n')
    found = gather(options(redact=["*.**.ip=drop"]), {})
    assert found.raw["redact"] == {
        "hash_key": "k" * 16,
        "rules": [
            {"field": "visitors.phone", "action": "drop"},
            {"field": "chats.visitor.email", "action": "hash"},
            {"field": "bans.reason", "action": "null"},
            {"field": "*.**.ip", "action": "drop"},
        ],
    }


def test_streams_on_the_command_line_are_not_excluded_by_a_file() -> None:
    sources = {"toml": ACME | {"streams": ["chats", "goals"], "exclude": ["goals"]}}
    assert [s.name for s in make_plan(gathered(sources), 2e9).streams] == ["chats"]
    assert [s.name for s in make_plan(gathered(sources | {"options": {"streams": ["goals"]}}), 2e9).streams] == ["goals"]
    assert [s.name for s in make_plan(gathered(sources | {"options": {"exclude": ["chats"]}}), 2e9).streams] == ["goals"]


def test_every_setting_can_be_given_by_a_variable() -> None:
    values = {
        "subdomain": "acme",
        "token": "T",
        "api_url": "https://x",
        "start_date": "2026-01-01",
        "end_date": "2026-02-01",
        "lookback_minutes": "5",
        "requests_per_minute": "100",
        "request_timeout_seconds": "30",
        "redact": "bans.reason=null",
        "streams": "chats, agents,bans",
        "exclude": "bans",
        "to": "acme.duckdb",
        "schema": "one",
        "time_zone": "Europe/Lisbon",
        "wait": "2.5",
    }
    plan = make_plan(gathered({"environment": values}), 2e9)
    assert (plan.config.lookback, plan.config.requests_per_minute, plan.config.timeout) == (300, 100, 30)
    assert [stream.name for stream in plan.streams] == ["chats", "agents"]
    assert (plan.destination.path, plan.destination.wait_seconds) == ("acme.duckdb", 2.5)
    others = {"client_id", "client_secret", "refresh_token", "hash_key"}  # tested above
    assert {setting.key for setting in SETTINGS} == values.keys() | others


@pytest.mark.parametrize(
    ("key", "expected"), [("lookback_minutes", "a whole number from 0 to"), ("wait", "a number from 0 to")]
)
def test_a_variable_that_is_no_number_is_named(key: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=f"^ZENDESK_CHAT_{key.upper()}: must be {expected}"):
        make_plan(gathered({"environment": ACME | {key: "soon"}}), 2e9)


def test_a_file_that_may_not_be_read_is_named() -> None:
    path = write("zendesk-chat.toml", toml(**ACME))
    path.chmod(0)
    if not stat.S_IMODE(path.stat().st_mode) and not _readable(path):
        with pytest.raises(ConfigError, match=r"zendesk-chat.toml: Permission denied"):
            gather(options(), {})


def _readable(path: Path) -> bool:
    try:
        path.read_bytes()
    except PermissionError:
        return False
    return True
