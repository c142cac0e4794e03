"""What the probes send, and what their failures mean together, as a table."""

import threading
from collections.abc import Mapping
from email.utils import formatdate

import pytest

from tests.support.clock import FakeClock
from tests.support.http_fakes import FakeApi, ok, status, unlimited
from zendesk_chat.api.auth import FixedToken
from zendesk_chat.api.client import Client
from zendesk_chat.api.transport import Response
from zendesk_chat.config import parse_config
from zendesk_chat.engine.check import check, judge
from zendesk_chat.errors import (
    AddressError,
    AuthError,
    ConfigError,
    ConnectorError,
    EnvelopeError,
    NetworkError,
    ServerError,
    UnavailableError,
)
from zendesk_chat.streams.registry import STREAMS

NAMES = tuple(name for name, stream in STREAMS.items() if stream.extraction is None)  # those that are asked for
OPTIONAL = tuple(name for name in NAMES if STREAMS[name].optional)
REQUIRED = tuple(name for name in NAMES if name not in OPTIONAL)
MINOR = tuple(name for name in REQUIRED if name != "chats")
USER = ok(b'{"user":{"id":1}}')


def forbidden(*names: str) -> dict[str, ConnectorError]:
    return {name: UnavailableError(f"{name}-403", status=403) for name in names}


def missing(*names: str, by_api: bool = True) -> dict[str, ConnectorError]:
    return {name: UnavailableError(f"{name}-404", status=404, by_api=by_api) for name in names}


@pytest.mark.parametrize(
    ("failures", "support", "succeeded", "words"),
    [
        ({}, None, True, "All 21 streams can be read."),
        (
            forbidden("accounts"),
            None,
            True,
            "20 of 21 streams can be read. Not available, deselect these: accounts: accounts-403",
        ),
        (missing("goals", "skills"), None, True, "goals: goals-404 skills: skills-404"),
        (missing("goals") | forbidden("accounts"), None, True, "19 of 21"),
        (forbidden("chats"), None, False, "is not allowed to read chats"),
        (forbidden(*MINOR[:6]), None, False, "make its agent an administrator"),
        (forbidden(*NAMES), None, False, "make its agent an administrator"),
        (forbidden(*MINOR[:5]), None, True, "16 of 21"),
        (forbidden(*MINOR[:5], *OPTIONAL), None, True, "12 of 21"),  # which do not count
        (
            forbidden(*OPTIONAL),
            None,
            True,
            "17 of 21 streams can be read. Without records, because this account lacks them: ",
        ),
        (missing("conversions"), None, True, "20 of 21 streams can be read. Without records, because this account lacks them"),
        (
            forbidden("goals", "agent_events"),
            None,
            True,
            "deselect these: goals: goals-403 Without records, because this account lacks them: agent_events: agent_events-403",
        ),
        (missing("chats"), None, False, "chats-404"),
        ({"bans": ServerError("bans-500")}, None, False, "bans-500"),
        (
            {"agent_events": ServerError("events-500")},
            None,
            True,
            "streams can be read. No response right now: agent_events: events-500",
        ),
        ({"bans": EnvelopeError("bans-shape")} | missing("goals"), None, False, "bans-shape"),
        (dict.fromkeys(NAMES, NetworkError("no host")), None, False, "no host"),
        (dict.fromkeys(NAMES, ConfigError("redirects")), None, False, "redirects"),
        ({"bans": AuthError("401")} | missing(*NAMES[:3]), None, False, "401"),
        (dict.fromkeys(NAMES, AuthError("refused")), None, False, "refused"),
        (dict.fromkeys(NAMES, AddressError("no account")), None, False, "no account"),
        ({"goals": UnavailableError("blocked", status=403, by_api=False)}, None, False, "blocked"),
        (missing(*NAMES), status(401), False, "acme has no Zendesk Chat"),
        (missing(*NAMES), status(403), False, "acme has no Zendesk Chat"),
        (missing(*NAMES), USER, False, "acme has no Zendesk Chat"),
        (missing(*REQUIRED), USER, False, "acme has no Zendesk Chat"),
        (missing(*REQUIRED) | forbidden(*OPTIONAL), USER, False, "acme has no Zendesk Chat"),
        (missing(*NAMES, by_api=False), status(404), False, "no Zendesk account at the subdomain acme"),
        (missing(*NAMES), status(302), False, "no Zendesk account at the subdomain acme"),
        (missing(*NAMES), status(404), False, "Check the subdomain, and that the account has Chat"),
        (missing(*NAMES), None, False, "Check the subdomain, and that the account has Chat"),
    ],
)
def test_verdict(failures: dict[str, ConnectorError], support: Response | None, succeeded: bool, words: str) -> None:
    in_order = {name: failures[name] for name in NAMES if name in failures}
    verdict = judge(in_order, "acme", lambda: support)
    assert verdict.succeeded is succeeded
    assert words in verdict.message


@pytest.mark.parametrize("failures", [{}, forbidden("accounts"), {"bans": ServerError("500")}])
def test_support_is_not_asked_without_need(failures: dict[str, ConnectorError]) -> None:
    def refuse() -> Response | None:
        raise AssertionError

    judge(failures, "acme", refuse)


class CountedChecks(FakeClock):
    def __init__(self) -> None:
        super().__init__()
        self.checks = threading.Semaphore(0)

    def check(self) -> None:
        super().check()
        self.checks.release()


def test_only_the_probe_that_corrects_the_clock_is_sent_again() -> None:
    clock = CountedChecks()

    class Held(FakeApi):
        """Holds its first answer until the other probes wait for it: each checks the clock as it begins and as it waits."""

        def get(self, url: str, params: Mapping[str, str | int], token: str) -> Response:
            if not self.urls:
                assert all(clock.checks.acquire(timeout=30) for _ in range(2 * len(NAMES) - 1))
            return super().get(url, params, token)

    api = Held([status(403, date=formatdate(clock.now() - 900, usegmt=True))])
    client = Client("https://a/api", transport=api, tokens=FixedToken("t"), limiter=unlimited(clock), clock=clock)
    config = parse_config({"subdomain": "acme", "start_date": "2026-01-01T00:00:00Z", "access_token": "t"})
    assert not check(config, client, clock).succeeded
    assert len(api.urls) == len(NAMES) + 1
