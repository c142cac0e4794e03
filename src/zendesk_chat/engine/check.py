"""Whether an account can be read: one small request to each kind of endpoint, side by side, and what their answers mean."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from zendesk_chat.api.client import Client
from zendesk_chat.api.transport import Response
from zendesk_chat.clock import Clock
from zendesk_chat.config import CLOCK_TOLERANCE_SECONDS, Config
from zendesk_chat.engine.events import CredentialsRotated, StreamCompleted, StreamFailed
from zendesk_chat.engine.run import SaveCredentials, Task, run
from zendesk_chat.errors import AddressError, AuthError, ConnectorError, UnavailableError
from zendesk_chat.request import Request
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.stream import Batch, Bounds, Fetch, Source, StateBlob, Stream

FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
OK: Final = 200
ADMIN: Final = "Give it the Administrator role and the token the scope `read`, or use a token of an administrator."


STREAMS: Final = Catalog().streams
REQUIRED: Final = tuple(stream.name for stream in STREAMS.values() if stream.extraction is None and not stream.optional)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a check.

    Attributes:
        succeeded: Whether a sync can be expected to work.
        message: What works, what does not, and what to do.
    """

    succeeded: bool
    message: str


def check(
    config: Config,
    connect: Callable[[SaveCredentials], Client],
    clock: Clock,
    stopped: threading.Event,
    save_credentials: Callable[[Mapping[str, Any]], None],
) -> Verdict:
    """Probe every stream once.

    Args:
        config: Valid configuration.
        connect: Makes the client, given what to call with renewed credentials.
        clock: Time.
        stopped: Ends the check early, as in ``run``.
        save_credentials: Given a renewed configuration, before it is used.

    Raises:
        ConfigError: What is to be redacted cannot be.
    """
    now = clock.now()
    if config.start > now + CLOCK_TOLERANCE_SECONDS:
        return Verdict(succeeded=False, message="start_date lies in the future. Choose a date and time that has passed.")
    catalog = Catalog(config.redaction)
    bounds = Bounds(config.start, now)
    clients: list[Client] = []

    def connect_once(save: SaveCredentials) -> Client:
        clients.append(connect(save))
        return clients[0]

    failures: dict[str, ConnectorError] = {}
    answered: set[str] = set()
    tasks = [Task(_probing(stream), None, bounds) for stream in catalog.streams.values() if stream.extraction is None]
    for event in run(tasks, connect_once, clock, stopped, workers=len(tasks)):
        if isinstance(event, StreamFailed):
            failures[event.stream] = event.error
            answered.add(event.stream)
        elif isinstance(event, StreamCompleted):
            answered.add(event.stream)
        elif isinstance(event, CredentialsRotated):
            save_credentials(event.config)
    if len(answered) < len(tasks):
        return Verdict(succeeded=False, message="The check was stopped before Zendesk had answered. Run it again.")
    in_order = {name: failures[name] for name in STREAMS if name in failures}
    verdict = judge(in_order, config.subdomain, clients[0].support_status)
    clock_warning = clients[0].time.warning()
    return replace(verdict, message=" ".join([verdict.message, *catalog.warnings, *([clock_warning] if clock_warning else [])]))


def judge(failures: Mapping[str, ConnectorError], subdomain: str, support: Callable[[], Response | None]) -> Verdict:
    """What the probes' failures mean together.

    Args:
        failures: The error of each stream that could not be read. Streams that an account may lack do not decide anything.
        subdomain: The account, for messages.
        support: Asks Zendesk Support at the same host about the token; only called to tell failures apart.
    """
    of_all = next((error for error in failures.values() if isinstance(error, AuthError | AddressError)), None)
    if of_all:
        return Verdict(succeeded=False, message=str(of_all))
    needed = {name: error for name, error in failures.items() if not STREAMS[name].optional}
    missing = {name: error for name, error in needed.items() if isinstance(error, UnavailableError)}
    if len(missing) == len(REQUIRED) and all(error.status == NOT_FOUND for error in missing.values()):
        return Verdict(succeeded=False, message=_no_chat(subdomain, missing, support()))
    blocked = next((error for error in missing.values() if error.status == FORBIDDEN and not error.by_api), None)
    if blocked:
        return Verdict(succeeded=False, message=str(blocked))
    forbidden = [name for name, error in missing.items() if error.status == FORBIDDEN]
    if "chats" in forbidden or 2 * len(forbidden) >= len(REQUIRED):
        may_not = f"The token works, but its agent may not read {', '.join(forbidden)} (HTTP 403). {ADMIN}"
        return Verdict(succeeded=False, message=may_not)
    broken = next((error for error in needed.values() if not isinstance(error, UnavailableError)), needed.get("chats"))
    if broken:
        return Verdict(succeeded=False, message=str(broken))
    return Verdict(succeeded=True, message=_readable(failures))


def _readable(failures: Mapping[str, ConnectorError]) -> str:
    """What can be read, and what not and why."""
    if not failures:
        return f"All {len(STREAMS)} streams can be read."
    needed = {name: error for name, error in failures.items() if not STREAMS[name].optional}
    others = {name: error for name, error in failures.items() if STREAMS[name].optional}
    absent = {name: error for name, error in others.items() if isinstance(error, UnavailableError)}
    failing = {name: error for name, error in others.items() if name not in absent}
    parts = [f"{len(STREAMS) - len(failures)} of {len(STREAMS)} streams can be read."]
    parts += ["Not available, so deselect:", *_reasons(needed)] if needed else []
    parts += ["Without records, as this account does not have them:", *_reasons(absent)] if absent else []
    parts += ["Not answered just now:", *_reasons(failing)] if failing else []
    return " ".join(parts)


def _reasons(failures: Mapping[str, ConnectorError]) -> list[str]:
    return [f"{name}: {failures[name]}" for name in STREAMS if name in failures]


@dataclass(frozen=True)
class _Probe:
    """A source whose reading is its probe."""

    source: Source[Any]

    def read(self, fetch: Fetch, _positions: Sequence[None], bounds: Bounds) -> Iterator[Sequence[Batch[None]]]:
        request = self.source.probe(bounds)
        fetch(request)
        yield [Batch((), None, 0)]

    def probe(self, bounds: Bounds) -> Request[object]:
        return self.source.probe(bounds)

    def load_state(self, _stream: str, _cursor_field: str, _state: StateBlob) -> None:
        return None

    def dump_state(self, _cursor_field: str, _position: None) -> StateBlob:
        return {}

    def redacted(self, _redaction: object) -> Source[None]:
        return self


def _probing(stream: Stream) -> Stream:
    """The stream with its reading replaced by its probe."""
    return replace(stream, source=_Probe(stream.source), optional=False)


def _no_chat(subdomain: str, missing: Mapping[str, UnavailableError], support: Response | None) -> str:
    """Everything is 404: tell an account without Chat from an address without an account."""
    if support is not None and support.status in {OK, 401, FORBIDDEN}:
        return f"The account {subdomain} has no Zendesk Chat (HTTP 404). Check the subdomain, or activate Chat in the account."
    if not all(error.by_api for error in missing.values()) or (support is not None and support.status in range(300, 400)):
        return f"There is no Zendesk account at the subdomain {subdomain} (HTTP 404). Check the subdomain."
    return (
        f"Nothing is found at the subdomain {subdomain} (HTTP 404): either the subdomain is wrong, or the account has no Chat."
    )
