"""The files that a user passes to the tap: config, catalog and state, also those of singer-io's tap."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from zendesk_chat.api.config_file import ConfigFile
from zendesk_chat.clock import Clock
from zendesk_chat.config import EVERYTHING, Config, OAuth, parse_config, parse_date, unknown_keys
from zendesk_chat.errors import ConfigError
from zendesk_chat.json_files import EmptyFileError, read_json, read_struct
from zendesk_chat.secret_mask import secrets_of
from zendesk_chat.singer.catalog import TapStream
from zendesk_chat.singer.messages import Writer
from zendesk_chat.streams.records import SECOND_US, iso_seconds
from zendesk_chat.streams.stream import StateBlob

# Settings of singer-io's tap that this one does not need.
OLD_KEYS: Final = ("user_agent", "chat_search_interval_days", "chats_full_sync_days", "agents_page_limit", "bans_page_limit")
IN_MELTANO: Final = "MELTANO_EXTRACTOR_NAME"  # set by Meltano for an extractor
OLD_TIMES: Final = ("chat.end_timestamp", "offline_msg.timestamp")
OLD_STATE: Final = "chats: the state is that of singer-io's tap."
MARGIN_SECONDS: Final = 86_400  # that tap searches an index, which may lag


class State(msgspec.Struct, frozen=True):
    """The state as a target stores it: a bookmark for each stream."""

    bookmarks: dict[str, dict[str, Any]] = {}


def read_config(path: str, writer: Writer) -> Config:
    """Read the configuration from a file, or raise ConfigError, also if a key is misspelt.

    Log a warning for each other key that has no effect: Meltano passes all that the user wrote.
    """
    raw = read_json(path, "config")
    if not isinstance(raw, Mapping):
        raise ConfigError('The config must be a JSON object such as {"subdomain": "acme", "access_token": "..."}.')
    writer.mask.keep(secrets_of(raw))
    if misspelt := unknown_keys({key: raw[key] for key in raw if key not in OLD_KEYS}, misspelt=True):
        raise ConfigError(" ".join(misspelt))
    config = parse_config({"start_date": EVERYTHING} | {key: raw[key] for key in raw if key not in OLD_KEYS})
    if old := [key for key in OLD_KEYS if key in raw]:
        writer.log("WARNING", f"These settings have no effect in this tap, and you can remove them: {', '.join(old)}.")
    for warning in unknown_keys(config.raw):
        writer.log("WARNING", warning)
    return config


def token_store(config: Config, path: str, clock: Clock) -> ConfigFile:
    """Return the file that stores renewed tokens. Raises ConfigError if Meltano would lose those that the next run needs."""
    if IN_MELTANO in os.environ and isinstance(config.credentials, OAuth) and config.credentials.refresh_token:
        lost = "It works once, and Meltano writes the config file anew for each run, so the next one would be lost."
        advice = "Use an access token, or a client_id with a client_secret and no refresh_token."
        raise ConfigError(f"credentials.refresh_token: {lost} {advice}")
    return ConfigFile(Path(path), clock)


def read_state(path: str, writer: Writer) -> State:
    """Read a state from a file, or raise ConfigError. Log a warning if it is empty: then no target has stored a state in it."""
    try:
        return read_struct(path, State, "state")
    except EmptyFileError as error:
        what = "Everything since the start date is read. If you have an older state, stop this run and pass that one."
        writer.log("WARNING", f"{error}. {what}")
        return State()


def resume(state: State, stream: TapStream, writer: Writer) -> StateBlob | None:
    """Return the state from which a stream resumes, None for the start date. Log how an old one is understood.

    singer-io's tap keeps two times for chats: the end of the last chat, and the time of the last offline message. A chat that
    it has not read ends after the first time, an offline message comes after the second one, and each is updated then or
    later. So all of them were updated after the earlier time.
    """
    bookmark = {} if stream.full_table else state.bookmarks.get(stream.name, {})
    if bookmark.keys().isdisjoint(OLD_TIMES):
        return bookmark or None
    try:
        earlier = min(parse_date(str(bookmark.get(name)), "state") for name in OLD_TIMES)
    except ConfigError:
        writer.log("INFO", f"{OLD_STATE} It has only one of two times, so everything since the start date is read.")
        return None
    time = iso_seconds(max(0, earlier - MARGIN_SECONDS) * SECOND_US)
    writer.log("INFO", f"{OLD_STATE} Reading what changed since {time}, a day before its earlier time.")
    return {stream.cursor[0]: time}
