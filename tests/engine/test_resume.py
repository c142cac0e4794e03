"""From any checkpoint of any run a new run yields the rest: several streams at once, with the engine's own threads and queue.

The account changes while it is read. A consumer stops after any event, in the middle of a page too, and keeps of each stream
the last state whose records it has dealt with. Runs are cut like this one after the other; a last one continues to the end.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Literal, Protocol, TypeVar, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import FakeClock
from tests.support.model import NOW, SECOND, ExportApi, Item, ListApi, effort
from tests.support.stream_runs import readers
from zendesk_chat.api.client import Client, Decode, Observer
from zendesk_chat.api.server_clock import ServerClock
from zendesk_chat.api.transport import Response
from zendesk_chat.clock import Stopped
from zendesk_chat.engine.events import Event, PageRead, SchemaChange, StreamCompleted, StreamFailed, StreamStarted
from zendesk_chat.engine.run import MAX_THREADS, Rotations, Task, run
from zendesk_chat.request import Request
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.stream import Bounds, StateBlob

T = TypeVar("T")
PAGE = 6
LOOKBACK = 600
START = NOW - 3 * 86_400
YOUNG = 330
LARGEST_TIE_OF_CHANGES = 2
Row = dict[str, Any]


@pytest.fixture(autouse=True, scope="module")
def small_pages_and_short_polls() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zendesk_chat.streams.exports.page.PAGE_SIZE", PAGE)
        patch.setattr("zendesk_chat.streams.exports.page.SMALLEST_PAGE_SIZE", 2)
        patch.setattr("zendesk_chat.engine.run.POLL_SECONDS", 0.002)
        patch.setattr("zendesk_chat.engine.channel.POLL_SECONDS", 0.002)
        yield


class Served(Protocol):
    """One stream as the account holds it, and what happens to it."""

    now: float

    @property
    def name(self) -> str: ...

    @property
    def path(self) -> str: ...

    def answer(self, request: Request[T]) -> T: ...

    def change(self, chance: Random) -> None: ...

    def truth(self) -> dict[str, Row]:
        """What a run begun now must have given, by key."""

    def everything(self) -> dict[str, Row]:
        """What a run begun now may give, by key."""


@dataclass(slots=True)
class Export:
    api: ExportApi
    kinds: Sequence[str]
    seed: int
    now: float = NOW
    created: int = 1000

    @property
    def name(self) -> str:
        return self.api.name

    @property
    def path(self) -> str:
        return f"incremental/{self.name}"

    def answer(self, request: Request[T]) -> T:
        self.api.now = self.now
        return self.api(request)

    def change(self, chance: Random) -> None:
        self.now += chance.choice([0, 1, 5])
        kind, time = chance.choice(self.kinds), int(self.now) * SECOND
        victim = chance.choice(sorted(self.api.items)) if self.api.items else None
        if kind == "edit" and victim is not None and self.name == "chats":
            self._put(Item(victim, time, self.api.items[victim].version + 1))
        elif kind == "delete" and victim is not None:
            del self.api.items[victim]
        elif kind in ("new", "late"):
            self.created += 1
            self._put(Item(self.created, time - (chance.randrange(LOOKBACK) * SECOND if kind == "late" else 0)))

    def _put(self, item: Item) -> None:
        if sum(other.time == item.time for other in self.api.items.values()) < LARGEST_TIE_OF_CHANGES:
            self.api.items[item.number] = item

    def truth(self) -> dict[str, Row]:
        return self._rows((self.now - YOUNG if self.api.rejects_young else self.now) * SECOND)

    def everything(self) -> dict[str, Row]:
        return self._rows(self.now * SECOND)

    def _rows(self, until: float) -> dict[str, Row]:
        found = [item for item in self.api.items.values() if START * SECOND <= item.time <= until]
        return {self.api.key(item): {**self.api.row(item), "id": self.api.key(item)} for item in found}


@dataclass(slots=True)
class ById:
    api: ListApi
    now: float = NOW
    changes: int = 0
    highest: int = 100

    @property
    def name(self) -> str:
        return self.api.name

    @property
    def path(self) -> str:
        return self.name

    def answer(self, request: Request[T]) -> T:
        return self.api(request)

    def change(self, chance: Random) -> None:
        self.changes += 1
        content = {"name": f"changed {self.changes}", "enabled": self.changes % 2}
        kind, victim = chance.choice(["edit", "delete", "new"]), chance.choice(sorted(self.api.ids) or [0])
        if kind == "new":
            self.highest += 1
            chance.choice(self.api.groups)[self.highest] = content
        for group in self.api.groups:
            if kind == "edit" and victim in group:
                group[victim] = content
            elif kind == "delete":
                group.pop(victim, None)

    def truth(self) -> dict[str, Row]:
        rows = [self.api.row(key) for key in self.api.ids]
        return {str(row["id"]): {**row, "enabled": bool(row["enabled"])} for row in rows}

    everything = truth


@dataclass(slots=True)
class CompleteList:
    rows: dict[int, int]
    now: float = NOW
    name: str = "departments"
    path: str = "departments"

    def answer(self, request: Request[T]) -> T:
        return request.decode(json.dumps(list(self.truth().values())).encode())

    def change(self, chance: Random) -> None:
        self.rows[chance.randrange(6)] = chance.randrange(100)

    def truth(self) -> dict[str, Row]:
        return {str(key): {"id": key, "name": f"n{version}"} for key, version in self.rows.items()}

    everything = truth


class Turns:
    """Lets one reading thread continue at a time, in an order of chance, so that one example has one result."""

    def __init__(self, streams: int, chance: Random | None) -> None:
        self._left = streams
        self._chance = chance
        self._waiting: set[str] = set()
        self._turn = ""
        self._stopped = False
        self._changed = threading.Condition()

    def wait(self, stream: str) -> None:
        """Wait for this stream's turn; every other thread is waiting, or without a stream, while it lasts."""
        if not self._chance:
            return
        with self._changed:
            self._waiting.add(stream)
            self._next(stream)
            self._changed.wait_for(lambda: self._stopped or self._turn == stream)
            if self._stopped:
                raise Stopped
            self._waiting.discard(stream)

    def ended(self, stream: str) -> None:
        """A stream is read to its end."""
        with self._changed:
            self._left -= 1
            self._next(stream)

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _next(self, stream: str) -> None:
        if self._turn == stream:
            self._turn = ""
        if self._chance and not self._turn and len(self._waiting) == min(MAX_THREADS, self._left) > 0:
            self._turn = self._chance.choice(sorted(self._waiting))
            self._changed.notify_all()


@dataclass(slots=True)
class Account:
    """The streams of an account, and what a destination got of them."""

    streams: dict[str, Served]
    states: dict[str, StateBlob] = field(default_factory=dict)
    received: dict[str, list[Row]] = field(default_factory=dict)
    safe: dict[str, list[str]] = field(default_factory=dict)
    possible: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.streams:
            self.received[name], self.safe[name], self.possible[name] = [], [], set()
            self.remember(name)

    def remember(self, name: str) -> None:
        self.possible[name] |= {content(row) for row in self.streams[name].everything().values()}

    def destination(self, name: str) -> dict[str, Row]:
        """What an upsert by key of all that was received leaves."""
        return {str(row["id"]): row for row in self.received[name]}


class Requests:
    """What the engine calls of a client. The account changes before requests, as often as planned."""

    has_answered = True  # or the first request would go alone, and not in the turns

    def __init__(self, account: Account, turns: Turns, changes: int, seed: int) -> None:
        self.time = ServerClock(FakeClock())
        self._account = account
        self._turns = turns
        self._by_path = {served.path: served for served in account.streams.values()}
        self._left = dict.fromkeys(account.streams, changes)
        self._chances = {name: Random(f"{seed} {name}") for name in account.streams}

    def get(self, request: Request[T], observer: Observer, decode: Decode) -> T:
        served = self._by_path[request.path]
        self._turns.wait(served.name)
        observer.sent()
        self._change(served.name)
        return served.answer(replace(request, decode=lambda body: decode(request, Response(200, {}, body))))

    def account_answers(self) -> bool:
        return True

    def free_slots(self) -> int:
        return 0

    def settle(self, seconds: float) -> None:
        pass

    def finish(self) -> None:
        """What is still planned happens after the run: how far it read ahead of its consumer makes no difference then."""
        for name in self._left:
            while self._left[name]:
                self._change(name)

    def _change(self, name: str) -> None:
        if self._left[name]:
            self._left[name] -= 1
            self._account.streams[name].change(self._chances[name])
            self._account.remember(name)


@dataclass(frozen=True, slots=True)
class Cut:
    """How a run goes.

    Attributes:
        after: The event after which its consumer stops; None to continue to the end.
        torn: How many records of a last page arrive without the state that follows it; None for all and the state.
        later: Seconds from the run before.
        changes: How often each stream changes during the run.
        seed: Chance.
    """

    after: int | None
    torn: int | None
    later: int
    changes: int
    seed: int


def content(row: Row) -> str:
    return json.dumps(row, sort_keys=True)


def sync(account: Account, cut: Cut, *, in_turns: bool) -> list[Event]:
    """One run, as far as its consumer gets."""
    now = max(served.now for served in account.streams.values()) + cut.later
    for served in account.streams.values():
        served.now = now
        if isinstance(served, Export) and served.api.short:
            served.api.short.seed(served.seed)
    tasks = [Task(STREAMS[name], account.states.get(name), Bounds(START, now, LOOKBACK)) for name in account.streams]
    turns = Turns(len(tasks), Random(cut.seed) if in_turns else None)
    requests = Requests(account, turns, cut.changes, cut.seed)
    clock = FakeClock()
    events = run(tasks, cast("Client", requests), Rotations(clock), clock)
    consumed: list[Event] = []
    try:
        with closing(cast("Generator[Event]", events)):
            for event in events:
                consumed.append(event)
                last = len(consumed) == cut.after
                if isinstance(event, PageRead):
                    take(account, event, cut.torn if last else None)
                elif isinstance(event, StreamCompleted | StreamFailed):
                    turns.ended(event.stream)
                if last:
                    break
    finally:
        turns.stop()
        for thread in readers():
            thread.join()
    requests.finish()
    return consumed


def take(account: Account, page: PageRead, torn: int | None) -> None:
    rows = [json.loads(record) for record in page.records[:torn]]
    account.received[page.stream].extend(rows)
    if torn is None:
        account.safe[page.stream].extend(map(content, rows))
        account.states[page.stream] = json.loads(json.dumps(page.state))


def assert_in_order(events: list[Event], *, ended: bool) -> None:
    """Each stream begins, gives its pages in the order of its cursor, and ends, once each."""
    assert not [(event.stream, event.error) for event in events if isinstance(event, StreamFailed)]
    for name, stream in STREAMS.items():
        story = [event for event in events if getattr(event, "stream", None) == name]
        kinds = [type(event) for event in story]
        assert kinds[:1] in ([], [StreamStarted])
        assert set(kinds[1:-1]) <= {PageRead, SchemaChange}
        assert not ended or not kinds or kinds[-1] is StreamCompleted
        pages = [event for event in story if isinstance(event, PageRead)]
        assert not ended or not kinds or pages
        if stream.cursor_field and name != "bans":  # where two lists share a page, the next one may begin before its end
            cursors = [json.loads(record)[stream.cursor_field] for page in pages for record in page.records]
            cursors = list(map(int, cursors)) if stream.cursor_field == "id" else cursors
            assert cursors == sorted(cursors)
        if stream.cursor_field:
            states = [page.state[stream.cursor_field] for page in pages]
            assert states == sorted(states)


@st.composite
def times(draw: st.DrawFn, unit: int, largest_tie: int) -> list[int]:
    """Times in microseconds: before the start, long ago, in the overlap, and within the last minutes; with and without ties."""
    ages = st.one_of(
        st.integers(0, 400), st.integers(390, 700), st.integers(3000, 3010), st.integers(NOW - START - 100, NOW - START + 9)
    )
    times = draw(st.lists(st.tuples(ages, st.integers(0, 3), st.integers(1, largest_tie)), max_size=9))
    unique = {(NOW - age) * SECOND - (part * 10 if unit == 1 else 0): tie for age, part, tie in times}
    return [time for time, tie in unique.items() for _ in range(tie)]


@st.composite
def exports(draw: st.DrawFn, name: Literal["chats", "agent_timeline"]) -> Export:
    """A server that a client can follow: ties may exceed its pages only where ``start_id`` distinguishes them."""
    start_id: Literal["exclusive", "inclusive", "ignored"] = draw(st.sampled_from(["exclusive", "inclusive", "ignored"]))
    ends: Literal["number", "text", "absent"] = draw(st.sampled_from(["number", "text", "absent"]))
    cap = draw(st.integers(3, PAGE + 2))
    exact = name == "chats" and start_id != "ignored" and ends != "absent"
    found = draw(times(SECOND if name == "chats" else 1, 9 if exact else min(cap, PAGE) - 1))
    api = ExportApi(
        name=name,
        items={number: Item(number, time) for number, time in enumerate(found)},
        start_id=start_id,
        start_time="inclusive" if name == "chats" else draw(st.sampled_from(["inclusive", "exclusive"])),
        ends=ends,
        cap=cap,
        short=Random(0) if draw(st.booleans()) else None,
        rejects_young=draw(st.booleans()),
    )
    kinds = draw(st.lists(st.sampled_from(["edit", "new", "late", "delete"]), min_size=1, max_size=4, unique=True))
    return Export(api, kinds, draw(st.integers(0, 9)))


@st.composite
def lists(draw: st.DrawFn, name: Literal["agents", "bans"]) -> ById:
    groups: list[dict[int, Row]] = [{}, {}] if name == "bans" else [{}]
    for key in draw(st.lists(st.integers(1, 40), max_size=15, unique=True)):
        groups[key * 7 % 3 % len(groups)][key] = {"name": f"n{key}", "enabled": key % 2}
    counts: Literal["union", "list"] = draw(st.sampled_from(["union", "list"]))
    cap = draw(st.sampled_from([3, 1, 2, 5, 100]))
    return ById(ListApi(name, groups, cap=cap, limit_counts=counts, ids_as_text=draw(st.booleans())))


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    complete = CompleteList({key: key for key in draw(st.sets(st.integers(0, 5), max_size=3))})
    parts: list[Served] = [
        draw(exports("chats")),
        draw(exports("agent_timeline")),
        draw(lists("agents")),
        draw(lists("bans")),
        complete,
    ]
    return Account({part.name: part for part in draw(st.permutations(parts))})


cuts = st.builds(
    Cut,
    after=st.integers(1, 70),
    torn=st.none() | st.integers(0, 6),
    later=st.sampled_from([0, 60, 400, 86_400]),
    changes=st.integers(0, 6),
    seed=st.integers(0, 999),
)
lasts = st.sampled_from([0, 60, 400, 86_400]).map(lambda later: Cut(None, None, later, 0, later))


def assert_the_rest_comes(account: Account, runs: Sequence[Cut], last: Cut, *, in_turns: bool) -> None:
    for cut in runs:
        assert_in_order(sync(account, cut, in_turns=in_turns), ended=False)
    assert_in_order(sync(account, last, in_turns=in_turns), ended=True)
    for name, served in account.streams.items():
        found, wanted = account.destination(name), served.truth()
        assert {key: found.get(key) for key in wanted} == wanted, "nothing is lost"
        assert {content(row) for row in account.received[name]} <= account.possible[name], "nothing is made up"
        if STREAMS[name].cursor_field:
            assert [row for row, times in Counter(account.safe[name]).items() if times > 1] == [], "nothing comes twice"


@effort(250)
@given(accounts(), st.lists(cuts, min_size=1, max_size=3), lasts)
def test_from_any_checkpoint_of_any_run_a_new_run_yields_the_rest(account: Account, runs: list[Cut], last: Cut) -> None:
    assert_the_rest_comes(account, runs, last, in_turns=True)


@effort(80)
@given(accounts(), st.lists(cuts, min_size=1, max_size=3), lasts)
def test_the_same_while_the_threads_run_as_they_like(account: Account, runs: list[Cut], last: Cut) -> None:
    assert_the_rest_comes(account, runs, last, in_turns=False)


@effort(15)
@given(accounts(), cuts)
def test_one_example_has_one_result(account: Account, cut: Cut) -> None:
    """Where a cut falls is left to the threads: a reader emits its page while its next request waits for its turn."""
    again = deepcopy(account)
    for one in (account, again):
        sync(one, replace(cut, after=None), in_turns=True)
    assert (account.states, account.received, account.possible) == (again.states, again.received, again.possible)
