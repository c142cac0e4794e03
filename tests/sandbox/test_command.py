"""The command line of the sandbox in this process: what it prints, and what ends it."""

from __future__ import annotations

import errno
import json
import signal
from collections.abc import Iterator
from io import StringIO

import pytest

from zendesk_chat_sandbox.cli import main
from zendesk_chat_sandbox.clock import to_epoch


class Signalling(StringIO):
    """Standard output that sends this process a signal once the sandbox has printed where it is."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__()
        self._number = number

    def flush(self) -> None:
        signal.raise_signal(self._number)


class Full(StringIO):
    """Standard output on a full disk."""

    def write(self, _text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Signals are handled as before when the test has ended."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_where_it_is_and_serves_until_a_signal(number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = Signalling(number)
    monkeypatch.setattr("sys.stdout", printed)
    options = ["--port", "0", "--chats", "3", "--token", "my\x1btoken", "--history-until", "2026-03-01T12:00:00Z"]
    assert main(options) == 0
    address, token, data, config = printed.getvalue().splitlines()
    found = json.loads(config)
    assert address == f"Zendesk Chat sandbox: {found['api_url']}"
    assert token == r"Token: my\x1btoken"
    assert data.startswith("Data: 3 chats, 250 agents, ")
    assert found["credentials"] == {"credentials": "access_token", "access_token": "my\x1btoken"}
    assert to_epoch(found["start_date"]) < to_epoch("2026-03-01T12:00:00Z")


def test_an_address_that_cannot_be_printed_ends_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdout", Full())
    with pytest.raises(SystemExit) as ended:
        main(["--port", "0", "--chats", "0"])
    assert ended.value.code == 1
    assert "error: cannot print the address: No space left on device" in capsys.readouterr().err
