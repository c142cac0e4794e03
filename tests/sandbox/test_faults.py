"""Every fault does on the wire what it says."""

import gzip
import http.client
import json
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from sandbox.client import API, BEARER, NOW_SECONDS, call, get, raw, small, unzipped
from zendesk_chat_sandbox import Fault

AGENTS = f"{API}/agents"


def split(received: bytes) -> tuple[bytes, bytes]:
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body


def length_of(head: bytes) -> int:
    return int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])


def test_status_with_retry_after_and_body() -> None:
    with small(1) as sandbox:
        sandbox.inject(
            Fault(kind="status", status=502, times=1),
            Fault(kind="status", status=429, retry_after=7, body='{"error": "slow down"}'),
            Fault(kind="status", retry_after=7, retry_after_form="date", headers={"X-Edge": "a"}),
        )
        first, second, third, fourth = (get(sandbox, AGENTS) for _ in range(4))
        assert (first.status, first.json["error"]) == (502, "Bad Gateway")
        assert (second.status, second.headers["retry-after"], second.json) == (429, "7", {"error": "slow down"})
        assert (third.status, third.headers["x-edge"]) == (503, "a")
        assert parsedate_to_datetime(third.headers["retry-after"]).timestamp() == NOW_SECONDS + 7
        assert fourth.status == 200


def test_faults_match_path_method_and_query() -> None:
    with small(1) as sandbox:
        sandbox.inject(Fault(kind="status", path="*/agents", method="GET", query="*since_id=5*", times=None))
        assert get(sandbox, AGENTS).status == 200
        assert get(sandbox, f"{AGENTS}/me", since_id=5).status == 200
        assert get(sandbox, AGENTS, since_id=5).status == 503
        assert get(sandbox, AGENTS, since_id=5).status == 503
        sandbox.clear_faults()
        assert get(sandbox, AGENTS, since_id=5).status == 200


def test_faults_count_their_requests() -> None:
    with small(1) as sandbox:
        sandbox.inject(Fault(kind="status", after=1, every=2, times=2))
        assert [get(sandbox, AGENTS).status for _ in range(7)] == [200, 200, 503, 200, 503, 200, 200]


def test_html_empty_body_and_redirect() -> None:
    with small(1) as sandbox:
        sandbox.inject(
            Fault(kind="html"),
            Fault(kind="empty"),
            Fault(kind="body", body="null"),
            Fault(kind="redirect", location="https://elsewhere.example.com/x"),
        )
        html, empty, null, redirect = (get(sandbox, AGENTS) for _ in range(4))
        assert (html.status, html.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert html.body.startswith(b"<!DOCTYPE html>")
        assert (empty.status, empty.body) == (200, b"")
        assert (null.status, null.body) == (200, b"null")
        assert (redirect.status, redirect.headers["location"]) == (302, "https://elsewhere.example.com/x")


def test_reset_before_headers_and_inside_the_body() -> None:
    with small(1) as sandbox:
        sandbox.inject(Fault(kind="reset"), Fault(kind="reset_body", size=1000))
        assert raw(sandbox, AGENTS) == (b"", "reset")
        received, end = raw(sandbox, AGENTS)
        head, body = split(received)
        assert end == "reset"
        assert len(body) <= 1000 < length_of(head) or not received
        assert get(sandbox, AGENTS).status == 200
        assert [entry.status for entry in sandbox.requests] == [0, 0, 200]


def test_hang_before_headers_and_inside_the_body() -> None:
    with small(1) as sandbox:
        sandbox.inject(Fault(kind="hang"), Fault(kind="hang_body", size=10), Fault(kind="hang", seconds=0.02))
        assert raw(sandbox, AGENTS, first=0.03) == (b"", "silent")
        received, end = raw(sandbox, AGENTS, later=0.03)
        assert end == "silent"
        assert len(split(received)[1]) == 10
        assert raw(sandbox, AGENTS) == (b"", "closed")


def test_a_hang_ends_when_the_sandbox_stops() -> None:
    with ThreadPoolExecutor() as pool:
        with small(1) as sandbox:
            sandbox.inject(Fault(kind="hang"))
            waiting = pool.submit(raw, sandbox, AGENTS)
            while not sandbox.requests:
                time.sleep(0.001)
        assert waiting.result(timeout=5)[0] == b""


def test_truncated_announces_more_than_it_sends() -> None:
    with small(1) as sandbox:
        sandbox.inject(Fault(kind="truncated", size=100), Fault(kind="truncated"))
        received, end = raw(sandbox, AGENTS)
        head, body = split(received)
        assert (end, len(body)) == ("closed", 100)
        assert length_of(head) > 1000
        with pytest.raises(http.client.IncompleteRead):
            get(sandbox, AGENTS)


def test_truncated_gzip_is_a_complete_response_that_does_not_unpack() -> None:
    with small(1) as sandbox:
        sandbox.inject(Fault(kind="truncated_gzip", size=200))
        answer = get(sandbox, AGENTS)
        assert (answer.status, answer.headers["content-encoding"], len(answer.body)) == (200, "gzip", 200)
        with pytest.raises(EOFError):
            gzip.decompress(answer.body)
        assert zlib.decompressobj(31).decompress(answer.body).startswith(b"[{")


def test_truncated_json_is_a_complete_response() -> None:
    with small(1) as sandbox:
        sandbox.inject(Fault(kind="truncated_json"), Fault(kind="truncated_json", size=7))
        half, seven = get(sandbox, AGENTS), get(sandbox, AGENTS)
        assert (half.status, len(seven.body)) == (200, 7)
        with pytest.raises(json.JSONDecodeError):
            _ = half.json


def test_latency_and_drip_only_take_time() -> None:
    with small(1) as sandbox:
        plain = get(sandbox, AGENTS, limit=2).body
        sandbox.inject(Fault(kind="latency", seconds=0.03), Fault(kind="drip", size=100, seconds=0.001))
        started = time.monotonic()
        assert get(sandbox, AGENTS, limit=2).body == plain
        assert time.monotonic() - started >= 0.03
        assert get(sandbox, AGENTS, limit=2).body == plain


@pytest.mark.parametrize("options", [{"kind": "explode"}, {"kind": "status", "every": 0}])
def test_impossible_faults_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no fault|every counts"):
        Fault(**options)


def test_gzip_is_for_those_who_ask_and_for_bodies_worth_it() -> None:
    with small(1) as sandbox:
        asking = BEARER | {"Accept-Encoding": "gzip, deflate"}
        plain, packed = call(sandbox, AGENTS), call(sandbox, AGENTS, headers=asking)
        assert "content-encoding" not in plain.headers
        assert packed.headers["content-encoding"] == "gzip"
        assert unzipped(packed) == plain.body
        assert call(sandbox, AGENTS, headers=asking).body == packed.body
        assert "content-encoding" not in call(sandbox, f"{API}/agents/me", headers=asking).headers
        sandbox.switch(gzip=False)
        assert "content-encoding" not in call(sandbox, AGENTS, headers=asking).headers


def test_pretty_json_changes_nothing_but_spaces() -> None:
    with small(9) as sandbox:
        path = f"{API}/incremental/chats?fields=chats(*)"
        plain = call(sandbox, path)
        sandbox.switch(pretty_json=True)
        pretty = call(sandbox, path)
        assert pretty.body.startswith(b'{\n  "chats": [\n')
        assert pretty.json == plain.json


def test_a_connection_is_kept_and_serves_many_requests() -> None:
    with small(1) as sandbox:
        connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=5)
        try:
            for method, path in [("GET", AGENTS), ("POST", AGENTS), ("HEAD", AGENTS), ("GET", "/nowhere"), ("GET", AGENTS)]:
                connection.request(method, path, b"x" if method == "POST" else None, BEARER)
                before = connection.sock
                connection.getresponse().read()
                assert connection.sock is before
        finally:
            connection.close()
