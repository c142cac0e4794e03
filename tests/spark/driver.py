"""A driver that runs an example, and stops in the middle of a micro-batch so that it can be killed there.

    python -m tests.spark.driver delta ACCOUNTS FOLDER QUOTA FUNCTION CALL

Before the call with this number of the function in the example, or after it if the number is negative, the driver creates the
file FOLDER/reached and waits. With call 0, it completes.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

from pyspark.sql import SparkSession

from zendesk_chat.spark import register

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(kind: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"spark_{kind}", EXAMPLES / f"spark_{kind}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stopping(function: Callable[..., Any], call: int, reached: Path) -> Callable[..., Any]:
    calls = count(1)

    def wait() -> None:
        reached.touch()
        time.sleep(600)  # until it is killed

    def wrapped(*arguments: Any) -> Any:
        number = next(calls)
        if number == call:
            wait()
        result = function(*arguments)
        if number == -call:
            wait()
        return result

    return wrapped


def main(kind: str, accounts: str, folder: str, quota: str, function: str, call: str) -> None:
    module = example(kind)
    if int(call):
        setattr(module, function, stopping(getattr(module, function), int(call), Path(folder) / "reached"))
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.sql.shuffle.partitions", "2").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    register(spark)
    for stream, options in (("chats", {}), ("chat_events", {"parents": "true"})):
        module.keep_up_to_date(spark, accounts, stream, Path(folder), days_per_batch="45", quota_folder=quota, **options)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
