"""The ``login`` command: signs a person in, proves that the tokens can read the account, and stores them."""

from __future__ import annotations

import argparse
import os
import secrets
import shlex
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from zendesk_chat.clock import Clock, Stopped
from zendesk_chat.config import ENVIRONMENT, parse_api_url
from zendesk_chat.errors import ConfigError, ConnectorError, ExitCode, exit_code
from zendesk_chat.load.arguments import LOGIN_PORT
from zendesk_chat.load.config_location import default_config
from zendesk_chat.load.configuration import configure, find_sources
from zendesk_chat.load.login.browser import has_browser
from zendesk_chat.load.login.questions import Site, ask_client, ask_subdomain, confirm_other_account, require_answers
from zendesk_chat.load.login.receiver import listening
from zendesk_chat.load.login.session import Session, Surroundings, Target
from zendesk_chat.load.login.sign_in import SignIn
from zendesk_chat.load.login.storing import Stored, origin_of, prove_writable, read_stored, readers
from zendesk_chat.load.login.terminal import StandardTerminal

INTERRUPTED: Final = 130
STATE_BYTES: Final = 24


def login(options: argparse.Namespace, clock: Clock) -> int:
    """Sign in. Returns the exit code; see ``errors.ExitCode``."""
    return login_on(Surroundings(clock, os.environ, StandardTerminal()), options)


def login_on(machine: Surroundings, options: argparse.Namespace) -> int:
    """Sign in on a machine."""
    try:
        return _login(machine, options)
    except (KeyboardInterrupt, Stopped):
        machine.terminal.say()
        machine.terminal.say("Stopped. Nothing was stored.")
        return INTERRUPTED


def _login(machine: Surroundings, options: argparse.Namespace) -> int:
    terminal = machine.terminal
    with ExitStack() as stack:
        try:
            target = _target(machine, options)
            can_open = not options.no_browser and has_browser(machine.platform, machine.environment)
            servers = stack.enter_context(listening(options.port)) if can_open else []
            port = servers[0].server_address[1] if servers else options.port or LOGIN_PORT
            at = Site(target.subdomain, target.origin, port)
            client = ask_client(options, machine.environment, target.stored, at, terminal)
        except ConfigError as error:
            terminal.say(f"error: {error}")
            return ExitCode.USAGE
        state = secrets.token_urlsafe(STATE_BYTES)
        session = Session(
            machine, target, SignIn(target.origin, client.client_id, port, implicit=client.implicit, state=state), client.secret
        )
        try:
            name = session.with_browser(servers) if servers else session.with_paste(chosen=options.no_browser)
        except ConnectorError as error:
            terminal.say(f"error: {error}")
            return exit_code([error])
    _report(machine, target, name, default=not options.config)
    return ExitCode.COMPLETE


def _target(machine: Surroundings, options: argparse.Namespace) -> Target:
    """Return where to sign in and where to store the tokens, after a proof that they can be stored."""
    stored = read_stored(_config_path(options))
    if not machine.terminal.interactive:
        require_answers(options, machine.environment, stored)
    subdomain = ask_subdomain(options, machine.environment, stored, machine.terminal)
    api_url = _api_url(machine, options, stored, subdomain)
    confirm_other_account(stored, subdomain, machine.terminal)
    prove_writable(stored.path, machine.clock)
    if stored.has_credentials:
        machine.terminal.say(f"This sign-in replaces the credentials in {stored.path}.")
    return Target(subdomain, api_url, origin_of(api_url, subdomain), stored)


def _api_url(machine: Surroundings, options: argparse.Namespace, stored: Stored, subdomain: str) -> str | None:
    """Return the server that is given, else the stored one of this account; None for its own. Raises ConfigError."""
    name = ENVIRONMENT["api_url"]
    if given := options.api_url or machine.environment.get(name):
        return parse_api_url(given, "--api-url" if options.api_url else name)
    if stored.subdomain != subdomain or not stored.raw.get("api_url"):
        return None
    api_url = parse_api_url(str(stored.raw["api_url"]), f"api_url in {stored.path}")
    machine.terminal.say(f"The server is {origin_of(api_url, subdomain)}, as in {stored.path}. For another, pass --api-url.")
    return api_url


def _config_path(options: argparse.Namespace) -> Path:
    """Return the file that the person named, or their own."""
    if options.config:
        path = Path(options.config)
        if path.suffix.lower() in {".toml", ".env"} or path.name == ".env":
            raise ConfigError(f"--config {options.config}: login stores JSON. Use a name that ends with .json.")
        return path
    own = default_config()
    if own is None:
        raise ConfigError("You have no home directory to store the configuration in. Pass a file with --config.")
    return own


def _report(machine: Surroundings, target: Target, name: str, *, default: bool) -> None:
    """Print the result: whose account it is, where the configuration is, and what to do next."""
    terminal, path = machine.terminal, target.stored.path
    terminal.result(f"Signed in to {target.subdomain} as {name}.")
    terminal.result(f"The configuration is in {path}. {readers(path)}")
    terminal.result("Next: zendesk-chat sync" if default else f"Next: zendesk-chat sync --config {shlex.quote(str(path))}")
    if default and (other := _used_instead(machine, path)):
        terminal.say(f"warning: {other}")


def _used_instead(machine: Surroundings, path: Path) -> str:
    """Return which other token the commands would use in this directory; empty if they use the stored one."""
    try:
        used = configure(find_sources(argparse.Namespace(), machine.environment)[0])
    except ConfigError as error:
        return str(error)
    except ImportError:  # there is a file .env, and no package to read it: the other commands explain this
        return ""
    if used.store == path:
        return ""
    name = used.names.get("access_token") or used.names.get("credentials")
    return f"{name} is set, and the other commands use it instead. Remove it to use this sign-in."
