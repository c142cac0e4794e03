"""docs/login.md quotes the messages of `login`, all of them, and its examples are what the command prints."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.support.sandbox import call, still
from zendesk_chat.cli import make_parser
from zendesk_chat.load.arguments import LOGIN_PORT
from zendesk_chat.load.login.questions import STEPS
from zendesk_chat.load.login.sign_in import AUTHORIZE_PATH, SignIn, redirect_url

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/login.md").read_text()
TROUBLES = PAGE.split("## If it does not work")[1]
FRAGMENTS = [text for row in re.findall(r"^\| (`.*?`) \|", TROUBLES, re.MULTILINE) for text in re.findall(r"`([^`]+)`", row)]
RAISED = {"AuthError", "ConfigError", "ServerError", "TransientError", "UnusableAnswerError", "remark"}


def template(node: ast.expr) -> str:
    """Return a string of the code, with dots for inserted values; "" if it is something else."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(template(part) if isinstance(part, ast.Constant) else "..." for part in parts)
    return ""


def strings(tree: ast.AST) -> Iterator[str]:
    yield from (template(node) for node in ast.walk(tree) if isinstance(node, ast.expr))


TREES = [ast.parse(path.read_text()) for path in sorted((ROOT / "src/zendesk_chat/load/login").glob("*.py"))]
STRINGS = {text for tree in TREES for text in strings(tree) if text}


def messages() -> Iterator[str]:
    """Return the messages of the errors that `login` raises itself."""
    for node in (node for tree in TREES for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in RAISED and node.args and len(text := template(node.args[0])) > len("..."):
            yield text


def occurs(fragment: str, text: str) -> bool:
    return re.search(".*?".join(map(re.escape, fragment.split("..."))), text, re.DOTALL) is not None


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_the_code_has_each_quoted_message(fragment: str) -> None:
    written = fragment.replace("5 minutes", "...minutes")
    assert any(occurs(written, text) for text in STRINGS)


NOT_TROUBLES = (
    "The config file must contain",  # docs/troubleshooting.md has those of configuration files
    "ZENDESK_CHAT_CLIENT_SECRET",
    "You have no home directory",
    "...: ...",
    ".... Pass another file",  # the row has how it starts
    "--config ...: login stores JSON",
    "What was entered is not valid UTF-8",
    "Subdomain: not entered",
    "... and ..._FILE are both set",
)


@pytest.mark.parametrize("message", sorted(set(messages())))
def test_every_message_is_explained_or_explains_itself(message: str) -> None:
    assert any(occurs(fragment, message) for fragment in FRAGMENTS) or message.startswith(NOT_TROUBLES)


def test_messages_are_found_at_all() -> None:
    assert len(set(messages())) >= 20
    assert len(FRAGMENTS) >= 20


def test_the_steps_are_those_that_the_command_prints() -> None:
    assert STEPS.format(account="https://acme.zendesk.com", redirect_url=redirect_url(LOGIN_PORT)) in PAGE


def test_each_option_is_described() -> None:
    table = PAGE.split("| option | meaning |")[1].split("\n\n")[0]
    options = {name for action in make_parser().commands["login"].actions for name in action.option_strings}
    assert set(re.findall(r"`(--[a-z-]+)", table)) == options - {"-h", "--help"}


def test_the_manual_way_is_that_of_the_command() -> None:
    (address,) = re.findall(r"https://acme\S+response_type=token\S+", PAGE)
    sign_in = SignIn("https://acme.zendesk.com", "CLIENT_ID", LOGIN_PORT, implicit=True, state="")
    assert parse_qs(urlsplit(address).query) == parse_qs(urlsplit(sign_in.address).query)
    assert urlsplit(address).path == AUTHORIZE_PATH
    (command,) = re.findall(r"^\$ (curl .*)", PAGE, re.MULTILINE)
    _, url, *options = shlex.split(command)
    form = dict(option.split("=", 1) for option in options[1::2])
    values = {"CODE": "sandbox-code", "CLIENT_ID": "sandbox-client", "CLIENT_SECRET": "sandbox-secret"}
    body = urlencode({name: values.get(value, value) for name, value in form.items()}).encode()
    with still(5) as sandbox:
        answer = call(sandbox, urlsplit(url).path, "POST", body, {"Content-Type": "application/x-www-form-urlencoded"})
    shown = re.findall(r"^\{.*\}", PAGE, re.MULTILINE)[0]
    assert answer.json.keys() == json.loads(shown).keys()
