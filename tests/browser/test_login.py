"""`zendesk-chat login` with a person in Chromium: both grants, a refusal, and what `sync` then finds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from tests.support.sandbox import still
from zendesk_chat_sandbox import Sandbox

from .conftest import Tab

COMMAND = Path(sys.executable).with_name("zendesk-chat")
SECRETS = re.compile(r"sandbox-(?:secret|access-\d+|refresh-\d+|code-\d+)")
SECRET = {"ZENDESK_CHAT_CLIENT_SECRET": "sandbox-secret"}


@dataclass
class Login:
    """A command that waits for the browser."""

    process: subprocess.Popen[str]
    address: str
    shown: str = ""

    @property
    def errors(self) -> IO[str]:
        assert self.process.stderr is not None
        return self.process.stderr

    def end(self) -> int:
        output, errors = self.process.communicate(timeout=30)
        self.shown += output + errors
        return self.process.returncode


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with still(20) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def _soon(tab: Tab) -> None:
    """Let a page that does not come fail soon."""
    tab.page.set_default_timeout(10_000)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A user who has nothing yet; whose browser is the test's."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ZENDESK_CHAT_", "XDG_"))}
    return {**clean, "HOME": str(tmp_path), "BROWSER": "true"}


@contextmanager
def logging_in(sandbox: Sandbox, environment: dict[str, str], *options: str) -> Iterator[Login]:
    command = [str(COMMAND), "login", "--subdomain", "acme", "--client-id", "sandbox-client", "--api-url", sandbox.url]
    process = subprocess.Popen(
        [*command, "--port", "0", *options],
        env=environment,
        cwd=environment["HOME"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        login = Login(process, "")
        try:
            while "/authorizations/new" not in login.address:
                login.address = login.errors.readline()
                assert login.address, "the command has ended"
                login.shown += login.address
            login.address = login.address.strip()
            yield login
        finally:
            process.kill()


def stored(environment: dict[str, str]) -> Path:
    return Path(environment["HOME"]) / ".config" / "zendesk-chat" / "config.json"


@pytest.mark.parametrize("grant", ["code", "implicit"])
def test_a_person_signs_in_and_syncs(sandbox: Sandbox, environment: dict[str, str], tab: Tab, grant: str) -> None:
    with logging_in(sandbox, environment | (SECRET if grant == "code" else {})) as login:
        tab.page.goto(login.address)
        assert tab.page.title() == "Sign in - Zendesk Chat sandbox"
        tab.page.get_by_role("button", name="Allow").click()
        tab.page.get_by_role("heading", name="You are signed in").wait_for()
        assert login.end() == 0, login.shown
    assert "Signed in to acme as Ana. You can close this tab and go back to the terminal." in tab.page.inner_text("main")
    assert re.fullmatch(r"http://localhost:\d+/", tab.page.url), "neither a code nor a token stays in the address"
    assert tab.errors == []
    assert {url.split("/")[2].split(":")[0] for url in tab.requests} == {"127.0.0.1", "localhost"}
    assert "Signed in to acme as Ana." in login.shown
    assert not SECRETS.search(login.shown)
    assert not SECRETS.search(tab.page.content())
    assert stored(environment).stat().st_mode & 0o777 == 0o600
    sync = [str(COMMAND), "sync", "--streams", "departments"]
    done = subprocess.run(
        sync, env=environment, cwd=environment["HOME"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "departments" in done.stdout
    assert (Path(environment["HOME"]) / "chats.duckdb").exists()


def test_a_token_is_not_reached_by_going_back(sandbox: Sandbox, environment: dict[str, str], tab: Tab) -> None:
    with logging_in(sandbox, environment) as login:
        tab.page.goto("about:blank")
        tab.page.goto(login.address)
        tab.page.get_by_role("button", name="Allow").click()
        tab.page.get_by_role("heading", name="You are signed in").wait_for()
        assert login.end() == 0
    seen = [tab.page.url]
    tab.page.goto("about:blank")
    tab.page.route("**/*", lambda route: route.fulfill(body="<title>gone</title>", content_type="text/html"))
    for _ in range(3):
        tab.page.go_back()
        seen.append(tab.page.url)
    assert not [url for url in seen if "access_token" in url]


@pytest.mark.parametrize("grant", ["code", "implicit"])
def test_a_person_who_denies_gets_an_explanation(sandbox: Sandbox, environment: dict[str, str], tab: Tab, grant: str) -> None:
    with logging_in(sandbox, environment | (SECRET if grant == "code" else {})) as login:
        tab.page.goto(login.address)
        tab.page.get_by_role("button", name="Deny").click()
        tab.page.get_by_role("heading", name="The sign-in failed").wait_for()
        assert login.end() == 3
    message = "Access was denied in the browser (access_denied). Run `zendesk-chat login` again and choose Allow."
    assert message.replace("`", "") in tab.page.inner_text("main")
    assert tab.page.locator("code").inner_text() == "zendesk-chat login"
    assert f"error: {message}" in login.shown
    assert not stored(environment).exists()
    assert tab.errors == []


def test_an_agent_who_is_no_administrator_gets_an_explanation(sandbox: Sandbox, environment: dict[str, str], tab: Tab) -> None:
    with logging_in(sandbox, environment | SECRET) as login:
        tab.page.goto(login.address)
        tab.page.get_by_label("Sign in as").select_option("agent")
        tab.page.get_by_role("button", name="Allow").click()
        tab.page.get_by_role("heading", name="The sign-in failed").wait_for()
        assert login.end() == 3
    assert "Zendesk Chat lets only administrators export." in tab.page.inner_text("main")
    assert not stored(environment).exists()


def test_a_name_is_never_markup(sandbox: Sandbox, environment: dict[str, str], tab: Tab) -> None:
    name = "<script>lost()</script><b>Ana"
    for agent in sandbox.account.lists["agents"].values():
        agent["display_name"] = name
    for secret in (SECRET, {}):
        with logging_in(sandbox, environment | secret) as login:
            tab.page.goto(login.address)
            tab.page.get_by_role("button", name="Allow").click()
            tab.page.get_by_role("heading", name="You are signed in").wait_for()
            assert login.end() == 0, login.shown
        assert f"Signed in to acme as {name}." in tab.page.inner_text("main")
    assert tab.errors == []


def test_the_pages_fit_a_phone(sandbox: Sandbox, environment: dict[str, str], tab: Tab) -> None:
    tab.page.set_viewport_size({"width": 420, "height": 800})
    with logging_in(sandbox, environment | SECRET) as login:
        tab.page.goto(login.address)
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 420
        tab.page.get_by_role("button", name="Allow").click()
        tab.page.get_by_role("heading", name="You are signed in").wait_for()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 420
        assert login.end() == 0
    assert json.loads(stored(environment).read_text())["subdomain"] == "acme"
