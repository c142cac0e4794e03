"""The terminal of a process: pipes, ends of input, Ctrl-C, and what typed secrets do to it."""

from __future__ import annotations

import io
import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from zendesk_chat.errors import ConfigError
from zendesk_chat.load.login.terminal import StandardTerminal

COMMAND = Path(sys.executable).with_name("zendesk-chat")


def asked(monkeypatch: pytest.MonkeyPatch, content: bytes, *, hidden: bool = False) -> str:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), "utf-8"))
    return StandardTerminal().ask("Address: ", hidden=hidden)


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("content", [b" abc \r\nmore\n", b"abc", "\ufeffabc\n".encode()])
def test_a_pipe_gives_one_line(monkeypatch: pytest.MonkeyPatch, content: bytes, *, hidden: bool) -> None:
    assert asked(monkeypatch, content, hidden=hidden) == "abc"


WITHOUT_A_LINE = {
    b"": "Nothing was entered. Run `zendesk-chat login` again.",
    b"\xff\n": "What was entered is not valid UTF-8.",
}


@pytest.mark.parametrize(("content", "message"), WITHOUT_A_LINE.items())
def test_a_pipe_without_a_line_is_named(monkeypatch: pytest.MonkeyPatch, content: bytes, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        asked(monkeypatch, content)
    assert str(error.value) == message


def test_a_process_without_standard_input_has_nobody_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert StandardTerminal().interactive is False
    with pytest.raises(ConfigError, match="Nothing was entered"):
        StandardTerminal().ask("Address: ")


def test_what_is_printed_has_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    StandardTerminal().say("a\x1b[2Jb")
    StandardTerminal().result("a\nb")
    assert capsys.readouterr() == ("a\\nb\n", "a\\x1b[2Jb\n")


class Typist:
    """A person at a terminal in which `login` runs."""

    def __init__(self, home: Path) -> None:
        self.screen, child = pty.openpty()
        environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home)}
        command = [str(COMMAND), "login", "--no-browser", "--client-id", "client"]
        self.process = subprocess.Popen(command, env=environment, cwd=home, stdin=child, stdout=child, stderr=child)
        os.close(child)
        self.seen = ""

    def see(self, text: str) -> None:
        while text not in self.seen:
            assert select.select([self.screen], [], [], 30)[0], self.seen
            self.seen += os.read(self.screen, 4096).decode()

    def type(self, text: str) -> None:
        os.write(self.screen, text.encode())


@pytest.mark.unmeasured
def test_ctrl_c_at_any_question_ends_the_command_at_once(tmp_path: Path) -> None:
    for first in ("", "acme\n"):
        person = Typist(tmp_path)
        person.see("Subdomain")
        person.type(first)
        person.see("not shown" if first else "Subdomain")
        person.process.send_signal(signal.SIGINT)
        person.see("Stopped. Nothing was stored.")
        assert person.process.wait(20) == 130
        os.close(person.screen)
    assert list(tmp_path.rglob("*.json")) == []
