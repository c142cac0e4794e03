"""docs/status-and-verify.md describes the JSON that the commands print, and what they compare."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from zendesk_chat.load.status import FileStatus, RunStatus, StreamStatus
from zendesk_chat.load.verify.lists import LISTS, VOLATILE
from zendesk_chat.load.verify.results import State, StreamResult, Verification, largest_share
from zendesk_chat.load.verify.total import FEWEST_DELETED, Outcome, Total
from zendesk_chat.load.verify.verifying import FEW_CHATS
from zendesk_chat_sandbox.chat_store import EXPORT_ONLY_KEYS

PAGE = (Path(__file__).parent.parent / "docs/status-and-verify.md").read_text()
STATUS, VERIFY = map(json.loads, re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))


def names(kind: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]


def test_the_json_of_status() -> None:
    assert list(STATUS) == ["complete", "problems", *names(FileStatus)]
    assert list(STATUS["last_run"]) == names(RunStatus)
    assert list(STATUS["streams"][0]) == names(StreamStatus)


def test_the_json_of_verify() -> None:
    assert list(VERIFY) == ["same", *names(Verification)]
    assert list(VERIFY["streams"][0]) == names(StreamResult)
    assert list(VERIFY["total"]) == [*names(Total), "unexplained"]
    total = Total(**{name: VERIFY["total"][name] for name in names(Total)})
    assert total.unexplained == VERIFY["total"]["unexplained"]


VALUES = [*get_args(State), *get_args(Outcome), *LISTS, *sorted(VOLATILE["agents"]), *sorted(EXPORT_ONLY_KEYS)]


@pytest.mark.parametrize("value", VALUES)
def test_every_value_is_named(value: str) -> None:
    assert f"`{value}`" in PAGE


def test_figures() -> None:
    assert f"up to {FEW_CHATS:,} chats" in PAGE
    assert f"at least {FEWEST_DELETED}" in PAGE
    assert largest_share(500) == pytest.approx(0.006, rel=0.01)
    assert largest_share(3000) == pytest.approx(0.001, rel=0.01)
