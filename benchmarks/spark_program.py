"""What `make bench-spark` measures: all accounts to Parquet, in plain Python or in Spark.

    python -m benchmarks.spark_program EXECUTORS ACCOUNTS FOLDER

With 0 executors it reads the accounts in turn, without Spark. Prints the seconds of the work itself, without Spark's start.
"""

from __future__ import annotations

import sys
import time
import tomllib
from pathlib import Path

import pyarrow.parquet as pq


def in_python(accounts: Path, folder: Path) -> None:
    """Read each account in turn, as a plain program does."""
    from zendesk_chat import Account, arrow_reader  # noqa: PLC0415  each program imports only what it needs

    file = tomllib.loads(accounts.read_text())
    for name, settings in file.pop("accounts").items():
        account = Account(
            subdomain=name,
            token=(accounts.parent / settings["token_file"]).read_text(),
            api_url=settings["api_url"],
            requests_per_minute=settings["requests_per_minute"],
        )
        with arrow_reader(account, "chats") as reader, pq.ParquetWriter(folder / f"{name}.parquet", reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)


def in_spark(executors: int, accounts: Path, folder: Path) -> float:
    """Read the accounts with this many executors of one core, and return when the session was ready."""
    from pyspark.sql import SparkSession  # noqa: PLC0415  as above

    from zendesk_chat.spark import register  # noqa: PLC0415  as above

    builder = SparkSession.builder.master(f"local-cluster[{executors},1,1024]").config("spark.executor.memory", "512m")
    spark = builder.config("spark.ui.enabled", "false").config("spark.log.level", "ERROR").getOrCreate()
    spark.range(executors).repartition(executors).count()  # until the executors are there
    begun = time.monotonic()
    register(spark)
    chats = spark.read.format("zendesk_chat").option("stream", "chats").option("accounts", str(accounts)).load()
    chats.write.parquet(str(folder / "chats"))
    return begun


def main() -> None:
    executors, accounts, folder = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    begun = time.monotonic()
    if executors:
        begun = in_spark(executors, accounts, folder)
    else:
        in_python(accounts, folder)
    sys.stdout.write(f"\nseconds: {time.monotonic() - begun:.2f}\n")


if __name__ == "__main__":
    main()
