"""Keep Parquet files up to date with the chats of many accounts, and others with their events.

    spark-submit examples/spark_parquet.py accounts.toml /lake

Parquet has no transactions, so nothing that is stored is ever changed: each micro-batch is a folder of its own, and ``latest``
selects the newest row of each key. You can kill it at any time: the next run writes the folder that was not complete again.
"""

import sys
from functools import partial
from pathlib import Path

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as f

from zendesk_chat.spark import register

FOLDER = "batch_id"
COMPACTED = -1
STREAMS = {"chats": {}, "chat_events": {"parents": "true"}}


def write_batch(table: str, batch: DataFrame, batch_id: int) -> None:
    """Write a micro-batch to its folder. Repeating it replaces the folder.

    The folders must not be ahead of the checkpoint: their old rows would win over the new ones.
    """
    newest = max((int(folder.name.partition("=")[2]) for folder in Path(table).glob(f"{FOLDER}=*")), default=COMPACTED)
    if newest > batch_id:
        raise ValueError(
            f"{table} has the micro-batch {newest}, but the checkpoint is only at {batch_id}: it was deleted, or is of another "
            "table. Move the table away, so that everything is written again."
        )
    batch.write.mode("overwrite").parquet(f"{table}/{FOLDER}={batch_id}")


def latest(spark: SparkSession, table: str) -> DataFrame:
    """Return the newest row of each account and id."""
    rows = spark.read.parquet(table)
    newest = Window.partitionBy("account", "id").orderBy(f.desc(FOLDER))
    return rows.withColumn("_age", f.row_number().over(newest)).where("_age = 1").drop("_age", FOLDER)


def latest_of_chats(spark: SparkSession, table: str) -> DataFrame:
    """Return the rows of each chat as the newest micro-batch that read it has them. Rows without an id only name a chat."""
    rows = spark.read.parquet(table)
    of_chat = Window.partitionBy("account", "chat_id")
    newest_read = f.max(f.when(f.col("id").isNull(), f.col(FOLDER))).over(of_chat)
    kept = rows.withColumn("_read", newest_read).where(f"id IS NOT NULL AND (_read IS NULL OR {FOLDER} >= _read)")
    newest = Window.partitionBy("account", "id").orderBy(f.desc(FOLDER))
    return kept.withColumn("_age", f.row_number().over(newest)).where("_age = 1").drop("_age", "_read", FOLDER)


def compact(rows: DataFrame, new: str) -> None:
    """Write what ``latest`` or ``latest_of_chats`` returns to a new table, which can replace the old one between two runs."""
    rows.write.parquet(f"{new}/{FOLDER}={COMPACTED}")


def keep_up_to_date(spark: SparkSession, accounts: str, stream: str, lake: Path, **options: str) -> None:
    """Read what is new in a stream, and end."""
    stored = spark.readStream.format("zendesk_chat").options(accounts=accounts, stream=stream, **options).load().writeStream
    stored = stored.foreachBatch(partial(write_batch, str(lake / stream)))
    stored.option("checkpointLocation", str(lake / "_checkpoints" / stream)).trigger(
        availableNow=True
    ).start().awaitTermination()


def main(accounts: str, folder: str) -> None:
    spark = SparkSession.builder.appName("zendesk-chat").getOrCreate()
    register(spark)
    lake = Path(folder)
    failed = []
    for stream, options in STREAMS.items():
        try:
            keep_up_to_date(spark, accounts, stream, lake, days_per_batch="90", **options)
        except StreamingQueryException as error:  # some accounts failed; the others are read
            failed.append(error)
    if failed:
        raise failed[0]
    latest(spark, str(lake / "chats")).groupBy("account").count().show()
    latest_of_chats(spark, str(lake / "chat_events")).groupBy("account", "type").count().show()
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
