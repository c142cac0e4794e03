"""A Dagster asset with one partition for each account.

``ZENDESK_CHAT_ACCOUNTS`` names a folder with one configuration, ``<account>.json``, for each account. With OAuth it has to be
writable, since renewed tokens are stored in it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
from account_sync import ConfigProblem, sync_account

FOLDER = Path(os.environ.get("ZENDESK_CHAT_ACCOUNTS", "/etc/zendesk-chat/accounts"))
ACCOUNTS = dg.StaticPartitionsDefinition(sorted(path.stem for path in FOLDER.glob("*.json")))


@dg.asset(
    partitions_def=ACCOUNTS,
    pool="zendesk_chat",  # how many accounts at a time
    retry_policy=dg.RetryPolicy(max_retries=3, delay=300, backoff=dg.Backoff.EXPONENTIAL),
)
def zendesk_chat(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """The account of this partition, synced."""
    name = context.partition_key
    try:
        printed = sync_account(name, FOLDER / f"{name}.json", context.log.info)
    except ConfigProblem as problem:
        raise dg.Failure(str(problem), allow_retries=False) from None
    return dg.MaterializeResult(metadata={"sync": dg.MetadataValue.text(printed)})


@dg.schedule(target=zendesk_chat, cron_schedule="17 * * * *")
def every_hour(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
    """A run for each account."""
    for name in ACCOUNTS.get_partition_keys():
        yield dg.RunRequest(run_key=f"{name}-{context.scheduled_execution_time.isoformat()}", partition_key=name)


defs = dg.Definitions(assets=[zendesk_chat], schedules=[every_hour])
