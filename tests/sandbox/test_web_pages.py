"""A web page in the user's browser can neither read from the sandbox nor change anything in it."""

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.support.sandbox import API, BEARER, call, get, post, still
from zendesk_chat_sandbox import Fault, Sandbox

JSON = {"Content-Type": "application/json"}
RESET = json.dumps({"chats": 3}).encode()
PATHS = [f"{API}/agents", "/_sandbox/state", "/oauth2/chat/token", "/elsewhere"]


def port_of(sandbox: Sandbox) -> str:
    return sandbox.url.rsplit(":", 1)[1]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "127.0.0.1.evil.example:{port}", ""])
def test_a_rebound_name_reads_nothing(path: str, host: str) -> None:
    with still(20) as sandbox:
        answer = call(sandbox, path, headers=BEARER | {"Host": host.format(port=port_of(sandbox))})
        assert answer.status == 403
        assert answer.json == {
            "error": f"The sandbox responds at 127.0.0.1:{port_of(sandbox)} and localhost:{port_of(sandbox)} only. "
            "The Host header names another address."
        }


def test_a_rebound_name_changes_nothing() -> None:
    with still(20) as sandbox:
        headers = JSON | {"Host": f"evil.example:{port_of(sandbox)}", "Origin": f"http://evil.example:{port_of(sandbox)}"}
        assert call(sandbox, "/_sandbox/reset", "POST", RESET, headers).status == 403
        assert call(sandbox, f"http://evil.example/{API}/agents", headers=BEARER).status == 403
        assert len(sandbox.account.chats) == 20


@pytest.mark.parametrize(
    "sent",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", PATHS)
def test_a_page_of_another_origin_is_refused_and_leaves_no_trace(path: str, sent: dict[str, str]) -> None:
    with still(20) as sandbox:
        sandbox.inject(Fault(kind="status"))
        for method in ("GET", "POST", "OPTIONS", "DELETE"):
            answer = call(sandbox, path, method, RESET if method == "POST" else None, BEARER | JSON | sent)
            assert answer.status == 403
            assert "web pages of another origin" in answer.json["error"]
            assert not [name for name in answer.headers if name.startswith("access-control")]
        assert sandbox.requests == []
        assert call(sandbox, "/_sandbox/faults").json["faults"][0]["fired"] == 0


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
@pytest.mark.parametrize("origin", ["null", "http://evil.example", "https://127.0.0.1:1"])
def test_a_form_of_another_page_changes_nothing(media_type: str | None, origin: str) -> None:
    with still(20) as sandbox:
        sent = {"Origin": origin} | ({} if media_type is None else {"Content-Type": media_type})
        assert call(sandbox, "/_sandbox/reset", "POST", RESET, sent).status == 403
        assert len(sandbox.account.chats) == 20


def test_a_program_may_send_any_content_type() -> None:
    with still(20) as sandbox:
        form = {"Content-Type": "application/x-www-form-urlencoded"}  # as curl -d does
        assert call(sandbox, "/_sandbox/reset", "POST", RESET, form).status == 200


def test_programs_are_served_under_each_name_of_this_machine() -> None:
    with still(20) as sandbox:
        for name in ("127.0.0.1", "localhost", "LOCALHOST", "[::1]"):
            assert get(sandbox, f"{API}/agents").status == 200
            assert call(sandbox, f"{API}/agents", headers=BEARER | {"Host": f"{name}:{port_of(sandbox)}"}).status == 200
        assert post(sandbox, "reset", {"chats": 3}).json["counts"]["chats"] == 3
        own = {"Origin": sandbox.url, "Sec-Fetch-Site": "same-origin"}
        assert call(sandbox, "/_sandbox/state", headers=own).status == 200


def test_urllib_needs_no_more_than_the_content_type() -> None:
    with still(20) as sandbox:
        fault: dict[str, Any] = {"kind": "status", "status": 500}
        request = Request(f"{sandbox.url}/_sandbox/faults", json.dumps(fault).encode(), JSON)
        with urlopen(request) as response:
            assert json.load(response)["faults"][0]["status"] == 500
        assert get(sandbox, f"{API}/agents").status == 500
