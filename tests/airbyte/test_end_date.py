"""A backfill of a closed period, and what follows it: together they are complete, and nothing comes twice."""

from typing import Any

import pytest

from tests.support.in_process import ALL, INCREMENTAL, catalog_of, check_here, key_of, read_here
from tests.support.protocol import Output
from tests.support.sandbox import DERIVED, by_content, config_of, small, truth
from zendesk_chat_sandbox import Sandbox

TIMES = {
    "agent_events": "timestamp",
    "agent_timeline": "start_time",
    "chats": "update_timestamp",
    "conversions": "timestamp",
    "department_events": "timestamp",
    **dict.fromkeys(DERIVED, "chat_update_timestamp"),
}


def read(sandbox: Sandbox, state: Any = None, **config: Any) -> Output:
    code, output = read_here(config_of(sandbox, **config), catalog_of(), state)
    assert (code, output.errors) == (0, [])
    return output


def middle(sandbox: Sandbox, stream: str) -> str:
    """The second of a record in the middle of a stream."""
    times = sorted(record[TIMES[stream]] for record in truth(sandbox, stream))
    return str(times[len(times) // 2][:19]) + "Z"


@pytest.mark.parametrize("of", ["chats", "agent_timeline"])
def test_a_closed_read_has_what_is_before_the_end_and_an_open_one_resumes_from_it(of: str) -> None:
    with small() as sandbox:
        end = middle(sandbox, of)
        closed = read(sandbox, end_date=end)
        again = read(sandbox, closed.last_state, end_date=end)
        opened = read(sandbox, closed.last_state)
        for stream in ALL:
            complete = truth(sandbox, stream)
            if stream not in TIMES:
                assert by_content(closed.records[stream]) == by_content(complete), stream
                continue
            before = [record for record in complete if record[TIMES[stream]][:19] < end[:19]]
            assert 0 < len(before) < len(complete) or stream != of
            assert by_content(closed.records[stream]) == by_content(before), stream
            assert again.records[stream] == [], stream
            assert by_content([*closed.records[stream], *opened.records[stream]]) == by_content(complete), stream
            keys = [key_of(stream, record) for record in [*closed.records[stream], *opened.records[stream]]]
            assert len(set(keys)) == len(keys), stream
        assert not any(read(sandbox, opened.last_state).records[stream] for stream in INCREMENTAL)


def test_periods_one_after_the_other_are_complete_together() -> None:
    with small() as sandbox:
        bounds = ["2020-01-01T00:00:00Z", middle(sandbox, "agent_events"), middle(sandbox, "chats"), ""]
        runs = [
            read(sandbox, start_date=start, **({"end_date": end} if end else {}))
            for start, end in zip(sorted(bounds[:3]), [*sorted(bounds[:3])[1:], ""], strict=True)
        ]
        for stream in TIMES:
            records = [record for run in runs for record in run.records[stream]]
            assert by_content(records) == by_content(truth(sandbox, stream)), stream


def test_a_start_is_honoured_to_the_second() -> None:
    with small() as sandbox:
        start = middle(sandbox, "chats")
        output = read(sandbox, start_date=start)
        for stream, cursor in TIMES.items():
            expected = [record for record in truth(sandbox, stream) if record[cursor][:19] >= start[:19]]
            assert by_content(output.records[stream]) == by_content(expected), stream


@pytest.mark.parametrize("end", ["2019-01-01T00:00:00Z", "2020-01-01T00:00:00Z"])
def test_an_end_that_is_not_after_the_start_is_reported(end: str) -> None:
    with small(chats=5) as sandbox:
        status, message = check_here(config_of(sandbox, end_date=end))
    assert status == "FAILED"
    assert "end_date" in message


def test_an_empty_end_is_none() -> None:
    with small(chats=40) as sandbox:
        output = read(sandbox, end_date="")
        assert by_content(output.records["chats"]) == by_content(truth(sandbox, "chats"))
