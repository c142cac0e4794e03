"""What answers other than 200 mean, and how much of the server's own words is repeated."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import NOW
from tests.support.http_fakes import TOKEN, status
from zendesk_chat.api.refusals import REASON_LENGTH, error_for, reason_of
from zendesk_chat.api.transport import Response
from zendesk_chat.errors import (
    AddressError,
    AuthError,
    ConnectorError,
    RateLimitedError,
    RequestRejectedError,
    ServerError,
    UnavailableError,
)

NO_ACCOUNT = {"error": {"title": "No help desk at acme.zendesk.com", "message": "There is no help desk configured"}}
EDGE = {"detail": "Rate limited by Zendesk edge protection", "status": "429", "title": "Automated response"}


def refused(number: int, body: object = b"{}", **headers: str) -> ConnectorError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return error_for(status(number, content, **headers), host="acme.zendesk.com", token=TOKEN, now=NOW)


@pytest.mark.parametrize(
    ("number", "body", "kind", "words"),
    [
        (
            400,
            {"error": "Bad Request", "description": "start_time is too recent"},
            RequestRejectedError,
            "start_time is too recent",
        ),
        (
            422,
            {"error": "InvalidValue", "description": "Too recent start_time."},
            RequestRejectedError,
            '"Too recent start_time".',
        ),
        (400, {"error": "Bad Request"}, RequestRejectedError, 'The server says: "Bad Request".'),
        (400, {"message": "no such field"}, RequestRejectedError, "no such field"),
        (401, {"error": "invalid_token", "error_description": "is expired"}, AuthError, "is expired"),
        (401, {"error": "Unauthorized", "description": "could not verify"}, AuthError, "could not verify"),
        (403, {"error": "Forbidden"}, UnavailableError, "Use an administrator's token"),
        (404, {"error": "Not Found"}, UnavailableError, "exclude this one"),
        (404, NO_ACCOUNT, AddressError, "There is no Zendesk account at acme.zendesk.com"),
        (429, EDGE, RateLimitedError, "Rate limited by Zendesk edge protection"),
        (409, {"error": "Conflict"}, ServerError, "HTTP 409"),
        (403, b"<html>no</html>", UnavailableError, "A proxy or firewall blocks acme.zendesk.com"),
        (404, b"<!doctype html>", UnavailableError, "web page"),
    ],
)
def test_each_has_its_error_and_the_servers_reason(number: int, body: object, kind: type[ConnectorError], words: str) -> None:
    error = refused(number, body)
    assert type(error) is kind
    assert words in str(error)
    assert error.status == number


@pytest.mark.parametrize(
    ("body", "by_api"),
    [
        ({"error": "Not Found"}, True),
        ({}, True),
        (b"", True),
        ({"errors": [{"code": "NotFound"}]}, True),
        (b"<html>", False),
        (b"\n  <!DOCTYPE html><title>x</title>", False),
        (EDGE, False),
    ],
)
@pytest.mark.parametrize("number", [403, 404, 410])
def test_a_refusal_is_the_apis_own_or_not(number: int, body: object, by_api: bool) -> None:
    error = refused(number, body)
    assert isinstance(error, UnavailableError)
    assert error.by_api is by_api


def test_a_web_page_is_one_by_its_type_too() -> None:
    error = refused(404, b"Not found", content_type="text/html; charset=utf-8")
    assert isinstance(error, UnavailableError)
    assert not error.by_api


@pytest.mark.parametrize(
    "body",
    [
        b"plain text with a-secret",
        b"<html>a-secret</html>",
        json.dumps({"chats": [{"msg": "a-secret"}]}).encode(),
        json.dumps(["a-secret"]).encode(),
        json.dumps({"data": {"description": "a-secret"}}).encode(),
        json.dumps({"description": ["a-secret"], "error": 5}).encode(),
        json.dumps({"description": "a-secret" * 10_000}).encode(),
        b"[" * 100_000,
    ],
)
def test_nothing_else_of_a_body_is_repeated(body: bytes) -> None:
    assert "a-secret" not in str(refused(400, body))


@given(st.text(max_size=400))
def test_a_reason_is_one_printable_line_of_bounded_length(text: str) -> None:
    reason = reason_of(Response(400, {}, json.dumps({"description": text}).encode()))
    assert len(reason) <= REASON_LENGTH
    assert not {unicodedata.category(char) for char in reason} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert reason == reason.strip()


def test_a_reason_that_repeats_the_token_does_not_show_it() -> None:
    assert TOKEN not in str(refused(401, {"error": f"the token {TOKEN} is wrong"}))
    assert TOKEN not in str(refused(400, {"description": f"Bearer {TOKEN}"}))


@pytest.mark.parametrize(
    ("description", "shown"),
    [
        ("Too recent start_time. Use 1769000000 at most", "Too recent start_time. Use 1769000000 at most"),
        ("use a start_time before 2026-11-28T12:00:00Z.", "use a start_time before 2026-11-28T12:00:00Z"),
        ("refresh marked-refresh-Zx81 is used up", "refresh **** is used up"),
        ("agent jo@acme.example may not", "agent **** may not"),
        ("token abcdefabcdefabcdefabcdefabcdefabcdef", "token ****"),
        ("eyJhbGciOiJIUzI1NiJ9.e30.x", "****"),
    ],
)
def test_what_may_be_a_secret_is_hidden(description: str, shown: str) -> None:
    assert f'The server says: "{shown}".' in str(refused(400, {"description": description}))


def test_the_host_of_a_redirect_is_clean() -> None:
    message = str(refused(302, location="http://a\x1bcb\x9b31m\u202e/"))
    assert message.isprintable()
