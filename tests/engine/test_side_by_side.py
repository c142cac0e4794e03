"""Requests side by side: when that pays, and how it ends."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import repeat
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.http_fakes import FakeClock
from tests.support.model import NOW, SECOND, ExportApi, Item
from zendesk_chat.api.body import NoAnswerError
from zendesk_chat.api.server_clock import ServerClock
from zendesk_chat.api.transport import Response
from zendesk_chat.clock import Stopped
from zendesk_chat.engine.events import PageRead, StreamCompleted
from zendesk_chat.engine.run import Task, run
from zendesk_chat.engine.side_by_side import AT_ONCE, PAGES_UNPACKED, Get, Lanes, Memory, SideBySide
from zendesk_chat.errors import ServerError
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.stream import Bounds, Fetch

if TYPE_CHECKING:
    from zendesk_chat.api.client import Client

T = TypeVar("T")
PATIENCE = 30.0


def getting(took: Iterable[float] | None = None, answer: Response | None = None) -> Get:
    """Makes requests that are all answered alike, each after the next of these seconds."""
    seconds = repeat(0.0) if took is None else iter(took)

    def get(
        path: str,
        params: Mapping[str, str | int],
        decode: Callable[[Response], T],
        *,
        patient: bool,
        took: Callable[[float], None],
    ) -> T:
        took(next(seconds))
        return decode(answer or Response(200, {}, b"{}"))

    return get


def fetcher(took: Sequence[float] = (), room: int = 200, stopped: threading.Event | None = None) -> SideBySide:
    """One whose requests have taken so many seconds so far."""
    fetch = SideBySide(getting(took), Lanes(lambda: room), stopped or threading.Event())
    for _ in took:
        fetch("chats", {}, bytes)
    return fetch


@pytest.mark.parametrize(
    ("took", "pays"),
    [
        ([], False),
        ([0.05] * 50, False),
        ([0.24] * 10, False),
        ([0.3], False),
        ([0.3] * 3, False),
        ([0.3] * 4, True),
        ([1.05], True),
        ([0.6, 0.6], True),
        ([0.05, 1.5], False),  # one slow moment
        ([1.5, 0.05], False),
        ([0.05, 1.5, 1.5, 1.5, 1.5], True),
        ([1.5, 1.5, 1.5, 1.5, 0.05], False),
    ],
)
def test_more_requests_at_a_time_pay_where_answers_are_slow(took: list[float], *, pays: bool) -> None:
    assert fetcher(took).spare() == (AT_ONCE if pays else 0)


@pytest.mark.parametrize(("room", "spare"), [(0, 0), (3, 3), (500, AT_ONCE)])
def test_no_more_requests_are_worth_starting_than_the_quota_has_room_for(room: int, spare: int) -> None:
    assert fetcher([2.0], room).spare() == spare


def test_all_readers_share_the_lanes() -> None:
    lanes, go_on = Lanes(lambda: 500), threading.Event()
    one, other = (SideBySide(cast("Any", None), lanes, threading.Event()) for _ in range(2))
    for fetch in (one, one, other):
        fetch.start(lambda _: go_on.wait(PATIENCE))
    assert lanes.free() == AT_ONCE - 3
    go_on.set()
    assert [one.finished(), one.finished(), other.finished()] == [True, True, True]
    assert lanes.free() == AT_ONCE


def test_calls_are_taken_back_as_they_end_and_an_error_is_raised_where_it_is_waited_for() -> None:
    fetch, first = fetcher(), threading.Event()

    def late(_: Fetch) -> str:
        first.wait(PATIENCE)
        raise ServerError("boom")

    fetch.start(late)
    fetch.start(lambda _: "early")
    assert fetch.finished() == "early"
    first.set()
    with pytest.raises(ServerError, match="boom"):
        fetch.finished()


def test_answers_wait_as_they_came_until_there_is_room_to_unpack_them() -> None:
    """However many answers come at a time, and however slow their reader is; one that is refused takes up no room."""
    unpacked = most = 0
    refusals = iter([True])
    lock = threading.Lock()

    def decode(_: bytes) -> str:
        nonlocal unpacked, most
        with lock:
            if next(refusals, False):
                raise ServerError("unreadable")
            unpacked += 1
            most = max(most, unpacked)
        return "page"

    def call(fetch: Fetch) -> str:
        while True:
            with suppress(ServerError):
                return fetch("chats", {}, decode)

    fetch = SideBySide(getting(), Lanes(lambda: 500), threading.Event())
    for _ in range(AT_ONCE):
        fetch.start(call)
    for _ in range(AT_ONCE):
        time.sleep(0.01)
        assert fetch.finished() == "page"
        with lock:
            unpacked -= 1
    assert (unpacked, most) == (0, PAGES_UNPACKED)


@pytest.mark.parametrize(
    ("text", "packed", "spare"),
    [
        (3_500_000, True, AT_ONCE - 1),
        (3_500_000, False, 10 - 1),  # 48 MB hold the text and the records of two, and the text of ten
        (11_000_000, True, AT_ONCE - 1),
        (11_000_000, False, 0),
        (50_000_000, True, 0),
        (50_000_000, False, 0),
    ],
)
def test_no_more_large_answers_are_asked_for_than_memory_should_hold(text: int, spare: int, *, packed: bool) -> None:
    body = b"." * text
    answer = Response(200, {"content-encoding": "gzip"}, gzip.compress(body, 1)) if packed else Response(200, {}, body)

    forever = threading.Event()
    fetch = SideBySide(getting(repeat(2.0), answer), Lanes(lambda: 500), threading.Event())
    fetch.start(lambda fetch: fetch("chats", {}, len))
    assert fetch.finished() == text
    fetch.start(lambda _: forever.wait(PATIENCE))
    assert fetch.spare() == spare
    forever.set()


def zipped(size: int, stated: int | None = None) -> Response:
    """An answer that unpacks to so many bytes, and may state another number at its end."""
    packed = gzip.compress(b"." * size, 1)
    if stated is not None:
        packed += gzip.compress(b"." * stated)  # the number at the end is that of the last member
    return Response(200, {"content-encoding": "gzip"}, packed)


class Watched(Memory):
    """Remembers the most that was taken at one time, and by how many."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.holders = self.most_holders = self.most_taken = 0

    def take(self, size: int, stopped: threading.Event) -> None:
        super().take(size, stopped)
        with self._changed:
            self.holders += 1
            self.most_holders = max(self.most_holders, self.holders)
            self.most_taken = max(self.most_taken, self._taken)

    def give_back(self, size: int) -> None:
        with self._changed:
            self.holders -= bool(size)
        super().give_back(size)


def sharing(memory: Memory) -> Lanes:
    lanes = Lanes(lambda: 500)
    lanes.memory = memory
    return lanes


def in_threads(*works: Callable[[], object]) -> None:
    """Do all works at a time; fail if one of them does not end."""
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_answers_of_all_readers_share_the_memory_until_their_readers_are_done() -> None:
    memory = Watched(1000)
    lanes = sharing(memory)

    def read() -> None:
        fetch = SideBySide(getting(answer=zipped(400)), lanes, threading.Event())
        for _ in range(3):
            assert fetch("goals", {}, len) == 400
            time.sleep(0.005)
        fetch.close()

    in_threads(*[read] * 8)
    assert (memory.most_taken, memory.most_holders, memory._taken) == (800, 2, 0)


def test_an_answer_larger_than_the_memory_is_unpacked_alone() -> None:
    memory = Watched(1000)
    lanes = sharing(memory)

    def read(size: int) -> None:
        fetch = SideBySide(getting(answer=zipped(size)), lanes, threading.Event())
        assert fetch("goals", {}, len) == size
        assert size < 1000 or memory.holders == 1
        fetch.close()

    in_threads(*(partial(read, size) for size in (5000, 100, 5000, 100, 5000, 100)))
    assert memory.most_taken == 5000
    assert memory._taken == 0


def test_a_large_answer_gets_its_turn_among_many_small_ones() -> None:
    memory, stopped, done = Memory(1000), threading.Event(), threading.Event()

    def small() -> None:
        while not done.is_set():
            memory.take(400, stopped)
            time.sleep(0.002)
            memory.give_back(400)

    def large() -> None:
        memory.take(5000, stopped)
        memory.give_back(5000)
        done.set()

    in_threads(small, small, small, large)


@pytest.mark.parametrize("stated", [0, 1, 399])
def test_an_answer_that_states_less_than_it_holds_takes_what_it_holds(stated: int) -> None:
    memory = Watched(10_000)
    fetch = SideBySide(getting(answer=zipped(5000, stated)), sharing(memory), threading.Event())
    assert fetch("goals", {}, len) == 5000 + stated
    assert 5000 + stated <= memory._taken < 2 * (5000 + stated)
    fetch.close()
    assert memory._taken == 0


def test_an_answer_that_cannot_be_used_holds_no_memory() -> None:
    memory = Memory()
    cut = Response(200, {"content-encoding": "gzip"}, gzip.compress(b"." * 99)[:-9])
    fetch = SideBySide(getting(answer=cut), sharing(memory), threading.Event())
    with pytest.raises(NoAnswerError):
        fetch("goals", {}, len)
    fetch.start(lambda fetch: fetch("goals", {}, len))
    with pytest.raises(NoAnswerError):
        fetch.finished()
    assert memory._taken == 0


def test_calls_that_nobody_waits_for_any_more_give_their_memory_back() -> None:
    memory, go_on = Memory(), threading.Event()

    def late(fetch: Fetch) -> int:
        go_on.wait(PATIENCE)
        return fetch("chats", {}, len)

    fetch = SideBySide(getting(answer=zipped(400)), sharing(memory), threading.Event())
    fetch.start(lambda fetch: fetch("chats", {}, len))
    fetch.start(late)
    fetch.close()
    go_on.set()
    for thread in [thread for thread in threading.enumerate() if thread.name == "request"]:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert memory._taken == 0


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["direct", "start", "finish"]), st.integers(0, 3000)), min_size=1, max_size=12),
        min_size=1,
        max_size=6,
    )
)
def test_readers_that_share_memory_never_wait_for_each_other_for_ever(plans: list[list[tuple[str, int]]]) -> None:
    memory = Memory(1000)
    lanes = sharing(memory)

    def read(plan: list[tuple[str, int]]) -> None:
        sizes = iter(size for _, size in plan)
        lock = threading.Lock()

        def get(path: str, params: object, decode: Callable[[Response], T], **_: object) -> T:
            with lock:
                size = next(sizes, 5)
            return decode(zipped(size))

        fetch = SideBySide(cast("Get", get), lanes, threading.Event())
        started = 0
        for what, _ in plan:
            if what == "direct":
                fetch("chats", {}, len)
            elif what == "start":
                fetch.start(lambda fetch: fetch("chats", {}, len))
                started += 1
            elif started:
                fetch.finished()
                started -= 1
        fetch.close()

    in_threads(*(partial(read, plan) for plan in plans))
    for thread in [thread for thread in threading.enumerate() if thread.name == "request"]:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert memory._taken == 0


def test_a_stop_ends_the_wait_for_room() -> None:
    stopped = threading.Event()
    fetch = SideBySide(getting(), Lanes(lambda: 500), stopped)
    for _ in range(PAGES_UNPACKED + 1):
        fetch.start(lambda fetch: fetch("chats", {}, bytes))
    waiting = [thread for thread in threading.enumerate() if thread.name == "request"]
    stopped.set()
    for thread in waiting:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_a_stop_ends_the_wait_for_a_call_that_hangs() -> None:
    stopped, forever = threading.Event(), threading.Event()
    fetch = fetcher(stopped=stopped)
    fetch.start(lambda _: forever.wait(PATIENCE))
    threading.Timer(0.1, stopped.set).start()
    with pytest.raises(Stopped):
        fetch.finished()
    forever.set()


class SlowClient:
    """A client of one export whose every request takes a second of its thread's own time; many may be under way at once."""

    has_answered = True

    def __init__(self, api: ExportApi, clock: FakeClock) -> None:
        self.time = ServerClock(clock)
        self._api = api
        self._clock = clock
        self._lock = threading.Lock()
        self._together = threading.Barrier(4)
        self._under_way = 0
        self.most = 0

    def get(
        self,
        path: str,
        params: Mapping[str, str | int],
        decode: Callable[[Response], T],
        *,
        on_wait: Callable[[Any], None],
        on_request: Callable[[], None],
        on_account: Callable[[], None],
        patient: bool = True,
    ) -> T:
        with self._lock:
            on_request()
            self._clock.time += 1
            self._under_way += 1
            self.most = max(self.most, self._under_way)
            body = self._api(path, params, bytes, patient=patient)
        if self._api.requests > 1 and not self._together.broken:
            try:
                self._together.wait(
                    1.0
                )  # the next few answers come together, so that their requests must be under way together
            except threading.BrokenBarrierError:
                pass
            else:
                self._together.abort()
        with self._lock:
            self._under_way -= 1
        return decode(Response(200, {}, body))

    def account_answers(self) -> bool:
        return True

    def room(self) -> int:
        return 200

    def settle(self, seconds: float) -> None:
        pass


def test_a_slow_export_is_read_by_several_threads_and_told_in_an_order_that_can_be_resumed() -> None:
    random = Random(1)
    times = sorted(random.randrange(NOW - 5 * 365 * 86_400, NOW - 1000) for _ in range(30_000))
    api = ExportApi("chats", {number: Item(number, time * SECOND) for number, time in enumerate(times)})
    clock = FakeClock(time=NOW)
    client = SlowClient(api, clock)
    task = Task(STREAMS["chats"], None, Bounds(0, NOW))
    emitted: Counter[str] = Counter()
    split = False
    for event in run([task], lambda _: cast("Client", client), clock, threading.Event()):
        if isinstance(event, PageRead):
            emitted.update(json.loads(record)["id"] for record in event.records)
            position = STREAMS["chats"].load_state(json.loads(json.dumps(event.state)))
            assert position
            split = split or bool(position.ahead)
            told = (range(*stretch) for stretch in ((0, position.known_from), *position.ahead))
            covered = {api.key(item) for stretch in told for item in api.items.values() if item.time in stretch}
            assert covered <= emitted.keys()
        elif isinstance(event, StreamCompleted):
            assert event.ledger.requests == api.requests
            assert event.ledger.balanced
    assert emitted == Counter({api.key(item): 1 for item in api.items.values()})
    assert split
    assert client.most >= 4


def test_a_call_that_asks_again_needs_no_more_room_than_before() -> None:
    stopped = threading.Event()
    fetch = SideBySide(getting(), Lanes(lambda: 200), stopped)

    def call(get: Fetch) -> bytes:
        get("chats", {}, bytes)
        return get("chats", {}, bytes)

    calls = 2 * PAGES_UNPACKED
    for _ in range(calls):
        fetch.start(call)
    end = threading.Timer(PATIENCE, stopped.set)
    end.start()
    assert [fetch.finished() for _ in range(calls)] == [b"{}"] * calls
    end.cancel()


@pytest.mark.parametrize("calls", [1, 2 * PAGES_UNPACKED])
@pytest.mark.parametrize("size", [60, 90, 300])
def test_a_call_that_asks_again_gives_the_memory_of_its_first_answer_back(size: int, calls: int) -> None:
    stopped = threading.Event()
    lanes = Lanes(lambda: 200)
    lanes.memory = Memory(100)
    fetch = SideBySide(getting(answer=Response(200, {}, b"x" * size)), lanes, stopped)

    def call(get: Fetch) -> int:
        return sum(len(get("chats", {}, bytes)) for _ in range(3))

    for _ in range(calls):
        fetch.start(call)
    end = threading.Timer(PATIENCE, stopped.set)
    end.start()
    assert [fetch.finished() for _ in range(calls)] == [3 * size] * calls
    end.cancel()


def test_without_further_threads_requests_are_made_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    def call(get: Fetch) -> bytes:
        return get("chats", {}, bytes)

    fetch = SideBySide(getting(), Lanes(lambda: 200), threading.Event())
    monkeypatch.setattr(threading.Thread, "start", refuse)
    calls = PAGES_UNPACKED + 2  # more than may be unpacked at a time
    for _ in range(calls):
        fetch.start(call)
    assert [fetch.finished() for _ in range(calls)] == [b"{}"] * calls


def test_no_further_request_pays_once_a_thread_was_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    fetch = fetcher([1.5] * 4)
    assert fetch.spare() == AT_ONCE
    monkeypatch.setattr(threading.Thread, "start", refuse)
    fetch.start(lambda get: None)
    assert fetch.spare() == 0
