"""Whether an account can be read: one small request to each endpoint, concurrently, and what the responses mean together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Final

from zendesk_chat.api.client import Client, Observer
from zendesk_chat.api.transport import Response
from zendesk_chat.clock import POLL_SECONDS, Clock, Stopped
from zendesk_chat.config import CLOCK_TOLERANCE_SECONDS, Config
from zendesk_chat.engine.first_request import FirstRequest
from zendesk_chat.engine.threads import SETTLE_SECONDS, error_of, start_threads
from zendesk_chat.errors import AddressError, AuthError, ConnectorError, TransientError, UnavailableError
from zendesk_chat.streams.catalog import Catalog
from zendesk_chat.streams.stream import Bounds, Stream

ADMIN: Final = "Use an administrator's token with the scope `read`, or make its agent an administrator."

_STOPPED: Final = "The check was stopped before Zendesk responded. Run it again."
STREAMS: Final = Catalog().streams
REQUIRED: Final = tuple(stream.name for stream in STREAMS.values() if stream.extraction is None and not stream.optional)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a check: whether a sync is expected to work, what works, what does not, and what to do.

    ``retry``: whether the same check may succeed later without any change.
    """

    succeeded: bool
    message: str
    retry: bool = False


def check(config: Config, client: Client, clock: Clock) -> Verdict:
    """Probe every endpoint once. Raises ConfigError if a field that the user wants to redact cannot be redacted.

    Args:
        config: A valid configuration.
        client: The account's API. It stores renewed credentials itself.
        clock: Ends every wait when it is stopped. This function stops it at the end.
    """
    now = clock.now()
    if config.start > now + CLOCK_TOLERANCE_SECONDS:
        return Verdict(succeeded=False, message="start_date is in the future. Choose a date and time that has passed.")
    catalog = Catalog(config.redaction)
    streams = [stream for stream in catalog.streams.values() if stream.extraction is None]
    probes = _Probes(client, clock, Bounds(config.start, now), streams)
    if not probes.make():
        return Verdict(succeeded=False, message=_STOPPED, retry=True)
    failures = {name: error for name in STREAMS if (error := probes.errors.get(name))}
    verdict = judge(failures, config.subdomain, client.support_status)
    messages = [verdict.message, *catalog.warnings, client.time.warning()]
    return replace(verdict, message=" ".join(filter(None, messages)))


class _Probes(Observer):
    """One small request for each stream, concurrently.

    Attributes:
        errors: The result of each finished probe, by stream: an error, or None for a stream that can be read.
    """

    def __init__(self, client: Client, clock: Clock, bounds: Bounds, streams: Sequence[Stream]) -> None:
        self.errors: dict[str, ConnectorError | None] = {}
        self._client = client
        self._clock = clock
        self._bounds = bounds
        self._pending = deque(streams)
        self._first_request = FirstRequest(clock, answered=client.has_answered)

    def account_answered(self) -> None:
        """Let the other probes start."""
        self._first_request.account_answered()

    def make(self) -> bool:
        """Run all probes. Returns whether all have ended; they have not if the clock was stopped."""
        count = len(self._pending)
        try:
            threads = start_threads(self._work, count)
            for thread in threads:
                while thread.is_alive() and not self._clock.stopped:
                    thread.join(POLL_SECONDS)
        finally:
            self._clock.stop()
            self._client.settle(SETTLE_SECONDS)  # otherwise tokens that are being renewed would be lost
        return len(self.errors) == count

    def _work(self) -> None:
        with suppress(Stopped, IndexError):
            while True:
                self._clock.check()
                stream = self._pending.popleft()
                self.errors[stream.name] = error_of(stream.name, partial(self._probe, stream))

    def _probe(self, stream: Stream) -> None:
        """Probe a stream, and once more if the response is the one that corrects the clock."""
        with self._first_request.turn():
            ahead = self._client.time.ahead
            try:
                self._send(stream)
            except ConnectorError:
                if ahead == self._client.time.ahead:
                    raise
            if ahead != self._client.time.ahead:
                self._send(stream)

    def _send(self, stream: Stream) -> None:
        bounds = replace(self._bounds, now=self._bounds.now - self._client.time.ahead)
        self._client.get(stream.source.probe(bounds), self)


def judge(failures: Mapping[str, ConnectorError], subdomain: str, support: Callable[[], Response | None]) -> Verdict:
    """Return what the failures of the probes mean together.

    Args:
        failures: The error of each stream that could not be read. Streams that an account may lack decide nothing.
        subdomain: For messages.
        support: Sends the token to Zendesk Support on the same host, if nothing is found.
    """
    of_all = next((error for error in failures.values() if isinstance(error, AuthError | AddressError)), None)
    if of_all:
        return Verdict(succeeded=False, message=str(of_all))
    needed = {name: error for name, error in failures.items() if not STREAMS[name].optional}
    missing = {name: error for name, error in needed.items() if isinstance(error, UnavailableError)}
    if len(missing) == len(REQUIRED) and all(error.status == HTTPStatus.NOT_FOUND for error in missing.values()):
        return Verdict(succeeded=False, message=_no_chat(subdomain, missing, support()))
    blocked = next((error for error in missing.values() if error.status == HTTPStatus.FORBIDDEN and not error.by_api), None)
    if blocked:
        return Verdict(succeeded=False, message=str(blocked))
    forbidden = [name for name, error in missing.items() if error.status == HTTPStatus.FORBIDDEN]
    if "chats" in forbidden or 2 * len(forbidden) >= len(REQUIRED):
        may_not = f"The token works, but its agent is not allowed to read {', '.join(forbidden)} (HTTP 403). {ADMIN}"
        return Verdict(succeeded=False, message=may_not)
    broken = next((error for error in needed.values() if not isinstance(error, UnavailableError)), needed.get("chats"))
    if broken:
        return Verdict(succeeded=False, message=str(broken), retry=isinstance(broken, TransientError))
    return Verdict(succeeded=True, message=_readable(failures))


def _readable(failures: Mapping[str, ConnectorError]) -> str:
    """Describe which streams can be read, which cannot, and why."""
    if not failures:
        return f"All {len(STREAMS)} streams can be read."
    needed = {name: error for name, error in failures.items() if not STREAMS[name].optional}
    others = {name: error for name, error in failures.items() if STREAMS[name].optional}
    absent = {name: error for name, error in others.items() if isinstance(error, UnavailableError)}
    failing = {name: error for name, error in others.items() if name not in absent}
    parts = [f"{len(STREAMS) - len(failures)} of {len(STREAMS)} streams can be read."]
    parts += ["Not available, deselect these:", *_reasons(needed)] if needed else []
    parts += ["Without records, because this account lacks them:", *_reasons(absent)] if absent else []
    parts += ["No response right now:", *_reasons(failing)] if failing else []
    return " ".join(parts)


def _reasons(failures: Mapping[str, ConnectorError]) -> list[str]:
    return [f"{name}: {failures[name]}" for name in STREAMS if name in failures]


def _no_chat(subdomain: str, missing: Mapping[str, UnavailableError], support: Response | None) -> str:
    """Return the verdict if every response is 404. Distinguish an account without Chat from an address without an account."""
    if support is not None and support.status in {HTTPStatus.OK, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return f"The account {subdomain} has no Zendesk Chat (HTTP 404). Check the subdomain, or activate Chat in the account."
    if not all(error.by_api for error in missing.values()) or (support is not None and support.status in range(300, 400)):
        return f"There is no Zendesk account at the subdomain {subdomain} (HTTP 404). Check the subdomain."
    return f"Found no Zendesk Chat at the subdomain {subdomain} (HTTP 404). Check the subdomain, and that the account has Chat."
