"""Read in this process, by command or with the library, with waits that take no time; and what a destination then holds."""

from __future__ import annotations

import io
import json
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.executable import files, names_in, read_files
from tests.support.protocol import Output, check_read, parse
from tests.support.sandbox import OAUTH, by_content, truth
from zendesk_chat import Account, Batch
from zendesk_chat.airbyte.check import check
from zendesk_chat.airbyte.messages import Writer
from zendesk_chat.airbyte.read import read
from zendesk_chat.library import account as account_module
from zendesk_chat.library import reading
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat_sandbox import Sandbox

ALL = tuple(STREAMS)
OPTIONAL = ("agent_events", "agent_routing_settings", "conversions", "department_events")
INCREMENTAL = tuple(stream.name for stream in STREAMS.values() if stream.cursor_field)


def catalog_of(streams: Iterable[str] = ALL, *, full_refresh: bool = False) -> dict[str, Any]:
    def configured(name: str) -> dict[str, Any]:
        incremental = name in INCREMENTAL and not full_refresh
        return {
            "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"], "namespace": None},
            "sync_mode": "incremental" if incremental else "full_refresh",
            "destination_sync_mode": "append",
            "cursor_field": None,
            "primary_key": None,
            "generation_id": 1,
        }

    return {"streams": [configured(name) for name in streams]}


def read_here(config: Any, catalog: Any, state: Any = None, *, debug: bool = False) -> tuple[int, Output]:
    """``read`` in this process, with the protocol checked; waits take no time."""
    out, clock = io.BytesIO(), FakeClock(running=True)
    with tempfile.TemporaryDirectory() as folder:
        paths = read_files(Path(folder), config, catalog, state)[1::2]
        writer = Writer(out, clock, debug=debug)
        code = read(writer, clock, paths[0], paths[1], paths[2] if state is not None else None)
    return code, check_read(out.getvalue(), names_in(catalog))


def check_here(config: Any) -> tuple[str, str]:
    """``check`` in this process; waits take no time."""
    out, clock = io.BytesIO(), FakeClock(running=True)
    with tempfile.TemporaryDirectory() as folder:
        assert check(Writer(out, clock), clock, files(Path(folder), config=config)[1]) == 0
    (status,) = Output(parse(out.getvalue())).payloads("CONNECTION_STATUS")
    return status["status"], status["message"]


def key_of(stream: str, record: Mapping[str, Any]) -> Any:
    return tuple(record[field] for field in STREAMS[stream].primary_key)


def merged(stream: str, *runs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What a destination holds after these runs: the latest record of each key, by the stream's cursor or else by order."""
    records = [record for run in runs for record in run]
    latest_by = STREAMS[stream].latest_by
    in_order = sorted(records, key=lambda record: str(record[latest_by])) if latest_by else records
    return list({key_of(stream, record): record for record in in_order}.values())


def assert_complete(sandbox: Sandbox, stream: str, *runs: Sequence[Mapping[str, Any]]) -> None:
    """The runs together hold exactly the account's records."""
    assert by_content(merged(stream, *runs)) == by_content(truth(sandbox, stream))


# The library.

FAST = 10_000


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
