"""A command in this process: as a shell runs it in a folder, but without the start of a Python, and measured."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.support.executable import NAME, Done
from zendesk_chat.cli import main

HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_here(
    arguments: Sequence[str], folder: Path, *, program: str = "zendesk-chat", **variables: str
) -> CompletedProcess[str]:
    """Run a program with these arguments and environment variables, and return its exit code and what it prints."""
    buffers = io.BytesIO(), io.BytesIO()
    out, errors = (io.TextIOWrapper(buffer, "utf-8", write_through=True) for buffer in buffers)
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(errors):
        patch.chdir(folder)
        patch.setattr(sys, "argv", [program, *arguments])
        for name, value in variables.items():
            patch.setenv(name, value)
        handlers = [(number, signal.getsignal(number)) for number in HANDLED]
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            for number, handler in handlers:
                signal.signal(number, handler)
    return CompletedProcess(list(arguments), code, *(buffer.getvalue().decode() for buffer in buffers))


def execute_here(command: str, *options: str, folder: Path, **variables: str) -> Done:
    """Run a command of Airbyte's, as ``execute`` does in a process of its own."""
    done = run_here([command, *options], folder, program=NAME, **variables)
    return Done(done.returncode, done.stdout.encode(), done.stderr)
