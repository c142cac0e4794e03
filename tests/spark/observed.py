"""A driver that reads in every way, and copies all that Spark shows about it.

    python -m tests.spark.observed ACCOUNTS FOLDER

It creates FOLDER/ready when its queries have run, and ends when FOLDER/done exists.
"""

from __future__ import annotations

import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from zendesk_chat.spark import register

PAGES = (
    *("jobs/", "stages/", "storage/", "environment/", "executors/", "SQL/", "SQL/execution/?id=0", "StreamingQuery/"),
    *("jobs/job/?id=0", "stages/stage/?id=0&attempt=0", "stages/stage/?id=1&attempt=0"),
)
RESOURCES = ("jobs", "stages?details=true", "executors", "environment", "sql?details=true&planDescription=true", "storage/rdd")


def main(accounts: str, folder: str) -> None:
    home = Path(folder)
    settings = {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": (home / "events").as_uri(),
        "spark.local.dir": str(home / "local"),
        "spark.executor.memory": "512m",
        "spark.sql.warehouse.dir": str(home / "warehouse"),
        "spark.ui.port": "0",
        "spark.log.level": "INFO",
    }
    builder = SparkSession.builder.master("local-cluster[2,1,1024]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    register(spark)
    options = {"accounts": accounts, "quota_folder": str(home / "quota")}
    agents = spark.read.format("zendesk_chat").options(stream="agents", **options).load()
    agents.explain(extended=True)
    agents.where("account = 'a0'").groupBy("email").count().collect()
    agents.write.parquet(str(home / "agents"))
    with suppress(PySparkException):
        spark.read.format("zendesk_chat").options(stream="agents", token="an-option-8813", **options).load()
    stream(spark, options, home)
    (Path(accounts).parent / "a0.token").write_text("refused-token-6a1c")
    try:
        agents.collect()
    except PySparkException as error:
        sys.stdout.write(str(error))
    copy_pages(spark, home / "pages")
    (home / "ready").touch()
    while not (home / "done").exists():
        time.sleep(0.2)
    spark.stop()


def stream(spark: SparkSession, options: dict[str, str], home: Path) -> None:
    def store(batch: DataFrame, batch_id: int) -> None:
        batch.write.mode("overwrite").parquet(str(home / "chats" / str(batch_id)))

    chats = spark.readStream.format("zendesk_chat").options(stream="chats", **options).load()
    writer = chats.writeStream.foreachBatch(store).option("checkpointLocation", str(home / "checkpoint"))
    query = writer.trigger(availableNow=True).start()
    query.awaitTermination()
    query.explain(extended=True)
    sys.stdout.write(str(query.lastProgress))


def copy_pages(spark: SparkSession, folder: Path) -> None:
    folder.mkdir()
    context = spark.sparkContext
    base = str(context.uiWebUrl).replace(str(context.getConf().get("spark.driver.host")), "127.0.0.1")
    application = f"api/v1/applications/{context.applicationId}"
    for number, path in enumerate([*PAGES, *(f"{application}/{resource}" for resource in RESOURCES)]):
        try:
            with urllib.request.urlopen(f"{base}/{path}", timeout=60) as response:
                content = response.read()
        except HTTPError as error:
            content = error.read()
        (folder / f"{number}.html").write_bytes(path.encode() + b"\n" + content)


if __name__ == "__main__":
    main(*sys.argv[1:])
