"""A file does not grow with runs, and deleted rows give their space back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.sandbox import still
from tests.support.syncs import complete, edit, execute

pytestmark = [pytest.mark.long, pytest.mark.unmeasured]  # it runs complete syncs

STREAMS = ("--streams", "chats,chat_events,visitors")
CHATS = 1_000


def test_the_file_does_not_grow_with_runs(tmp_path: Path) -> None:
    path = tmp_path / "chats.duckdb"
    with still(chats=CHATS) as sandbox:
        complete(sandbox, path, *STREAMS)
        ids = sandbox.account.chat_ids()
        sizes = []
        for number in range(20):
            edit(sandbox, ids[number % 5 :: 5], f"edit {number}")
            sandbox.clock.advance(3600)
            complete(sandbox, path, *STREAMS)
            sizes.append(path.stat().st_size)
        assert sizes[-1] < 1.5 * sizes[3], sizes
        complete(sandbox, path, *STREAMS, "--full-refresh")
        for _ in range(2):
            complete(sandbox, path, *STREAMS)
        assert path.stat().st_size < 1.3 * sizes[3], sizes
    assert execute(path, "SELECT count(*), count(DISTINCT stream) FROM _sync_streams") == [(3, 3)]
