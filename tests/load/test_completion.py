"""Completion in a shell: the script of `completion`, run by the shell itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from zendesk_chat.cli import main
from zendesk_chat.load.completion import complete_names

BIN = Path(sys.executable).parent
BASH = shutil.which("bash")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    printed = capsys.readouterr().out
    assert "zendesk-chat" in printed
    assert {"bash": "complete -o", "zsh": "#compdef zendesk-chat", "fish": "complete --command zendesk-chat"}[shell] in printed


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("ag", ["agents", "agent_events", "agent_routing_settings", "agent_timeline"]),
        ("chats,ro", ["chats,roles", "chats,routing_settings"]),
    ],
)
def test_names_of_streams_are_completed_also_in_a_list(prefix: str, expected: list[str]) -> None:
    assert complete_names(prefix) == expected
    assert complete_names("chats,chats") == []


@pytest.mark.skipif(BASH is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("zendesk-chat sta", {"status"}),
        ("zendesk-chat sync --str", {"--streams"}),
        ("zendesk-chat sync --streams chats,vis", {"chats,visitors"}),
        ("zendesk-chat sync --config acme.t", {"acme.toml"}),
        ("zendesk-chat sync --token sec", set()),
        ("zendesk-chat completion z", {"zsh"}),
    ],
)
def test_bash_completes(line: str, expected: set[str], tmp_path: Path) -> None:
    (tmp_path / "acme.toml").touch()
    (tmp_path / "secret.txt").touch()
    words = line.split()
    script = f"""
        eval "$(zendesk-chat completion bash)"
        COMP_LINE='{line}' COMP_POINT={len(line)} COMP_TYPE=9 COMP_WORDS=({line}) COMP_CWORD={len(words) - 1}
        _python_argcomplete zendesk-chat {words[-1]} {words[-2]}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(
        [str(BASH), "--norc", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert {found.strip() for found in done.stdout.split("\n")} - {""} == expected
    assert done.stderr == ""
