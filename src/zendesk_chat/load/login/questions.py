"""What a sign-in needs first: the account, and the API client that the person signs in with.

Options come first, then environment variables. In a terminal, the person is asked for missing values, with
those of the last sign-in as defaults.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from zendesk_chat.api.token_endpoint import is_token
from zendesk_chat.config import ENVIRONMENT, parse_subdomain
from zendesk_chat.errors import ConfigError
from zendesk_chat.load.arguments import LOGIN_PORT
from zendesk_chat.load.login.sign_in import redirect_url
from zendesk_chat.load.login.storing import Stored
from zendesk_chat.load.login.terminal import Terminal
from zendesk_chat.variables import read_secret

CLIENT_ID: Final = "ZENDESK_CHAT_CLIENT_ID"
CLIENT_SECRET: Final = "ZENDESK_CHAT_CLIENT_SECRET"  # noqa: S105  the name of a variable
STEPS: Final = """\
To sign in, you need an API client in your account. If you do not have one yet:
  1. As an administrator, open {account} and choose Chat from the products.
  2. Go to Settings > Account > API & SDKs, and choose Add API client.
  3. Enter any name and company, such as zendesk-chat, and exactly this redirect URL:
       {redirect_url}
  4. Create the client, and copy its client ID and secret. Zendesk shows the secret only once."""
_PAGE: Final = "under Settings > Account > API & SDKs, with the redirect URL "
MOST_ATTEMPTS: Final = 5
NO_SUBDOMAIN: Final = f"No subdomain was entered. Pass --subdomain, or set {ENVIRONMENT['subdomain']}."
NO_CLIENT: Final = f"No client ID was entered. Pass --client-id, or set {CLIENT_ID}."


@dataclass(frozen=True, slots=True)
class ApiClient:
    """An API client of the account.

    Attributes:
        secret: Empty if it has none.
        implicit: Whether it gets a token at once, without a code.
    """

    client_id: str
    secret: str = field(repr=False)
    implicit: bool


@dataclass(frozen=True, slots=True)
class Site:
    """Where the person signs in: the account, its scheme, host and port, and the port of the redirect URL."""

    subdomain: str
    origin: str
    port: int


def require_answers(options: argparse.Namespace, environment: Mapping[str, str], stored: Stored) -> None:
    """Raise a ConfigError that names everything that is missing, where nobody can be asked."""
    subdomain = options.subdomain or environment.get(ENVIRONMENT["subdomain"])
    known = stored.credentials if subdomain in {None, "", stored.subdomain} else {}
    found = {
        ("subdomain", "--subdomain", ENVIRONMENT["subdomain"]): options.subdomain is not None or subdomain or stored.subdomain,
        ("client ID", "--client-id", CLIENT_ID): options.client_id or environment.get(CLIENT_ID) or known.get("client_id"),
    }
    missing = [names for names, value in found.items() if not value]
    if not missing:
        return
    whats, given, variables = (" and ".join(names) for names in zip(*missing, strict=True))
    client = any(what == "client ID" for what, *_ in missing)
    hint = f" Create an API client in the Chat dashboard {_PAGE}{redirect_url(options.port or LOGIN_PORT)}." if client else ""
    raise ConfigError(f"Missing: {whats}. Pass {given}, or set {variables}.{hint}")


def ask_subdomain(options: argparse.Namespace, environment: Mapping[str, str], stored: Stored, terminal: Terminal) -> str:
    """Return the subdomain of the account. Raises ConfigError if it is missing or wrong."""
    name = ENVIRONMENT["subdomain"]
    if options.subdomain is not None:
        return parse_subdomain(options.subdomain, "--subdomain")
    if environment.get(name):
        return parse_subdomain(environment[name], name)
    if not terminal.interactive:
        return stored.subdomain  # `require_answers` has found it
    for _ in range(MOST_ATTEMPTS):
        answer = _ask(terminal, "Subdomain, acme for acme.zendesk.com", stored.subdomain, NO_SUBDOMAIN)
        try:
            return parse_subdomain(answer, "Subdomain")
        except ConfigError as error:
            terminal.say(str(error))
    raise ConfigError("Subdomain: not entered. Pass --subdomain.")


def confirm_other_account(stored: Stored, subdomain: str, terminal: Terminal) -> None:
    """Ask before the credentials of another account are replaced. Raises ConfigError if they must be kept."""
    if not stored.has_credentials or stored.subdomain in {"", subdomain}:
        return
    of = f"{stored.path} has the credentials of another account, {stored.subdomain}"
    if terminal.interactive:
        terminal.say(f"{of}. To keep them, answer no and pass another file with --config.")
        if terminal.ask(f"Replace them with those of {subdomain}? [y/N] ").lower() in {"y", "yes"}:
            return
    raise ConfigError(f"{of}. Pass another file for {subdomain} with --config, or remove this one.")


def ask_client(
    options: argparse.Namespace, environment: Mapping[str, str], stored: Stored, at: Site, terminal: Terminal
) -> ApiClient:
    """Return the API client with which the person signs in there.

    Raises:
        ConfigError: Something is missing or malformed.
    """
    known = stored.credentials if stored.subdomain == at.subdomain else {}
    known_id = str(known.get("client_id") or "")
    given = options.client_id or environment.get(CLIENT_ID) or ""
    steps = STEPS.format(account=at.origin, redirect_url=redirect_url(at.port)).split("\n")
    if not given and terminal.interactive:
        for line in ["", *steps, ""] if not known_id else []:
            terminal.say(line)
        given = _ask(terminal, "Client ID", known_id, NO_CLIENT)
    given = given or known_id
    if not given:
        raise ConfigError(NO_CLIENT)
    client_id = _checked(given, "Client ID")
    secret = "" if options.grant == "implicit" else _secret_in(environment)
    if not secret and options.grant != "implicit":
        secret = _stored_or_asked(str(known.get("client_secret") or "") if client_id == known_id else "", stored, at, terminal)
    if options.grant == "code" and not secret:
        raise ConfigError(f"--grant code needs the client secret. Set {CLIENT_SECRET}, or use --grant implicit.")
    return ApiClient(client_id, _checked(secret, "Client secret") if secret else "", implicit=not secret)


def _stored_or_asked(known: str, stored: Stored, at: Site, terminal: Terminal) -> str:
    """Return the client's secret: the ``known`` one if it is for this server, or what the person enters; "" for none."""
    if known and stored.origin != at.origin:
        if not terminal.interactive:
            raise ConfigError(
                f"The client secret in {stored.path} is for {stored.origin or 'another server'}. Set {CLIENT_SECRET} for "
                f"{at.origin}, or use --grant implicit."
            )
        terminal.say(f"The stored client secret is for {stored.origin or 'another server'}, and stays there.")
        known = ""
    if not terminal.interactive:
        return known
    hint = "[stored]" if known else "(not shown; leave it empty if the client has none)"
    return terminal.ask(f"Client secret {hint}: ", hidden=True) or known


def _secret_in(environment: Mapping[str, str]) -> str:
    """Return the client secret in a variable, or in the file that a variable names; empty if there is none."""
    given, file = environment.get(CLIENT_SECRET) or "", environment.get(f"{CLIENT_SECRET}_FILE")
    if given and file:
        raise ConfigError(f"{CLIENT_SECRET} and {CLIENT_SECRET}_FILE are both set. Remove one of them.")
    return read_secret(file, f"{CLIENT_SECRET}_FILE") if file else given


def _ask(terminal: Terminal, question: str, default: str, missing: str) -> str:
    return terminal.ask(f"{question} [{default}]: " if default else f"{question}: ", missing=missing) or default


def _checked(text: str, name: str) -> str:
    if not is_token(text.strip()):
        raise ConfigError(f"{name}: contains a space or an unusual character. Copy it again, without quotes.")
    return text.strip()
