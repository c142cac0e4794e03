"""The authorize page of the sandbox: whom it trusts, what it asks, and how it sends the browser back."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from tests.support.sandbox import API, Answer, call, get, still
from zendesk_chat_sandbox import Sandbox
from zendesk_chat_sandbox.authorize import AUTHORIZE_PATH
from zendesk_chat_sandbox.oauth import TOKEN_PATH

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ASKED = {
    "response_type": "code",
    "client_id": "sandbox-client",
    "redirect_uri": "http://localhost:8790",
    "scope": "read",
    "state": "s t&te",
}


def ask(sandbox: Sandbox, **changes: str) -> Answer:
    return get(sandbox, AUTHORIZE_PATH, None, **{**ASKED, **changes})


def decide(sandbox: Sandbox, **changes: str) -> Answer:
    return call(sandbox, AUTHORIZE_PATH, "POST", urlencode({**ASKED, "decision": "allow", **changes}).encode(), FORM)


def exchange(sandbox: Sandbox, code: str, **changes: str) -> Answer:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "redirect_uri": ASKED["redirect_uri"],
        "scope": "read",
    }
    return call(sandbox, TOKEN_PATH, "POST", urlencode({**form, **changes}).encode(), FORM)


def answer_in(answer: Answer) -> dict[str, Any]:
    """The fields with which the browser is sent back, and where they are."""
    assert answer.status == 302
    parts = urlsplit(answer.headers["location"])
    assert f"{parts.scheme}://{parts.netloc}" == ASKED["redirect_uri"]
    where = "query" if parts.query else "fragment"
    return {"in": where, **dict(parse_qsl(getattr(parts, where)))}


def test_the_page_asks_and_changes_nothing() -> None:
    with still(5) as sandbox:
        answer = ask(sandbox, client_id="sandbox-client", state='"><script>x()</script>')
        page = answer.body.decode()
        assert answer.status == 200
        assert "<script>" not in page
        assert "width: min(28rem, 100% - 2rem);" in page
        assert "&quot;&gt;&lt;script&gt;" in page
        assert 'value="allow"' in page
        assert 'value="deny"' in page
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert sandbox.tokens.minted == 0


def test_a_code_works_once_for_its_client_and_redirect_url() -> None:
    with still(5) as sandbox:
        sent = answer_in(decide(sandbox))
        assert sent == {"in": "query", "code": "sandbox-code-1", "state": "s t&te"}
        tokens = exchange(sandbox, sent["code"]).json
        assert tokens["scope"] == "read"
        assert get(sandbox, f"{API}/agents", tokens["access_token"], limit=1).status == 200
        assert exchange(sandbox, sent["code"]).json["error"] == "invalid_grant"
        another = answer_in(decide(sandbox))["code"]
        assert exchange(sandbox, another, redirect_uri="http://localhost:1").json["error"] == "invalid_grant"


def test_a_code_expires() -> None:
    with still(5) as sandbox:
        code = answer_in(decide(sandbox))["code"]
        sandbox.clock.advance(601)
        assert exchange(sandbox, code).json["error"] == "invalid_grant"


def test_the_implicit_grant_puts_the_token_into_the_fragment() -> None:
    with still(5, token_expires_in=3600) as sandbox:
        sent = answer_in(decide(sandbox, response_type="token"))
        assert sent["in"] == "fragment"
        assert (sent["token_type"], sent["expires_in"], sent["state"]) == ("Bearer", "3600", "s t&te")
        assert get(sandbox, f"{API}/agents", sent["access_token"], limit=1).status == 200


def test_an_agent_who_signs_in_stays_an_agent_after_a_renewal() -> None:
    with still(5) as sandbox:
        tokens = exchange(sandbox, answer_in(decide(sandbox, role="agent"))["code"]).json
        assert get(sandbox, f"{API}/agents", tokens["access_token"]).status == 403
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        renewed = exchange(sandbox, "", **form).json["access_token"]
        assert get(sandbox, f"{API}/agents", renewed).status == 403


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"decision": "deny"}, "access_denied"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"scope": "write"}, "invalid_scope"),
    ],
)
def test_a_refusal_goes_back_to_the_client(changes: dict[str, str], error: str) -> None:
    with still(5) as sandbox:
        assert answer_in(decide(sandbox, **changes)) == {"in": "query", "error": error, "state": "s t&te"}
        assert sandbox.tokens.minted == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "unknown"},
        {"redirect_uri": "https://evil.example"},
        {"redirect_uri": "http://localhost.evil.example:8790"},
        {"redirect_uri": "http://localhost:8790#x"},
        {"redirect_uri": "http://[::1"},
    ],
)
def test_an_unknown_client_or_redirect_url_sends_the_browser_nowhere(changes: dict[str, str]) -> None:
    with still(5) as sandbox:
        for answer in (ask(sandbox, **changes), decide(sandbox, **changes)):
            assert answer.status == 400
            assert "location" not in answer.headers


def test_a_client_can_have_registered_one_redirect_url() -> None:
    with still(5) as sandbox:
        sandbox.tokens.redirect_urls["sandbox-client"] = frozenset({"http://localhost:8080"})
        assert ask(sandbox).status == 400
        assert ask(sandbox, redirect_uri="http://localhost:8080").status == 200


def test_switches_answer_without_asking() -> None:
    with still(5, authorize="allow", authorize_role="agent") as sandbox:
        code = parse_qs(urlsplit(ask(sandbox).headers["location"]).query)["code"][0]
        assert get(sandbox, f"{API}/agents", exchange(sandbox, code).json["access_token"]).status == 403
        sandbox.switch(authorize="deny")
        assert answer_in(ask(sandbox))["error"] == "access_denied"
