"""Postgres contains what the account contains."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extras import RealDictCursor

from tests.destinations.content import check_content
from tests.destinations.servers.postgres import Postgres
from tests.support.commands import run_here
from tests.support.sandbox import still
from tests.support.syncs import edit


def rows(url: str, table: str, schema: str = "zendesk_chat") -> Iterable[dict[str, Any]]:
    with (
        closing(psycopg2.connect(url)) as connection,
        connection.cursor(cursor_factory=RealDictCursor) as cursor,
    ):
        cursor.execute(f'SELECT * FROM "{schema}"."{table}"')
        return [dict(row) for row in cursor.fetchall()]


def test_it_equals_the_account_after_each_sync(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.new_database("each_sync")
    with still(chats=300) as sandbox:
        options = ["sync", "--subdomain", "acme", "--token", sandbox.token, "--api-url", sandbox.url, "--to", url]
        for step in range(3):
            if step == 1:
                edit(sandbox, sandbox.account.chat_ids()[:20], "edited")
                sandbox.account.add_generated("chats", 10)
                sandbox.account.add_generated("departments", 1)
                sandbox.clock.advance(700)
            done = run_here(options, tmp_path)
            assert done.returncode == 0, done.stderr + done.stdout
            check_content(sandbox, lambda table: rows(url, table))
