"""Faults to inject: which requests they hit, and what happens to those."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Final, Literal, get_args

from zendesk_chat_sandbox.http_messages import Request, Response, encode, html_response
from zendesk_chat_sandbox.rate_limit import retry_after_header

Kind = Literal[
    "status",
    "html",
    "empty",
    "body",
    "redirect",
    "truncated_json",
    "latency",
    "drip",
    "reset",
    "reset_body",
    "hang",
    "hang_body",
    "truncated",
    "truncated_gzip",
    "edge_429",
    "interim",
    "drip_head",
    "gzip_members",
    "no_key",
    "wrong_count",
]
# Faults that replace the response of the API; the request never reaches it.
REPLACING: Final = frozenset({"status", "html", "empty", "body", "redirect", "edge_429"})


_EDGE_LIMIT: Final = {
    "detail": "Rate limited by Zendesk edge protection",
    "status": "429",
    "title": "Automated response",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault.

    ``path``, ``method`` and ``query`` are shell patterns. Of the requests that match, the first ``after`` pass, then
    every ``every``-th is hit, ``times`` times in all (None: without end).

    Kinds:
        status: respond with ``status`` (503) with ``body`` (a JSON error).
        html: respond with 200 and a page of HTML.
        empty: respond with 200 without a body.
        body: respond with 200 and ``body``.
        redirect: respond with 302 to ``location``.
        truncated_json: a good response whose JSON ends after ``size`` bytes (half of it).
        latency: wait ``seconds``, then respond.
        drip: send the body in pieces of ``size`` bytes with ``seconds`` between them.
        reset: reset the connection instead of responding.
        reset_body: reset it after ``size`` bytes of the body (half of it).
        hang: send nothing for ``seconds`` (None: until the sandbox stops), then close.
        hang_body: the same after ``size`` bytes of the body.
        truncated: close the connection properly after ``size`` bytes of a longer ``Content-Length``.
        truncated_gzip: a complete response whose compressed body ends after ``size`` bytes.
        edge_429: respond with 429 as Zendesk's edge does; with ``Retry-After`` only if ``retry_after`` is given.
        interim: send the 1xx responses of ``interim``, ``seconds`` apart, before the response.
        drip_head: the same as drip, from the status line on.
        gzip_members: compress each ``size`` bytes (half) of the body on their own, as one gzip file of several members.
        no_key: row number ``row`` of the response (None: every row) lacks the key ``key``.
        wrong_count: ``count`` is greater by ``by`` than the number of rows.
    """

    kind: Kind
    path: str = "*"
    method: str = "*"
    query: str = "*"
    after: int = 0
    every: int = 1
    times: int | None = 1
    status: int | None = None
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    retry_after: float | None = None
    retry_after_form: Literal["seconds", "date"] = "seconds"
    location: str = "https://elsewhere.example.com/"
    size: int | None = None
    seconds: float | None = None
    interim: Sequence[int] = (HTTPStatus.EARLY_HINTS,)
    key: str = "id"
    row: int | None = 0
    by: int = 1

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"no fault {self.kind!r}. The faults are: {', '.join(get_args(Kind))}")
        if self.every < 1:
            raise ValueError("every must be at least 1")
        if not all(HTTPStatus.CONTINUE <= status < HTTPStatus.OK for status in self.interim):
            raise ValueError("interim must be a list of statuses from 100 to 199")

    def matches(self, request: Request) -> bool:
        """Return whether the fault applies to a request."""
        return (
            fnmatchcase(request.path, self.path)
            and fnmatchcase(request.method, self.method)
            and fnmatchcase(request.query_string, self.query)
        )


@dataclass(slots=True)
class _Armed:
    fault: Fault
    seen: int = 0
    fired: int = 0

    def due(self) -> bool:
        counted = self.seen - self.fault.after
        spent = self.fault.times is not None and self.fired >= self.fault.times
        return not spent and counted > 0 and counted % self.fault.every == 0


class FaultBook:
    """The faults that wait for their requests."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Add a fault after those already there; of several that are due the first one hits."""
        with self._lock:
            self._armed.append(_Armed(fault))

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._armed.clear()

    def fired(self) -> list[tuple[Fault, int]]:
        """Return all faults, each with how often it has hit."""
        with self._lock:
            return [(armed.fault, armed.fired) for armed in self._armed]

    def pick(self, request: Request) -> Fault | None:
        """Count a request and return the fault that hits it."""
        with self._lock:
            matching = [armed for armed in self._armed if armed.fault.matches(request)]
            for armed in matching:
                armed.seen += 1
            for armed in matching:
                if armed.due():
                    armed.fired += 1
                    return armed.fault
        return None


def replacement(fault: Fault, now: float) -> Response:
    """Return the response of a replacing fault."""
    headers = dict(fault.headers)
    if fault.retry_after is not None:
        headers |= retry_after_header(now, fault.retry_after, fault.retry_after_form)
    text = fault.body.encode() if fault.body is not None else None
    if fault.kind == "status":
        status = fault.status or HTTPStatus.SERVICE_UNAVAILABLE
        default = encode({"error": _phrase(status), "description": "A fault of the sandbox"})
        return Response(status, default if text is None else text, headers=headers)
    if fault.kind == "edge_429":
        return Response(HTTPStatus.TOO_MANY_REQUESTS, encode(_EDGE_LIMIT) if text is None else text, headers=headers)
    if fault.kind == "redirect":
        return Response(fault.status or HTTPStatus.FOUND, text or b"", headers=headers | {"Location": fault.location})
    if fault.kind == "html":
        page = html_response(fault.status or HTTPStatus.OK, "Scheduled maintenance", "Please try again in a moment.")
        return replace(page, headers=headers, body=page.body if text is None else text)
    return Response(fault.status or HTTPStatus.OK, text or b"", headers=headers)


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else f"Status {status}"


def cut_at(fault: Fault, body: bytes) -> int:
    """Return after how many bytes a body is truncated: ``size``, else half of it."""
    return min(len(body), len(body) // 2 if fault.size is None else fault.size)
