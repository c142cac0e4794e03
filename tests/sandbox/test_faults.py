"""Every fault does on the wire what its description promises."""

import gzip
import http.client
import json
import socket
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from tests.support.sandbox import API, BEARER, NOW_SECONDS, call, get, raw, still, unzipped
from zendesk_chat_sandbox import Fault, Sandbox

AGENTS = f"{API}/agents"


def split(received: bytes) -> tuple[bytes, bytes]:
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body


def length_of(head: bytes) -> int:
    return int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])


def test_status_with_retry_after_and_body() -> None:
    with still(1) as sandbox:
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
    with still(1) as sandbox:
        sandbox.inject(Fault(kind="status", path="*/agents", method="GET", query="*since_id=5*", times=None))
        assert get(sandbox, AGENTS).status == 200
        assert get(sandbox, f"{AGENTS}/me", since_id=5).status == 200
        assert get(sandbox, AGENTS, since_id=5).status == 503
        assert get(sandbox, AGENTS, since_id=5).status == 503
        sandbox.clear_faults()
        assert get(sandbox, AGENTS, since_id=5).status == 200


def test_faults_count_their_requests() -> None:
    with still(1) as sandbox:
        sandbox.inject(Fault(kind="status", after=1, every=2, times=2))
        assert [get(sandbox, AGENTS).status for _ in range(7)] == [200, 200, 503, 200, 503, 200, 200]


def test_html_empty_body_and_redirect() -> None:
    with still(1) as sandbox:
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
    with still(1) as sandbox:
        sandbox.inject(Fault(kind="reset"), Fault(kind="reset_body", size=1000))
        assert raw(sandbox, AGENTS) == (b"", "reset")
        received, end = raw(sandbox, AGENTS)
        head, body = split(received)
        assert end == "reset"
        assert len(body) <= 1000 < length_of(head) or not received
        assert get(sandbox, AGENTS).status == 200
        assert [entry.status for entry in sandbox.requests] == [0, 0, 200]


def test_hang_before_headers_and_inside_the_body() -> None:
    with still(1) as sandbox:
        sandbox.inject(Fault(kind="hang"), Fault(kind="hang_body", size=10), Fault(kind="hang", seconds=0.02))
        assert raw(sandbox, AGENTS, first=0.03) == (b"", "silent")
        received, end = raw(sandbox, AGENTS, later=0.03)
        assert end == "silent"
        assert len(split(received)[1]) == 10
        assert raw(sandbox, AGENTS) == (b"", "closed")


def test_a_hang_ends_when_the_sandbox_stops() -> None:
    with ThreadPoolExecutor() as pool:
        with still(1) as sandbox:
            sandbox.inject(Fault(kind="hang"))
            waiting = pool.submit(raw, sandbox, AGENTS)
            while not sandbox.requests:
                time.sleep(0.001)
        assert waiting.result(timeout=5)[0] == b""


def test_truncated_announces_more_than_it_sends() -> None:
    with still(1) as sandbox:
        sandbox.inject(Fault(kind="truncated", size=100), Fault(kind="truncated"))
        received, end = raw(sandbox, AGENTS)
        head, body = split(received)
        assert (end, len(body)) == ("closed", 100)
        assert length_of(head) > 1000
        with pytest.raises(http.client.IncompleteRead):
            get(sandbox, AGENTS)


def test_truncated_gzip_is_a_complete_response_that_does_not_decompress() -> None:
    with still(1) as sandbox:
        sandbox.inject(Fault(kind="truncated_gzip", size=200))
        answer = get(sandbox, AGENTS)
        assert (answer.status, answer.headers["content-encoding"], len(answer.body)) == (200, "gzip", 200)
        with pytest.raises(EOFError):
            gzip.decompress(answer.body)
        assert zlib.decompressobj(31).decompress(answer.body).startswith(b"[{")


def test_truncated_json_is_a_complete_response() -> None:
    with still(1) as sandbox:
        sandbox.inject(Fault(kind="truncated_json"), Fault(kind="truncated_json", size=7))
        half, seven = get(sandbox, AGENTS), get(sandbox, AGENTS)
        assert (half.status, len(seven.body)) == (200, 7)
        with pytest.raises(json.JSONDecodeError):
            _ = half.json


def test_latency_and_drip_only_take_time() -> None:
    with still(1) as sandbox:
        plain = get(sandbox, AGENTS, limit=2).body
        sandbox.inject(Fault(kind="latency", seconds=0.03), Fault(kind="drip", size=100, seconds=0.001))
        started = time.monotonic()
        assert get(sandbox, AGENTS, limit=2).body == plain
        assert time.monotonic() - started >= 0.03
        assert get(sandbox, AGENTS, limit=2).body == plain


def test_the_edge_limits_in_words_of_its_own() -> None:
    with still(1) as sandbox:
        sandbox.inject(Fault(kind="edge_429"), Fault(kind="edge_429", retry_after=30))
        bare, timed = get(sandbox, AGENTS), get(sandbox, AGENTS)
        assert bare.status == timed.status == 429
        assert bare.json == {
            "detail": "Rate limited by Zendesk edge protection",
            "status": "429",
            "title": "Automated response",
        }
        assert ("retry-after" in bare.headers, timed.headers["retry-after"]) == (False, "30")


def test_a_conflict_is_a_status_like_others() -> None:
    with still(1) as sandbox:
        sandbox.inject(Fault(kind="status", status=409))
        assert (get(sandbox, AGENTS).status, get(sandbox, AGENTS).status) == (409, 200)


def test_interim_answers_come_before_the_answer() -> None:
    with still(1) as sandbox:
        plain = get(sandbox, AGENTS, limit=2).body
        sandbox.inject(Fault(kind="interim", interim=(100, 102, 103, 103)))
        connection = socket.create_connection(("127.0.0.1", int(sandbox.url.rsplit(":", 1)[1])), timeout=5)
        with connection, connection.makefile("rb") as received:
            request = (
                f"GET {AGENTS}?limit=2 HTTP/1.1\r\nHost: {sandbox.url[7:]}\r\nAuthorization: {BEARER['Authorization']}\r\n\r\n"
            )
            connection.sendall(request.encode())
            statuses = [int(head_of(received)[0].split()[1]) for _ in range(4)]
            head = head_of(received)
            assert statuses == [100, 102, 103, 103]
            assert head[0] == b"HTTP/1.1 200 OK"
            assert received.read(length_of(b"\r\n".join([*head, b""]))) == plain
            connection.sendall(request.encode())
            assert head_of(received)[0] == b"HTTP/1.1 200 OK", "the connection serves on"


def head_of(received: Any) -> list[bytes]:
    return list(iter(lambda: received.readline().rstrip(b"\r\n"), b""))


def test_a_body_of_several_gzip_members() -> None:
    with still(1) as sandbox:
        plain = get(sandbox, AGENTS).body
        sandbox.inject(Fault(kind="gzip_members"), Fault(kind="gzip_members", size=1000))
        two, many = get(sandbox, AGENTS), get(sandbox, AGENTS)
        assert [unzipped(answer) for answer in (two, many)] == [plain, plain]
        first = zlib.decompressobj(31)
        assert first.decompress(two.body) == plain[: len(plain) // 2]
        assert first.unused_data.startswith(b"\x1f\x8b")
        assert many.body.count(b"\x1f\x8b\x08") >= len(plain) // 1000


def test_the_head_may_drip_too() -> None:
    with still(1) as sandbox:
        plain = get(sandbox, AGENTS, limit=1).body
        sandbox.inject(Fault(kind="drip_head", size=20, seconds=0.05))
        received, end = raw(sandbox, AGENTS, later=0.02)
        assert (received[:8], len(received), end) == (b"HTTP/1.1", 20, "silent")
        sandbox.inject(Fault(kind="drip_head", size=50, seconds=0))
        assert get(sandbox, AGENTS, limit=1).body == plain


def test_rows_lose_their_key() -> None:
    with still(3) as sandbox:
        rows = get(sandbox, f"{API}/goals").json
        sandbox.inject(Fault(kind="no_key", path="*/goals", row=1), Fault(kind="no_key", path="*/goals", key="name", row=None))
        one, every = get(sandbox, f"{API}/goals").json, get(sandbox, f"{API}/goals").json
        assert one == [rows[0], {key: value for key, value in rows[1].items() if key != "id"}, *rows[2:]]
        assert every == [{key: value for key, value in row.items() if key != "name"} for row in rows]
        sandbox.inject(Fault(kind="no_key", path="*/chats"), Fault(kind="no_key", path="*/chats", row=9))
        chats = get(sandbox, f"{API}/incremental/chats", fields="chats(*)").json
        assert ["id" in chat for chat in chats["chats"]] == [False, True, True]
        assert all("id" in chat for chat in get(sandbox, f"{API}/incremental/chats").json["chats"])


def test_count_is_not_the_number_of_rows() -> None:
    with still(3) as sandbox:
        sandbox.inject(Fault(kind="wrong_count"), Fault(kind="wrong_count", by=-2), Fault(kind="wrong_count"))
        path = f"{API}/incremental/chats"
        assert [get(sandbox, path).json["count"] for _ in range(2)] == [4, 1]
        assert isinstance(get(sandbox, f"{API}/goals").json, list)


def test_every_answer_carries_the_date_of_the_sandbox() -> None:
    with still(1) as sandbox:
        sandbox.inject(
            Fault(kind="status"), Fault(kind="html"), Fault(kind="redirect"), Fault(kind="empty", headers={"date": "x"})
        )
        answers = [get(sandbox, AGENTS) for _ in range(4)] + [get(sandbox, AGENTS, "wrong"), call(sandbox, "/_sandbox/state")]
        answers.append(call(sandbox, AGENTS, headers={"Host": "evil.example"}))
        dates = [answer.headers["date"] for answer in answers]
        assert dates[3] == "x"
        assert {parsedate_to_datetime(date).timestamp() for date in dates if date != "x"} == {NOW_SECONDS}


def test_the_clock_of_the_sandbox_may_be_wrong() -> None:
    with Sandbox(chats=5, now=NOW_SECONDS, clock_skew=-3600) as sandbox:
        assert parsedate_to_datetime(get(sandbox, AGENTS).headers["date"]).timestamp() == NOW_SECONDS - 3600
        assert get(sandbox, f"{API}/incremental/chats", start_time=NOW_SECONDS - 3600).status == 400
        assert get(sandbox, f"{API}/incremental/chats", start_time=NOW_SECONDS - 3900).status == 200
        newest = sandbox.account.chat(sandbox.account.chat_ids()[-1])
        assert str(newest["update_timestamp"]) < "2026-11-20T11:00:00Z"


@pytest.mark.parametrize(
    "options", [{"kind": "explode"}, {"kind": "status", "every": 0}, {"kind": "interim", "interim": [103, 200]}]
)
def test_impossible_faults_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no fault|every must be at least 1|from 100 to 199"):
        Fault(**options)


def test_gzip_is_for_those_who_ask_and_for_bodies_worth_it() -> None:
    with still(1) as sandbox:
        asking = BEARER | {"Accept-Encoding": "gzip, deflate"}
        plain, compressed = call(sandbox, AGENTS), call(sandbox, AGENTS, headers=asking)
        assert "content-encoding" not in plain.headers
        assert compressed.headers["content-encoding"] == "gzip"
        assert unzipped(compressed) == plain.body
        assert call(sandbox, AGENTS, headers=asking).body == compressed.body
        assert "content-encoding" not in call(sandbox, f"{API}/agents/me", headers=asking).headers
        sandbox.switch(gzip=False)
        assert "content-encoding" not in call(sandbox, AGENTS, headers=asking).headers


def test_pretty_json_changes_nothing_but_spaces() -> None:
    with still(9) as sandbox:
        path = f"{API}/incremental/chats?fields=chats(*)"
        plain = call(sandbox, path)
        sandbox.switch(pretty_json=True)
        pretty = call(sandbox, path)
        assert pretty.body.startswith(b'{\n  "chats": [\n')
        assert pretty.json == plain.json


def test_a_connection_is_kept_and_serves_many_requests() -> None:
    with still(1) as sandbox:
        connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=5)
        try:
            for method, path in [("GET", AGENTS), ("POST", AGENTS), ("HEAD", AGENTS), ("GET", "/nowhere"), ("GET", AGENTS)]:
                connection.request(method, path, b"x" if method == "POST" else None, BEARER)
                before = connection.sock
                connection.getresponse().read()
                assert connection.sock is before
        finally:
            connection.close()
