"""Answers that begin with interim ones, never end, or bring more than was asked for, over real connections."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.http_fakes import CA, TOKEN, WireServer, answer, server_tls, serving
from zendesk_chat.api.body import NoAnswerError
from zendesk_chat.api.transport import HttpTransport, Response, answer_seconds
from zendesk_chat.clock import SystemClock

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\nContent-Length: 5\r\n\r\n"
UNKNOWN = b"HTTP/1.1 199 Nobody knows\r\nX-Note: a\r\n\r\n"
INTERIM = (CONTINUE, PROCESSING, HINTS, UNKNOWN)
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
PATHS = ("goals", "agents", "roles", "skills", "triggers", "shortcuts")


def body_of(path: str) -> bytes:
    return json.dumps([{"id": number, "name": f"{path} {number}"} for number in range(20)]).encode()


def in_chunks(body: bytes) -> bytes:
    return CHUNKED + b"%x\r\n%b\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(body), body)


def zipped(body: bytes) -> bytes:
    return answer(gzip.compress(body), headers=b"Content-Encoding: gzip\r\n")


def path_of(head: bytes) -> str:
    return head.split(b" ", 2)[1].decode().rpartition("/")[2]


@dataclass
class Answering:
    """Sends what a test makes of the number and the path of each request."""

    make: Callable[[int, str], bytes]

    def __call__(self, connection: socket.socket, number: int) -> None:
        connection.sendall(self.make(number, path_of(self.server.heads[number - 1])))

    server: WireServer = None  # type: ignore[assignment]  # set before the first request


@contextlib.contextmanager
def answering(make: Callable[[int, str], bytes], *, tls: bool = False) -> Iterator[WireServer]:
    script = Answering(make)
    with serving(script, server_tls() if tls else None) as server:
        script.server = server
        yield server


def sender(origin: str, timeout: float = 2) -> HttpTransport:
    return HttpTransport(origin, timeout=timeout, clock=SystemClock(), user_agent="test/1")


def get(transport: HttpTransport, origin: str, path: str) -> Response:
    return transport.get(f"{origin}/api/{path}", {}, TOKEN)


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", CA)
    for name in ("HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


# Interim answers.


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(
    "interim", [*INTERIM, HINTS * 3, b"".join(INTERIM)], ids=["100", "102", "103", "199", "three", "mixed"]
)
@pytest.mark.parametrize("before", [{1}, {3}, {1, 2, 3, 4, 5, 6}], ids=["first", "between", "each"])
def test_interim_answers_are_skipped(interim: bytes, before: set[int], *, tls: bool) -> None:
    framings = cycle((answer, in_chunks, zipped))

    def make(number: int, path: str) -> bytes:
        return (interim if number in before else b"") + next(framings)(body_of(path))

    with answering(make, tls=tls) as server:
        transport = sender(server.origin)
        for path in PATHS:
            response = get(transport, server.origin, path)
            assert (response.status, response.body) == (200, body_of(path))
        assert server.connections == 1, "they do no harm to the connection"


def test_an_answer_long_after_its_interim_one_is_still_its_own() -> None:
    def script(connection: socket.socket, number: int) -> None:
        connection.sendall(HINTS)
        time.sleep(0.15)
        connection.sendall(answer(body_of(path_of(server.heads[number - 1]))))

    with serving(script) as server:
        transport = sender(server.origin)
        assert [get(transport, server.origin, path).body for path in PATHS] == [body_of(path) for path in PATHS]


@pytest.mark.parametrize("interim", [CONTINUE, HINTS], ids=["100", "103"])
def test_interim_answers_without_end_are_given_up_soon(interim: bytes) -> None:
    def script(connection: socket.socket, _: int) -> None:
        while True:
            connection.sendall(interim * 500)

    began = time.monotonic()
    with serving(script) as server, pytest.raises(NoAnswerError, match="does not end") as caught:
        get(sender(server.origin, 60), server.origin, "goals")
    assert caught.value.kind == "slow"
    assert time.monotonic() - began < 5


def test_another_protocol_is_no_answer() -> None:
    switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
    with serving(switch + answer()) as server, pytest.raises(NoAnswerError, match="is not valid HTTP"):
        get(sender(server.origin), server.origin, "goals")


# Deadlines. A time-out of a fifth of a second gives an answer one second in all.

TIMEOUT = 0.2
DRIPPED = {
    "status line": (b"", b"H"),
    "head": (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
    "heads": (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "interim": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: "),
    "body": (answer(b"[", length=10_000), b" "),
    "body until closed": (b"HTTP/1.1 200 OK\r\n\r\n[", b" "),
    "chunk line": (CHUNKED, b"0"),
    "chunk": (CHUNKED + b"fff\r\n", b" "),
    "chunks": (CHUNKED, b"1\r\n \r\n"),
    "trailers": (CHUNKED + b"2\r\n[]\r\n0\r\n", b"X: y\r\n"),
}


@dataclass
class Dripping:
    """Sends the beginning of an answer, and then a little again and again."""

    head: bytes
    drop: bytes

    def __call__(self, connection: socket.socket, _: int) -> None:
        connection.sendall(self.head)
        for _ in range(100):
            time.sleep(0.03)
            connection.sendall(self.drop)


def assert_ends(transport: HttpTransport, origin: str) -> NoAnswerError:
    began = time.monotonic()
    with pytest.raises(NoAnswerError) as caught:
        get(transport, origin, "goals")
    assert 0.6 < time.monotonic() - began < 4
    return caught.value


@pytest.mark.parametrize(
    ("where", "tls"), [*((where, False) for where in DRIPPED), ("head", True), ("chunk line", True), ("trailers", True)]
)
def test_an_answer_that_drips_has_a_deadline(where: str, *, tls: bool) -> None:
    with serving(Dripping(*DRIPPED[where]), server_tls() if tls else None) as server:
        failure = assert_ends(sender(server.origin, TIMEOUT), server.origin)
        assert (failure.cause, failure.kind) == (f"the response from localhost:{server.port} took too long", "slow")


def test_trailers_that_flood_have_a_deadline() -> None:
    def script(connection: socket.socket, _: int) -> None:
        connection.sendall(CHUNKED + b"2\r\n[]\r\n0\r\n")
        while True:
            connection.sendall(b"X: y\r\n" * 1000)

    with serving(script) as server:
        assert assert_ends(sender(server.origin, TIMEOUT), server.origin).kind == "slow"


@pytest.mark.parametrize("where", ["head", "body", "trailers", "tunnel"])
def test_an_answer_through_a_proxy_has_a_deadline(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def script(connection: socket.socket, number: int) -> None:
        if where == "tunnel":
            Dripping(b"HTTP/1.1 200 ", b"O")(connection, number)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with server_tls().wrap_socket(connection, server_side=True) as inner:
            inner.recv(65536)
            Dripping(*DRIPPED[where])(inner, number)

    with serving(script) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        transport = sender("https://acme.zendesk.com", TIMEOUT)
        assert assert_ends(transport, "https://acme.zendesk.com").kind == "slow"


def test_a_slow_answer_within_its_deadline_is_read() -> None:
    sent = in_chunks(body_of("goals"))

    def script(connection: socket.socket, _: int) -> None:
        for begin in range(0, len(sent), len(sent) // 8):
            connection.sendall(sent[begin : begin + len(sent) // 8])
            time.sleep(0.05)

    with serving(script) as server:
        transport = sender(server.origin, TIMEOUT)
        assert get(transport, server.origin, "goals").body == body_of("goals")
        assert get(transport, server.origin, "goals").body == body_of("goals"), "a time-out of before does not count"


@pytest.mark.parametrize(("timeout", "seconds"), [(0.5, 2.5), (1, 5), (20, 100), (60, 120), (120, 120), (600, 600)])
def test_how_long_an_answer_may_take(timeout: float, seconds: float) -> None:
    assert answer_seconds(timeout) == seconds


# More than was asked for.

SURPLUS = {
    "another answer": answer(b'[{"id":9,"name":"another"}]'),
    "half an answer": b"HTTP/1.1 200 OK\r\nContent-Le",
    "bytes": b" ",
    "interim": HINTS,
}


@pytest.mark.parametrize(
    ("framed", "late", "tls"),
    [
        (answer, 0, False),
        (in_chunks, 0, False),
        (zipped, 0, False),
        (answer, 0, True),
        (answer, 0.05, False),
        (answer, 0.05, True),
    ],
    ids=["plain", "chunked", "gzip", "tls", "later", "later tls"],
)
@pytest.mark.parametrize("surplus", SURPLUS)
def test_what_comes_beyond_an_answer_is_not_the_next_one(
    framed: Callable[[bytes], bytes], surplus: str, late: float, *, tls: bool
) -> None:
    def script(connection: socket.socket, number: int) -> None:
        connection.sendall(framed(body_of(path_of(server.heads[number - 1]))) + (b"" if late else SURPLUS[surplus]))
        if late:
            time.sleep(late)
            connection.sendall(SURPLUS[surplus])

    with serving(script, server_tls() if tls else None) as server:
        transport = sender(server.origin)
        for path in PATHS[:3]:
            assert get(transport, server.origin, path).body == body_of(path)
            time.sleep(3 * late)
        assert server.connections == 3


def test_a_body_longer_than_its_length_spoils_the_connection() -> None:
    with answering(lambda _, path: answer(body_of(path), length=20)) as server:
        transport = sender(server.origin)
        for path in PATHS[:3]:
            assert get(transport, server.origin, path).body == body_of(path)[:20]
        assert server.connections == 3


def test_an_answer_without_a_body_that_has_one_spoils_the_connection() -> None:
    with answering(lambda number, path: answer(body_of(path), "204 No Content" if number == 1 else "200 OK")) as server:
        transport = sender(server.origin)
        assert get(transport, server.origin, "goals").status == 204
        assert get(transport, server.origin, "agents").body == body_of("agents")
        assert server.connections == 2


def test_the_connection_of_an_answer_that_cannot_be_used_is_not_used_again() -> None:
    with answering(lambda _, path: answer(body_of(path))) as server:
        transport = sender(server.origin)
        get(transport, server.origin, "goals").discard_connection()
        assert get(transport, server.origin, "agents").body == body_of("agents")
        assert get(transport, server.origin, "roles").body == body_of("roles")
        assert server.connections == 2


def test_the_connection_of_an_answer_that_cannot_be_decompressed_is_not_used_again() -> None:
    cut = answer(gzip.compress(body_of("goals"))[:-9], headers=b"Content-Encoding: gzip\r\n")
    with answering(lambda number, path: cut if number == 1 else zipped(body_of(path))) as server:
        transport = sender(server.origin)
        with pytest.raises(NoAnswerError):
            _ = get(transport, server.origin, "goals").body
        assert get(transport, server.origin, "agents").body == body_of("agents")
        assert server.connections == 2


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(PATHS),
            st.lists(st.sampled_from(INTERIM), max_size=4),
            st.sampled_from([answer, in_chunks, zipped]),
            st.sampled_from([b"", b"", *SURPLUS.values()]),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_is_around_answers_each_request_gets_its_own(
    plan: Sequence[tuple[str, list[bytes], Callable[[bytes], bytes], bytes]],
) -> None:
    def make(number: int, path: str) -> bytes:
        _, interim, framed, surplus = plan[number - 1]
        return b"".join(interim) + framed(body_of(path)) + surplus

    with answering(make) as server:
        transport = sender(server.origin)
        for path, *_ in plan:
            assert get(transport, server.origin, path).body == body_of(path)


def test_no_control_character_comes_out_of_a_header() -> None:
    with serving(answer(b"", "302 Found", headers=b"Location: http://a\x1bcb\x9b31m\x07/\r\n")) as server:
        assert get(sender(server.origin), server.origin, "goals").headers["location"] == r"http://a\x1bcb\x9b31m\x07/"


def test_no_control_character_comes_out_of_a_failure() -> None:
    garbage = b"HTTP/9.9 \x1b[31m\x9b2J\r\n\r\n"

    def script(connection: socket.socket, _: int) -> None:
        connection.sendall(garbage)
        connection.shutdown(socket.SHUT_RDWR)

    with serving(script) as server, pytest.raises(NoAnswerError) as caught:
        get(sender(server.origin), server.origin, "goals")
    assert caught.value.message.isprintable()
    assert re.fullmatch(r"The response from localhost:\d+ is not HTTP\. Check the subdomain .*", caught.value.message)
