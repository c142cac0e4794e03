"""Concurrent requests: when they pay, and how they end."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import repeat
from random import Random
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.clock import FakeClock
from tests.support.model import NOW, SECOND, ExportApi, Item
from zendesk_chat.api.body import NoAnswerError
from zendesk_chat.api.client import Decode, Observer
from zendesk_chat.api.server_clock import ServerClock
from zendesk_chat.api.transport import Response
from zendesk_chat.clock import Clock, Stopped, SystemClock
from zendesk_chat.engine.events import PageRead, StreamCompleted
from zendesk_chat.engine.fetcher import MAX_CONCURRENT, MAX_DECOMPRESSED, ConcurrencyLimit, ConcurrentFetcher, Get
from zendesk_chat.engine.memory import MAX_DECOMPRESSED_BYTES, Memory
from zendesk_chat.engine.run import Rotations, Task, run
from zendesk_chat.errors import ServerError
from zendesk_chat.request import Request
from zendesk_chat.streams.exports.chats import CHATS
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.streams.stream import Bounds

if TYPE_CHECKING:
    from zendesk_chat.api.client import Client

T = TypeVar("T")
PATIENCE = 30.0


@dataclass
class Getting:
    """Makes requests that are all answered alike, each after the next of these seconds."""

    seconds: Iterator[float] = field(default_factory=partial(repeat, 0.0))
    answer: Response = field(default_factory=partial(Response, 200, {}, b"{}"))

    def __call__(self, request: Request[T], decode: Decode) -> T:
        return decode(request, replace(self.answer, seconds=next(self.seconds)))


@dataclass
class Waiting(Getting):
    """One whose requests wait for an event before they are answered."""

    until: threading.Event = field(default_factory=threading.Event)

    def __call__(self, request: Request[T], decode: Decode) -> T:
        assert self.until.wait(PATIENCE)
        return super().__call__(request, decode)


ANY = Request("chats", bytes)
SIZE = Request("goals", len)


def many_slots(memory: Memory | None = None) -> ConcurrencyLimit:
    return ConcurrencyLimit(lambda: 500, memory)


def fetching(get: Get | None = None, limit: ConcurrencyLimit | None = None) -> ConcurrentFetcher[object, Any]:
    return ConcurrentFetcher(get or Getting(), limit or many_slots(), SystemClock())


def fetcher(took: Sequence[float] = (), quota: int = 200) -> ConcurrentFetcher[object, Any]:
    """One whose requests have taken so many seconds so far."""
    fetch = fetching(Getting(iter(took)), ConcurrencyLimit(lambda: quota))
    for _ in took:
        fetch(ANY)
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
        ([0.05, 1.5], False),  # slow once
        ([1.5, 0.05], False),
        ([0.05, 1.5, 1.5, 1.5, 1.5], True),
        ([1.5, 1.5, 1.5, 1.5, 0.05], False),
    ],
)
def test_more_requests_at_a_time_pay_where_answers_are_slow(took: list[float], *, pays: bool) -> None:
    assert fetcher(took).free_slots() == (MAX_CONCURRENT if pays else 0)


@pytest.mark.parametrize(("quota", "slots"), [(0, 0), (3, 3), (500, MAX_CONCURRENT)])
def test_no_more_requests_are_worth_starting_than_the_quota_allows(quota: int, slots: int) -> None:
    assert fetcher([2.0], quota).free_slots() == slots


def test_all_readers_share_the_concurrency_limit() -> None:
    limit, get = many_slots(), Waiting()
    one, other = fetching(get, limit), fetching(get, limit)
    for fetch in (one, one, other):
        fetch.start(ANY, "x")
    assert limit.free_slots() == MAX_CONCURRENT - 3
    get.until.set()
    assert [one.finished(), one.finished(), other.finished()] == [("x", b"{}")] * 3
    assert limit.free_slots() == MAX_CONCURRENT


def test_requests_are_taken_back_as_they_end_and_an_error_is_a_value() -> None:
    late = threading.Event()

    def wait(_: bytes) -> NoReturn:
        late.wait(PATIENCE)
        raise boom

    fetch, boom = fetching(), ServerError("boom")
    fetch.start(Request("chats", wait), "late")
    fetch.start(ANY, "early")
    assert fetch.finished() == ("early", b"{}")
    late.set()
    assert fetch.finished() == ("late", boom)


def test_an_unexpected_error_is_raised_where_the_request_is_waited_for() -> None:
    def fail(_: bytes) -> NoReturn:
        raise KeyError

    fetch = fetching()
    fetch.start(Request("chats", fail), "x")
    with pytest.raises(KeyError):
        fetch.finished()


class Repeating(Getting):
    """Repeats a request as the client does, until its answer can be decoded."""

    def __call__(self, request: Request[T], decode: Decode) -> T:
        while True:
            with suppress(ServerError):
                return super().__call__(request, decode)


def test_answers_wait_compressed_until_there_is_a_slot_to_decompress_them() -> None:
    """However many answers come at a time, and however slow their reader is; one that is refused takes up no slot."""
    decompressed = most = 0
    refusals = iter([True])
    lock = threading.Lock()

    def decode(_: bytes) -> str:
        nonlocal decompressed, most
        with lock:
            if next(refusals, False):
                raise ServerError("unreadable")
            decompressed += 1
            most = max(most, decompressed)
        return "page"

    fetch = fetching(Repeating())
    for number in range(MAX_CONCURRENT):
        fetch.start(Request("chats", decode), number)
    for _ in range(MAX_CONCURRENT):
        time.sleep(0.01)
        assert fetch.finished()[1] == "page"
        with lock:
            decompressed -= 1
    assert (decompressed, most) == (0, MAX_DECOMPRESSED)


@pytest.mark.parametrize(
    ("size", "compressed", "slots"),
    [
        (3_500_000, True, MAX_CONCURRENT - 1),
        (3_500_000, False, 10 - 1),  # 48 MB hold the bodies and the records of two, and the bodies of ten
        (11_000_000, True, MAX_CONCURRENT - 1),
        (11_000_000, False, 0),
        (50_000_000, True, 0),
        (50_000_000, False, 0),
    ],
)
def test_no_more_large_answers_are_asked_for_than_memory_should_hold(size: int, slots: int, *, compressed: bool) -> None:
    body = b"." * size
    answer = Response(200, {"content-encoding": "gzip"}, gzip.compress(body, 1)) if compressed else Response(200, {}, body)
    get = Waiting(repeat(2.0), answer)
    fetch = fetching(get)
    get.until.set()
    fetch.start(SIZE, "x")
    assert fetch.finished() == ("x", size)
    get.until.clear()
    fetch.start(SIZE, "x")
    assert fetch.free_slots() == slots
    get.until.set()


def zipped(size: int, stated: int | None = None) -> Response:
    """An answer that decompresses to so many bytes, and may state another number at its end."""
    compressed = gzip.compress(b"." * size, 1)
    if stated is not None:
        compressed += gzip.compress(b"." * stated)  # the number at the end is that of the last member
    return Response(200, {"content-encoding": "gzip"}, compressed)


class CountedMemory(Memory):
    """Counts what is taken and by how many, and remembers the most at one time."""

    def __init__(self, limit: int = MAX_DECOMPRESSED_BYTES) -> None:
        super().__init__(limit)
        self.counting = threading.Lock()
        self.taken = self.holders = self.most_holders = self.most_taken = 0

    def take(self, size: int, clock: Clock, *, wait: bool = True) -> None:
        super().take(size, clock, wait=wait)
        self.count(size)

    def give_back(self, size: int) -> None:
        self.count(-size)
        super().give_back(size)

    def count(self, size: int) -> None:
        with self.counting:
            self.taken += size
            self.holders += (size > 0) - (size < 0)
            self.most_holders = max(self.most_holders, self.holders)
            self.most_taken = max(self.most_taken, self.taken)


def in_threads(*works: Callable[[], object]) -> None:
    """Do all works at a time; fail if one of them does not end."""
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_answers_of_all_readers_share_the_memory_until_their_readers_are_done() -> None:
    memory = CountedMemory(1000)
    limit = many_slots(memory)

    def read() -> None:
        fetch = fetching(Getting(answer=zipped(400)), limit)
        for _ in range(3):
            assert fetch(SIZE) == 400
            time.sleep(0.005)
        fetch.close()

    in_threads(*[read] * 8)
    assert (memory.most_taken, memory.most_holders, memory.taken) == (800, 2, 0)


def test_an_answer_larger_than_the_memory_is_decompressed_alone() -> None:
    memory = CountedMemory(1000)
    limit = many_slots(memory)

    def read(size: int) -> None:
        fetch = fetching(Getting(answer=zipped(size)), limit)
        assert fetch(SIZE) == size
        assert size < 1000 or memory.holders == 1
        fetch.close()

    in_threads(*(partial(read, size) for size in (5000, 100, 5000, 100, 5000, 100)))
    assert memory.most_taken == 5000
    assert memory.taken == 0


def test_a_large_answer_gets_its_turn_among_many_small_ones() -> None:
    memory, clock, done = Memory(1000), SystemClock(), threading.Event()

    def small() -> None:
        while not done.is_set():
            memory.take(400, clock)
            time.sleep(0.002)
            memory.give_back(400)

    def large() -> None:
        memory.take(5000, clock)
        memory.give_back(5000)
        done.set()

    in_threads(small, small, small, large)


@pytest.mark.parametrize("stated", [0, 1, 399])
def test_an_answer_that_states_less_than_it_holds_takes_what_it_holds(stated: int) -> None:
    memory = CountedMemory(10_000)
    fetch = fetching(Getting(answer=zipped(5000, stated)), many_slots(memory))
    assert fetch(SIZE) == 5000 + stated
    assert 5000 + stated <= memory.taken < 2 * (5000 + stated)
    fetch.close()
    assert memory.taken == 0


def test_an_answer_that_cannot_be_used_holds_no_memory() -> None:
    memory = CountedMemory()
    cut = Response(200, {"content-encoding": "gzip"}, gzip.compress(b"." * 99)[:-9])
    fetch = fetching(Getting(answer=cut), many_slots(memory))
    with pytest.raises(NoAnswerError):
        fetch(SIZE)
    fetch.start(SIZE, "x")
    with pytest.raises(NoAnswerError):
        fetch.finished()
    assert memory.taken == 0


def test_requests_that_nobody_waits_for_any_more_give_their_memory_back() -> None:
    memory, get = CountedMemory(), Waiting(answer=zipped(400))
    fetch = fetching(get, many_slots(memory))
    fetch.start(SIZE, "x")
    fetch.start(SIZE, "y")
    fetch.close()
    get.until.set()
    end_of_requests()
    assert memory.taken == 0


def end_of_requests() -> None:
    """Wait until all requests in the background have ended."""
    for thread in [thread for thread in threading.enumerate() if thread.name == "request"]:
        thread.join(PATIENCE)
        assert not thread.is_alive()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["direct", "start", "finish"]), st.integers(0, 3000)), min_size=1, max_size=12),
        min_size=1,
        max_size=6,
    )
)
def test_readers_that_share_memory_never_wait_for_each_other_for_ever(plans: list[list[tuple[str, int]]]) -> None:
    memory = CountedMemory(1000)
    limit = many_slots(memory)

    def read(plan: list[tuple[str, int]]) -> None:
        fetch = fetching(Planned([size for _, size in plan]), limit)
        started = 0
        for what, _ in plan:
            if what == "direct":
                fetch(SIZE)
            elif what == "start":
                fetch.start(SIZE, "x")
                started += 1
            elif started:
                fetch.finished()
                started -= 1
        fetch.close()

    in_threads(*(partial(read, plan) for plan in plans))
    end_of_requests()
    assert memory.taken == 0


class Planned:
    """Answers of these sizes, one after another."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self._sizes = iter(sizes)
        self._lock = threading.Lock()

    def __call__(self, request: Request[T], decode: Decode) -> T:
        with self._lock:
            size = next(self._sizes, 5)
        return decode(request, zipped(size))


def test_a_stop_ends_the_wait_for_a_slot() -> None:
    clock = SystemClock()
    fetch: ConcurrentFetcher[str, bytes] = ConcurrentFetcher(Getting(), many_slots(), clock)
    for _ in range(MAX_DECOMPRESSED + 1):
        fetch.start(ANY, "x")
    clock.stop()
    end_of_requests()


def test_a_stop_ends_the_wait_for_a_request_that_hangs() -> None:
    clock, get = SystemClock(), Waiting()
    fetch: ConcurrentFetcher[str, bytes] = ConcurrentFetcher(get, many_slots(), clock)
    fetch.start(ANY, "x")
    threading.Timer(0.1, clock.stop).start()
    with pytest.raises(Stopped):
        fetch.finished()
    get.until.set()


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

    def get(self, request: Request[T], observer: Observer, decode: Decode) -> T:
        with self._lock:
            observer.sent()
            self._clock.time += 1
            self._under_way += 1
            self.most = max(self.most, self._under_way)
            body = self._api(Request(request.path, bytes, request.params))
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
        return decode(request, Response(200, {}, body, seconds=1.0))

    def account_answers(self) -> bool:
        return True

    def free_slots(self) -> int:
        return 200

    def settle(self, seconds: float) -> None:
        pass


@pytest.mark.long
def test_a_slow_export_is_read_by_several_threads_and_reported_in_an_order_that_can_be_resumed() -> None:
    random = Random(1)
    times = sorted(random.randrange(NOW - 5 * 365 * 86_400, NOW - 1000) for _ in range(30_000))
    api = ExportApi("chats", {number: Item(number, time * SECOND) for number, time in enumerate(times)})
    clock = FakeClock(time=NOW)
    client = SlowClient(api, clock)
    task = Task(STREAMS["chats"], None, Bounds(0, NOW))
    emitted: Counter[str] = Counter()
    split = False
    for event in run([task], cast("Client", client), Rotations(clock), clock):
        if isinstance(event, PageRead):
            emitted.update(json.loads(record)["id"] for record in event.records)
            position = CHATS.load_state("chats", "update_timestamp", json.loads(json.dumps(event.state)))
            assert position
            split = split or bool(position.completed_ranges)
            complete = (range(*part) for part in ((0, position.complete_until), *position.completed_ranges))
            covered = {api.key(item) for part in complete for item in api.items.values() if item.time in part}
            assert covered <= emitted.keys()
        elif isinstance(event, StreamCompleted):
            assert event.stats.requests == api.requests
            assert event.stats.adds_up
    assert emitted == Counter({api.key(item): 1 for item in api.items.values()})
    assert split
    assert client.most >= 4


@pytest.mark.parametrize("count", [1, 2 * MAX_DECOMPRESSED])
@pytest.mark.parametrize("size", [60, 90, 300])
def test_a_request_that_is_started_again_needs_no_more_memory_or_slots_than_before(size: int, count: int) -> None:
    """As a reader does that falls back on smaller pages."""
    clock = SystemClock()
    get = Getting(answer=Response(200, {}, b"x" * size))
    fetch: ConcurrentFetcher[int, int] = ConcurrentFetcher(get, many_slots(Memory(100)), clock)
    for _ in range(count):
        fetch.start(SIZE, 2)
    end = threading.Timer(PATIENCE, clock.stop)
    end.start()
    answers = 0
    while answers < 3 * count:
        left, outcome = fetch.finished()
        assert outcome == size
        answers += 1
        if left:
            fetch.start(SIZE, left - 1)
    end.cancel()


def refuse(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_without_further_threads_requests_are_made_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    fetch = fetching()
    monkeypatch.setattr(threading.Thread, "start", refuse)
    count = MAX_DECOMPRESSED + 2
    for number in range(count):
        fetch.start(ANY, number)
    assert [fetch.finished() for _ in range(count)] == [(number, b"{}") for number in range(count)]


def test_no_further_request_pays_once_a_thread_was_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fetch = fetching(Getting(repeat(1.5)))
    for _ in range(4):
        fetch(ANY)
    assert fetch.free_slots() == MAX_CONCURRENT
    monkeypatch.setattr(threading.Thread, "start", refuse)
    fetch.start(ANY, "x")
    assert fetch.free_slots() == 0
