"""The example for Parquet: which of several rows wins, after runs that went wrong too."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from tests.spark.driver import example

parquet = example("parquet")
Row = tuple[str | None, str, str]


def batch(spark: SparkSession, *rows: Row) -> DataFrame:
    return spark.createDataFrame([("a0", *row) for row in rows], "account string, id string, chat_id string, value string")


def values(rows: DataFrame) -> dict[str, str]:
    return {row["id"]: row["value"] for row in rows.collect()}


def test_folders_that_are_ahead_of_a_checkpoint_are_refused(spark: SparkSession, tmp_path: Path) -> None:
    table = str(tmp_path / "chats")
    for number, value in enumerate(["first", "second"]):
        parquet.write_batch(table, batch(spark, ("c1", "c1", value)), number)
    parquet.write_batch(table, batch(spark, ("c1", "c1", "repeated")), 1)
    with pytest.raises(ValueError, match="has the micro-batch 1, but the checkpoint is only at 0"):
        parquet.write_batch(table, batch(spark, ("c1", "c1", "new checkpoint")), 0)
    assert values(parquet.latest(spark, table)) == {"c1": "repeated"}


def test_a_compacted_table_has_the_newest_rows_and_later_ones_win(spark: SparkSession, tmp_path: Path) -> None:
    table, new = str(tmp_path / "chats"), str(tmp_path / "compacted")
    parquet.write_batch(table, batch(spark, ("c1", "c1", "old"), ("c2", "c2", "kept")), 6)
    parquet.write_batch(table, batch(spark, ("c1", "c1", "new")), 7)
    parquet.compact(parquet.latest(spark, table), new)
    assert values(parquet.latest(spark, new)) == {"c1": "new", "c2": "kept"}
    parquet.write_batch(new, batch(spark, ("c1", "c1", "newer")), 7)  # which was not complete when the table was compacted
    assert values(parquet.latest(spark, new)) == {"c1": "newer", "c2": "kept"}


def test_a_compacted_table_of_events_has_those_of_the_newest_read_of_each_chat(spark: SparkSession, tmp_path: Path) -> None:
    table, new = str(tmp_path / "events"), str(tmp_path / "compacted")
    parquet.write_batch(table, batch(spark, (None, "c1", ""), ("e1", "c1", "gone"), ("e2", "c1", "old")), 0)
    parquet.write_batch(table, batch(spark, (None, "c1", ""), ("e2", "c1", "new")), 1)
    parquet.compact(parquet.latest_of_chats(spark, table), new)
    assert values(parquet.latest_of_chats(spark, new)) == {"e2": "new"}
    parquet.write_batch(new, batch(spark, (None, "c1", ""), ("e3", "c1", "newer")), 2)
    assert values(parquet.latest_of_chats(spark, new)) == {"e3": "newer"}
