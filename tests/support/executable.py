"""Run the source's commands: as a process, or in this one with waits that take no time."""

import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.http_fakes import HastyClock
from tests.support.oracle import by_content, truth
from tests.support.protocol import Output, check_read, parse
from zendesk_chat.airbyte.check import check
from zendesk_chat.airbyte.messages import Writer
from zendesk_chat.airbyte.read import read
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat_sandbox import Sandbox, Switches

EXECUTABLE = Path(sys.executable).parent / "source-zendesk-chat"
ALL = tuple(STREAMS)
OPTIONAL = ("agent_events", "agent_routing_settings", "conversions", "department_events")
INCREMENTAL = tuple(stream.name for stream in STREAMS.values() if stream.cursor_field)


def small(chats: int = 250, **switches: Any) -> Sandbox:
    """A sandbox of many small pages.

    No visitor returns, so that each record of a visitor comes once. The history ended an hour ago: the reader may leave what
    changed in the last five minutes to the next run, and does so where the machine is so loaded that the API seems slow.
    """
    chosen = Switches(**{"rate_limit": 0, "export_page_cap": 100, **switches})
    return Sandbox(chats=chats, returning_visitors=0, history_until=time.time() - 3600, switches=chosen)


def config_of(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    config = {
        "start_date": "2020-01-01T00:00:00Z",
        "subdomain": "acme",
        "credentials": {"credentials": "access_token", "access_token": sandbox.token},
        "api_url": sandbox.url,
        "requests_per_minute": 10_000,
        "request_timeout_seconds": 1,
    }
    return config | more


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


def names_in(catalog: Any) -> list[str]:
    return [entry["stream"]["name"] for entry in catalog["streams"]]


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    stdout: bytes
    stderr: str = ""

    @property
    def output(self) -> Output:
        return Output(parse(self.stdout))


def environment(**more: str) -> dict[str, str]:
    """The environment of a bare container: no home, no locale. Coverage is measured there too."""
    coverage = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return {"PATH": os.environ.get("PATH", ""), **coverage, **more}


def files(folder: Path, **contents: Any) -> list[str]:
    """Write JSON files (or bytes as they are) and return them as options."""
    options = []
    for name, content in contents.items():
        path = folder / f"{name}.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        options += [f"--{name}", str(path)]
    return options


def execute(command: str, *options: str, cwd: str | None = None, **env: str) -> Done:
    """Run a command as a process."""
    ended = subprocess.run(
        [EXECUTABLE, command, *options], capture_output=True, env=environment(**env), timeout=60, cwd=cwd, check=False
    )
    return Done(ended.returncode, ended.stdout, ended.stderr.decode())


def read_process(config: Any, catalog: Any, state: Any = None, *options: str, **env: str) -> Done:
    """``read`` as a process."""
    with tempfile.TemporaryDirectory() as folder:
        given = files(Path(folder), config=config, catalog=catalog, **({} if state is None else {"state": state}))
        return execute("read", *given, *options, **env)


def read_here(config: Any, catalog: Any, state: Any = None, *, debug: bool = False) -> tuple[int, Output]:
    """``read`` in this process, with the protocol checked; waits take no time."""
    out, clock = io.BytesIO(), HastyClock()
    with tempfile.TemporaryDirectory() as folder:
        paths = files(Path(folder), config=config, catalog=catalog, **({} if state is None else {"state": state}))[1::2]
        writer = Writer(out, clock, debug=debug)
        code = read(writer, clock, paths[0], paths[1], paths[2] if state is not None else None)
    return code, check_read(out.getvalue(), names_in(catalog))


def check_here(config: Any) -> tuple[str, str]:
    """``check`` in this process; waits take no time."""
    out, clock = io.BytesIO(), HastyClock()
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


def assert_whole(sandbox: Sandbox, stream: str, *runs: Sequence[Mapping[str, Any]]) -> None:
    """The runs together hold exactly the account's records."""
    assert by_content(merged(stream, *runs)) == by_content(truth(sandbox, stream))
