"""OAuth tokens: renewed once however many ask, and handed over before they are used."""

import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given as given_bytes
from hypothesis.strategies import binary

from tests.support.clock import NOW, FakeClock
from tests.support.http_fakes import Answer, Asker, FakeApi, answer, ok, serving, status, unlimited
from zendesk_chat.api.auth import (
    FixedToken,
    HandOver,
    OAuthTokens,
    TokenSlot,
    TokenSource,
    hand_over,
    rotated_config,
    settle_all,
    token_source,
)
from zendesk_chat.api.body import NoAnswerError
from zendesk_chat.api.client import Client
from zendesk_chat.api.token_endpoint import grant, is_token, lifetime, tokens_in
from zendesk_chat.api.transport import HttpTransport, Response
from zendesk_chat.clock import Stopped, SystemClock
from zendesk_chat.config import OAuth, parse_config
from zendesk_chat.errors import AuthError, ConfigError, NetworkError, ServerError
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
    ("expires_in", "seconds"),
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
        (1e-9, None),
        (9.9, None),
        (10, 10.0),
    ],
)
def test_expires_in(expires_in: object, seconds: float | None) -> None:
    assert lifetime(expires_in) == seconds


@pytest.mark.parametrize(
    "odd",
    [
        {"expires_in": "3600"},
        {"expires_in": []},
        {"expires_in": 10**400},
        {"refresh_token": 5},
        {"refresh_token": None},
        {"scope": ["read"]},
    ],
)
def test_oddities_beside_the_access_token_do_not_cost_the_refresh_token(odd: dict[str, Any]) -> None:
    given = Given([granted(**odd), status(400)])
    assert given.tokens.renew("old-access") is True
    assert given.tokens.token() == "new-access"


REFUSED = "Zendesk no longer renews this OAuth token: its refresh token was used, was revoked or has expired"
WRONG_CLIENT = "Zendesk rejected the OAuth client"
ADVICE = "Correct client_id and client_secret."
WEB_PAGE = b"<!DOCTYPE html><title>Blocked</title>"


@pytest.mark.parametrize(
    ("answer", "kind", "begins", "ends"),
    [
        (status(400, b'{"error":"invalid_grant"}'), AuthError, f"{REFUSED}.", "Authenticate again."),
        (status(401, b'{"error":"invalid_grant"}'), AuthError, f"{REFUSED}.", "Authenticate again."),
        (status(404, b'{"error":"invalid_grant"}'), AuthError, f"{REFUSED}.", "Authenticate again."),
        (status(400), AuthError, f"{REFUSED}, or the client ID or secret is wrong.", "Authenticate again."),
        (status(403, b'{"error":["old-refresh"]}'), AuthError, f"{REFUSED}, or the client", "Authenticate again."),
        (status(400, b'{"error":"old-refresh is used"}'), AuthError, f"{REFUSED}, or the client", "Authenticate again."),
        (status(401, b'{"error":"invalid_client"}'), AuthError, WRONG_CLIENT, ADVICE),
        (status(400, b'{"error":"invalid_scope"}'), AuthError, "This OAuth client cannot request the scope `read`", "again."),
        (
            status(400, b'{"error":"unauthorized_client"}'),
            AuthError,
            "This OAuth client cannot use the grant refresh",
            "client.",
        ),
        (status(404, b'{"error":{"title":"No help desk"}}'), ConfigError, "Zendesk has no OAuth service", "the subdomain."),
        (status(403, WEB_PAGE), ConfigError, "Zendesk's OAuth service returned a web page", "blocks the request."),
        (status(404, WEB_PAGE), ConfigError, "Zendesk's OAuth service returned a web page", "blocks the request."),
    ],
)
def test_a_refusal_names_the_cause_and_is_final(answer: Answer, kind: type[ConfigError], begins: str, ends: str) -> None:
    given = Given([answer, granted()])
    for _ in range(3):
        with pytest.raises(kind) as failed:
            given.tokens.renew("old-access")
        assert str(failed.value).startswith(begins)
        assert str(failed.value).endswith(ends)
        assert "old-refresh" not in f"{failed.value} {failed.value.code}"
        assert failed.value.code in {None, "invalid_grant", "invalid_client", "invalid_scope", "unauthorized_client"}
        assert failed.value.status is not None
    assert len(given.api.forms) == 1
    assert given.rotations == []


@pytest.mark.parametrize("body", [b'{"error":"invalid_client"}', b'{"error":"invalid_grant"}', b"{}", b"", b'{"error":5}'])
def test_a_wrong_secret_of_a_client_without_refresh_token_is_named(body: bytes) -> None:
    given = Given([status(401, body)], OAuth(None, None, "client", "wrong"))
    with pytest.raises(AuthError) as failed:
        given.tokens.token()
    assert str(failed.value) == (
        "Zendesk rejected the OAuth client (HTTP 401). Its client ID or client secret is wrong, or the client was "
        "deleted. Correct client_id and client_secret."
    )


@pytest.mark.parametrize("error", ["unauthorized_client", "unsupported_grant_type"])
def test_a_client_that_may_not_have_tokens_of_its_own_is_an_error(error: str) -> None:
    given = Given([status(400, b'{"error":"%s"}' % error.encode())], OAuth(None, None, "client", "secret"))
    with pytest.raises(AuthError, match=rf"cannot use the grant client_credentials \({error}\)\. Make the client confidential"):
        given.tokens.token()


def cut(received: list[bytes]) -> NoAnswerError:
    """An answer of which only so much came."""
    error = NoAnswerError("the response was incomplete")
    error.received = b"".join(received)
    return error


LOST = [
    (NoAnswerError("the connection broke"), "the connection broke"),
    (cut([b'{"access_token":"new-a']), "the response was incomplete"),
    (status(502), "HTTP 502"),
    (ok(b"<html>"), "HTTP 200"),
]


@pytest.mark.parametrize(("failure", "reason"), LOST)
def test_a_lost_answer_that_used_the_refresh_token_up_is_named(failure: Answer, reason: str) -> None:
    given = Given([failure, status(400, b'{"error":"invalid_grant"}')])
    with pytest.raises(AuthError) as failed:
        given.tokens.renew("old-access")
    assert str(failed.value) == (
        f"The response with the renewed OAuth tokens was lost ({reason}), and Zendesk now rejects the old refresh token. "
        "Authenticate again."
    )


def test_a_wrong_client_is_no_matter_of_lost_answers() -> None:
    given = Given([NoAnswerError("the connection broke"), status(401, b'{"error":"invalid_client"}')])
    with pytest.raises(AuthError, match=WRONG_CLIENT):
        given.tokens.renew("old-access")


def test_an_answer_that_was_lost_long_ago_is_not_blamed() -> None:
    given = Given([status(502), granted("a1", "r1"), status(400, b'{"error":"invalid_grant"}')])
    given.tokens.renew("old-access")
    with pytest.raises(AuthError, match=REFUSED):
        given.tokens.renew("a1")


COMPLETE = b'{"access_token":"new-access","token_type":"Bearer","refresh_token":"new-refresh","scope":"read"}'


@pytest.mark.parametrize("size", range(1, len(COMPLETE) + 1))
def test_a_cut_answer_is_used_as_soon_as_both_tokens_are_in_it(size: int) -> None:
    both = size >= COMPLETE.index(b',"scope')
    given = Given([cut([COMPLETE[:20][:size], COMPLETE[20:size]]), status(400)])
    if both:
        assert given.tokens.renew("old-access") is True
        assert given.rotations == [OAuth("new-access", "new-refresh", "client", "client-secret")]
    else:
        with pytest.raises(AuthError, match="was lost"):
            given.tokens.renew("old-access")


@given_bytes(binary() | binary().map(lambda tail: COMPLETE[:40] + tail))
def test_no_answer_breaks_the_reading_of_tokens(content: bytes) -> None:
    answer = tokens_in(content)
    assert answer is None or is_token(answer.access_token)


@pytest.mark.parametrize("token", ["A\r\nX-Evil: 1", "é", "\u202e", "two words", "", "A" * 20_000])
def test_what_cannot_be_sent_as_a_token_is_none(token: str) -> None:
    given = Given([granted(token), granted(refresh=token)])
    assert given.tokens.renew("old-access") is True
    assert given.rotations == [OAuth("new-access", "old-refresh", "client", "client-secret")]


@pytest.mark.parametrize("number", [408, 409, 425])
def test_a_client_error_that_does_not_concern_tokens_is_retried(number: int) -> None:
    given = Given([status(number, WEB_PAGE), granted()])
    assert given.tokens.renew("old-access") is True


def test_numbers_beyond_all_bounds_are_overlooked() -> None:
    given = Given([ok(b'{"access_token":"new-access","expires_in":1e400,"refresh_token":1e400}')])
    assert given.tokens.renew("old-access") is True
    assert given.rotations == [OAuth("new-access", "old-refresh", "client", "client-secret")]


# Ahead of expiry.

EXPIRING = OAuth("old-access", "old-refresh", "client", "client-secret", NOW + 60)


@pytest.mark.parametrize("failure", [status(503), NoAnswerError("the connection was refused"), status(400)])
def test_an_early_renewal_that_fails_leaves_the_old_token_in_use_until_it_is_refused(failure: Answer) -> None:
    given = Given([failure], EXPIRING)
    assert given.tokens.token() == "old-access"
    asked = len(given.api.forms)
    assert given.tokens.token() == "old-access"
    assert len(given.api.forms) == asked
    with pytest.raises((AuthError, NetworkError, ServerError)):
        given.tokens.renew("old-access")


def test_an_early_renewal_that_failed_is_tried_again() -> None:
    given = Given([status(503), status(503), status(503), granted()], EXPIRING)
    assert given.tokens.token() == "old-access"
    given.clock.time += 61
    assert given.tokens.token() == "new-access"


# The store.


@dataclass
class Store:
    """Notes when it is used."""

    log: list[str]
    stored: OAuth | None = None
    unprepared: ConfigError | None = None
    unsaved: ConfigError | None = None

    @contextmanager
    def prepare(self) -> Iterator[TokenSlot]:
        self.log.append("prepare")
        if self.unprepared:
            raise self.unprepared
        yield TokenSlot(self.stored, self.save)
        self.log.append("left")

    def save(self, renewed: OAuth) -> None:
        self.log.append(f"save {renewed.access_token}")
        if self.unsaved:
            raise self.unsaved


class LoggingApi(FakeApi):
    log: list[str]

    def post_form(self, url: str, form: Mapping[str, str]) -> Response:
        self.log.append(f"post {form.get('refresh_token')}")
        return super().post_form(url, form)


def with_store(credentials: OAuth = OLD, **store: Any) -> tuple[OAuthTokens, list[str]]:
    log: list[str] = []
    api = LoggingApi([ok()], [granted()])
    api.log = log
    return OAuthTokens(credentials, URL, api, FakeClock(), Store(log, **store)), log


def test_the_store_is_ready_before_tokens_are_renewed_and_has_them_before_they_are_used() -> None:
    tokens, log = with_store()
    assert tokens.renew("old-access") is True
    assert log == ["prepare", "post old-refresh", "save new-access", "left"]


def test_nothing_is_renewed_that_could_not_be_stored() -> None:
    tokens, log = with_store(unprepared=ConfigError("read-only"))
    for _ in range(2):
        with pytest.raises(ConfigError, match="read-only"):
            tokens.renew("old-access")
    assert log == ["prepare", "prepare"]
    assert tokens.token() == "old-access"


def test_a_client_that_needs_no_refresh_token_needs_no_store() -> None:
    tokens, log = with_store(OAuth(None, None, "client", "secret"), unprepared=ConfigError("read-only"))
    assert tokens.token() == "new-access"
    assert log == ["prepare", "post None"]


def test_a_used_up_refresh_token_is_not_sent_again_after_its_successor_could_not_be_stored() -> None:
    tokens, log = with_store(unsaved=ConfigError("They are in config.json.new-tokens"))
    for _ in range(2):
        with pytest.raises(ConfigError, match="They are in"):
            tokens.renew("old-access")
    assert log == ["prepare", "post old-refresh", "save new-access"]


def test_tokens_that_could_not_be_stored_are_an_error_also_in_an_early_renewal() -> None:
    tokens, _ = with_store(EXPIRING, unsaved=ConfigError("They are in config.json.new-tokens"))
    with pytest.raises(ConfigError, match="They are in"):
        tokens.token()


def test_tokens_that_another_process_has_renewed_are_used() -> None:
    theirs = replace(OLD, access_token="theirs", refresh_token="their-refresh")
    tokens, log = with_store(stored=theirs)
    assert tokens.renew("old-access") is True
    assert tokens.token() == "theirs"
    assert log == ["prepare", "left"]
    tokens.renew("theirs")
    assert log[2:] == ["prepare", "post their-refresh", "save new-access", "left"]


def test_a_new_refresh_token_beside_the_same_access_token_is_used() -> None:
    tokens, log = with_store(stored=replace(OLD, refresh_token="their-refresh"))
    tokens.renew("old-access")
    assert log == ["prepare", "post their-refresh", "save new-access", "left"]


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
    given.clock.stop()
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


def test_the_end_of_the_process_waits_for_a_renewal_under_way() -> None:
    begun, end, stored = threading.Event(), threading.Event(), threading.Event()

    def save(_: OAuth) -> None:
        begun.set()
        assert end.wait(5)
        stored.set()

    given = Given([granted()], on_rotation=save)
    renewing = threading.Thread(target=given.tokens.renew, args=("old-access",))
    renewing.start()
    assert begun.wait(5)
    threading.Timer(0.1, end.set).start()
    assert settle_all(5) is True
    assert stored.is_set()
    renewing.join(5)
    assert settle_all(5) is False


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


CREDENTIALS = {
    "credentials": "oauth2.0",
    "client_id": "client",
    "client_secret": "client-secret",
    "access_token": "old-access",
    "refresh_token": "old-refresh",
}


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


def test_an_answer_that_is_cut_on_the_wire_behind_its_tokens_is_used() -> None:
    rotations: list[dict[str, Any]] = []

    def script(connection: socket.socket, _: int) -> None:
        connection.sendall(answer(COMPLETE[:-5], length=len(COMPLETE)))
        connection.close()

    with serving(script) as server:
        raw = {"subdomain": "acme", "start_date": "2024-01-01T00:00:00Z", "api_url": server.origin, "credentials": CREDENTIALS}
        _, tokens = connected(raw, rotations)
        assert tokens.renew("old-access") is True
        assert tokens.token() == "new-access"
        assert len(server.heads) == 1
    assert rotations[0]["credentials"]["refresh_token"] == "new-refresh"


def test_an_answer_that_is_cut_on_the_wire_before_its_tokens_is_lost() -> None:
    def script(connection: socket.socket, number: int) -> None:
        if number == 1:
            connection.sendall(answer(COMPLETE[:50], length=len(COMPLETE)))
            connection.close()
        connection.sendall(answer(b'{"error":"invalid_grant"}', "400 Bad Request"))

    with serving(script) as server:
        raw = {"subdomain": "acme", "start_date": "2024-01-01T00:00:00Z", "api_url": server.origin, "credentials": CREDENTIALS}
        _, tokens = connected(raw, [])
        with pytest.raises(AuthError, match=r"was lost \(.*\), and Zendesk now rejects the old refresh token"):
            tokens.renew("old-access")
        assert len(server.heads) == 2
