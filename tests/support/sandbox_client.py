"""A client of the standard library only, so that nothing of the connector can agree with a mistake of the sandbox."""

import gzip
import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from zendesk_chat_sandbox import DEFAULT_TOKEN, Sandbox, Switches

NOW = "2026-11-20T12:00:00Z"
NOW_SECONDS = 1_795_176_000
API = "/api/v2/chat"
EXPORTS = f"{API}/incremental"
BEARER = {"Authorization": f"Bearer {DEFAULT_TOKEN}"}


def small(chats: int = 60, **switches: Any) -> Sandbox:
    """A sandbox whose clock stands still and that does not limit the rate unless asked to."""
    return Sandbox(chats=chats, now=NOW, switches=Switches(**{"rate_limit": 0, **switches}))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(
    sandbox: Sandbox,
    path: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] = BEARER,
) -> Answer:
    parts = urlsplit(sandbox.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        content = response.read()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, content)
    finally:
        connection.close()


def get(sandbox: Sandbox, path: str, token: str | None = DEFAULT_TOKEN, **query: Any) -> Answer:
    target = f"{path}?{urlencode(query)}" if query else path
    return call(sandbox, target, headers={} if token is None else {"Authorization": f"Bearer {token}"})


def unzipped(answer: Answer) -> bytes:
    return gzip.decompress(answer.body)


def post(sandbox: Sandbox, name: str, body: Any, method: str = "POST") -> Answer:
    return call(sandbox, f"/_sandbox/{name}", method, json.dumps(body).encode(), {"Content-Type": "application/json"})


def local(sandbox: Sandbox, url: str) -> str:
    assert url.startswith(sandbox.url), url
    return url[len(sandbox.url) :]


def pages(sandbox: Sandbox, path: str, limit: int) -> Iterator[Any]:
    """Follow next_page until a page is shorter than the limit; more than 200 pages are a loop."""
    for _ in range(200):
        answer = get(sandbox, path)
        assert answer.status == 200, answer.body
        yield answer.json
        if answer.json["count"] < limit:
            return
        path = local(sandbox, answer.json["next_page"])
    raise AssertionError("the pages do not end")


def raw(sandbox: Sandbox, path: str, first: float = 5, later: float = 5) -> tuple[bytes, str]:
    """Send a request over a bare socket; return what came and how the connection ended.

    ``first`` and ``later`` are how long to wait for the first and for further bytes.
    """
    parts = urlsplit(sandbox.url)
    received = b""
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=first) as connection:
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {DEFAULT_TOKEN}\r\n\r\n".encode()
        )
        try:
            while piece := connection.recv(65_536):
                received += piece
                connection.settimeout(later)
        except ConnectionResetError:
            return received, "reset"
        except TimeoutError:
            return received, "silent"
    return received, "closed"
