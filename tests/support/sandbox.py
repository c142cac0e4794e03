"""Sandbox accounts: start one, ask its API, know every record that it holds. Nothing of the connector is imported.

So nothing of the connector can agree with a mistake of the sandbox, nor derive records in the way that is tested. Only the
standard library and the sandbox are needed.
"""

import gzip
import hashlib
import http.client
import json
import re
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from zendesk_chat_sandbox import DEFAULT_TOKEN, EXPIRED_TOKEN, Sandbox, Switches
from zendesk_chat_sandbox.seed_settings import routing_of

NOW = "2026-11-20T12:00:00Z"
NOW_SECONDS = 1_795_176_000
OAUTH = {
    "credentials": "oauth2.0",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
    "access_token": EXPIRED_TOKEN,
    "refresh_token": "sandbox-refresh-token",
}


def still(chats: int = 60, **switches: Any) -> Sandbox:
    """A sandbox whose clock is still and that does not limit the rate unless asked to."""
    return Sandbox(chats=chats, now=NOW, switches=Switches(**{"rate_limit": 0, **switches}))


def small(chats: int = 100, history_until: float | str | None = None, **switches: Any) -> Sandbox:
    """A sandbox of many small pages, with many chats in one second.

    No visitor returns, so that each record of a visitor comes once. By default the history ended an hour ago: the reader may
    leave what changed in the last five minutes to the next run, and does so where the machine is so loaded that the API seems
    slow.
    """
    chosen = Switches(**{"rate_limit": 0, "export_page_cap": 40, **switches})
    return Sandbox(chats=chats, returning_visitors=0, history_until=history_until or time.time() - 3600, switches=chosen)


def config_of(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    """The configuration that reads all of a sandbox."""
    config = {
        "start_date": "2020-01-01T00:00:00Z",
        "subdomain": "acme",
        "credentials": {"credentials": "access_token", "access_token": sandbox.token},
        "api_url": sandbox.url,
        "requests_per_minute": 10_000,
        "request_timeout_seconds": 1,
    }
    return config | more


# A client of its API.

API = "/api/v2/chat"
EXPORTS = f"{API}/incremental"
BEARER = {"Authorization": f"Bearer {DEFAULT_TOKEN}"}


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


# What it holds.

Record = dict[str, Any]
CONVERSION = ("timestamp", "goal_id", "goal_name", "attribution")
SESSION = ("ip", "city", "region", "country_code", "country_name", "browser", "platform", "user_agent")
VISITOR = ("name", "email", "phone", "notes", "banned", "external_id")


def chat_events(chats: Iterable[Mapping[str, Any]]) -> list[Record]:
    """The items of ``history``: ids of messages and agents as text, ids of departments as numbers."""
    return [
        {**as_event(item), **made} for item, made in items(chats, "history", lambda item: (item["timestamp"], item["type"]))
    ]


def chat_engagements(chats: Iterable[Mapping[str, Any]]) -> list[Record]:
    """The items of ``engagements``, whose own id is ``engagement_id``."""
    return [
        {**item, "engagement_id": item["id"], **made} for item, made in items(chats, "engagements", lambda item: (item["id"],))
    ]


def chat_webpaths(chats: Iterable[Mapping[str, Any]]) -> list[Record]:
    """The items of ``webpath``, those that are bare arrays included."""
    return [{**as_page(item), **made} for item, made in items(chats, "webpath", page_key)]


def chat_conversions(chats: Iterable[Mapping[str, Any]]) -> list[Record]:
    """The items of ``conversions``, with the id that they have."""
    found = items(chats, "conversions", lambda item: (item["id"],))
    return [{**dict.fromkeys(CONVERSION), **item, **made, "id": item["id"]} for item, made in found]


def visitors(chats: Iterable[Mapping[str, Any]]) -> list[Record]:
    """Each visitor as the chat shows it that began last, and of several of one second the one that changed last."""
    seen = sorted((chat for chat in chats if "visitor" in chat), key=lambda chat: (chat["timestamp"], chat["update_timestamp"]))
    latest = {chat["visitor"]["id"]: chat for chat in seen}
    return [
        {
            **dict.fromkeys(VISITOR),
            **chat["visitor"],
            **{name: chat["session"].get(name) for name in SESSION},
            "last_chat_id": chat["id"],
            "last_chat_timestamp": chat["timestamp"],
            "chat_update_timestamp": chat["update_timestamp"],
        }
        for chat in latest.values()
    ]


DERIVED: dict[str, Callable[[Iterable[Mapping[str, Any]]], list[Record]]] = {
    make.__name__: make for make in (chat_conversions, chat_engagements, chat_events, chat_webpaths, visitors)
}


def items(chats: Iterable[Mapping[str, Any]], name: str, key: Callable[[Any], tuple[str, ...]]) -> Iterator[tuple[Any, Record]]:
    """Each item of a list of each chat, and the fields that are made for it."""
    for chat in chats:
        met: Counter[str] = Counter()
        for position, item in enumerate(chat.get(name) or []):
            identity = "|".join((chat["id"], *key(item)))
            met[identity] += 1
            numbered = identity if met[identity] == 1 else f"{identity}|{met[identity]}"
            at = chat["update_timestamp"]
            yield item, {"id": numbered, "chat_id": chat["id"], "chat_update_timestamp": at, "position": position}


def as_event(item: Mapping[str, Any]) -> Record:
    """An item of history with ids of one type each."""
    event = dict(item)
    for name in {"department_id", "prev_department_id"} & event.keys():
        value = event[name]
        if isinstance(value, str):
            event[name] = int(value) if re.fullmatch(r"\d+", value) else None
            if event[name] is None:
                event["as_sent"] = {**event.get("as_sent", {}), name: value}
    for name in {"msg_id", "agent_id"} & event.keys():
        event[name] = event[name] if event[name] is None else str(event[name])
    return event


def as_page(item: Any) -> Record:
    """An opened page; of a bare array the fields that are certain: here its only address."""
    if isinstance(item, dict):
        return dict(item)
    second, address, _ = item
    time = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"timestamp": time, "from": None, "to": address, "title": None, "as_sent": {"item": item}}


def page_key(item: Any) -> tuple[str, str]:
    page = as_page(item)
    return page["timestamp"], hashlib.blake2b(page["to"].encode(), digest_size=8).hexdigest()


def truth(sandbox: Sandbox, stream: str) -> list[dict[str, Any]]:
    """The records of a stream as the account holds them: with what the source promises to change, and nothing else."""
    account = sandbox.account
    if stream in DERIVED:
        return DERIVED[stream](truth(sandbox, "chats"))
    if stream in account.events:
        return [with_key(stream, json.loads(body)) for body in account.events[stream].bodies.values()]
    if stream in account.lists:
        return list(account.lists[stream].values())
    if stream == "chats":
        return [as_chat(sandbox, identity) for identity in account.chat_ids()]
    single = {"accounts": account.settings, "routing_settings": account.routing_settings}
    return [single[stream]] if stream in single else [routing_of(agent) for agent in account.lists["agents"].values()]


def as_chat(sandbox: Sandbox, identity: str) -> dict[str, Any]:
    """A chat, or what is left of a deleted one; whether it is unread is always a boolean."""
    chats = sandbox.account.chats
    chat = json.loads(chats.tombstone(identity)) if identity in chats.deleted else sandbox.account.chat(identity)
    return {**chat, "unread": bool(chat["unread"])} if "unread" in chat else chat


def with_key(stream: str, event: dict[str, Any]) -> dict[str, Any]:
    """An event, whose key is made where it is a span of an agent's time."""
    return {**event, "id": f"{event['agent_id']}|{event['start_time']}"} if stream == "agent_timeline" else event


_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False)


def by_content(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Records in a form that compares by content whatever their order; half a surrogate pair, which is no text, as U+FFFD."""
    lines = map(_ENCODER.encode, records)
    return sorted(
        line if line.isascii() else line.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for line in lines
    )
