"""Keep a Delta table up to date with the chats of many accounts, and another with their events.

    spark-submit examples/spark_delta.py accounts.toml /lake

Run it from a scheduler: it reads what is new since the last run, and ends. You can kill it at any time. The next run repeats
the micro-batch that was not complete, and merging the same rows again changes nothing.

It needs: pip install deltalake
"""

import sys
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, write_deltalake
from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession

from zendesk_chat.spark import register

STREAMS = {"chats": {}, "chat_events": {"parents": "true"}}
SAME_KEY = "old.account = new.account AND old.id = new.id"
SAME_CHAT = "old.account = new.account AND old.chat_id = new.chat_id"


def upsert(table: str, rows: pa.Table) -> None:
    """Replace the rows with the same account and id, and insert the others, in one transaction."""
    merge = DeltaTable(table).merge(rows, SAME_KEY, source_alias="new", target_alias="old")
    merge.when_matched_update_all().when_not_matched_insert_all().execute()


def delete_of_chats(table: str, chats: pa.Table) -> None:
    """Delete the rows of these chats, because an edited chat may have fewer."""
    DeltaTable(table).merge(chats, SAME_CHAT, source_alias="new", target_alias="old").when_matched_delete().execute()


def merge_batch(table: str, batch: DataFrame, _batch_id: int) -> None:
    """Merge a micro-batch. Rows without an id only name the chats that were read."""
    rows = batch.toArrow()
    if not rows.num_rows:
        return
    if not DeltaTable.is_deltatable(table):
        write_deltalake(table, rows.schema.empty_table(), partition_by=["account"])
    named = pc.is_null(rows["id"])
    if (chats := rows.filter(named)).num_rows:
        delete_of_chats(table, chats.select(["account", "chat_id"]))
    upsert(table, rows.filter(pc.invert(named)))


def keep_up_to_date(spark: SparkSession, accounts: str, stream: str, lake: Path, **options: str) -> None:
    """Read what is new in a stream, and end."""
    stored = spark.readStream.format("zendesk_chat").options(accounts=accounts, stream=stream, **options).load().writeStream
    stored = stored.foreachBatch(partial(merge_batch, str(lake / stream)))
    stored.option("checkpointLocation", str(lake / "_checkpoints" / stream)).trigger(
        availableNow=True
    ).start().awaitTermination()


def main(accounts: str, folder: str) -> None:
    spark = SparkSession.builder.appName("zendesk-chat").getOrCreate()
    register(spark)
    lake = Path(folder)
    lake.mkdir(parents=True, exist_ok=True)
    failed = []
    for stream, options in STREAMS.items():
        try:
            keep_up_to_date(spark, accounts, stream, lake, days_per_batch="90", **options)
        except StreamingQueryException as error:  # some accounts failed; the others are read
            failed.append(error)
    spark.stop()
    if failed:
        raise failed[0]


if __name__ == "__main__":
    main(*sys.argv[1:])
