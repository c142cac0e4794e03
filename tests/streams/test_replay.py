"""An export read up to a stored state has what the run that stored it had read since an earlier state."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.streams.test_exports import START, apis, rows
from tests.support.model import NOW, SECOND, ExportApi, effort
from tests.support.stream_runs import Run, destination, doubles, run
from zendesk_chat.library.states import ends_at
from zendesk_chat.streams.positions import ExportPosition
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.stream import Bounds, StateBlob

exactly = effort(120)
BOUNDS = Bounds(START, NOW)


def replay(api: ExportApi, start: StateBlob | None, until: StateBlob) -> Run:
    return run(ends_at(STREAMS[api.name], until), api, BOUNDS, start)


def is_recent(api: ExportApi, state: StateBlob) -> bool:
    """Whether the API may refuse to return the last records of a state, because they are too recent."""
    position = STREAMS[api.name].load_state(state)
    assert isinstance(position, ExportPosition)
    return any(time >= (NOW - 330) * SECOND for time, _ in position.recent.values())


@exactly
@given(apis(), st.integers(0, 40), st.integers(0, 40))
def test_a_replay_is_what_was_read_between_two_states(api: ExportApi, one: int, other: int) -> None:
    api.rejects_young = False
    complete = run(api.name, api, BOUNDS)
    first, last = sorted(1 + number % len(complete.batches) for number in (one, other))
    before, after = complete.cut(first), complete.cut(last)
    found = replay(api, before.state, after.state)
    assert destination(before, found) == destination(after)
    assert not doubles(before, found)
    assert found.state == after.state or is_recent(api, after.state)
    rest = run(api.name, api, BOUNDS, found.state)
    assert destination(before, found, rest) == rows(api)
    assert not doubles(before, found, rest)


@exactly
@given(apis(), st.integers(0, 40), st.integers(0, 40))
def test_a_replay_resumes_from_each_of_its_states(api: ExportApi, one: int, cut: int) -> None:
    complete = run(api.name, api, BOUNDS)
    assume(destination(complete) == rows(api))  # some APIs of the model do not return what has just changed
    until = complete.cut(1 + one % len(complete.batches))
    found = replay(api, None, until.state)
    part = found.cut(1 + cut % len(found.batches))
    rest = replay(api, part.state, until.state)  # it may emit records of the last part again
    if not is_recent(api, until.state):
        assert destination(part, rest) == destination(until)
        assert rest.state == until.state
    api.rejects_young = False
    rest_of_all = run(api.name, api, BOUNDS, rest.state)
    assert destination(part, rest, rest_of_all) == rows(api)
