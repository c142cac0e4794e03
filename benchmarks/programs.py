"""What is compared: how each program is started, and where its chats end up."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from zendesk_chat_sandbox.auth import DEFAULT_TOKEN
from zendesk_chat_sandbox.http_messages import API

BENCHMARKS: Final = Path(__file__).parent
PYTHON: Final = Path(sys.executable)
CONNECTOR: Final = PYTHON.with_name("source-zendesk-chat")
CDK_PYTHON: Final = BENCHMARKS.parent / ".cache/bench-venv/bin/python"
DATABASE: Final = "bench.duckdb"
Command = list[str | Path]
DERIVED: Final = {
    **dict.fromkeys(("chat_events", "chat_engagements", "chat_webpaths", "chat_conversions"), "chat_update_timestamp"),
    "visitors": "last_chat_timestamp",
}
REDACTED: Final = [
    {"field": "chats.history.*.msg", "action": "mask"},
    {"field": "chats.visitor.email", "action": "hash"},
    {"field": "chats.session.ip", "action": "null"},
]


@dataclass(frozen=True, slots=True)
class Account:
    """Where a program reads from, and the folder that it runs in, with its `config.json` and `catalog.json`."""

    url: str
    begins: int
    folder: Path

    @property
    def api_url(self) -> str:
        """The address of the API."""
        return self.url + API

    def write(self, requests_per_minute: int) -> None:
        """Write the files that a program is given."""
        config = {
            "subdomain": "bench",
            "api_url": self.api_url,
            "start_date": datetime.fromtimestamp(self.begins, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "requests_per_minute": requests_per_minute,
            "credentials": {"credentials": "access_token", "access_token": DEFAULT_TOKEN},
        }
        chats = _configured("chats", "update_timestamp")
        files = {
            "config.json": config,
            "redacting.json": {**config, "redact": {"hash_key": "a key that is nobody's", "rules": REDACTED}},
            "catalog.json": {"streams": [chats]},
            "derived.json": {"streams": [chats, *(_configured(name, cursor) for name, cursor in DERIVED.items())]},
        }
        for name, content in files.items():
            (self.folder / name).write_text(json.dumps(content))


def _configured(name: str, cursor_field: str) -> dict[str, Any]:
    stream = {
        "name": name,
        "json_schema": {},
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_cursor": True,
        "default_cursor_field": [cursor_field],
    }
    modes = {"sync_mode": "incremental", "destination_sync_mode": "append_dedup"}
    return {"stream": stream, **modes, "cursor_field": [cursor_field], "primary_key": [["id"]]}


@dataclass(frozen=True, slots=True)
class Program:
    """One way to get the chats.

    Attributes:
        name: As in the report.
        what: What it is, in a sentence.
        command: Its command line.
        loads: Whether it loads into a database, so that nothing comes out of its standard output.
        after: A command that runs before it, and is not measured.
    """

    name: str
    what: str
    command: Callable[[Account], Command]
    loads: bool = False
    after: Callable[[Account], Command] | None = None


def _bare(account: Account) -> Command:
    return [PYTHON, BENCHMARKS / "bare.py", account.api_url, DEFAULT_TOKEN, str(account.begins)]


def _read(account: Account) -> Command:  # noqa: ARG001  its files say it
    return [CONNECTOR, "read", "--config", "config.json", "--catalog", "catalog.json"]


def _redact(account: Account) -> Command:  # noqa: ARG001  as above
    return [CONNECTOR, "read", "--config", "redacting.json", "--catalog", "catalog.json"]


def _derive(account: Account) -> Command:  # noqa: ARG001  as above
    return [CONNECTOR, "read", "--config", "config.json", "--catalog", "derived.json"]


def _sync(account: Account) -> Command:
    return [*_everything(account), "--streams", "chats"]


def _everything(account: Account) -> Command:
    return [CONNECTOR, "sync", "--config", "config.json", "--to", f"duckdb:///{account.folder / DATABASE}"]


def _cdk(script: str) -> Callable[[Account], Command]:
    source = BENCHMARKS / "cdk" / script
    return lambda _account: [CDK_PYTHON, source, "read", "--config", "config.json", "--catalog", "catalog.json"]


BARE: Final = Program(
    "bare",
    "[`bare.py`](../benchmarks/bare.py), urllib3 and msgspec: one page after another to stdout, without state, "
    "retries or checks.",
    _bare,
)
READ: Final = Program("read", "`source-zendesk-chat read` with the stream `chats`, incremental.", _read)
READ_REDACTED: Final = Program(
    "read, redacting",
    "`read` with three rules: e-mail, phone, card and IP patterns masked in each message, the visitor's e-mail address hashed, "
    "the IP address null.",
    _redact,
)
READ_DERIVED: Final = Program(
    "read, derived too",
    "`read` with `chats` and the five streams derived from it: about twenty more records for each chat, and no more requests.",
    _derive,
)
SYNC: Final = Program(
    "sync",
    "`zendesk-chat sync --streams chats` into a new DuckDB file: extraction, loading and upsert.",
    _sync,
    loads=True,
)
EVERYTHING: Final = Program(
    "everything",
    "`zendesk-chat sync` into a new DuckDB file: all 21 streams, those derived from chats among them.",
    _everything,
    loads=True,
)
NOTHING_NEW: Final = Program(
    "nothing new",
    "`zendesk-chat sync` into the file of such a run: it finds nothing new.",
    _everything,
    loads=True,
    after=_everything,
)
CDK_DECLARATIVE: Final = Program(
    "cdk-declarative",
    "a [manifest](../benchmarks/cdk/manifest.yaml) on Airbyte's CDK: one stream, paged by `end_time` and `end_id`.",
    _cdk("declarative.py"),
)
CDK_HTTP: Final = Program(
    "cdk-http",
    "an [`HttpStream`](../benchmarks/cdk/http_stream.py) in Python on Airbyte's CDK, paged likewise.",
    _cdk("http_stream.py"),
)
PROGRAMS: Final = (BARE, READ, SYNC, CDK_DECLARATIVE, CDK_HTTP)
MORE: Final = (READ_REDACTED, READ_DERIVED, EVERYTHING, NOTHING_NEW)  # what more than the others they do, costs

COLD_STARTS: Final[Mapping[str, Command]] = {
    'python -c "import msgspec"': [PYTHON, "-c", "import msgspec"],
    "source-zendesk-chat spec": [CONNECTOR, "spec"],
    "source-zendesk-chat discover": [CONNECTOR, "discover", "--config", "config.json"],
    "source-zendesk-chat check": [CONNECTOR, "check", "--config", "config.json"],
    "cdk-declarative spec": [CDK_PYTHON, BENCHMARKS / "cdk/declarative.py", "spec"],
    "cdk-http spec": [CDK_PYTHON, BENCHMARKS / "cdk/http_stream.py", "spec"],
}


def environment(trusted: Path, folder: Path) -> dict[str, str]:
    """What a program finds around it: only the path of the caller; the run's certificate is trusted; no telemetry."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "SSL_CERT_FILE": str(trusted),
        "REQUESTS_CA_BUNDLE": str(trusted),
        "DO_NOT_TRACK": "1",
    }
