"""A session whose executors are processes of their own, and accounts to read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.spark.accounts import Accounts, started
from tests.support.spark_home import spark_environment

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

collect_ignore_glob = [] if find_spec("pyspark") else ["test_*.py"]  # `make spark` installs it

Load = Callable[..., "DataFrame"]


@pytest.fixture(autouse=True, scope="session")
def _environment(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the JVM passes on to the processes that it starts."""
    os.environ |= spark_environment(tmp_path_factory.mktemp("home"))
    given = os.environ.get("JAVA_TOOL_OPTIONS", "")
    os.environ["JAVA_TOOL_OPTIONS"] = f"{given} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # half of the CPU of a short run


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory, _environment: None) -> Iterator[SparkSession]:
    from pyspark.sql import SparkSession

    from zendesk_chat.spark import register

    builder = SparkSession.builder.master("local-cluster[2,1,1024]").appName("tests")
    settings = {
        "spark.executor.memory": "512m",
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    register(session)
    yield session
    session.stop()


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    folder = tmp_path / "accounts"
    folder.mkdir()
    with ExitStack() as stack:
        yield started(folder, stack)


@pytest.fixture
def load(spark: SparkSession, accounts: Accounts, tmp_path: Path) -> Load:
    """Return a function that reads a stream of all accounts."""

    def load(stream: str, **options: Any) -> DataFrame:
        given = {"stream": stream, "accounts": accounts.path, "quota_folder": str(tmp_path / "quota"), **options}
        return spark.read.format("zendesk_chat").options(**given).load()

    return load
