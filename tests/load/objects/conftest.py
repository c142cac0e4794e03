"""A file that a sync filled, for users to change, and the account, which has changed since."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sandbox import still
from tests.support.syncs import NESTED, complete, edit
from zendesk_chat_sandbox import Sandbox

STREAMS = ("--streams", NESTED)
REFRESH = [(), ("--full-refresh",)] if "SOAK" in os.environ else [()]
BOTH = pytest.mark.parametrize("refresh", REFRESH, ids=["sync", "full refresh"][: len(REFRESH)])


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """An account that has changed since the file was filled."""
    with still(chats=40) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def filled(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "chats.duckdb"
    complete(sandbox, path, *STREAMS)
    edit(sandbox, sandbox.account.chat_ids()[:8], "edited")
    return path


@pytest.fixture
def path(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(filled, tmp_path / "chats.duckdb"))
