"""Values that Postgres refuses do not stop a sync: they are loaded with the least change, and reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.destinations.reading_postgres import execute, of
from tests.destinations.scenario import loads
from tests.destinations.servers.postgres import Postgres
from tests.support.syncs import logged

STREAMS = ("chats", "chat_events", "departments", "visitors")


@pytest.mark.quick
def test_nul_characters_and_halves_of_surrogate_pairs(postgres: Postgres, tmp_path: Path) -> None:
    with loads(of(postgres, streams=STREAMS), tmp_path, "nul", chats=20) as account:
        first, second, *_ = account.sandbox.account.chat_ids()
        chat = account.sandbox.account.chat(first)
        message = {
            "type": "chat.msg",
            "timestamp": chat["timestamp"],
            "msg": "before\0after",
            "name": "\0",
            "nick": "visitor:1",
        }
        account.sandbox.account.edit_chat(first, comment="a\0b", history=[message], tags=["\0", "fine"])
        account.sandbox.account.edit_chat(second, comment="", new={"half": "\ud800"})
        account.sandbox.clock.advance(700)
        warnings = [
            line for line in logged(account.complete().stderr, "WARNING") if line.startswith("Postgres does not accept")
        ]
        assert len(warnings) == 1
        assert "1 of chat_events.msg, 1 of chat_events.name, 1 of chats.comment" in warnings[0].replace(" and ", ", ")
        rows = {row["id"]: row for row in account.rows("chats")}
        assert rows[first]["comment"] == "a\ufffdb"
        assert rows[first]["tags"] == ["\ufffd", "fine"]
        assert rows[second]["comment"] == ""
        assert rows[second]["_extra"]["new"] == {"half": "\ufffd"}
        assert [row["msg"] for row in account.rows("chat_events") if row["chat_id"] == first] == ["before\ufffdafter"]
        assert not [line for line in logged(account.complete().stderr, "WARNING") if line.startswith("Postgres")]
        account.complete("--full-refresh")


def test_a_key_that_is_too_long_for_an_index(postgres: Postgres, tmp_path: Path) -> None:
    with loads(of(postgres, streams=STREAMS), tmp_path, "long_keys", chats=20) as account:
        account.load()
        chat = dict(account.sandbox.account.chat(account.sandbox.account.chat_ids()[0]))
        del chat["update_timestamp"]
        key = "".join(f"{number:05d}" for number in range(1_500))  # does not compress well
        account.sandbox.account.add_chat({**chat, "id": key, "comment": "long"})
        account.sandbox.clock.advance(700)
        account.load()
        account.load("--full-refresh")
        names = execute(
            account.url, "SELECT indexname FROM pg_indexes WHERE tablename = 'chats' AND indexname LIKE 'chats_id%'"
        )
        assert names == [("chats_id_hash",)]
