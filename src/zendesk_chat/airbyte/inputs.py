"""What Airbyte passes in: config, configured catalog and state, each validated with one clear error."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from zendesk_chat.airbyte.messages import Writer
from zendesk_chat.config import Config, parse_config
from zendesk_chat.errors import ConfigError, StateError
from zendesk_chat.json_files import read_json
from zendesk_chat.printable import LONGEST_NAME, escape, printable
from zendesk_chat.secret_mask import secrets_of
from zendesk_chat.streams.stream import StateBlob

NO_CURSOR_MARKERS: Final = frozenset({"__ab_no_cursor_state_message", "__ab_full_refresh_sync_complete"})
NO_CURSOR_STATE: Final[StateBlob] = {"__ab_no_cursor_state_message": True}
RESET: Final = "Pass the state as Airbyte wrote it, or reset it."
NO_LIST: Final = f"The state must be a list of Airbyte state messages. {RESET}"
_PATH: Final = re.compile(r"at `\$\.([^`]+)`$")  # in messages of msgspec


class StreamDescriptor(msgspec.Struct, frozen=True):
    """The name of a stream. This source has no namespaces."""

    name: str


class StreamState(msgspec.Struct, frozen=True):
    """The state of one stream; null after a reset."""

    stream_descriptor: StreamDescriptor
    stream_state: object = None


class GlobalState(msgspec.Struct, frozen=True):
    """The states of all streams, as some clients store them."""

    stream_states: list[StreamState] | None = None


class StateMessage(msgspec.Struct, frozen=True):
    """A state message. One of the fields contains the state. A platform may add the others as null."""

    type: object = None  # STREAM, GLOBAL, LEGACY, STATE; None in old messages
    stream: StreamState | None = None
    global_state: GlobalState | None = msgspec.field(default=None, name="global")
    pyairbyte_global: GlobalState | None = msgspec.field(default=None, name="global_")
    data: dict[str, object] | None = None  # the states by stream, in the oldest form
    state: StateMessage | None = None  # a complete message, in a message of type STATE

    def states(self) -> Iterator[tuple[str, object]]:
        """Yield the name and state of each stream. Raises StateError if there is none although the type requires one."""
        together = self.global_state or self.pyairbyte_global
        if self.type == "STATE" and self.state is not None:
            yield from self.state.states()
        elif self.stream is not None:
            yield self.stream.stream_descriptor.name, self.stream.stream_state
        elif together is not None:
            yield from ((state.stream_descriptor.name, state.stream_state) for state in together.stream_states or ())
        elif self.data is not None:
            yield from self.data.items()
        elif self.type not in (None, "LEGACY"):
            raise StateError(f"A state message of type {str(self.type)[:20]!r} contains no state. {RESET}")


def read_config(path: str, writer: Writer) -> Config:
    """Read the configuration from a file, or raise ConfigError. From now on the writer masks its secrets."""
    raw = read_json(path, "config")
    writer.keep_secret(secrets_of(raw))
    config = parse_config(raw)
    in_cloud = os.environ.get("DEPLOYMENT_MODE", "").upper() == "CLOUD"
    if in_cloud and config.origin != f"https://{config.subdomain}.zendesk.com":
        raise ConfigError("api_url: cannot be set in Airbyte Cloud, which reads https://SUBDOMAIN.zendesk.com only.")
    return config


def require_stdout() -> None:
    """Raise ConfigError unless the platform reads records from stdout."""
    if os.environ.get("DATA_CHANNEL_MEDIUM", "STDIO").upper() != "STDIO":
        raise ConfigError("DATA_CHANNEL_MEDIUM: this connector writes to stdout only. Set it to STDIO or remove it.")


def parse_catalog(raw: object) -> dict[str, bool]:
    """Parse a ConfiguredAirbyteCatalog, or the output of ``discover``: all of its streams, incremental if possible.

    Returns:
        Whether to read each stream incrementally, by its name.

    Raises:
        ConfigError: It is malformed.
    """
    match raw:
        case {"type": "CATALOG", "catalog": {"streams": list(entries)}} | {"streams": list(entries)}:
            configured = [_configured_stream(entry, f"catalog: streams[{number}]") for number, entry in enumerate(entries)]
        case _:
            raise ConfigError(
                "The catalog must be a JSON object with a list `streams`: a configured catalog, or the output of `discover`."
            )
    if len(dict(configured)) < len(configured):
        raise ConfigError("The catalog contains a stream twice.")
    return dict(configured)


def parse_state(raw: object) -> dict[str, StateBlob]:
    """Parse the state of each stream, in any form that a platform, a client or an older connector passes.

    Raises:
        StateError: It is malformed.
    """
    states: dict[str, StateBlob] = {}
    for name, blob in _stream_states(raw):
        if blob is None:
            states.pop(name, None)
        elif not isinstance(blob, Mapping):
            raise StateError(f"The state of {name} must be a JSON object. {RESET}", stream=name)
        else:
            states[name] = blob if NO_CURSOR_MARKERS.isdisjoint(blob) else {}
    return {name: blob for name, blob in states.items() if blob}


def _configured_stream(entry: object, path: str) -> tuple[str, bool]:
    match entry:
        case {"stream": {"name": str(name)}, **other} if name:
            mode = other.get("sync_mode", "full_refresh")
        case {"name": str(name), "supported_sync_modes": list(modes)} if name:  # from `discover`
            mode = "incremental" if "incremental" in modes else "full_refresh"
        case _:
            raise ConfigError(f"{path}: needs `stream.name`.")
    if escape(name) != name:  # otherwise statuses could not repeat it unchanged
        raise ConfigError(f"{path}: the stream name contains control characters: {printable(name, LONGEST_NAME)}")
    if mode not in ("full_refresh", "incremental"):
        raise ConfigError(f"{path}.sync_mode: must be full_refresh or incremental.")
    return name, mode == "incremental"


def _stream_states(raw: object) -> Iterator[tuple[str, object]]:
    """Yield names and states, in order, from any form of state."""
    match raw:
        case None:
            pass
        case list():
            for message in raw:
                yield from _message(message).states()
        case {"stream": dict()} | {"type": "STREAM" | "GLOBAL" | "LEGACY" | "STATE"}:
            yield from _message(raw).states()
        case dict():  # the oldest form: states by stream
            yield from raw.items()
        case _:
            raise StateError(NO_LIST)


def _message(raw: object) -> StateMessage:
    try:
        return msgspec.convert(raw, StateMessage)
    except msgspec.ValidationError as error:
        path = _PATH.search(str(error))
        raise StateError(f"A state message is malformed at `{path[1]}`. {RESET}" if path else NO_LIST) from None
