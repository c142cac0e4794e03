"""A signal ends a run, and the user sees that at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from zendesk_chat.clock import SystemClock
from zendesk_chat.process import StopSignals


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def signals(clock: SystemClock, monkeypatch: pytest.MonkeyPatch) -> StopSignals:
    """Installed, without a last resort that would end this process."""
    monkeypatch.setattr(threading.Timer, "start", lambda _timer: None)
    signals = StopSignals(clock.interrupt)
    signals.install()
    return signals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_first_signal_stops_the_run_is_announced_and_decides_the_exit_code(
    signals: StopSignals, clock: SystemClock, number: int, code: int
) -> None:
    announced: list[bool] = []
    clock.on_interrupt = lambda: announced.append(clock.stopped)
    assert signals.exit_code(7) == 7
    signal.raise_signal(number)
    signal.raise_signal(signal.SIGTERM)
    assert announced == [True], "once, when the run is already ending"
    assert signals.exit_code(7) == code


def test_a_run_that_has_ended_is_not_interrupted(signals: StopSignals, clock: SystemClock) -> None:
    clock.on_interrupt = pytest.fail
    clock.stop()
    signal.raise_signal(signal.SIGINT)
    assert signals.exit_code(0) == 130


def test_the_last_resort_is_there_before_anything_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    monkeypatch.setattr(threading.Timer, "start", lambda timer: happened.append(f"timer of {timer.interval:.0f} s"))
    signals = StopSignals(lambda: happened.append("stop"))
    signals.install()
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)
    assert happened == ["timer of 5 s", "stop", "timer of 0 s", "stop"]


def test_several_accounts_get_more_time_to_save(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(threading.Timer, "start", lambda timer: waits.append(timer.interval))
    signals = StopSignals(lambda: None, seconds_to_end=12.0)
    signals.install()
    for _ in range(2):
        signal.raise_signal(signal.SIGTERM)
    assert waits == [12.0, 0.0]
