"""What Airbyte hands in: config, configured catalog and state, each checked with one clear error."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from zendesk_chat.airbyte.messages import Writer
from zendesk_chat.airbyte.secrets import secrets_of
from zendesk_chat.config import Config, parse_config
from zendesk_chat.errors import ConfigError, StateError
from zendesk_chat.json_files import read_json
from zendesk_chat.printable import LONGEST_NAME, escape, printable
from zendesk_chat.streams.stream import StateBlob

SyncMode = Literal["full_refresh", "incremental"]
SYNC_MODES: Final = ("full_refresh", "incremental")
NO_CURSOR_MARKERS: Final = frozenset({"__ab_no_cursor_state_message", "__ab_full_refresh_sync_complete"})
NO_CURSOR_STATE: Final[StateBlob] = {"__ab_no_cursor_state_message": True}
STATE_TYPES: Final = ("STREAM", "GLOBAL", "LEGACY", "STATE")
RESET: Final = "Give the state as Airbyte wrote it, or reset it."


@dataclass(frozen=True, slots=True)
class ConfiguredStream:
    """A stream that is to be read."""

    name: str
    sync_mode: SyncMode


def read_config(path: str, writer: Writer) -> Config:
    """The configuration in a file; from here on, its secrets are masked.

    Raises:
        ConfigError: Something in it is missing or malformed.
    """
    raw = read_json(path, "config")
    writer.keep_secret(secrets_of(raw))
    config = parse_config(raw)
    in_cloud = os.environ.get("DEPLOYMENT_MODE", "").upper() == "CLOUD"
    if in_cloud and config.origin != f"https://{config.subdomain}.zendesk.com":
        raise ConfigError("api_url: cannot be set in Airbyte Cloud, where only https://SUBDOMAIN.zendesk.com is read.")
    return config


def require_stdout() -> None:
    """Fail where the platform wants records by another way than stdout.

    Raises:
        ConfigError: It does.
    """
    if os.environ.get("DATA_CHANNEL_MEDIUM", "STDIO").upper() != "STDIO":
        raise ConfigError("DATA_CHANNEL_MEDIUM: this connector writes to stdout only; set it to STDIO or leave it out.")


def parse_catalog(raw: object) -> list[ConfiguredStream]:
    """Read a ConfiguredAirbyteCatalog, or the output of ``discover``: all its streams, incrementally where they can.

    Raises:
        ConfigError: It is malformed.
    """
    if isinstance(raw, Mapping) and raw.get("type") == "CATALOG":
        raw = raw.get("catalog")
    streams = raw.get("streams") if isinstance(raw, Mapping) else None
    if not isinstance(streams, list):
        raise ConfigError(
            "The catalog must be a JSON object with a list `streams`: a configured catalog, or the output of `discover`."
        )
    configured = [_configured_stream(entry, f"catalog: streams[{number}]") for number, entry in enumerate(streams)]
    names = [stream.name for stream in configured]
    if len(set(names)) < len(names):
        raise ConfigError("The catalog names a stream twice.")
    return configured


def parse_state(raw: object) -> dict[str, StateBlob]:
    """Read the state of each stream from any form that a platform, client or older connector hands in.

    Raises:
        StateError: It is malformed.
    """
    states: dict[str, StateBlob] = {}
    for name, blob in _stream_states(raw):
        if blob is None:
            states.pop(name, None)
        elif not isinstance(blob, Mapping):
            raise StateError(f"The state of {name} must be a JSON object. {RESET}")
        else:
            states[name] = blob if NO_CURSOR_MARKERS.isdisjoint(blob) else {}
    return {name: blob for name, blob in states.items() if blob}


def _configured_stream(entry: object, place: str) -> ConfiguredStream:
    if isinstance(entry, Mapping) and "stream" not in entry and isinstance(entry.get("supported_sync_modes"), list):
        modes = entry["supported_sync_modes"]
        entry = {"stream": entry, "sync_mode": "incremental" if "incremental" in modes else "full_refresh"}  # of `discover`
    stream = entry.get("stream") if isinstance(entry, Mapping) else None
    name = stream.get("name") if isinstance(stream, Mapping) else None
    if not isinstance(entry, Mapping) or not isinstance(name, str) or not name:
        raise ConfigError(f"{place}: needs `stream.name`.")
    if escape(name) != name:  # it could not be repeated in statuses as it is
        raise ConfigError(f"{place}: the name of the stream holds control characters: {printable(name, LONGEST_NAME)}")
    mode = entry.get("sync_mode", "full_refresh")
    if mode not in SYNC_MODES:
        raise ConfigError(f"{place}.sync_mode: must be full_refresh or incremental.")
    return ConfiguredStream(name, mode)


def _stream_states(raw: object) -> Iterator[tuple[str, object]]:
    """Names and blobs, in order, from every form of state."""
    if raw is None:
        return
    if isinstance(raw, list):
        for message in raw:
            if not isinstance(message, Mapping):
                raise StateError(f"The state must be a list of Airbyte state messages. {RESET}")
            yield from _from_message(message)
    elif isinstance(raw, Mapping):
        yield from _from_message(raw) if _is_message(raw) else raw.items()
    else:
        raise StateError(f"The state must be a list of Airbyte state messages. {RESET}")


def _is_message(raw: Mapping[str, Any]) -> bool:
    """Whether an object is a state message rather than a dictionary of streams, which is the oldest form."""
    return raw.get("type") in STATE_TYPES or isinstance(raw.get("stream"), Mapping)


def _from_message(message: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    if isinstance(message.get("state"), Mapping) and message.get("type") == "STATE":
        message = message["state"]
    global_state = message.get("global") or message.get("global_")  # PyAirbyte writes the latter
    if isinstance(message.get("stream"), Mapping):
        yield _from_stream(message["stream"])
    elif isinstance(global_state, Mapping) and isinstance(states := global_state.get("stream_states") or [], list):
        for state in states:
            yield _from_stream(state)
    elif isinstance(message.get("data"), Mapping):
        yield from message["data"].items()
    elif message.get("data") is not None or message.get("type") not in (None, "LEGACY"):
        raise StateError(f"A state message of type {str(message.get('type'))[:20]!r} holds no state. {RESET}")


def _from_stream(state: object) -> tuple[str, object]:
    descriptor = state.get("stream_descriptor") if isinstance(state, Mapping) else None
    name = descriptor.get("name") if isinstance(descriptor, Mapping) else None
    if not isinstance(state, Mapping) or not isinstance(name, str):
        raise StateError(f"A state message lacks `stream_descriptor.name`. {RESET}")
    return name, state.get("stream_state")
