"""The ``sync`` command: the engine's events into a database."""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console

from source_zendesk_chat.api.client import connect
from source_zendesk_chat.clock import Clock, SystemClock
from source_zendesk_chat.config import ENVIRONMENT, EVERYTHING, Config, OAuth, parse_config
from source_zendesk_chat.engine.events import CredentialsRotated, Event
from source_zendesk_chat.engine.run import Task, run
from source_zendesk_chat.errors import ConfigError, ConnectorError
from source_zendesk_chat.load.destination import open_target
from source_zendesk_chat.load.failures import DestinationError, explained
from source_zendesk_chat.load.loading import load_events
from source_zendesk_chat.load.progress import show_progress
from source_zendesk_chat.load.report import LoadReport, print_report
from source_zendesk_chat.load.tables import stream_table
from source_zendesk_chat.load.transaction import read_states
from source_zendesk_chat.load.views import create_views
from source_zendesk_chat.streams.registry import STREAMS, streams_for
from source_zendesk_chat.streams.stream import Bounds, StateBlob, Stream

HASH_KEY: Final = "ZENDESK_CHAT_HASH_KEY"  # the environment's, for --redact
EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
OPTIONS: Final = {
    "subdomain": "subdomain",
    "start_date": "start_date",
    "end_date": "end_date",
    "api_url": "api_url",
    "token": "access_token",
}


def sync(options: argparse.Namespace, stopped: threading.Event) -> int:
    """Load the account into a database. Returns the exit code."""
    console = Console(stderr=True)
    clock = SystemClock(stopped)
    try:
        raw = gather_config(options, os.environ)
        config = parse_config(raw)
        streams, warnings = streams_for(config.redaction)
        chosen = [streams[name] for name in choose_streams(options.streams)]
        check_storable(config, options.config)
        for warning in warnings:
            console.print(f"warning: {warning}", style="yellow", markup=False, highlight=False, soft_wrap=True)
        report = _load(options, config, chosen, clock, stopped, console)
    except ConnectorError as error:
        usage = isinstance(error, ConfigError) and not isinstance(error, DestinationError)
        console.print(f"error: {error}", markup=False, highlight=False, soft_wrap=True)
        return EXIT_USAGE if usage else EXIT_FAILED
    print_report(report, Console())
    return EXIT_OK if report.complete else EXIT_FAILED


def gather_config(options: argparse.Namespace, environment: Mapping[str, str]) -> dict[str, Any]:
    """The configuration from a file, or from options and environment variables; an option beats the others.

    Raises:
        ConfigError: The file cannot be read, or there is neither file nor token.
    """
    raw = _read_config(options.config) if options.config else {}
    if not options.config:
        raw |= {key: environment[name] for key, name in ENVIRONMENT.items() if environment.get(name)}
    given = {key: getattr(options, option) for option, key in OPTIONS.items() if getattr(options, option)}
    if "access_token" in given:
        raw.pop("credentials", None)
    raw |= given
    if options.redact:
        raw["redact"] = add_redactions(raw.get("redact"), options.redact, environment.get(HASH_KEY))
    raw.setdefault("start_date", EVERYTHING)
    if "subdomain" not in raw or not {"access_token", "credentials"} & raw.keys():
        raise ConfigError(
            "Which account? Give --subdomain and --token, or set ZENDESK_CHAT_SUBDOMAIN and ZENDESK_CHAT_TOKEN, or give "
            "--config FILE."
        )
    return raw


def add_redactions(configured: object, given: Sequence[str], hash_key: str | None) -> dict[str, Any]:
    """The setting ``redact`` with the rules of ``--redact``, each a field and what is done with it.

    Raises:
        ConfigError: A rule is no field and action, one hashes and there is no key, or the setting has no room for rules.
    """
    redact = {} if configured in (None, "") else configured
    listed = redact.get("rules") if isinstance(redact, Mapping) else ""
    if not isinstance(redact, Mapping) or not isinstance(listed, list | None):
        raise ConfigError("redact: must be an object whose `rules` are a list, or --redact could not be added to it.")
    parts = [text.rpartition("=") for text in given]
    if not all(separator for _, separator, _ in parts):
        raise ConfigError("--redact: give a field and an action, such as chats.visitor.email=hash.")
    key = {"hash_key": hash_key} if hash_key else {}
    if any(action == "hash" for _, _, action in parts) and not (key or redact.get("hash_key")):
        raise ConfigError(f"--redact: a hash needs a secret. Set {HASH_KEY} to a text of at least 16 characters, and keep it.")
    return {**redact, **key, "rules": [*(listed or ()), *({"field": field, "action": action} for field, _, action in parts)]}


def choose_streams(text: str | None) -> list[str]:
    """The streams that ``--streams`` names; all where it is not given."""
    if text is None:
        return list(STREAMS)
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in STREAMS]
    if unknown or not names:
        raise ConfigError(
            f"--streams: no such stream: {', '.join(unknown) or 'none is named'}. There are: {', '.join(STREAMS)}."
        )
    return names


def check_storable(config: Config, path: str | None) -> None:
    """Make sure, before any is used up, that renewed tokens can be stored where the old ones came from.

    Raises:
        ConfigError: They cannot.
    """
    if path and isinstance(config.credentials, OAuth) and not os.access(Path(path).parent, os.W_OK):
        raise ConfigError(f"Renewed OAuth tokens could not be stored in {path}: its directory cannot be written.")


def save_config(path: Path, config: Mapping[str, Any]) -> None:
    """Put renewed tokens into the user's file: whole or not at all, and readable by its owner only."""
    text = msgspec.json.format(msgspec.json.encode(config), indent=2) + b"\n"
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # has mode 600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink()
        raise


def _read_config(path: str) -> dict[str, Any]:
    try:
        raw = msgspec.json.decode(Path(path).read_bytes())
    except OSError as error:
        raise ConfigError(f"The config file cannot be read: {path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ConfigError(f"The config file is not valid JSON: {path}") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"The config file must hold a JSON object: {path}")
    return raw


def _load(
    options: argparse.Namespace,
    config: Config,
    streams: Sequence[Stream[Any]],
    clock: Clock,
    stopped: threading.Event,
    console: Console,
) -> LoadReport:
    tables = [stream_table(stream) for stream in streams]
    required = [stream.name for stream in streams] if options.streams else []
    refresh: bool = options.full_refresh
    with open_target(options.to) as target:
        states = {} if refresh else read_states(target)
        events = run(_tasks(streams, states, config, clock), partial(connect, config, clock), clock, stopped)
        with show_progress(console) as observe:
            saved = _saving_credentials(events, options.config)
            report = load_events(saved, tables, target, observe, full_refresh=refresh, required=required)
        if target.connection is not None:
            with explained(f"making the views in {target.name}"):
                create_views(target.connection)
        return report


def _tasks(streams: Sequence[Stream[Any]], states: Mapping[str, StateBlob], config: Config, clock: Clock) -> Iterator[Task]:
    bounds = Bounds(config.start, clock.now(), config.lookback, end=config.end)
    return (Task(stream, states.get(stream.name), bounds) for stream in streams)


def _saving_credentials(events: Iterator[Event], path: str | None) -> Iterator[Event]:
    """Store renewed tokens where the old ones came from, and pass all other events on."""
    for event in events:
        if isinstance(event, CredentialsRotated) and path:
            save_config(Path(path), event.config)
        else:
            yield event
