"""A command in this process: as a shell runs it in a folder, but without the start of a Python, and measured."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from zendesk_chat.cli import main


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
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
    return CompletedProcess(list(arguments), code, *(buffer.getvalue().decode() for buffer in buffers))
