"""These tests are worth something only if they refuse a source that is bad: each here is the real one, made bad in one way."""

from collections.abc import Callable
from pathlib import Path

import pytest
from between import ALTERATIONS, pass_through, seen
from connector import account, assert_exactly, assert_resumes_from_each_state, config_of, configured, read
from pydantic import ValidationError
from serpyco_rs import SchemaValidationError
from test_pyairbyte import assert_holds, cache_in, source_of

from tests.support.executable import EXECUTABLE
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
    cache = cache_in(executable.parent)
    source_of(executable, sandbox).read(cache=cache)
    assert_holds(cache, sandbox)


FAULTS: list[tuple[str, Callable[[Sandbox, Path], None], type[Exception], str]] = [
    ("drops_a_state", lines, ProtocolError, "recordCount"),
    ("drops_all_states", lines, ProtocolError, "complete without a state"),
    ("miscounts", lines, ProtocolError, "recordCount"),
    ("never_completes", lines, ProtocolError, "ends RUNNING"),
    ("invents_a_stream", lines, ProtocolError, "nobody asked for"),
    ("has_times_in_seconds", lines, ValidationError, "emitted_at"),
    ("has_times_as_floats", lines, SchemaValidationError, "emitted_at"),
    ("changes_a_type", lines, AssertionError, r"chats: \$.missed: 'no' is not of type"),
    ("loses_a_record", content, AssertionError, "chats"),
    ("repeats_a_record", content, AssertionError, "chats"),
    ("changes_a_record", content, AssertionError, "chats"),
    ("states_too_early", resumption, AssertionError, "chats is not complete"),
    ("loses_a_record", resumption, AssertionError, "chats is not complete"),
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
        check(sandbox, pass_through(tmp_path, EXECUTABLE, alteration))


@pytest.mark.parametrize("check", [lines, content, resumption, client], ids=lambda check: check.__name__)
def test_the_good_source_is_not(check: Callable[[Sandbox, Path], None], tmp_path: Path) -> None:
    with account(chats=120) as sandbox:
        between = pass_through(tmp_path, EXECUTABLE)
        check(sandbox, between)
    assert [run for run in seen(between) if run.command == "read"]


def test_every_way_of_being_bad_is_tried() -> None:
    assert {alteration for alteration, *_ in FAULTS} == set(ALTERATIONS) - {"none"}
