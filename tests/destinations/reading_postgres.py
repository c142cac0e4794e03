"""Postgres as a destination under test, read with its own driver."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import psycopg2
from psycopg2.extras import RealDictCursor

from tests.destinations.scenario import Destination
from tests.destinations.servers.postgres import Postgres


def rows(url: str, table: str, schema: str = "zendesk_chat") -> Iterable[dict[str, Any]]:
    with (
        closing(psycopg2.connect(url)) as connection,
        connection.cursor(cursor_factory=RealDictCursor) as cursor,
    ):
        cursor.execute(f'SELECT * FROM "{schema}"."{table}"')
        return [dict(row) for row in cursor.fetchall()]


def execute(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """What a user does to the database, and the rows of the last statement."""
    found: list[tuple[Any, ...]] = []
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        for statement in statements:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                found = cursor.fetchall() if cursor.description else []
    return found


def of(server: Postgres, *options: str, streams: tuple[str, ...] = ()) -> Destination:
    """A database on this server for each name; of some streams only, if these are named."""

    def new_url(name: str) -> str:
        return server.new_database("_".join(re.findall(r"\w+", name, re.ASCII))[-60:])

    if not streams:
        return Destination("Postgres", new_url, rows, options)
    return Destination("Postgres", new_url, rows, ("--streams", ",".join(streams), *options), streams=streams)
