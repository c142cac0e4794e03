"""The configuration of the tap, and where renewed tokens are stored."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zendesk_chat.api.auth import TokenSlot, TokenStore
from zendesk_chat.api.config_file import ConfigFile
from zendesk_chat.clock import Clock
from zendesk_chat.config import EVERYTHING, Config, OAuth, parse_config, unknown_keys
from zendesk_chat.errors import ConfigError
from zendesk_chat.json_files import read_json
from zendesk_chat.secret_mask import secrets_of
from zendesk_chat.singer.messages import Writer

# Settings of singer-io's tap that this one does not need.
OLD_SETTINGS: Final = (
    "user_agent",
    "chat_search_interval_days",
    "chats_full_sync_days",
    "agents_page_limit",
    "bans_page_limit",
)
IN_MELTANO: Final = "MELTANO_EXTRACTOR_NAME"  # set by Meltano for an extractor


def read_config(path: str, writer: Writer) -> Config:
    """Read the configuration from a file, or raise ConfigError. Log a warning for each key that has no effect."""
    raw = read_json(path, "config")
    if not isinstance(raw, Mapping):
        raise ConfigError('The config must be a JSON object such as {"subdomain": "acme", "access_token": "..."}.')
    writer.keep_secret(secrets_of(raw))
    given = {"start_date": EVERYTHING} | {key: value for key, value in raw.items() if key not in OLD_SETTINGS}
    config = parse_config(given)
    if old := [key for key in OLD_SETTINGS if key in raw]:
        writer.log("WARNING", f"These settings have no effect in this tap, and you can remove them: {', '.join(old)}.")
    for warning in unknown_keys(given):
        writer.log("WARNING", warning)
    return config


def token_store(config: Config, path: str, clock: Clock) -> TokenStore:
    """Return where renewed tokens are stored: in the configuration file, unless Meltano writes it anew for each run."""
    one_time = isinstance(config.credentials, OAuth) and bool(config.credentials.refresh_token)
    return NoStore(one_time) if IN_MELTANO in os.environ else ConfigFile(Path(path), clock)


@dataclass(frozen=True, slots=True)
class NoStore:
    """Keeps tokens for this run only.

    Attributes:
        one_time: Whether a refresh token is needed to renew them. It works once, so the next run could not start.
    """

    one_time: bool

    @contextmanager
    def prepare(self) -> Iterator[TokenSlot]:
        """Return the slot. Raises ConfigError if the next run would need what this one cannot store."""
        if self.one_time:
            raise ConfigError(
                "credentials.refresh_token: the OAuth tokens must be renewed, but Meltano writes the config file anew for each "
                "run, so the new ones would be lost. Nothing was renewed. Use an access token, or a client_id with a "
                "client_secret and no refresh_token."
            )
        yield TokenSlot(None, lambda _: None)
