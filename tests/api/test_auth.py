"""OAuth tokens: renewed once however many ask, and handed over before they are used."""

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from api.fakes import NOW, Answer, Asker, FakeApi, FakeClock, ok, status, unlimited
from source_zendesk_chat.api.auth import FixedToken, HandOver, OAuthTokens, TokenSource, hand_over, rotated_config, token_source
from source_zendesk_chat.api.body import NoAnswerError
from source_zendesk_chat.api.client import Client
from source_zendesk_chat.api.token_endpoint import grant, lifetime
from source_zendesk_chat.api.transport import HttpTransport
from source_zendesk_chat.clock import Stopped, SystemClock
from source_zendesk_chat.config import OAuth, parse_config
from source_zendesk_chat.errors import AuthError, NetworkError, ServerError
from zendesk_chat_sandbox import EXPIRED_TOKEN, Sandbox, Switches

URL = "https://acme.zendesk.com/oauth2/chat/token"
OLD = OAuth("old-access", "old-refresh", "client", "client-secret")


def granted(access: str = "new-access", refresh: str | None = "new-refresh", **more: Any) -> Answer:
    tokens = {"access_token": access, "token_type": "Bearer"} | ({"refresh_token": refresh} if refresh else {}) | more
    return ok(json.dumps(tokens).encode())


class Given:
    """Tokens over a fake API."""

    def __init__(
        self,
        grants: Iterable[Answer],
        credentials: OAuth = OLD,
        on_rotation: Callable[[OAuth], None] | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.api = FakeApi([ok()], grants)
        self.rotations: list[OAuth] = []
        store = HandOver(on_rotation or self.rotations.append)
        self.tokens = OAuthTokens(credentials, URL, self.api, self.clock, store)


def test_a_fixed_token_is_what_it_is() -> None:
    tokens = FixedToken("fixed")
    assert tokens.token() == "fixed"
    assert tokens.renew("fixed") is False
    tokens.settle(0)


def test_a_valid_token_is_used_as_it_is() -> None:
    given = Given([granted()])
    assert given.tokens.token() == "old-access"
    assert given.api.forms == []


def test_a_refused_token_is_renewed() -> None:
    given = Given([granted()])
    assert given.tokens.renew("old-access") is True
    assert given.tokens.token() == "new-access"
    assert given.api.urls == [URL]
    assert given.api.forms == [
        {
            "grant_type": "refresh_token",
            "refresh_token": "old-refresh",
            "scope": "read",
            "client_id": "client",
            "client_secret": "client-secret",
        }
    ]
    assert given.rotations == [OAuth("new-access", "new-refresh", "client", "client-secret")]


def test_rotation_uses_the_new_refresh_token_the_next_time() -> None:
    given = Given([granted("a1", "r1"), granted("a2", "r2")])
    given.tokens.renew("old-access")
    given.tokens.renew("a1")
    assert [form["refresh_token"] for form in given.api.forms] == ["old-refresh", "r1"]
    assert given.tokens.token() == "a2"


def test_an_answer_without_a_refresh_token_keeps_the_old_one() -> None:
    given = Given([granted(refresh=None)])
    given.tokens.renew("old-access")
    assert given.rotations[0].refresh_token == "old-refresh"


def test_nothing_uses_the_new_token_before_it_is_saved() -> None:
    seen: list[str] = []
    saving, saved = threading.Event(), threading.Event()

    def save(_: OAuth) -> None:
        saving.set()
        assert saved.wait(5)
        seen.append("saved")

    given = Given([granted()], on_rotation=save)
    renewing = threading.Thread(target=given.tokens.renew, args=("old-access",))
    asking = threading.Thread(target=lambda: seen.append(given.tokens.token()))
    renewing.start()
    assert saving.wait(5)
    asking.start()
    asking.join(0.1)
    assert seen == []
    saved.set()
    renewing.join(5)
    asking.join(5)
    assert seen == ["saved", "new-access"]


def test_tokens_that_could_not_be_saved_are_not_used() -> None:
    def fail(_: OAuth) -> None:
        raise Stopped

    given = Given([granted()], on_rotation=fail)
    with pytest.raises(Stopped):
        given.tokens.renew("old-access")
    assert given.tokens.token() == "old-access"


def test_many_threads_renew_once() -> None:
    given = Given([granted()])
    barrier = threading.Barrier(16)
    results: list[bool] = []

    def work() -> None:
        barrier.wait()
        results.append(given.tokens.renew("old-access"))

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert results == [True] * 16
    assert len(given.api.forms) == 1
    assert len(given.rotations) == 1


@pytest.mark.parametrize(
    ("left", "renewed"), [(-1000, True), (0, True), (119, True), (120, True), (121, False), (3600, False), (None, False)]
)
def test_renewed_ahead_of_expiry(left: float | None, renewed: bool) -> None:
    expires_at = None if left is None else NOW + left
    given = Given([granted()], OAuth("old-access", "old-refresh", "client", "client-secret", expires_at))
    assert given.tokens.token() == ("new-access" if renewed else "old-access")


def test_an_expired_token_that_cannot_be_renewed_is_tried_anyway() -> None:
    given = Given([granted()], OAuth("old-access", None, None, None, NOW - 5))
    assert given.tokens.token() == "old-access"
    assert given.tokens.renew("old-access") is False
    assert given.api.forms == []


@pytest.mark.parametrize("life", [30, 60, 100, 240, 7200])
def test_a_short_life_is_not_renewed_with_every_request(life: int) -> None:
    given = Given([granted(expires_in=life)])
    given.tokens.renew("old-access")
    for _ in range(10):
        given.tokens.token()
    assert len(given.api.forms) == 1
    given.clock.time += life - min(120, life / 2)
    given.tokens.token()
    assert len(given.api.forms) == 2


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (None, None),
        (3600, 3600.0),
        (3600.5, 3600.5),
        ("7200", 7200.0),
        (0, None),
        (-5, None),
        ("soon", None),
        ([], None),
        ({}, None),
        ("inf", None),
        ("nan", None),
        (10**400, None),
        (10**12, None),
    ],
)
def test_expires_in(said: object, seconds: float | None) -> None:
    assert lifetime(said) == seconds


@pytest.mark.parametrize(
    "odd", [{"expires_in": "3600"}, {"expires_in": []}, {"refresh_token": 5}, {"refresh_token": None}, {"scope": ["read"]}]
)
def test_oddities_beside_the_access_token_do_not_cost_the_refresh_token(odd: dict[str, Any]) -> None:
    given = Given([granted(**odd), status(400)])
    assert given.tokens.renew("old-access") is True
    assert given.tokens.token() == "new-access"


@pytest.mark.parametrize("number", [400, 401, 403, 404])
def test_a_dead_refresh_token_says_authenticate_again_and_is_not_tried_again(number: int) -> None:
    given = Given([status(number, b'{"error":"invalid_grant"}'), granted()])
    for _ in range(3):
        with pytest.raises(AuthError, match="Authenticate again"):
            given.tokens.renew("old-access")
    assert len(given.api.forms) == 1
    assert given.rotations == []


@pytest.mark.parametrize(
    "failure",
    [
        status(500),
        status(503),
        status(429, retry_after="1"),
        ok(b"<html>"),
        ok(b"{}"),
        ok(b""),
        ok(b'{"access_token":""}'),
        NoAnswerError("the connection broke"),
    ],
    ids=["500", "503", "429", "html", "no token", "empty", "empty token", "reset"],
)
def test_a_fault_of_the_token_endpoint_is_overcome(failure: Answer) -> None:
    given = Given([failure, granted()])
    assert given.tokens.renew("old-access") is True
    assert given.tokens.token() == "new-access"
    assert given.clock.waits == [1.0]


@pytest.mark.parametrize(
    ("failure", "kind"), [(status(500), ServerError), (NoAnswerError("the connection broke"), NetworkError)]
)
def test_a_lasting_fault_is_transient_and_ends_soon(failure: Answer, kind: type[Exception]) -> None:
    given = Given([failure])
    with pytest.raises(kind, match="Run again later"):
        given.tokens.renew("old-access")
    assert len(given.api.forms) == 3
    assert sum(given.clock.waits) == 3


def test_a_run_that_is_to_end_uses_up_no_refresh_token() -> None:
    given = Given([granted()])
    given.clock.stopped.set()
    with pytest.raises(Stopped):
        given.tokens.renew("old-access")
    assert given.api.forms == []


def test_settling_waits_for_the_renewal_under_way_but_not_for_ever() -> None:
    begun, end = threading.Event(), threading.Event()

    def save(_: OAuth) -> None:
        begun.set()
        end.wait(5)

    given = Given([granted()], on_rotation=save)
    renewing = threading.Thread(target=given.tokens.renew, args=("old-access",))
    renewing.start()
    assert begun.wait(5)
    given.tokens.settle(0.01)
    assert renewing.is_alive()
    end.set()
    given.tokens.settle(5)
    renewing.join(5)
    assert given.tokens.token() == "new-access"


def test_client_credentials_need_no_refresh_token() -> None:
    given = Given([granted(refresh=None, expires_in=600)], OAuth(None, None, "client", "client-secret"))
    assert given.tokens.token() == "new-access"
    assert given.api.forms[0]["grant_type"] == "client_credentials"
    assert given.rotations == [OAuth("new-access", None, "client", "client-secret", NOW + 600)]


def test_the_grant_follows_from_what_there_is() -> None:
    assert grant(OLD)["grant_type"] == "refresh_token"
    assert grant(OAuth("a", None, "client", "s"))["grant_type"] == "client_credentials"


def test_a_rotated_config_is_the_users_own_with_the_tokens_replaced() -> None:
    raw = {
        "subdomain": "acme",
        "start_date": "2024-01-01T00:00:00Z",
        "unknown": {"kept": 1},
        "credentials": {
            "credentials": "oauth2.0",
            "access_token": "a",
            "refresh_token": "r",
            "client_id": "c",
            "client_secret": "s",
            "token_expiry_date": "2024-01-01T00:00:00Z",
            "extra": True,
        },
    }
    before = json.dumps(raw)
    config = parse_config(raw)
    rotated = rotated_config(config.raw, OAuth("a2", "r2", "c", "s", 1_795_000_000.9))
    assert json.dumps(raw) == before
    assert rotated["credentials"].pop("token_expiry_date") == "2026-11-18T11:06:40Z"
    assert rotated["credentials"] == {
        "credentials": "oauth2.0",
        "access_token": "a2",
        "refresh_token": "r2",
        "client_id": "c",
        "client_secret": "s",
        "extra": True,
    }
    assert rotated["unknown"] == {"kept": 1}
    parse_config(rotated)
    assert "token_expiry_date" not in rotated_config(config.raw, OAuth("a2", "r2", "c", "s"))["credentials"]


# Against the sandbox, over HTTP.


def oauth_config(sandbox: Sandbox, **credentials: Any) -> dict[str, Any]:
    given = {"credentials": "oauth2.0", "client_id": "sandbox-client", "client_secret": "sandbox-secret", **credentials}
    return {"subdomain": "acme", "start_date": "2024-01-01T00:00:00Z", "api_url": sandbox.url, "credentials": given}


def connected(raw: dict[str, Any], rotations: list[dict[str, Any]]) -> tuple[Client, TokenSource]:
    config, clock = parse_config(raw), SystemClock()
    http = HttpTransport(config.origin, timeout=5, clock=clock, user_agent="test/1")
    tokens = token_source(config, http, clock, hand_over(config, rotations.append))
    client = Client(config.api_url, transport=http, tokens=tokens, limiter=unlimited(FakeClock()), clock=clock)
    return client, tokens


def test_an_expired_token_is_renewed_once_by_many_threads_and_each_gets_its_answer() -> None:
    rotations: list[dict[str, Any]] = []
    answers: list[object] = []
    with Sandbox(chats=5, switches=Switches(rate_limit=0)) as sandbox:
        raw = oauth_config(sandbox, access_token=EXPIRED_TOKEN, refresh_token="sandbox-refresh-token")
        client, _ = connected(raw, rotations)
        threads = [threading.Thread(target=lambda: answers.append(Asker(client).get())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        posts = [request for request in sandbox.requests if request.method == "POST"]
    assert len(answers) == 8
    assert len(posts) == 1
    assert [rotation["credentials"]["access_token"] for rotation in rotations] == ["sandbox-access-1"]
    assert rotations[0]["credentials"]["refresh_token"] == "sandbox-refresh-1"


def test_a_used_refresh_token_is_dead() -> None:
    with Sandbox(chats=5) as sandbox:
        raw = oauth_config(sandbox, access_token=EXPIRED_TOKEN, refresh_token="used-before")
        client, _ = connected(raw, [])
        with pytest.raises(AuthError, match="Authenticate again"):
            Asker(client).get()


def test_client_credentials_over_http() -> None:
    rotations: list[dict[str, Any]] = []
    with Sandbox(chats=5, switches=Switches(token_expires_in=3600)) as sandbox:
        client, _ = connected(oauth_config(sandbox), rotations)
        assert Asker(client).get()
    assert rotations[0]["credentials"]["access_token"] == "sandbox-access-1"
    assert "token_expiry_date" in rotations[0]["credentials"]
