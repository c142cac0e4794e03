"""Other programs of Singer's world, each in an environment of its own: `make singer`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("psycopg2", reason="the driver of Postgres is in another environment: make singer")

from tests.destinations.servers.postgres import Postgres, postgres_server


@dataclass(frozen=True)
class Programs:
    """The executables. ``bin`` of an environment is a folder."""

    meltano: Path
    jsonl: Path
    old_tap: Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Meltano and targets start slowly on a busy machine."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(400))


@pytest.fixture(scope="session")
def programs() -> Programs:
    folder = os.environ.get("SINGER_VENVS")
    if not folder:
        pytest.skip("these programs have environments of their own: make singer")
    return Programs(*(Path(folder) / f"singer-{name}-venv/bin" for name in ("meltano", "jsonl", "old_tap")))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with postgres_server() as server:
        yield server
