"""`login` from the first question to the stored tokens, in this process, with browsers that have no window."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.clock import FakeClock
from tests.support.sandbox import API, OAUTH, get, still
from tests.support.sign_ins import DISPLAY, SECRET, FakeBrowser, SignedIn, fetch, sign_in
from zendesk_chat.clock import SystemClock
from zendesk_chat.load.login import storing
from zendesk_chat_sandbox import SUPPORT_TOKEN, Fault, Sandbox

SECRETS = re.compile(r"sandbox-(?:secret|access-\d+|refresh-\d+|code-\d+)")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with still(5, authorize="allow") as sandbox:
        yield sandbox


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "own" / "config.json"


def stored(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def pasted_address(printed: str) -> str:
    """What the browser shows at the end, of a person who opened the printed address on another machine."""
    return f'  "{fetch(printed_address(printed)).headers["location"]}" '


def printed_address(printed: str) -> str:
    return next(word for word in printed.split() if "/authorizations/new" in word)


def assert_no_secret_is_shown(run: SignedIn, capsys: pytest.CaptureFixture[str]) -> None:
    shown = [run.terminal.text, *capsys.readouterr(), *(page.text for page in run.browser.pages)]
    assert not [text for text in shown if SECRETS.search(text)]


def test_a_code_becomes_tokens_that_can_be_renewed(sandbox: Sandbox, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = sign_in(sandbox, config)
    assert run.code == 0, run.terminal.text
    assert stored(config) == {
        "subdomain": "acme",
        "credentials": {
            "credentials": "oauth2.0",
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "access_token": "sandbox-access-2",
            "refresh_token": "sandbox-refresh-2",
        },
        "api_url": f"{sandbox.url}{API}",
    }
    name = get(sandbox, f"{API}/agents/me", "sandbox-access-2").json["display_name"]
    assert run.terminal.results == [
        f"Signed in to acme as {name}.",
        f"The configuration is in {config}. Only you can read it.",
        f"Next: zendesk-chat sync --config {config}",
    ]
    assert "You are signed in" in run.page.text
    assert "You can close this tab" in run.page.text
    assert_no_secret_is_shown(run, capsys)


def test_one_request_proves_that_the_token_can_read(sandbox: Sandbox, config: Path) -> None:
    sign_in(sandbox, config)
    assert [request.path for request in sandbox.requests if request.path.startswith(API)] == [f"{API}/agents/me"]


def test_the_address_asks_for_a_code_with_the_scope_read(sandbox: Sandbox, config: Path) -> None:
    run = sign_in(sandbox, config)
    (address,) = run.browser.addresses
    query = parse_qs(urlsplit(address).query)
    (state,) = query.pop("state")
    assert len(state) >= 32
    assert re.fullmatch(r"http://localhost:\d+", query.pop("redirect_uri")[0])
    assert query == {"response_type": ["code"], "client_id": ["sandbox-client"], "scope": ["read"]}
    assert f"  {address}" in run.terminal.lines


def test_a_client_without_a_secret_gets_a_token_at_once(
    sandbox: Sandbox, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.switch(token_expires_in=36_000)
    run = sign_in(sandbox, config, environment={})
    assert run.code == 0, run.terminal.text
    credentials = {"credentials": "access_token", "client_id": "sandbox-client", "access_token": "sandbox-access-1"}
    assert stored(config)["credentials"] == credentials
    assert json.loads(run.page.text)["title"] == "You are signed in"
    assert any(line.startswith("The token expires in 10 h 0 min.") for line in run.terminal.lines)
    assert_no_secret_is_shown(run, capsys)


def test_tokens_that_expire_are_stored_with_their_end(sandbox: Sandbox, config: Path) -> None:
    sandbox.switch(token_expires_in=3600)
    assert sign_in(sandbox, config, clock=SystemClock()).code == 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stored(config)["credentials"]["token_expiry_date"])


def test_the_file_and_its_directory_are_only_for_their_owner(sandbox: Sandbox, config: Path) -> None:
    before = os.umask(0)
    try:
        sign_in(sandbox, config)
    finally:
        os.umask(before)
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.parent.stat().st_mode) == 0o700
    assert list(config.parent.iterdir()) == [config]


def test_a_file_keeps_its_other_keys_and_loses_the_credentials_and_address_of_before(sandbox: Sandbox, config: Path) -> None:
    config.parent.mkdir()
    old = {"start_date": "2025-01-01", "subdomain": "acme", "access_token": "old", "api_url": "https://old.example.com"}
    config.write_text(json.dumps({**old, "redact": {"rules": []}, "_note": "mine"}))
    config.chmod(0o644)
    run = sign_in(sandbox, config)
    content = stored(config)
    assert content.pop("credentials")["access_token"] == "sandbox-access-2"
    expected = {"start_date": "2025-01-01", "subdomain": "acme", "api_url": f"{sandbox.url}{API}"}
    assert content == {**expected, "redact": {"rules": []}, "_note": "mine"}
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert f"This sign-in replaces the credentials in {config}." in run.terminal.lines


def test_a_symbolic_link_stays_one(sandbox: Sandbox, tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    link.symlink_to(real)
    for _ in ("new", "replaced"):
        assert sign_in(sandbox, link).code == 0
        assert link.is_symlink()
        assert stored(real)["subdomain"] == "acme"
        assert stat.S_IMODE(real.stat().st_mode) == 0o600


def test_another_account_is_replaced_only_after_a_question(sandbox: Sandbox, config: Path) -> None:
    sign_in(sandbox, config)
    before = config.read_text()
    refused = sign_in(sandbox, config, subdomain="globex")
    assert refused.code == 2
    assert f"{config} has the credentials of another account, acme." in refused.terminal.text
    assert "--config" in refused.terminal.text
    assert sign_in(sandbox, config, subdomain="globex", answers={"Replace": "n"}).code == 2
    assert config.read_text() == before
    assert sign_in(sandbox, config, subdomain="globex", answers={"Replace": "y"}).code == 0
    assert stored(config)["subdomain"] == "globex"


def test_the_first_sign_in_explains_how_to_create_a_client(sandbox: Sandbox, config: Path) -> None:
    answers = {"Subdomain": "https://acme.zendesk.com/", "Client ID": " sandbox-client ", "Client secret": "sandbox-secret"}
    run = sign_in(sandbox, config, environment={}, answers=answers, subdomain=None, client_id=None)
    assert run.code == 0, run.terminal.text
    redirect = parse_qs(urlsplit(run.browser.addresses[0]).query)["redirect_uri"][0]
    assert f"       {redirect}" in run.terminal.lines
    assert "  2. Go to Settings > Account > API & SDKs, and choose Add API client." in run.terminal.lines
    assert [question[:13] for question in run.terminal.hidden] == ["Client secret"]


def test_the_next_sign_in_knows_the_answers(sandbox: Sandbox, config: Path) -> None:
    sign_in(sandbox, config)
    answers = {"Subdomain": "", "Client ID": "", "Client secret": ""}
    run = sign_in(sandbox, config, environment={}, answers=answers, subdomain=None, client_id=None)
    assert run.code == 0, run.terminal.text
    assert run.terminal.questions == ["Subdomain, acme for acme.zendesk.com [acme]: ", "Client ID [sandbox-client]: "]
    assert run.terminal.hidden == ["Client secret [stored]: "]
    assert "Add API client" not in run.terminal.text
    assert sign_in(sandbox, config, environment={}, subdomain=None, client_id=None).code == 0, "also where nobody can answer"


def test_the_next_sign_in_is_at_the_stored_server(sandbox: Sandbox, config: Path) -> None:
    sign_in(sandbox, config)
    run = sign_in(sandbox, config, environment={}, subdomain=None, client_id=None, api_url=None)
    assert run.code == 0, run.terminal.text
    assert run.browser.addresses[0].startswith(sandbox.url)
    assert f"The server is {sandbox.url}, as in {config}. For another, pass --api-url." in run.terminal.lines
    assert stored(config)["api_url"] == f"{sandbox.url}{API}"


def test_a_stored_secret_stays_with_its_server(sandbox: Sandbox, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sign_in(sandbox, config)
    with still(5, authorize="allow") as other:
        refused = sign_in(other, config, environment={})
        assert refused.code == 2
        assert refused.terminal.lines[-1] == (
            f"error: The client secret in {config} is for {sandbox.url}. Set ZENDESK_CHAT_CLIENT_SECRET for {other.url}, or "
            "use --grant implicit."
        )
        assert other.requests == []
        answers = {"Client ID": "", "Client secret": ""}
        asked = sign_in(other, config, environment={}, answers=answers, client_id=None)
        assert asked.terminal.hidden == ["Client secret (not shown; leave it empty if the client has none): "]
        assert stored(config)["credentials"].keys() == {"credentials", "client_id", "access_token"}, "without a secret"
        assert_no_secret_is_shown(asked, capsys)


def test_another_subdomain_has_a_server_of_its_own(sandbox: Sandbox, config: Path) -> None:
    sign_in(sandbox, config)
    answers = {"Replace": "y", "Client ID": "sandbox-client", "Client secret": ""}
    run = sign_in(
        sandbox, config, environment={}, answers=answers, subdomain="globex", client_id=None, api_url=None, grant="code"
    )
    assert run.code == 2, "without a secret, this grant is refused"
    assert "https://globex.zendesk.com" in run.terminal.text
    assert run.terminal.hidden == ["Client secret (not shown; leave it empty if the client has none): "]


def test_a_wrong_subdomain_is_asked_for_again(sandbox: Sandbox, config: Path) -> None:
    given = iter(["acme corp", "acme"])
    run = sign_in(sandbox, config, answers={"Subdomain": lambda _: next(given)}, subdomain=None)
    assert run.code == 0, run.terminal.text
    assert any(line.startswith("Subdomain: use only the name of the account") for line in run.terminal.lines)


@pytest.mark.parametrize(
    ("options", "environment", "message"),
    [
        ({"subdomain": None}, {}, "error: Missing: subdomain. Pass --subdomain, or set ZENDESK_CHAT_SUBDOMAIN."),
        ({"client_id": None}, {}, "error: Missing: client ID. Pass --client-id, or set ZENDESK_CHAT_CLIENT_ID."),
        (
            {"subdomain": None, "client_id": None},
            {},
            "error: Missing: subdomain and client ID. Pass --subdomain and --client-id, or set ZENDESK_CHAT_SUBDOMAIN and ZEN",
        ),
        ({"subdomain": "acme/x"}, {}, "error: --subdomain: use only the name of the account"),
        ({"grant": "code"}, {}, "error: --grant code needs the client secret. Set ZENDESK_CHAT_CLIENT_SECRET"),
        ({"client_id": "a b"}, {}, "error: Client ID: contains a space or an unusual character."),
        ({}, {"ZENDESK_CHAT_CLIENT_SECRET": "“x”"}, "error: Client secret: contains a space or an unusual character."),
        ({"config": "zendesk-chat.toml"}, {}, "error: --config zendesk-chat.toml: login stores JSON."),
        ({"config": "/dev/null/x"}, {}, "error: The configuration cannot be stored in /dev/null/x: its directory is a file."),
        ({"config": "loop"}, {}, "error: The configuration cannot be stored in loop: it is a symbolic link to itself."),
        ({"config": "pipe"}, {}, "error: The config file is a named pipe: pipe. Name a regular file."),
        ({"config": "/dev/null"}, {}, "error: The config file is empty: /dev/null"),
        ({"api_url": "http://evil.example"}, {}, "error: --api-url: use https://HOST, or http://127.0.0.1:PORT"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_mistake_is_named_before_the_browser_opens(
    sandbox: Sandbox,
    config: Path,
    options: dict[str, Any],
    environment: dict[str, str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    os.mkfifo("pipe")
    file = Path(options.get("config", config))
    run = sign_in(sandbox, file, environment=environment, **{key: options[key] for key in options if key != "config"})
    assert run.code == 2
    assert run.terminal.lines[-1].startswith(message)
    assert run.browser.addresses == []
    assert sandbox.requests == []


def test_a_broken_file_is_left_as_it_is(sandbox: Sandbox, config: Path) -> None:
    config.parent.mkdir()
    config.write_text('{"subdomain": "acme",}')
    run = sign_in(sandbox, config)
    assert run.code == 2
    assert "is not valid JSON" in run.terminal.text
    assert config.read_text() == '{"subdomain": "acme",}'


def test_a_port_in_use_is_named(sandbox: Sandbox, config: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        run = sign_in(sandbox, config, port=port)
    assert run.code == 2
    assert f"error: Port {port} is already in use" in run.terminal.lines[-1]
    assert "--port" in run.terminal.lines[-1]


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_a_port_in_use_at_the_other_loopback_address_is_found_too(sandbox: Sandbox, config: Path) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
        port = other.getsockname()[1]
        assert f"Port {port} is already in use" in sign_in(sandbox, config, port=port).terminal.lines[-1]


@pytest.mark.parametrize("environment", [SECRET, {}], ids=["code", "implicit"])
def test_access_that_is_denied_stores_nothing(sandbox: Sandbox, config: Path, environment: dict[str, str]) -> None:
    sandbox.switch(authorize="deny")
    run = sign_in(sandbox, config, environment=environment)
    assert run.code == 3
    message = "Access was denied in the browser (access_denied). Run `zendesk-chat login` again and choose Allow."
    assert run.terminal.lines[-1] == f"error: {message}"
    assert message in re.sub("</?code>", "`", run.page.text)
    assert not config.exists()


def test_an_agent_who_is_no_administrator_is_refused(sandbox: Sandbox, config: Path) -> None:
    sandbox.switch(authorize_role="agent")
    run = sign_in(sandbox, config)
    assert run.code == 3
    assert "who is not allowed to read the account (HTTP 403)" in run.terminal.lines[-1]
    assert "again as an administrator" in run.terminal.lines[-1]
    assert "The sign-in failed" in run.page.text
    assert not config.exists()


def test_a_token_of_support_is_recognized(sandbox: Sandbox, config: Path) -> None:
    run = sign_in(sandbox, config, environment={}, no_browser=True, answers={"Client": "", "Address": SUPPORT_TOKEN})
    assert run.code == 3
    assert run.terminal.lines[-1].startswith("error: This is a Zendesk Support token.")
    assert not config.exists()


@pytest.mark.parametrize(
    ("switches", "message"),
    [
        ({"account_state": "no_chat"}, "the account acme has no Zendesk Chat (HTTP 404)"),
        ({"unavailable": {"agents/me": 404}, "authorize_role": "agent"}, "who is not allowed to read the account (HTTP 403)"),
    ],
    ids=["no chat", "no own agent"],
)
def test_what_is_wrong_with_the_account_is_named(
    sandbox: Sandbox, config: Path, switches: dict[str, Any], message: str
) -> None:
    sandbox.switch(**switches)
    run = sign_in(sandbox, config)
    assert run.code == 3
    assert message in run.terminal.lines[-1]


def test_an_account_without_the_path_of_the_own_agent_can_be_read(sandbox: Sandbox, config: Path) -> None:
    sandbox.switch(unavailable={"agents/me": 404})
    run = sign_in(sandbox, config)
    assert run.code == 0, run.terminal.text
    assert run.terminal.results[0] == "Signed in to acme as an agent."


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ZENDESK_CHAT_CLIENT_SECRET": "wrong"}, "rejected the API client (HTTP 401): its client ID or its secret is"),
        ({"late": 601}, "rejected the code (HTTP 400): it has expired, it was used already, or the redirect URL"),
    ],
    ids=["secret", "expired"],
)
def test_a_code_that_gives_no_tokens_is_explained(
    sandbox: Sandbox, config: Path, changes: dict[str, Any], message: str
) -> None:
    def late(target: str) -> str:
        sandbox.clock.advance(changes.get("late", 0))
        return target

    secret = {"ZENDESK_CHAT_CLIENT_SECRET": changes.get("ZENDESK_CHAT_CLIENT_SECRET", "sandbox-secret")}
    run = sign_in(sandbox, config, environment=secret, browser=FakeBrowser(late))
    assert run.code == 3
    assert message in run.terminal.lines[-1]
    assert "wrong" not in run.terminal.lines[-1].replace("is wrong", "")
    assert not config.exists()


def test_a_short_outage_of_the_token_endpoint_is_overcome_and_a_long_one_reported(sandbox: Sandbox, config: Path) -> None:
    sandbox.inject(Fault(kind="status", status=503, path="/oauth2/chat/token", times=2))
    assert sign_in(sandbox, config, clock=FakeClock(running=True)).code == 0
    config.unlink()
    sandbox.inject(Fault(kind="status", status=503, path="/oauth2/chat/token", times=None))
    run = sign_in(sandbox, config, clock=FakeClock(running=True))
    assert run.code == 1
    assert "returned no tokens (HTTP 503)" in run.terminal.lines[-1]


def test_an_answer_of_another_sign_in_is_ignored(sandbox: Sandbox, config: Path) -> None:
    codes = []

    def forged(target: str) -> str:
        bare, _, _ = target.partition("?")
        codes.append(fetch(f"{bare}/?code=evil&state=guessed").status)
        codes.append(fetch(f"{bare}/?code=evil").status)
        codes.append(fetch(f"{bare}/?error=access_denied&state=guessed").status)
        codes.append(fetch(f"{bare}/?error=access_denied").status)
        codes.append(fetch(f"{bare}/favicon.ico").status)
        codes.append(fetch(bare).status)
        return target

    run = sign_in(sandbox, config, browser=FakeBrowser(forged))
    assert run.code == 0, run.terminal.text
    assert codes == [400, 400, 400, 400, 404, 200]
    ignored = "This response belongs to another sign-in, so it was ignored. Use the address that was printed last."
    assert run.terminal.lines.count(ignored) == 1
    assert stored(config)["credentials"]["access_token"] == "sandbox-access-2"


def test_two_sign_ins_at_once_do_not_replace_each_other(sandbox: Sandbox, config: Path) -> None:
    def meanwhile(target: str) -> str:
        assert sign_in(sandbox, config, subdomain="globex").code == 0
        return target

    run = sign_in(sandbox, config, browser=FakeBrowser(meanwhile))
    assert run.code == 1
    assert run.terminal.lines[-1] == (
        f"error: During this sign-in, another one stored the credentials of globex in {config}. Nothing was replaced. "
        "Run `zendesk-chat login` again, and pass another file for acme with --config."
    )
    assert stored(config)["subdomain"] == "globex"
    assert list(config.parent.iterdir()) == [config]


def test_a_file_that_appears_while_it_is_created_is_not_replaced(
    sandbox: Sandbox, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exists, others = Path.exists, [True]

    def appears(path: Path, **options: Any) -> bool:
        found = exists(path, **options)
        if path == config and sandbox.requests and others.pop(0):
            others.append(False)
            path.write_text('{"subdomain": "globex", "access_token": "other"}')
        return found

    monkeypatch.setattr(Path, "exists", appears)
    run = sign_in(sandbox, config)
    assert (run.code, "stored the credentials of globex" in run.terminal.lines[-1]) == (1, True)
    assert stored(config) == {"subdomain": "globex", "access_token": "other"}


def test_a_file_system_without_hard_links_gets_the_file_too(
    sandbox: Sandbox, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def impossible(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", impossible)
    assert sign_in(sandbox, config).code == 0
    assert stored(config)["subdomain"] == "acme"
    assert list(config.parent.iterdir()) == [config]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write a file of another user")
@pytest.mark.parametrize(("owner", "name"), [(1234, "the user 1234"), (65534, "nobody")])
def test_a_file_of_another_owner_names_the_owner(sandbox: Sandbox, config: Path, owner: int, name: str) -> None:
    config.parent.mkdir()
    config.write_text("{}")
    os.chown(config, owner, owner)
    run = sign_in(sandbox, config)
    assert run.terminal.results[1] == f"The configuration is in {config}. Only its owner can read it: {name}."


def test_a_file_system_without_permissions_is_named(sandbox: Sandbox, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "FOR_OTHERS", stat.S_IRUSR)  # as if the mode could not be set
    run = sign_in(sandbox, config)
    assert run.terminal.results[1].endswith("Other users of this machine may be able to read it.")


def test_the_end_of_the_input_at_a_question_names_the_option(sandbox: Sandbox, config: Path) -> None:
    run = sign_in(sandbox, config, answers={}, subdomain=None)
    assert (run.code, run.terminal.lines[-1]) == (
        2,
        "error: No subdomain was entered. Pass --subdomain, or set ZENDESK_CHAT_SUBDOMAIN.",
    )
    run = sign_in(sandbox, config, answers={}, client_id=None)
    assert (run.code, run.terminal.lines[-1]) == (
        2,
        "error: No client ID was entered. Pass --client-id, or set ZENDESK_CHAT_CLIENT_ID.",
    )
    run = sign_in(sandbox, config, answers={}, no_browser=True)
    assert run.terminal.lines[-1].startswith("error: No address was entered. Run `zendesk-chat login` again")


def test_nobody_answers_in_time(sandbox: Sandbox, config: Path) -> None:
    run = sign_in(sandbox, config, browser=FakeBrowser(works=False), clock=FakeClock())
    assert run.code == 1
    assert run.terminal.lines[-1].startswith("error: The browser did not return within 5 minutes.")


def test_ctrl_c_while_no_browser_opens_stores_nothing(sandbox: Sandbox, config: Path) -> None:
    clock, no_browser = SystemClock(), "No browser could be started. Open the address in a browser on this machine."

    def interrupt(line: str) -> None:
        if line == no_browser:
            clock.stop()

    run = sign_in(sandbox, config, browser=FakeBrowser(works=False), clock=clock, on_line=interrupt)
    assert run.code == 130
    assert run.terminal.lines[-3:] == [no_browser, "", "Stopped. Nothing was stored."]
    assert not config.exists()


def test_ctrl_c_at_a_question_stores_nothing(sandbox: Sandbox, config: Path) -> None:
    def interrupted(_: str) -> str:
        raise KeyboardInterrupt

    run = sign_in(sandbox, config, answers={"Subdomain": interrupted}, subdomain=None)
    assert run.code == 130
    assert run.terminal.lines[-1] == "Stopped. Nothing was stored."


@pytest.mark.parametrize("environment", [SECRET, {}], ids=["code", "implicit"])
def test_the_address_can_be_pasted_from_another_machine(
    sandbox: Sandbox, config: Path, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    run = sign_in(
        sandbox, config, environment=environment, no_browser=True, port=8790, answers={"Client": "", "Address": pasted_address}
    )
    assert run.code == 0, run.terminal.text
    assert run.browser.addresses == []
    assert [question for question in run.terminal.hidden if "token" in question] == (
        [] if environment else ["Address (not shown, because it contains the token): "]
    )
    assert "2. The browser then tries to open http://localhost:8790, which fails. This is expected." in (run.terminal.lines)
    assert_no_secret_is_shown(run, capsys)


def test_a_wrong_paste_is_asked_for_again(sandbox: Sandbox, config: Path) -> None:
    pastes = [printed_address, lambda _: "", pasted_address]

    def paste(printed: str) -> str:
        return pastes.pop(0)(printed)

    run = sign_in(sandbox, config, no_browser=True, answers={"Address": paste})
    assert run.code == 0, run.terminal.text
    assert any(line.startswith("This is the address of the sign-in page.") for line in run.terminal.lines)
    assert any(line.startswith("Nothing was pasted.") for line in run.terminal.lines)


def test_a_machine_without_a_display_lets_you_paste(sandbox: Sandbox, config: Path) -> None:
    run = sign_in(sandbox, config, environment={**SECRET, **dict.fromkeys(DISPLAY, "")}, answers={"Address": pasted_address})
    assert run.code == 0, run.terminal.text
    assert "This machine has no browser, so sign in on another one." in run.terminal.lines


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own configuration file, in an empty directory."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "zendesk-chat" / "config.json"


def test_the_own_configuration_needs_no_option(sandbox: Sandbox, own: Path) -> None:
    run = sign_in(sandbox, None)
    assert run.terminal.results[-2:] == [f"The configuration is in {own}. Only you can read it.", "Next: zendesk-chat sync"]
    assert not [line for line in run.terminal.lines if "warning" in line]
    assert stored(own)["subdomain"] == "acme"


def test_another_token_that_the_commands_prefer_is_named(sandbox: Sandbox, own: Path) -> None:
    preferred = "is set, and the other commands use it instead. Remove it to use this sign-in."
    run = sign_in(sandbox, None, environment={**SECRET, "ZENDESK_CHAT_TOKEN": "other"})
    assert run.terminal.lines[-1] == f"warning: ZENDESK_CHAT_TOKEN {preferred}"
    Path("zendesk-chat.toml").write_text('subdomain = "globex"\n')
    assert "is for acme, but subdomain in zendesk-chat.toml is globex" in sign_in(sandbox, None).terminal.lines[-1]


def test_the_secret_may_be_in_a_file(sandbox: Sandbox, config: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("sandbox-secret\n")
    file = {"ZENDESK_CHAT_CLIENT_SECRET_FILE": str(tmp_path / "secret")}
    assert sign_in(sandbox, config, environment=file).code == 0
    assert stored(config)["credentials"]["client_secret"] == "sandbox-secret"
    both = sign_in(sandbox, config, environment={**file, **SECRET})
    assert both.code == 2
    assert "ZENDESK_CHAT_CLIENT_SECRET and ZENDESK_CHAT_CLIENT_SECRET_FILE are both set." in both.terminal.text


def test_a_sync_renews_what_a_sign_in_stored(sandbox: Sandbox, config: Path) -> None:
    sign_in(sandbox, config)
    token = stored(config)["credentials"]["access_token"]
    assert stored(config)["credentials"].keys() == OAUTH.keys()
    assert get(sandbox, f"{API}/agents", token, limit=1).status == 200
