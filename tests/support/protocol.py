"""What Airbyte demands of a source's output, line by line and in its order; written from the protocol, not from the source."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jsonschema import Draft7Validator

NAME = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"], "additionalProperties": False}
EMITTED_AT = {"type": "number", "minimum": 1.5e12, "maximum": 1e13}


def closed(**properties: Any) -> dict[str, Any]:
    """An object that has exactly these keys; those whose name ends in ``_`` may be missing."""
    named = {name.rstrip("_"): schema for name, schema in properties.items()}
    required = [name for name in properties if not name.endswith("_")]
    return {"type": "object", "properties": named, "required": required, "additionalProperties": False}


FAILURE = {"enum": ["system_error", "config_error", "transient_error"]}
REASON = closed(type={"const": "RATE_LIMITED"}, rate_limited=closed(quota_reset={"type": "integer", "minimum": 1.5e12}))
TRACES = {
    "ERROR": closed(
        type={"const": "ERROR"},
        emitted_at=EMITTED_AT,
        error=closed(
            message={"type": "string", "minLength": 10, "maxLength": 2000},
            internal_message_={"type": "string"},
            stack_trace_={"type": "string"},
            failure_type=FAILURE,
            stream_descriptor_=NAME,
        ),
    ),
    "STREAM_STATUS": closed(
        type={"const": "STREAM_STATUS"},
        emitted_at=EMITTED_AT,
        stream_status=closed(
            stream_descriptor=NAME,
            status={"enum": ["STARTED", "RUNNING", "COMPLETE", "INCOMPLETE"]},
            reasons_={"type": "array", "items": REASON, "minItems": 1},
        ),
    ),
}
STREAM = closed(
    name={"type": "string", "minLength": 1},
    json_schema={"type": "object"},
    supported_sync_modes={"type": "array", "items": {"enum": ["full_refresh", "incremental"]}, "minItems": 1},
    source_defined_cursor_={"type": "boolean"},
    default_cursor_field_={"type": "array", "items": {"type": "string"}},
    source_defined_primary_key_={"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
    is_resumable={"type": "boolean"},
)
PAYLOADS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "RECORD": (
        "record",
        closed(stream={"type": "string"}, data={"type": "object", "minProperties": 1}, emitted_at={"type": "integer"}),
    ),
    "STATE": (
        "state",
        closed(
            type={"const": "STREAM"},
            stream=closed(stream_descriptor=NAME, stream_state={"type": "object", "minProperties": 1}),
            sourceStats=closed(recordCount={"type": "number", "minimum": 0}),
        ),
    ),
    "LOG": (
        "log",
        closed(
            level={"enum": ["FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE"]},
            message={"type": "string", "minLength": 1},
        ),
    ),
    "SPEC": ("spec", {"type": "object", "required": ["connectionSpecification", "protocol_version"]}),
    "CONNECTION_STATUS": (
        "connectionStatus",
        closed(status={"enum": ["SUCCEEDED", "FAILED"]}, message={"type": "string", "minLength": 10}),
    ),
    "CATALOG": ("catalog", closed(streams={"type": "array", "items": STREAM, "minItems": 1})),
    "CONTROL": (
        "control",
        closed(
            type={"const": "CONNECTOR_CONFIG"},
            emitted_at=EMITTED_AT,
            connectorConfig=closed(config={"type": "object", "minProperties": 1}),
        ),
    ),
    "TRACE": ("trace", {"type": "object", "required": ["type"], "properties": {"type": {"enum": list(TRACES)}}}),
}
_VALIDATORS = {kind: Draft7Validator(closed(type={"const": kind}, **{key: schema})) for kind, (key, schema) in PAYLOADS.items()}
_TRACE_VALIDATORS = {kind: Draft7Validator(schema) for kind, schema in TRACES.items()}


class ProtocolError(AssertionError):
    """The output breaks the protocol."""


def require(condition: object, complaint: str) -> None:
    if not condition:
        raise ProtocolError(complaint)


def is_clearly_valid(message: Mapping[str, Any]) -> bool:
    """Whether a message is a record that its schema accepts. It takes a twentieth of the time of the schema."""
    record = message.get("record")
    return (
        message.keys() == {"type", "record"}
        and isinstance(record, dict)
        and record.keys() == {"stream", "data", "emitted_at"}
        and isinstance(record["stream"], str)
        and isinstance(record["data"], dict)
        and record["data"] != {}
        and type(record["emitted_at"]) is int
    )


def parse_line(line: bytes) -> dict[str, Any]:
    """One valid message."""
    text = line.decode()
    require("\r" not in text, "a carriage return splits a line")
    try:
        message: Any = json.loads(text)
    except ValueError:
        raise ProtocolError(f"no JSON: {text[:200]}") from None
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(kind, str) or kind not in _VALIDATORS:
        raise ProtocolError(f"no message type: {text[:200]}")
    errors = [] if kind == "RECORD" and is_clearly_valid(message) else [*_VALIDATORS[kind].iter_errors(message)]
    if kind == "TRACE" and not errors:
        errors = [*_TRACE_VALIDATORS[message["trace"]["type"]].iter_errors(message["trace"])]
    require(not errors, f"{kind}: {errors and errors[0].message}: {text[:200]}")
    if kind == "RECORD":
        require(type(message["record"]["emitted_at"]) is int, "emitted_at of a record is an integer")
    if kind == "STATE":
        require(re.search(r'"recordCount":\d+\.\d+\}', text), f"recordCount has a decimal point: {text[-100:]}")
    parsed: dict[str, Any] = message
    return parsed


def parse(stdout: bytes) -> list[dict[str, Any]]:
    """All messages of an output whose every line is valid."""
    require(not stdout or stdout.endswith(b"\n"), "the last line is cut")
    return [parse_line(line) for line in stdout.split(b"\n")[:-1]]


@dataclass(frozen=True)
class Output:
    """The messages of one run, which do not change."""

    messages: list[dict[str, Any]]

    @cached_property
    def _by_kind(self) -> dict[str, list[dict[str, Any]]]:
        found = defaultdict(list)
        for message in self.messages:
            found[message["type"]].append(message[PAYLOADS[message["type"]][0]])
        return dict(found)

    def payloads(self, kind: str) -> list[dict[str, Any]]:
        return [*self._by_kind.get(kind, [])]

    @cached_property
    def _by_stream(self) -> dict[str, list[dict[str, Any]]]:
        found = defaultdict(list)
        for record in self.payloads("RECORD"):
            found[record["stream"]].append(record["data"])
        return found

    @property
    def records(self) -> dict[str, list[dict[str, Any]]]:
        """The records of each stream; of a stream without records an empty list."""
        return defaultdict(list, self._by_stream)

    @property
    def states(self) -> dict[str, list[dict[str, Any]]]:
        found = defaultdict(list)
        for state in self.payloads("STATE"):
            found[state["stream"]["stream_descriptor"]["name"]].append(state["stream"]["stream_state"])
        return found

    @property
    def last_state(self) -> list[dict[str, Any]]:
        """What the platform stores: the last state message of each stream."""
        last = {state["stream"]["stream_descriptor"]["name"]: state for state in self.payloads("STATE")}
        return list(last.values())

    @property
    def errors(self) -> list[dict[str, Any]]:
        return [trace["error"] for trace in self.payloads("TRACE") if trace["type"] == "ERROR"]

    def error_of(self, stream: str) -> dict[str, Any]:
        (error,) = [error for error in self.errors if error.get("stream_descriptor") == {"name": stream}]
        return error

    @property
    def endings(self) -> dict[str, str]:
        """The last status of each stream."""
        statuses = [trace["stream_status"] for trace in self.payloads("TRACE") if trace["type"] == "STREAM_STATUS"]
        return {status["stream_descriptor"]["name"]: status["status"] for status in statuses}

    def logs(self, *levels: str) -> list[str]:
        return [log["message"] for log in self.payloads("LOG") if log["level"] in levels]


class _Story:
    """One stream's messages, in order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.status = ""
        self.records = 0
        self.since_state = 0
        self.last_state: Any = None

    def take(self, message: Mapping[str, Any]) -> None:
        kind = message["type"]
        if kind == "RECORD":
            require(self.status == "RUNNING", f"{self.name}: a record while {self.status or 'not started'}")
            self.records += 1
            self.since_state += 1
        elif kind == "STATE":
            self._state(message["state"])
        else:
            self._status(message["trace"]["stream_status"])

    def _state(self, state: Mapping[str, Any]) -> None:
        require(self.status == "RUNNING", f"{self.name}: a state while {self.status or 'not started'}")
        count = state["sourceStats"]["recordCount"]
        require(count == self.since_state, f"{self.name}: recordCount {count}, but {self.since_state} records")
        blob = state["stream"]["stream_state"]
        require(blob != self.last_state or not self.since_state, f"{self.name}: the same state again after records")
        self.last_state, self.since_state = blob, 0

    def _status(self, status: Mapping[str, Any]) -> None:
        new = status["status"]
        if status.get("reasons"):
            require(
                new == "RUNNING" and self.status in {"STARTED", "RUNNING"}, f"{self.name}: rate-limited while {self.status}"
            )
            return
        allowed = {"": {"STARTED"}, "STARTED": {"RUNNING", "INCOMPLETE"}, "RUNNING": {"COMPLETE", "INCOMPLETE"}}
        require(new in allowed.get(self.status, set()), f"{self.name}: {new} after {self.status or 'nothing'}")
        if new == "COMPLETE":
            require(self.last_state is not None, f"{self.name}: complete without a state")
            require(not self.since_state, f"{self.name}: complete with records after the last state")
        self.status = new


def stream_of(message: Mapping[str, Any]) -> str | None:
    """The stream that a record, state or status belongs to."""
    match message:
        case {"record": {"stream": name}}:
            return str(name)
        case {"state": {"stream": {"stream_descriptor": {"name": name}}}}:
            return str(name)
        case {"trace": {"stream_status": {"stream_descriptor": {"name": name}}}}:
            return str(name)
        case _:
            return None


def check_read(stdout: bytes, streams: Iterable[str], *, interrupted: bool = False) -> Output:
    """The output of a ``read`` of these streams, with every rule of order and count checked."""
    output = Output(parse(stdout))
    kinds = {message["type"] for message in output.messages}
    require(kinds <= {"RECORD", "STATE", "LOG", "TRACE", "CONTROL"}, f"not allowed in a read: {kinds}")
    stories = {name: _Story(name) for name in streams}
    for message in output.messages:
        name = stream_of(message)
        if name is not None:
            require(name in stories, f"a stream nobody asked for: {name}")
            stories[name].take(message)
    for story in stories.values():
        ended = story.status in {"COMPLETE", "INCOMPLETE"} or (interrupted and story.status == "")
        require(ended, f"{story.name}: ends {story.status or 'unheard of'}")
    failed = [error["stream_descriptor"]["name"] for error in output.errors if "stream_descriptor" in error]
    require(len(set(failed)) == len(failed), f"two errors for one stream: {failed}")
    incomplete = {name for name, story in stories.items() if story.status == "INCOMPLETE"}
    require(interrupted or set(failed) == incomplete, f"errors of {failed}, but incomplete are {incomplete}")
    return output
