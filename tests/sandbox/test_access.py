"""Who may read what: tokens, roles, OAuth, states of the account and the rate limit."""

from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.sandbox import API, BEARER, NOW_SECONDS, Answer, call, get, local, still
from zendesk_chat_sandbox import AGENT_TOKEN, EXPIRED_TOKEN, SUPPORT_TOKEN, WRITE_TOKEN, Sandbox, Switches

PROBE = f"{API}/agents/me"
SUPPORT = "/api/v2/users/me.json"
TOKEN = "/oauth2/chat/token"


@pytest.mark.parametrize("token", [None, "", "wrong", EXPIRED_TOKEN, SUPPORT_TOKEN])
def test_tokens_that_do_not_open_chat(token: str | None) -> None:
    with still(1) as sandbox:
        answer = get(sandbox, PROBE, token)
        assert answer.status == 401
        assert answer.json["error"] == "invalid_token"
        assert set(answer.json) == {"error", "error_description"}


def test_the_former_host_refused_in_other_words() -> None:
    with still(1, unauthorized_body="zopim") as sandbox:
        assert set(get(sandbox, PROBE, "wrong").json) == {"error", "description"}


def test_an_agent_sees_only_themselves_and_a_write_token_nothing() -> None:
    with still(1) as sandbox:
        assert get(sandbox, PROBE, AGENT_TOKEN).status == 200
        for path in ("agents", "bans", "account", "incremental/chats", "chats", "routing_settings/account"):
            assert get(sandbox, f"{API}/{path}", AGENT_TOKEN).status == 403
        assert get(sandbox, PROBE, WRITE_TOKEN).status == 403


def test_the_help_desk_answers_its_own_tokens_only() -> None:
    with still(1) as sandbox:
        assert get(sandbox, SUPPORT, SUPPORT_TOKEN).json["user"]["role"] == "admin"
        assert get(sandbox, SUPPORT).json["error"] == "invalid_token"
        assert (get(sandbox, SUPPORT, None).status, get(sandbox, SUPPORT).status) == (401, 401)


def test_a_help_desk_without_chat() -> None:
    with still(1, account_state="no_chat") as sandbox:
        answer = get(sandbox, PROBE)
        assert (answer.status, answer.headers["content-type"]) == (404, "application/json")
        assert answer.json["error"] == "Not Found"
        assert get(sandbox, SUPPORT, SUPPORT_TOKEN).status == 200
        assert get(sandbox, SUPPORT).status == 401


@pytest.mark.parametrize("path", [PROBE, SUPPORT, TOKEN, "/"])
def test_an_address_without_a_help_desk(path: str) -> None:
    with still(1, account_state="no_account") as sandbox:
        answer = get(sandbox, path)
        assert answer.status == 404
        assert answer.headers["content-type"].startswith("text/html")
        assert b"no help desk at this address" in answer.body


@pytest.mark.parametrize("path", [PROBE, SUPPORT, TOKEN, "/", f"{API}/incremental/chats"])
def test_a_wrong_subdomain_answers_json_whose_error_is_an_object(path: str) -> None:
    with still(1, account_state="wrong_subdomain") as sandbox:
        answer = get(sandbox, path)
        assert (answer.status, answer.headers["content-type"]) == (404, "application/json")
        assert answer.json["error"]["title"] == "No help desk at sandbox.zendesk.com"
        assert answer.json["error"]["message"].startswith("There is no help desk configured at this address.")


@pytest.mark.parametrize("path", [PROBE, SUPPORT, TOKEN, "/", f"{API}/incremental/chats"])
def test_a_proxy_may_block_every_path_with_a_web_page(path: str) -> None:
    with still(1, account_state="blocked") as sandbox:
        answer = get(sandbox, path)
        assert (answer.status, answer.headers["content-type"]) == (403, "text/html; charset=utf-8")
        assert answer.body.startswith(b"<!DOCTYPE html>")


def test_unknown_paths_and_methods() -> None:
    with still(1) as sandbox:
        for path in (f"{API}/nothing", f"{API}", "/elsewhere", f"{API}/agents/1/2/3"):
            assert get(sandbox, path).status == 404
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert call(sandbox, f"{API}/agents", method).status == 405


def exchange(sandbox: Sandbox, **form: str) -> Answer:
    form = {"client_id": "sandbox-client", "client_secret": "sandbox-secret", **form}
    return call(sandbox, TOKEN, "POST", urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"})


def refresh(sandbox: Sandbox, token: str) -> Answer:
    return exchange(sandbox, grant_type="refresh_token", refresh_token=token)


def test_a_refresh_token_works_once_and_is_rotated() -> None:
    with still(1) as sandbox:
        first = refresh(sandbox, "sandbox-refresh-token")
        assert set(first.json) == {"access_token", "token_type", "scope", "refresh_token"}
        assert get(sandbox, PROBE, first.json["access_token"]).status == 200
        again = refresh(sandbox, "sandbox-refresh-token")
        assert (again.status, again.json["error"]) == (400, "invalid_grant")
        second = refresh(sandbox, first.json["refresh_token"])
        assert second.status == 200
        assert get(sandbox, PROBE, first.json["access_token"]).status == 200


def test_refresh_tokens_may_be_reusable_or_end_the_old_access_token() -> None:
    with still(1, refresh_single_use=False, refresh_revokes_access=True) as sandbox:
        first = refresh(sandbox, "sandbox-refresh-token").json
        assert refresh(sandbox, "sandbox-refresh-token").status == 200
        assert refresh(sandbox, first["refresh_token"]).status == 200
        assert get(sandbox, PROBE, first["access_token"]).status == 401


def test_minted_tokens_expire_on_the_sandboxs_clock() -> None:
    with still(1, token_expires_in=1800) as sandbox:
        minted = exchange(sandbox, grant_type="client_credentials", scope="read").json
        assert (minted["expires_in"], minted["scope"], "refresh_token" in minted) == (1800, "read", False)
        assert get(sandbox, PROBE, minted["access_token"]).status == 200
        sandbox.clock.advance(1800)
        assert get(sandbox, PROBE, minted["access_token"]).status == 401
        assert get(sandbox, PROBE).status == 200


def test_a_code_works_once() -> None:
    with still(1) as sandbox:
        answer = exchange(sandbox, grant_type="authorization_code", code="sandbox-code")
        assert "refresh_token" in answer.json
        assert exchange(sandbox, grant_type="authorization_code", code="sandbox-code").status == 400


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "client_credentials", "client_secret": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "wrong"}, 400, "invalid_grant"),
    ],
)
def test_the_token_endpoint_refuses(form: dict[str, str], status: int, error: str) -> None:
    with still(1) as sandbox:
        answer = exchange(sandbox, **form)
        assert (answer.status, answer.json["error"]) == (status, error)
        assert call(sandbox, TOKEN).status == 405


def test_tokens_can_be_expired_in_process() -> None:
    with still(1) as sandbox:
        sandbox.tokens.expire("sandbox-token")
        assert get(sandbox, PROBE).status == 401


def test_the_rate_limit_slides_over_a_minute() -> None:
    with still(1, rate_limit=3) as sandbox:
        for _ in range(3):
            assert get(sandbox, PROBE).status == 200
            sandbox.clock.advance(10)
        refused = get(sandbox, PROBE)
        assert (refused.status, refused.headers["retry-after"]) == (429, "30")
        assert "requests in a minute" in refused.json["description"]
        assert get(sandbox, PROBE, AGENT_TOKEN).status == 429, "the limit is the account's, not the token's"
        sandbox.clock.advance(29)
        assert get(sandbox, PROBE).status == 429
        sandbox.clock.advance(1)
        assert get(sandbox, PROBE).status == 200
        assert get(sandbox, PROBE).status == 429


def test_retry_after_may_be_a_date_or_absent() -> None:
    with still(1, rate_limit=1, retry_after="date") as sandbox:
        get(sandbox, PROBE)
        date = parsedate_to_datetime(get(sandbox, PROBE).headers["retry-after"])
        assert date.timestamp() == NOW_SECONDS + 60
        sandbox.switch(retry_after="absent")
        assert "retry-after" not in get(sandbox, PROBE).headers


def test_two_hundred_requests_a_minute_is_the_default() -> None:
    assert Switches().rate_limit == 200


def test_the_log_reports_what_was_asked() -> None:
    with still(1) as sandbox:
        get(sandbox, f"{API}/agents", limit=5, since_id=1)
        call(sandbox, "/_sandbox/state")
        get(sandbox, PROBE, "wrong")
        logged: list[Any] = [(entry.method, entry.path, dict(entry.query), entry.status) for entry in sandbox.requests]
        assert logged == [
            ("GET", f"{API}/agents", {"limit": "5", "since_id": "1"}, 200),
            ("GET", PROBE, {}, 401),
        ]


def test_links_follow_the_name_under_which_the_sandbox_is_reached() -> None:
    with still(3) as sandbox:
        port = sandbox.url.rsplit(":", 1)[1]
        page = call(sandbox, f"{API}/incremental/chats", headers=BEARER | {"Host": f"localhost:{port}"}).json
        assert page["next_page"].startswith(f"http://localhost:{port}{API}/incremental/chats?")
        assert local(sandbox, get(sandbox, f"{API}/incremental/chats").json["next_page"])
