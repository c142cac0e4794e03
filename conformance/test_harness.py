"""These tests are worth something only if they refuse a source that is bad: each here is the real one, made bad in one way."""

from collections.abc import Callable
from pathlib import Path

import pytest
from account import account, config_of
from between import ALTERATIONS, seen, stand_between
from cache_tables import assert_holds
from connector import EXECUTABLE, configured, read
from pydantic import ValidationError
from resumption import assert_exactly, assert_resumes_from_each_state
from serpyco_rs import SchemaValidationError

import airbyte as ab
from tests.support.protocol import ProtocolError
from zendesk_chat_sandbox import Sandbox

CHATS = configured(["chats"])


def lines(sandbox: Sandbox, executable: Path) -> None:
    read(config_of(sandbox), CHATS, executable=executable)


def content(sandbox: Sandbox, executable: Path) -> None:
    assert_exactly(sandbox, read(config_of(sandbox), CHATS, executable=executable).output, ["chats"])


def resumption(sandbox: Sandbox, executable: Path) -> None:
    assert_resumes_from_each_state(sandbox, CHATS, executable)


def client(sandbox: Sandbox, executable: Path) -> None:
    source = ab.get_source("source-zendesk-chat", config=config_of(sandbox), local_executable=executable)
    source.select_all_streams()
    cache = ab.DuckDBCache(db_path=executable.parent / "cache.duckdb", schema_name="zendesk_chat")
    source.read(cache=cache)
    assert_holds(cache, sandbox)


FAULTS: list[tuple[str, Callable[[Sandbox, Path], None], type[Exception], str]] = [
    ("drops_a_state", lines, ProtocolError, "recordCount"),
    ("drops_all_states", lines, ProtocolError, "complete without a state"),
    ("miscounts", lines, ProtocolError, "recordCount"),
    ("never_completes", lines, ProtocolError, "ends RUNNING"),
    ("invents_a_stream", lines, ProtocolError, "nobody asked for"),
    ("tells_time_in_seconds", lines, ValidationError, "emitted_at"),
    ("tells_time_in_whole_floats", lines, SchemaValidationError, "emitted_at"),
    ("changes_a_type", lines, AssertionError, r"chats: \$.missed: 'no' is not of type"),
    ("loses_a_record", content, AssertionError, "chats"),
    ("repeats_a_record", content, AssertionError, "chats"),
    ("changes_a_record", content, AssertionError, "chats"),
    ("states_too_early", resumption, AssertionError, "chats is not whole"),
    ("loses_a_record", resumption, AssertionError, "chats is not whole"),
    ("forgets_its_state", resumption, AssertionError, "records that were committed come again"),
    ("changes_a_record", client, AssertionError, "chats"),
]


@pytest.mark.parametrize(
    ("alteration", "check", "error", "complaint"), FAULTS, ids=lambda value: getattr(value, "__name__", value)
)
def test_a_bad_source_is_refused(
    alteration: str, check: Callable[[Sandbox, Path], None], error: type[Exception], complaint: str, tmp_path: Path
) -> None:
    with account(chats=120) as sandbox, pytest.raises(error, match=complaint):
        check(sandbox, stand_between(tmp_path, EXECUTABLE, alteration))


@pytest.mark.parametrize("check", [lines, content, resumption, client], ids=lambda check: check.__name__)
def test_the_good_source_is_not(check: Callable[[Sandbox, Path], None], tmp_path: Path) -> None:
    with account(chats=120) as sandbox:
        between = stand_between(tmp_path, EXECUTABLE)
        check(sandbox, between)
    assert [run for run in seen(between) if run.command == "read"]


def test_every_way_of_being_bad_is_tried() -> None:
    assert {alteration for alteration, *_ in FAULTS} == set(ALTERATIONS) - {"none"}
