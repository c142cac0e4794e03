"""The checker of the other tests is worth something only if it refuses what Airbyte would."""

import json
from typing import Any

import pytest
from jsonschema import Draft7Validator

from tests.support.protocol import PAYLOADS, ProtocolError, check_read, closed, is_clearly_valid, parse_line

AT = 1_795_000_000_000


def status(name: str, **more: Any) -> dict[str, Any]:
    body = {"stream_descriptor": {"name": "s"}, "status": name, **more}
    return {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": AT, "stream_status": body}}


RECORD: dict[str, Any] = {"type": "RECORD", "record": {"stream": "s", "data": {"id": 1}, "emitted_at": AT}}
STARTED, RUNNING, COMPLETE, INCOMPLETE = (status(name) for name in ("STARTED", "RUNNING", "COMPLETE", "INCOMPLETE"))
LIMITED = status("RUNNING", reasons=[{"type": "RATE_LIMITED", "rate_limited": {"quota_reset": AT}}])
ERROR_BODY = {"message": "a clear message", "failure_type": "config_error", "stream_descriptor": {"name": "s"}}
ERROR = {"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": AT, "error": ERROR_BODY}}


def state(count: float = 1.0, cursor: Any = 1) -> dict[str, Any]:
    stream = {"stream_descriptor": {"name": "s"}, "stream_state": {"at": cursor}}
    return {"type": "STATE", "state": {"type": "STREAM", "stream": stream, "sourceStats": {"recordCount": count}}}


def lines(*messages: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(message, separators=(",", ":")).encode() + b"\n" for message in messages)


@pytest.mark.parametrize(
    "messages",
    [
        (STARTED, RUNNING, RECORD, state(), COMPLETE),
        (STARTED, RUNNING, state(0.0), COMPLETE),
        (STARTED, LIMITED, RUNNING, RECORD, RECORD, state(2.0), RECORD, LIMITED, state(1.0, 2), state(0.0, 2), COMPLETE),
        (STARTED, ERROR, INCOMPLETE),
        (STARTED, RUNNING, RECORD, state(), RECORD, ERROR, INCOMPLETE),
    ],
)
def test_accepts(messages: tuple[dict[str, Any], ...]) -> None:
    check_read(lines(*messages), ["s"])


@pytest.mark.parametrize(
    "messages",
    [
        (),
        (STARTED, RUNNING, RECORD, state()),
        (RUNNING, RECORD, state(), COMPLETE),
        (STARTED, STARTED, RUNNING, RECORD, state(), COMPLETE),
        (STARTED, RUNNING, RUNNING, RECORD, state(), COMPLETE),
        (STARTED, RECORD, RUNNING, state(), COMPLETE),
        (STARTED, RUNNING, RECORD, COMPLETE),
        (STARTED, RUNNING, COMPLETE),
        (STARTED, RUNNING, RECORD, COMPLETE, state()),
        (STARTED, RUNNING, RECORD, state(), RECORD, COMPLETE),
        (STARTED, RUNNING, RECORD, state(2.0), COMPLETE),
        (STARTED, RUNNING, RECORD, state(), RECORD, state(2.0, 2), COMPLETE),
        (STARTED, RUNNING, RECORD, state(), RECORD, state(), COMPLETE),
        (STARTED, RUNNING, RECORD, state(), COMPLETE, COMPLETE),
        (STARTED, RUNNING, RECORD, state(), INCOMPLETE),
        (STARTED, RUNNING, RECORD, state(), ERROR, COMPLETE),
        (STARTED, ERROR, ERROR, INCOMPLETE),
        (LIMITED, STARTED, RUNNING, RECORD, state(), COMPLETE),
    ],
)
def test_refuses_the_order(messages: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(ProtocolError):
        check_read(lines(*messages), ["s"])


def test_refuses_a_stream_nobody_asked_for() -> None:
    with pytest.raises(ProtocolError):
        check_read(lines(STARTED, RUNNING, RECORD, state(), COMPLETE), ["t"])


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"type":"record"}',
        '{"type":"RECORD","record":{"stream":"s","data":{},"emitted_at":1795000000000}}',
        '{"type":"RECORD","record":{"stream":"s","data":{"a":1},"emitted_at":1795000000000.0}}',
        '{"type":"RECORD","record":{"stream":"s","data":{"a":1}}}',
        '{"type":"LOG","log":{"level":"WARNING","message":"m"}}',
        '{"type":"LOG","log":{"level":"info","message":"m"}}',
        '{"type":"CONNECTION_STATUS","connection_status":{"status":"FAILED","message":"long enough"}}',
        '{"type":"CONNECTION_STATUS","connectionStatus":{"status":"failed","message":"long enough"}}',
        '{"type":"TRACE","trace":{"type":"ERROR","emitted_at":1795000000,"error":{"message":"in seconds","failure_type":"x"}}}',
        json.dumps(state(1)).replace("1.0", "1"),
        json.dumps(state(1.0)).replace("recordCount", "record_count"),
        json.dumps(ERROR).replace("config_error", "user_error"),
    ],
)
def test_refuses_the_line(line: str) -> None:
    with pytest.raises(ProtocolError):
        parse_line(line.replace(", ", ",").replace(": ", ":").encode())


def record_with(**fields: Any) -> dict[str, Any]:
    return {"type": "RECORD", "record": {**RECORD["record"], **fields}}


def record_without(field: str) -> dict[str, Any]:
    return {"type": "RECORD", "record": {name: value for name, value in RECORD["record"].items() if name != field}}


VALUES: list[Any] = [None, 5, "x", {}, []]


@pytest.mark.parametrize(
    "message",
    [
        RECORD,
        {**RECORD, "extra": 1},
        {"type": "RECORD"},
        {"type": "RECORD", "record": []},
        record_with(namespace=None),
        *(record_with(**{field: value}) for field in RECORD["record"] for value in VALUES),
        record_with(emitted_at=True),
        *map(record_without, RECORD["record"]),
    ],
)
def test_the_quick_check_of_a_record_agrees_with_the_schema(message: dict[str, Any]) -> None:
    schema = Draft7Validator(closed(type={"const": "RECORD"}, record=PAYLOADS["RECORD"][1]))
    assert is_clearly_valid(message) == schema.is_valid(message)
