"""A Dagster asset with one partition for each account in the accounts file, and a schedule that syncs them every hour."""

from collections.abc import Iterator

import dagster as dg
from account_sync import AccountSync, SyncFailed, account_names

ACCOUNTS = dg.DynamicPartitionsDefinition(name="zendesk_chat_accounts")
ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


@dg.asset(
    partitions_def=ACCOUNTS,
    pool="zendesk_chat",  # how many accounts at a time
    retry_policy=dg.RetryPolicy(max_retries=3, delay=300, backoff=dg.Backoff.EXPONENTIAL),
)
def zendesk_chat(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """The account of this partition, synced."""
    try:
        figures = AccountSync(context.partition_key).run(context.log.log)
    except SyncFailed as failure:
        raise dg.Failure(str(failure), allow_retries=failure.retry) from None
    return dg.MaterializeResult(metadata=figures)


@dg.schedule(target=zendesk_chat, cron_schedule="17 * * * *")
def every_hour(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
    """Request a run for each account in the file, unless one is still at work."""
    names = account_names()
    update_partitions(context.instance, names)
    working = accounts_at_work(context.instance)
    for name in names:
        if name not in working:
            run_key = f"{name}-{context.scheduled_execution_time.isoformat()}"
            yield dg.RunRequest(run_key, partition_key=name, tags={"dagster/max_runtime": str(3 * 3600)})


def update_partitions(instance: dg.DagsterInstance, names: list[str]) -> None:
    """Make the partitions those of the file."""
    known = set(instance.get_dynamic_partitions(ACCOUNTS.name))
    instance.add_dynamic_partitions(ACCOUNTS.name, [name for name in names if name not in known])
    for name in known.difference(names):
        instance.delete_dynamic_partition(ACCOUNTS.name, name)


def accounts_at_work(instance: dg.DagsterInstance) -> set[str]:
    """Return the accounts whose run has not ended, whether the schedule or a person started it."""
    runs = instance.get_runs(dg.RunsFilter(statuses=[status for status in dg.DagsterRunStatus if status not in ENDED]))
    return {run.tags["dagster/partition"] for run in runs if "dagster/partition" in run.tags and is_sync(run)}


def is_sync(run: dg.DagsterRun) -> bool:
    """Return whether a run syncs an account. A run that a person started names its assets instead of a schedule."""
    return run.tags.get("dagster/schedule_name") == "every_hour" or zendesk_chat.key in (run.asset_selection or ())


defs = dg.Definitions(
    assets=[zendesk_chat],
    schedules=[every_hour],
    executor=dg.multiprocess_executor,  # the in-process one retries a run that was terminated
)
