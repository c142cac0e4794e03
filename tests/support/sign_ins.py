"""People who sign in: a terminal that answers, and browsers that allow or deny without a window."""

from __future__ import annotations

import threading
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from zendesk_chat.clock import Clock, SystemClock
from zendesk_chat.errors import ConfigError
from zendesk_chat.load.login.command import login_on
from zendesk_chat.load.login.session import Surroundings
from zendesk_chat_sandbox import Sandbox

NO_OPTIONS = {
    "subdomain": None,
    "client_id": None,
    "port": 0,
    "config": None,
    "no_browser": False,
    "grant": None,
    "api_url": None,
}
DISPLAY = {"DISPLAY": ":0"}
SECRET = {"ZENDESK_CHAT_CLIENT_SECRET": "sandbox-secret"}


@dataclass
class FakeTerminal:
    """Answers questions by their beginning, and keeps what was printed.

    Attributes:
        answers: By the beginning of the question: an answer, or a function of what was printed so far.
        hidden: The questions whose answers are not shown.
        on_line: Called with each line.
    """

    answers: Mapping[str, str | Callable[[str], str]] = field(default_factory=dict)
    interactive: bool = True
    lines: list[str] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    on_line: Callable[[str], object] = print

    def say(self, line: str = "") -> None:
        self.lines.append(line)
        self.on_line(line)

    def result(self, line: str) -> None:
        self.results.append(line)

    def ask(self, question: str, *, hidden: bool = False, missing: str = "") -> str:
        (self.hidden if hidden else self.questions).append(question)
        answer = next((text for start, text in self.answers.items() if question.startswith(start)), None)
        if answer is None:
            raise ConfigError(missing or f"no answer to {question}")
        return answer if isinstance(answer, str) else answer("\n".join(self.lines))

    @property
    def text(self) -> str:
        return "\n".join([*self.lines, *self.questions, *self.hidden, *self.results])


@dataclass(frozen=True)
class Page:
    status: int
    url: str
    headers: Mapping[str, str]
    text: str


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow no redirect."""


def fetch(url: str, data: bytes | None = None, **headers: str) -> Page:
    """Request a page without following redirects."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    opener = build_opener(ProxyHandler({}), _Stay)
    try:
        response = opener.open(Request(url, data, given), timeout=20)
    except HTTPError as error:
        response = error
    with response:
        names = {name.lower(): value for name, value in response.headers.items()}
        return Page(response.status, response.url, names, response.read().decode())


@dataclass
class FakeBrowser:
    """Opens the sign-in page in a thread and goes where it is sent, as a browser does, the script of the last page included.

    Attributes:
        pages: What it showed at the redirect URL.
    """

    change: Callable[[str], str] = lambda target: target
    pages: list[Page] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    works: bool = True
    ended: threading.Event = field(default_factory=threading.Event)

    def open(self, address: str) -> bool:
        """Return when the last page is there, as a browser in the foreground does."""
        self.addresses.append(address)
        if self.works:
            self.pages.append(visit(self.change(fetch(address).headers["location"])))
        self.ended.set()
        return self.works


def visit(target: str) -> Page:
    """Open a redirect URL; hand over what is in its fragment, as the script of the page does."""
    bare, _, fragment = target.partition("#")
    page = fetch(bare)
    if not fragment:
        return page
    parts = urlsplit(bare)
    return fetch(f"{parts.scheme}://{parts.netloc}/", fragment.encode(), Origin=f"{parts.scheme}://{parts.netloc}")


@dataclass
class SignedIn:
    """A login that has ended."""

    code: int
    terminal: FakeTerminal
    browser: FakeBrowser

    @property
    def page(self) -> Page:
        (page,) = self.browser.pages
        return page


def sign_in(
    sandbox: Sandbox,
    config: Path | None,
    *,
    environment: Mapping[str, str] = SECRET,
    answers: Mapping[str, str | Callable[[str], str]] | None = None,
    browser: FakeBrowser | None = None,
    clock: Clock | None = None,
    on_line: Callable[[str], object] = print,
    **options: Any,
) -> SignedIn:
    """Run `login` against a sandbox; without ``answers``, nobody is at the terminal."""
    terminal = FakeTerminal(answers or {}, interactive=answers is not None, on_line=on_line)
    browser = browser or FakeBrowser()
    machine = Surroundings(clock or SystemClock(), {**DISPLAY, **environment}, terminal, "linux", browser.open)
    given = {"subdomain": "acme", "client_id": "sandbox-client", "api_url": sandbox.url, "config": config and str(config)}
    code = login_on(machine, Namespace(**{**NO_OPTIONS, **given, **options}))
    if browser.addresses and browser.works:
        assert browser.ended.wait(20)
    return SignedIn(code, terminal, browser)
