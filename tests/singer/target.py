"""A target as Singer's specification describes it. Nothing of the tap is imported."""

from __future__ import annotations

import io
import itertools
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator, FormatChecker

from tests.support.clock import FakeClock
from tests.support.executable import files
from zendesk_chat.singer.messages import Writer
from zendesk_chat.singer.read import run_tap
from zendesk_chat.tap import make_parser
from zendesk_chat_sandbox import Sandbox

RUNS = itertools.count(1)
RECORD_KEYS = {"type", "stream", "record", "time_extracted", "version"}


@dataclass
class Table:
    """A stream in the target."""

    key: list[str]
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, int | None] = field(default_factory=dict)

    def merge(self, record: dict[str, Any], version: int | None) -> None:
        identity = json.dumps([record[name] for name in self.key] if self.key else record, sort_keys=True)
        self.rows[identity], self.versions[identity] = record, version

    def activate(self, version: int) -> None:
        for identity in [identity for identity, its in self.versions.items() if its is None or its < version]:
            del self.rows[identity], self.versions[identity]


@dataclass
class Target:
    """What a target holds after the messages that it has received."""

    tables: dict[str, Table] = field(default_factory=dict)
    states: list[dict[str, Any]] = field(default_factory=list)
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    columns: dict[str, set[str]] = field(default_factory=dict)

    def load(self, output: bytes, *, until_state: int | None = None) -> dict[str, Any]:
        """Take messages, all or those up to the state of this number, and return the last state."""
        self.records, self.states, validators = {}, [], {}
        assert not output or output.endswith(b"\n"), "the last line is incomplete"
        for line in output.splitlines():
            message = json.loads(line)
            match message["type"]:
                case "SCHEMA":
                    name, schema = message["stream"], message["schema"]
                    Draft7Validator.check_schema(schema)
                    assert set(message["key_properties"]) <= schema["properties"].keys()
                    assert set(message["bookmark_properties"]) <= schema["properties"].keys()
                    validators[name] = Draft7Validator(schema, format_checker=FormatChecker())
                    self.columns[name] = set(schema["properties"])
                    self.tables.setdefault(name, Table(message["key_properties"]))
                    assert self.tables[name].key == message["key_properties"]
                case "RECORD":
                    assert message.keys() <= RECORD_KEYS
                    name, record = message["stream"], message["record"]
                    validators[name].validate(record)
                    self.records.setdefault(name, []).append(record)
                    self.tables[name].merge(record, message.get("version"))
                case "ACTIVATE_VERSION":
                    self.tables[message["stream"]].activate(message["version"])
                case "STATE":
                    self.states.append(message["value"])
                    if until_state == len(self.states):
                        break
                case other:
                    raise AssertionError(other)
        return self.states[-1]

    def rows(self, stream: str) -> list[dict[str, Any]]:
        return list(self.tables[stream].rows.values())


@dataclass(frozen=True)
class Done:
    """A run of the tap."""

    code: int
    output: bytes
    log: str


class EachRunLater(FakeClock):
    """Each one is a second ahead of the one before: versions are in seconds, and these runs take less than one."""

    def __init__(self) -> None:
        super().__init__(running=True)
        self.seconds = next(RUNS)

    def now(self) -> float:
        return super().now() + self.seconds


def lately(sandbox: Sandbox) -> float:
    """A time for a change that the next run reads, however slow the machine: not of the last five minutes."""
    return sandbox.clock.time() - 400


def tap_here(config: Any, catalog: Any = None, state: Any = None, *, state_seconds: float = 0.0) -> Done:
    """Run the tap in this process: waits take no time, and a state follows each page unless asked otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        contents = {"config": config, "catalog": catalog, "state": state}
        options = files(Path(folder), **{name: value for name, value in contents.items() if value is not None})
        return run_here(*options, state_seconds=state_seconds)


def run_here(*options: str, state_seconds: float = 0.0) -> Done:
    """Run the tap in this process with these options."""
    out, log, clock = io.BytesIO(), io.StringIO(), FakeClock(running=True)
    code = run_tap(make_parser().parse_args(options), Writer(out, log, EachRunLater()), clock, state_seconds)
    return Done(int(code), out.getvalue(), log.getvalue())


def discover_here(config: Any = None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        done = run_here("--discover", *(files(Path(folder), config=config) if config is not None else ()))
    assert done.code == 0
    catalog: dict[str, Any] = json.loads(done.output)
    return catalog


def select(catalog: Mapping[str, Any], *streams: str, without: Mapping[str, tuple[str, ...]] | None = None) -> dict[str, Any]:
    """Return a catalog that selects these streams (default: all), ``without`` some fields of them by dotted path."""
    chosen: dict[str, Any] = json.loads(json.dumps(catalog))
    for entry in chosen["streams"]:
        name = entry["tap_stream_id"]
        for item in entry["metadata"]:
            if not item["breadcrumb"]:
                item["metadata"]["selected"] = not streams or name in streams
            path = ".".join(word for word in item["breadcrumb"] if word not in ("properties", "items"))
            if path in (without or {}).get(name, ()):
                item["metadata"]["selected"] = False
    return chosen
