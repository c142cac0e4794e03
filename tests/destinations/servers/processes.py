"""Programs that a test starts and ends."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

_SECONDS = 60


def program(name: str, *folders: str) -> str:
    """Return the path of a program, or skip the test."""
    found = shutil.which(name, path=os.pathsep.join([*folders, os.environ["PATH"]]))
    if found is None:
        pytest.skip(f"{name} is not installed: make destinations-setup")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def server_folder() -> Iterator[Path]:
    """A folder for a server. Pytest makes its own temporary folder private again whenever another test run begins."""
    with tempfile.TemporaryDirectory(prefix="zendesk-chat-server-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def unprivileged(folder: Path, user: str) -> str | None:
    """Return whom a server should run as, and let that user have the folder: servers of databases refuse root."""
    if os.getuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        pwd.getpwnam(user)
        for parent in folder.parents:
            if not parent.stat().st_mode & 0o001 and parent.owner() == "root":
                parent.chmod(parent.stat().st_mode | 0o011)  # pytest's own folders are private
        shutil.chown(folder, user)
        return user
    pytest.skip(f"there is no user {user} to run the server as")


@contextlib.contextmanager
def running(
    command: Sequence[str], folder: Path, user: str | None, ready: Callable[[], object]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server while the block runs; ``ready`` raises until it responds."""
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, user=user, stdout=log, stderr=log)
    try:
        end = time.monotonic() + _SECONDS
        while True:
            try:
                ready()
                break
            except Exception:  # noqa: BLE001  each driver has errors of its own
                if server.poll() is not None or time.monotonic() > end:
                    pytest.fail((folder / "server.log").read_text("utf-8", "replace")[-3000:])
                time.sleep(0.1)
        yield server
    finally:
        server.terminate()
        try:
            server.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
