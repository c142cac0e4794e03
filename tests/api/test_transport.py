"""The HTTP seam over real connections, against a server that sends exactly what the test gives."""

import gzip
import itertools
import re
import socket
import time
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha512

import pytest

from tests.support.http_fakes import TOKEN, answer, reset, serving
from zendesk_chat.api import body as module
from zendesk_chat.api.body import NoAnswerError
from zendesk_chat.api.transport import HttpTransport
from zendesk_chat.clock import SystemClock

BODY = b'[{"id":1,"name":"%s"}]' % b64encode(sha512(b"varied").digest() * 40)
COMPRESSED = gzip.compress(BODY, mtime=0)
GZIP = b"Content-Encoding: gzip\r\n"


def transport(origin: str, timeout: float = 0.3) -> HttpTransport:
    return HttpTransport(origin, timeout=timeout, clock=SystemClock(), user_agent="test/1")


def chunked(*pieces: bytes, end: bool = True) -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + (b"0\r\n\r\n" if end else b"")


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (answer(BODY), BODY),
        (answer(COMPRESSED, headers=GZIP), BODY),
        (answer(gzip.compress(BODY[:99]) + gzip.compress(BODY[99:]), headers=GZIP), BODY),
        (answer(b""), b""),
        (chunked(BODY[:100], BODY[100:]), BODY),
        (b"HTTP/1.0 200 OK\r\n\r\n" + BODY, BODY),
        (answer(BODY, headers=b"Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nX-\xe9: \xe9\r\n"), BODY),
    ],
    ids=["plain", "gzip", "two gzip members", "empty", "chunked", "until closed", "odd headers"],
)
def test_a_complete_answer(sent: bytes, body: bytes) -> None:
    def script(connection: socket.socket, _: int) -> None:
        connection.sendall(sent)
        if sent.startswith(b"HTTP/1.0"):
            connection.shutdown(socket.SHUT_RDWR)

    with serving(script) as server:
        response = transport(server.origin).get(server.origin + "/api", {}, TOKEN)
    assert (response.status, response.body) == (200, body)
    assert all(name == name.lower() for name in response.headers)


def test_what_a_request_looks_like() -> None:
    with serving(answer(BODY)) as server:
        transport(server.origin).get(server.origin + "/api/v2/chat/chats", {"fields": "chats(*)", "limit": 3}, TOKEN)
    (head,) = server.heads
    assert head.startswith(b"GET /api/v2/chat/chats?fields=chats%28%2A%29&limit=3 HTTP/1.1\r\n")
    sent = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
    assert sent[b"Authorization"] == b"Bearer " + TOKEN.encode()
    assert sent[b"User-Agent"] == b"test/1"
    assert sent[b"Accept-Encoding"] == b"gzip"


def test_a_form() -> None:
    with serving(answer(b"{}")) as server:
        transport(server.origin).post_form(server.origin + "/oauth", {"a": "1 &=", "b": "\u00e9"})
    (head,) = server.heads
    assert head.startswith(b"POST /oauth HTTP/1.1\r\n")
    assert head.endswith(b"\r\n\r\na=1+%26%3D&b=%C3%A9")
    assert b"uthorization" not in head


def test_connections_are_kept_and_used_again() -> None:
    with serving(answer(BODY)) as server:
        sender = transport(server.origin)
        for _ in range(5):
            sender.get(server.origin + "/api", {}, TOKEN)
    assert len(server.heads) == 5
    assert server.connections == 1


def test_a_connection_that_failed_is_not_used_again() -> None:
    def script(connection: socket.socket, number: int) -> None:
        connection.sendall(answer(BODY, length=99_999) if number == 1 else answer(BODY))

    with serving(script) as server:
        sender = transport(server.origin)
        with pytest.raises(NoAnswerError):
            sender.get(server.origin + "/api", {}, TOKEN)
        assert sender.get(server.origin + "/api", {}, TOKEN).body == BODY
    assert server.connections == 2


def test_a_kept_connection_that_the_server_closed_is_replaced_or_reported() -> None:
    def script(connection: socket.socket, _: int) -> None:
        connection.sendall(answer(BODY))
        connection.shutdown(socket.SHUT_RDWR)

    with serving(script) as server:
        sender = transport(server.origin)
        sender.get(server.origin + "/api", {}, TOKEN)
        time.sleep(0.05)
        assert sender.get(server.origin + "/api", {}, TOKEN).body == BODY


def hang(connection: socket.socket, _: int) -> None:
    connection.settimeout(10)
    connection.recv(1)


def hang_in_body(connection: socket.socket, number: int) -> None:
    connection.sendall(answer(BODY[:50], length=len(BODY)))
    hang(connection, number)


def reset_at_once(connection: socket.socket, _: int) -> None:
    reset(connection)


def reset_in_body(connection: socket.socket, _: int) -> None:
    connection.sendall(answer(BODY[:50], length=len(BODY)))
    time.sleep(0.05)
    reset(connection)


def closing(sent: bytes) -> Callable[[socket.socket, int], None]:
    def script(connection: socket.socket, _: int) -> None:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_RDWR)

    return script


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (hang, "HOST sent no data for too long"),
        (hang_in_body, "HOST sent no data for too long"),
        (reset_at_once, "the connection to HOST was interrupted"),
        (reset_in_body, "the connection to HOST was interrupted"),
        (closing(b""), "the connection to HOST was interrupted"),
        (closing(answer(BODY[:-1], length=len(BODY))), "the response was incomplete"),
        (closing(answer(COMPRESSED[:-500], length=len(COMPRESSED), headers=GZIP)), "the response was incomplete"),
        (closing(chunked(BODY, end=False)), "the response was incomplete"),
        (closing(chunked(BODY)[:-20]), "the response was incomplete"),
        (closing(answer(b"no gzip", headers=GZIP)), "the response was incomplete"),
        (closing(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "the connection to HOST was interrupted|the response from HOST is not HTTP"),
        (closing(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n"), "the response from HOST is not valid HTTP"),
        (closing(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n"), "the response from HOST is not valid HTTP"),
    ],
    ids=[
        "hang",
        "hang in body",
        "reset",
        "reset in body",
        "closed",
        "short",
        "short gzip",
        "chunks without end",
        "short chunk",
        "no gzip",
        "no http",
        "huge header",
        "many headers",
    ],
)
def test_no_complete_answer(script: Callable[[socket.socket, int], None], message: str) -> None:
    with serving(script) as server, pytest.raises(NoAnswerError) as caught:
        _ = transport(server.origin).get(server.origin + "/api/secret-path", {"start_id": "secret-id"}, TOKEN).body
    assert re.fullmatch(message.replace("HOST", f"localhost:{server.port}"), str(caught.value))


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NoAnswerError, match=rf"^the connection to 127.0.0.1:{port} was refused$") as caught:
        transport(f"http://127.0.0.1:{port}").get(f"http://127.0.0.1:{port}/api", {}, TOKEN)
    assert caught.value.kind == "refused", "it may listen again"


def test_no_such_host() -> None:
    origin = "https://no-such-account.invalid"
    with pytest.raises(NoAnswerError) as caught:
        transport(origin).get(origin + "/api", {}, TOKEN)
    assert caught.value.message == "Cannot find no-such-account.invalid. Check the subdomain and your network."
    assert caught.value.kind == "lasting"


@pytest.mark.parametrize("kept", [0, 5, 18, len(COMPRESSED) // 2, len(COMPRESSED) - 9, len(COMPRESSED) - 1])
def test_gzip_that_ends_early_is_no_complete_answer_though_its_length_is_right(kept: int) -> None:
    """A proxy may cut a compressed body and correct the length."""
    with serving(answer(COMPRESSED[:kept], headers=GZIP)) as server, pytest.raises(NoAnswerError, match="was incomplete"):
        _ = transport(server.origin).get(server.origin + "/api", {}, TOKEN).body


def test_gzip_whose_checksum_is_wrong_is_no_complete_answer() -> None:
    with (
        serving(answer(COMPRESSED[:-8] + bytes(8), headers=GZIP)) as server,
        pytest.raises(NoAnswerError, match="was incomplete"),
    ):
        _ = transport(server.origin).get(server.origin + "/api", {}, TOKEN).body


class LeapingClock(SystemClock):
    """Between any two readings of it, half a minute goes by."""

    _readings = itertools.count()

    def monotonic(self) -> float:
        return 30.0 * next(self._readings)


@pytest.mark.parametrize("headers", [b"", GZIP], ids=["plain", "gzip"])
def test_an_answer_ends_at_the_deadline_however_steadily_it_comes(headers: bytes) -> None:
    body = COMPRESSED if headers else BODY
    with serving(answer(body, headers=headers)) as server:
        assert transport(server.origin, 5).get(server.origin + "/api", {}, TOKEN).body == BODY
        hasty = HttpTransport(server.origin, timeout=5, clock=LeapingClock(), user_agent="test/1")
        with pytest.raises(NoAnswerError, match="took too long"):
            hasty.get(server.origin + "/api", {}, TOKEN)


def test_a_flood_ends_before_memory_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BODY_BYTES", 3_000_000)
    bomb = gzip.compress(b" " * 50_000_000)
    with serving(answer(bomb, headers=GZIP)) as server, pytest.raises(NoAnswerError, match="the response is larger than 2 MB"):
        _ = transport(server.origin).get(server.origin + "/api", {}, TOKEN).body


def test_a_redirect_is_not_followed_and_the_token_not_sent_there() -> None:
    with serving(answer(BODY)) as elsewhere:
        location = f"Location: {elsewhere.origin}/api\r\n".encode()
        for status in ("301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"):
            with serving(answer(b"", status, headers=location)) as server:
                response = transport(server.origin).get(server.origin + "/api", {}, TOKEN)
            assert response.status == int(status[:3])
            assert response.headers["location"] == f"{elsewhere.origin}/api"
    assert elsewhere.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/api",
        "https://elsewhere.example.com/api",
        "{origin}.example.com/api",
        "{origin}@example.com/api",
        "{origin}0/api",
        "//example.com/api",
        "",
    ],
)
def test_no_request_leaves_for_another_host(url: str) -> None:
    with serving(answer(BODY)) as server:
        with pytest.raises(NoAnswerError, match="other than the account's own"):
            transport(server.origin).get(url.format(origin=server.origin), {}, TOKEN)
        assert server.connections == 0
