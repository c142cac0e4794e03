"""Chats: key, time and record."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from zendesk_chat.streams.exports.chats import chat_row

UPDATED = "2026-03-14T09:46:10Z"


def raw(**fields: Any) -> msgspec.Raw:
    return msgspec.Raw(json.dumps({"id": "a", "update_timestamp": UPDATED, **fields}).encode())


@pytest.mark.parametrize(("sent", "expected"), [(0, False), (1, True), (True, True), (2, 2), (None, None)])
def test_unread_as_a_number_becomes_a_boolean(sent: object, expected: object) -> None:
    row = chat_row(raw(unread=sent))
    assert row is not None
    assert json.loads(row.record)["unread"] is expected
    assert row.key == "a"
