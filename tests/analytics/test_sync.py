"""What sync does for the views: it keeps the time zone of a file, uses the schema, and warns."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.support.sandbox import still
from zendesk_chat.cli import main


def test_sync_keeps_the_time_zone_and_warns_of_what_is_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZENDESK_CHAT_TOKEN", "sandbox-token")
    path = tmp_path / "chats.duckdb"
    zones = "SELECT analytics.time_zone(), time_zone FROM _sync_account"
    with still() as sandbox:
        sync = ["sync", "--subdomain", "demo", "--api-url", sandbox.url, "--to", f"duckdb:///{path}", "--streams", "chats"]
        for options in (["--time-zone", "europe/lisbon"], []):
            assert main([*sync, *options]) == 0
            with duckdb.connect(str(path)) as database:
                assert database.execute(zones).fetchall() == [("Europe/Lisbon", "Europe/Lisbon")]
        assert "The view" not in capsys.readouterr().err
        with duckdb.connect(str(path)) as database:
            database.execute("CREATE OR REPLACE VIEW analytics.chats_by_day AS SELECT 1 AS mine")
        assert main([*sync, "--time-zone", "Asia/Tokyo"]) == 0
        assert main([*sync, "--schema", "acme"]) == 0
    warning = (
        "WARNING The view analytics.chats_by_day is yours, so the reporting view was not created. "
        "Rename or drop it, then sync again."
    )
    assert " ".join(capsys.readouterr().err.split()).count(warning) == 1
    with duckdb.connect(str(path)) as database:
        assert database.execute("FROM analytics.chats_by_day").fetchall() == [(1,)]
        assert database.execute(zones).fetchall() == [("Asia/Tokyo", "Asia/Tokyo")]
        both = "SELECT (SELECT count(*) FROM analytics.chat_facts), (SELECT count(*) FROM acme_analytics.chat_facts)"
        assert database.execute(both).fetchall() == [(60, 60)]
