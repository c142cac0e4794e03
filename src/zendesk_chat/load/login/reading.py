"""Checks that a new token can read the account, and whose token it is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

import msgspec

from zendesk_chat.api.client import ONE_AGENT, Observer, connect
from zendesk_chat.clock import Clock
from zendesk_chat.config import EVERYTHING, Config, parse_config
from zendesk_chat.errors import AuthError, ConfigError, ConnectorError, UnavailableError
from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.request import FEW_ATTEMPTS, Request

ME: Final = Request("agents/me", msgspec.json.Decoder(dict[str, Any]).decode, attempts=FEW_ATTEMPTS)


def config_to_try(subdomain: str, api_url: str | None, token: str) -> Config:
    """Return the configuration that reads an account with a new token."""
    return parse_config({"start_date": EVERYTHING, "subdomain": subdomain, "api_url": api_url, "access_token": token})


def who_reads(config: Config, clock: Clock) -> str:
    """Return the name of the agent who signed in, after one request; and a second one if the agent may not be an administrator.

    Raises:
        ConfigError: The token cannot read the account.
        TransientError: There was no response.
    """
    client = connect(config, clock, lambda _: None)
    agent: Mapping[str, Any] = {}
    with suppress(UnavailableError):  # then the second request shows why
        agent = client.get(ME, Observer())
    if not _is_administrator(agent):
        try:
            client.get(ONE_AGENT, Observer())
        except UnavailableError as error:
            raise _cannot_read(error, name_of(agent), config) from None
    return name_of(agent)


def name_of(agent: Mapping[str, Any]) -> str:
    """Return an agent's name: the one that visitors see, the full name, or the e-mail address."""
    full = " ".join(str(agent[key]) for key in ("first_name", "last_name") if agent.get(key))
    return printable(str(agent.get("display_name") or full or agent.get("email") or "an agent"), LONGEST_NAME)


def _is_administrator(agent: Mapping[str, Any]) -> bool:
    """Return whether the agent certainly is an administrator. This form of the role is deprecated, so it may be missing."""
    roles = agent.get("roles")
    return isinstance(roles, Mapping) and bool(roles.get("administrator") or roles.get("owner"))


def _cannot_read(error: UnavailableError, name: str, config: Config) -> ConnectorError:
    if not error.by_api:
        return error
    if error.status == HTTPStatus.FORBIDDEN:
        return AuthError(
            f"You signed in as {name}, who is not allowed to read the account (HTTP 403). Zendesk Chat lets only "
            "administrators export. Sign out of Zendesk in the browser, and run `zendesk-chat login` again as an "
            "administrator.",
            status=error.status,
        )
    return ConfigError(
        f"The sign-in worked, but the account {config.subdomain} has no Zendesk Chat (HTTP {error.status}). Check the "
        "subdomain, or activate Chat in the account.",
        status=error.status,
    )
