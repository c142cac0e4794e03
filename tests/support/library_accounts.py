"""Accounts to read with the library: sandboxes, and what to know of them."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.clock import FakeClock
from zendesk_chat import Account, Batch
from zendesk_chat.library import account as account_module
from zendesk_chat.library import reading
from zendesk_chat_sandbox import EXPIRED_TOKEN, Sandbox

FAST = 10_000
OAUTH = {
    "credentials": "oauth2.0",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
    "access_token": EXPIRED_TOKEN,
    "refresh_token": "sandbox-refresh-token",
}


def account_of(sandbox: Sandbox, **options: Any) -> Account:
    given: dict[str, Any] = {"subdomain": "acme", "token": sandbox.token, "api_url": sandbox.url, "requests_per_minute": FAST}
    return Account(**given | options)


def oauth_of(sandbox: Sandbox, **options: Any) -> Account:
    config = {"subdomain": "acme", "api_url": sandbox.url, "credentials": OAUTH, "requests_per_minute": FAST}
    return Account(config=config, **options)


def be_hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let waits take no time."""
    hasty = partial(FakeClock, running=True, skipped=SimpleNamespace())
    for module in (account_module, reading):
        monkeypatch.setattr(module, "SystemClock", hasty)


def records_of(batches: Iterable[Batch]) -> list[dict[str, Any]]:
    return [record for batch in batches for record in batch.to_dicts()]


def collect(batches: Iterable[Batch], into: list[Batch]) -> None:
    """Keep the batches also where an error ends them."""
    for batch in batches:
        into.append(batch)  # noqa: PERF402  extend would lose those before the error


def by_stream(batches: Iterable[Batch]) -> tuple[dict[str, list[dict[str, Any]]], dict[str, Any]]:
    """The records and the last state of each stream; the state as it comes back from a file."""
    records: dict[str, list[dict[str, Any]]] = defaultdict(list)
    states: dict[str, Any] = {}
    for batch in batches:
        records[batch.stream] += batch.to_dicts()
        states[batch.stream] = json.loads(json.dumps(batch.state))
    return records, states


def threads() -> list[str]:
    """The threads of reads that are alive."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(("reader-", "request"))]


def assert_threads_end(seconds: float = 3.0) -> None:
    deadline = time.monotonic() + seconds
    while threads() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert threads() == []
