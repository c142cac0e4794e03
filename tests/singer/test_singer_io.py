"""Config and state of singer-io's tap (0.5) keep working."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.singer.target import Target, discover_here, select, tap_here
from tests.support.sandbox import NOW_SECONDS, by_content, config_of, still, truth

DAY = 86_400


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def old_config(sandbox: Any, **more: Any) -> dict[str, Any]:
    """As that tap takes it; only the address of the sandbox is added."""
    config = config_of(sandbox)
    old = {"start_date": "2020-01-01", "access_token": sandbox.token, "subdomain": "acme", "api_url": config["api_url"]}
    return old | more


def test_its_config_is_accepted() -> None:
    settings = {"user_agent": "me", "chat_search_interval_days": "7", "chats_full_sync_days": 30, "agents_page_limit": 50}
    with still() as sandbox:
        done = tap_here(old_config(sandbox, **settings), select(discover_here(), "account", "shortcuts"))
        assert done.code == 0
        names = "user_agent, chat_search_interval_days, chats_full_sync_days, agents_page_limit"
        assert f"WARNING These settings have no effect in this tap, and you can remove them: {names}.\n" in done.log
        assert "Unknown key" not in done.log


@pytest.mark.parametrize("earlier", ["chat.end_timestamp", "offline_msg.timestamp"])
def test_its_state_continues_a_day_before_the_earlier_time(earlier: str) -> None:
    since = NOW_SECONDS - 60 * DAY
    times = dict.fromkeys(("chat.end_timestamp", "offline_msg.timestamp"), iso(NOW_SECONDS - 10)) | {earlier: iso(since)}
    state = {"bookmarks": {"chats": {**times, "offset": {}}, "bans": {"offset": {"id": None}}}, "chats_last_full_sync": "x"}
    with still(chats=300) as sandbox:
        done, target = tap_here(old_config(sandbox), select(discover_here(), "chats", "bans"), state), Target()
        after = target.load(done.output)
        expected = [
            chat
            for chat in truth(sandbox, "chats")
            if datetime.fromisoformat(chat["update_timestamp"]).timestamp() >= since - DAY
        ]
        assert 0 < len(expected) < 300
        assert by_content(target.rows("chats")) == by_content(expected)
        assert (
            f"INFO chats: the state is that of singer-io's tap. Reading what changed since {iso(since - DAY)[:19]}Z" in done.log
        )
        assert "update_timestamp" in after["bookmarks"]["chats"]
        assert by_content(target.rows("bans")) == by_content(truth(sandbox, "bans"))


@pytest.mark.parametrize("times", [{"chat.end_timestamp": iso(NOW_SECONDS)}, {"offline_msg.timestamp": "12/01/2010"}])
def test_a_state_with_one_time_starts_again(times: dict[str, str]) -> None:
    with still() as sandbox:
        done, target = (
            tap_here(old_config(sandbox), select(discover_here(), "chats"), {"bookmarks": {"chats": times}}),
            Target(),
        )
        target.load(done.output)
        assert by_content(target.rows("chats")) == by_content(truth(sandbox, "chats"))
        assert "It has only one of two times, so everything since the start date is read." in done.log


def test_its_bookmark_stays_until_a_page_of_chats_is_written() -> None:
    old = {"chats": {"chat.end_timestamp": iso(0), "offline_msg.timestamp": iso(0)}}
    with still() as sandbox:
        output = tap_here(old_config(sandbox), select(discover_here(), "agent_timeline"), {"bookmarks": old}).output
        assert json.loads(output.splitlines()[-1])["value"]["bookmarks"]["chats"] == old["chats"]


def test_its_streams_have_their_names_and_keys() -> None:
    keys = {entry["tap_stream_id"]: entry["key_properties"] for entry in discover_here()["streams"]}
    assert {name: keys[name] for name in ("account", "shortcuts")} == {"account": ["account_key"], "shortcuts": ["name"]}
    others = ("agents", "bans", "chats", "departments", "goals", "triggers")
    assert {name: keys[name] for name in others} == {name: ["id"] for name in others}


def test_its_catalog_selects_the_same_streams() -> None:
    selected = {"breadcrumb": [], "metadata": {"selected": True, "forced-replication-method": "INCREMENTAL"}}
    by_schema = {"tap_stream_id": "goals", "stream": "goals", "schema": {"selected": True}}  # of --properties
    catalog = {
        "streams": [
            {"tap_stream_id": "chats", "stream": "chats", "schema": {}, "metadata": [selected]},
            by_schema,
            {"tap_stream_id": "bans", "stream": "bans", "schema": {}, "metadata": [{"breadcrumb": [], "metadata": {}}]},
        ]
    }
    with still() as sandbox:
        target = Target()
        target.load(tap_here(old_config(sandbox), catalog).output)
        assert set(target.tables) == {"chats", "goals"}
