"""Postgres contains what the account contains."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.extras import RealDictCursor

from tests.destinations.scenario import SCENARIOS, Destination, Scenario, name_of
from tests.destinations.servers.postgres import Postgres


def rows(url: str, table: str, schema: str = "zendesk_chat") -> Iterable[dict[str, Any]]:
    with (
        closing(psycopg2.connect(url)) as connection,
        connection.cursor(cursor_factory=RealDictCursor) as cursor,
    ):
        cursor.execute(f'SELECT * FROM "{schema}"."{table}"')
        return [dict(row) for row in cursor.fetchall()]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=name_of)
def test_scenario(scenario: Scenario, postgres: Postgres, tmp_path: Path) -> None:
    scenario(Destination("Postgres", postgres.new_database, rows), tmp_path)
