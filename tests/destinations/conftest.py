"""Servers, each started once and ended with the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.destinations.servers.clickhouse import ClickHouse, clickhouse_engine
from tests.destinations.servers.mariadb import MariaDB, mariadb_server
from tests.destinations.servers.postgres import Postgres, postgres_server
from tests.destinations.servers.s3 import S3, VARIABLES, s3_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    with mariadb_server() as server:
        yield server


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    with clickhouse_engine(tmp_path_factory.mktemp("clickhouse")) as engine:
        yield engine


@pytest.fixture(scope="session")
def s3_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def s3(s3_process: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """An S3 server, and the variables with its keys."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    return s3_process
