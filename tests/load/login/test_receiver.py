"""The server on loopback: whom it answers, and what it lets a web page do."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from tests.support.sign_ins import FakeTerminal, Page, fetch
from zendesk_chat.clock import SystemClock
from zendesk_chat.load.login.pages import result_page
from zendesk_chat.load.login.receiver import Outcome, Receiver, listening
from zendesk_chat.load.login.sign_in import Answer, SignIn

DONE = Outcome("Done & <b>dusted</b>", "Text", good=True)


@contextmanager
def receiving(*, implicit: bool) -> Iterator[tuple[str, Receiver, FakeTerminal]]:
    terminal = FakeTerminal()
    with listening(0) as servers:
        port = servers[0].server_address[1]
        sign_in = SignIn("https://acme.zendesk.com", "client", port, implicit=implicit, state="st-1")
        receiver = Receiver(sign_in, SystemClock(), terminal)
        with receiver.serving(servers):
            yield f"http://127.0.0.1:{port}", receiver, terminal


def answered(url: str, receiver: Receiver) -> tuple[Answer, list[Page]]:
    """Send a good answer, and let the sign-in end."""
    pages: list[Page] = []
    thread = threading.Thread(target=lambda: pages.append(fetch(url)))
    thread.start()
    answer = receiver.wait()
    receiver.end(DONE)
    return answer, pages


def test_the_page_waits_for_the_outcome_and_escapes_it() -> None:
    with receiving(implicit=False) as (url, receiver, _):
        answer, pages = answered(f"{url}/?code=abc&state=st-1", receiver)
        assert pages == []
    assert answer.code == "abc"
    assert "<h1>Done &amp; &lt;b&gt;dusted&lt;/b&gt;</h1>" in pages[0].text


def test_a_command_on_a_page_is_code() -> None:
    page = result_page("The sign-in failed", "Run `zendesk-chat login` again, <b>not</b> `x<y`.", good=False)
    assert "<p>Run <code>zendesk-chat login</code> again, &lt;b&gt;not&lt;/b&gt; <code>x&lt;y</code>.</p>" in page


def test_a_second_answer_is_not_taken() -> None:
    with receiving(implicit=False) as (url, receiver, _):
        answered(f"{url}/?code=abc&state=st-1", receiver)
        page = fetch(f"{url}/?code=other&state=st-1")
    assert page.status == 409
    assert "This sign-in has already received a response" in page.text


@pytest.mark.parametrize("implicit", [False, True])
def test_every_page_has_the_headers_of_a_page_that_asks_nobody(*, implicit: bool) -> None:
    with receiving(implicit=implicit) as (url, _, _):
        pages = [fetch(f"{url}{path}") for path in ("/", "/?code=abc&state=wrong", "/favicon.ico")]
    assert [page.status for page in pages] == [200, 400, 404]
    for page in pages:
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["content-security-policy"].startswith("default-src 'none'; ")
        assert "unsafe" not in page.headers["content-security-policy"]
        assert page.headers["server"] == "zendesk-chat"
        assert "abc" not in page.text
        assert "http" not in page.text


@pytest.mark.parametrize("host", ["evil.example", "localhost", "localhost:1", "127.0.0.1.evil.example:{port}", ""])
def test_another_name_of_this_machine_gets_no_answer(host: str) -> None:
    with receiving(implicit=True) as (url, _, _):
        host = host.format(port=url.rpartition(":")[2])
        for page in (fetch(f"{url}/?code=abc&state=st-1", Host=host), fetch(url, b"access_token=abc&state=st-1", Host=host)):
            assert page.status == 403


@pytest.mark.parametrize("origin", ["", "null", "http://evil.example", "https://127.0.0.1:{port}", "http://localhost:{port}"])
def test_only_the_own_page_hands_a_token_over(origin: str) -> None:
    with receiving(implicit=True) as (url, _, terminal):
        given = {"Origin": origin.format(port=url.rpartition(":")[2])} if origin else {}
        assert fetch(url, b"access_token=abc&state=st-1", **given).status == 403
    assert terminal.lines == []


def test_a_sign_in_with_a_code_takes_no_token() -> None:
    with receiving(implicit=False) as (url, _, _):
        assert fetch(url, b"access_token=abc&state=st-1", Origin=url).status == 403
        assert fetch(f"{url}/?access_token=abc&state=st-1").status == 400


def test_a_form_that_is_too_large_or_malformed_is_refused() -> None:
    with receiving(implicit=True) as (url, _, _):
        assert fetch(url, b"a" * 70_000, Origin=url).status == 403
        assert fetch(url, b"&".join(b"a=1" for _ in range(60)), Origin=url).status == 400


def test_an_unknown_method_is_answered_without_repeating_it(capfd: pytest.CaptureFixture[str]) -> None:
    with receiving(implicit=False) as (url, _, _):
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        connection.request("PUT", "/?code=abc&state=st-1")
        response = connection.getresponse()
        assert (response.status, response.headers["allow"]) == (405, "GET, POST")
        assert response.headers["referrer-policy"] == "no-referrer"
        assert b"abc" not in response.read()
        connection.close()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("line", "status"), [("GET http://[ HTTP/1.1", 400), ("HEAD /?code=abc&state=st-1 HTTP/1.1", 405), ("GET / HTTP/x", 400)]
)
def test_a_request_that_is_no_request_for_the_page_gets_a_response(line: str, status: int) -> None:
    with receiving(implicit=False) as (url, _, _):
        host = urlsplit(url).netloc
        with socket.create_connection((urlsplit(url).hostname or "", urlsplit(url).port or 0), timeout=10) as connection:
            connection.sendall(f"{line}\r\nHost: {host}\r\n\r\n".encode())
            response = http.client.HTTPResponse(connection, method=line.partition(" ")[0])
            response.begin()
            assert response.status == status
            assert response.headers["referrer-policy"] == "no-referrer"
            assert b"abc" not in response.read()
            assert connection.recv(1) == b"", "a response to HEAD has no content"


@pytest.mark.parametrize("implicit", [False, True])
def test_an_error_without_the_state_ends_nothing(*, implicit: bool) -> None:
    with receiving(implicit=implicit) as (url, receiver, terminal):
        for error in ("access_denied", "access_denied", "call_0207946"):
            page = fetch(f"{url}/?error={error}&error_description=Evil")
            assert page.status == 400
            assert "If you chose Deny, press Ctrl-C here." in page.text
            assert "vil" not in page.text
        field = "access_token=abc" if implicit else "code=abc"
        if implicit:
            thread = threading.Thread(target=lambda: fetch(url, f"{field}&state=st-1".encode(), Origin=url))
        else:
            thread = threading.Thread(target=lambda: fetch(f"{url}/?{field}&state=st-1"))
        thread.start()
        answer = receiver.wait()
        receiver.end(DONE)
    thread.join(10)
    assert (answer.code or answer.token, answer.error) == ("abc", "")
    (line,) = terminal.lines
    assert line.startswith("An error arrived without proof that it belongs to this sign-in, so it was ignored.")


def test_a_sign_in_that_ends_without_an_answer_closes_its_port() -> None:
    with receiving(implicit=False) as (url, _, _):
        assert fetch(url).status == 200
    with pytest.raises(OSError, match="refused"):
        fetch(url)
