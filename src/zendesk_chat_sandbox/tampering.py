"""Faults inside an otherwise good JSON response: a row without its key, a count that is not the number of rows."""

import json
from dataclasses import replace
from typing import Final

from zendesk_chat_sandbox.faults import Fault
from zendesk_chat_sandbox.http_messages import Record, Response, encode

TAMPERING: Final = frozenset({"no_key", "wrong_count"})


def tampered(fault: Fault, response: Response) -> Response:
    """Return a response with the fault in its JSON. A response without rows or count is unchanged."""
    answer = json.loads(response.body)
    if fault.kind == "wrong_count":
        if isinstance(answer, dict) and isinstance(answer.get("count"), int):
            answer["count"] += fault.by
    else:
        _drop_key(_rows_of(answer), fault)
    return replace(response, body=encode(answer))


def _drop_key(rows: list[Record], fault: Fault) -> None:
    hit = rows if fault.row is None else rows[fault.row :][:1]
    for row in hit:
        row.pop(fault.key, None)


def _rows_of(answer: object) -> list[Record]:
    """Return the rows of a bare array, or of the arrays in an envelope."""
    lists = [answer] if isinstance(answer, list) else answer.values() if isinstance(answer, dict) else []
    return [row for rows in lists if isinstance(rows, list) for row in rows if isinstance(row, dict)]
