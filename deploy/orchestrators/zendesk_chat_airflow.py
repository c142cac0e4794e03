"""An Airflow DAG: one mapped task for each account.

The Variable ``zendesk_chat_accounts`` is a JSON list of names. For each there is a Connection ``zendesk_chat_<name>``, hyphens
as underscores, with the subdomain as host, the access token as password, and anything else of the configuration in its extras.
OAuth does not go with this DAG: renewed tokens have to be stored, and a task cannot change a Connection.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from account_sync import ConfigProblem, config_file, sync_account
from airflow.sdk import BaseHook, Variable, dag, task
from airflow.sdk.exceptions import AirflowFailException

log = logging.getLogger(__name__)


def config_of(connection: Any) -> dict[str, Any]:  # noqa: ANN401  Airflow's Connection, and no more of it than this
    """Return the configuration that a Connection holds."""
    config: dict[str, Any] = {
        "start_date": "2015-01-01T00:00:00Z",
        "subdomain": connection.host,
        "credentials": {"credentials": "access_token", "access_token": connection.password},
    }
    config.update(connection.extra_dejson)
    return config


@dag(
    schedule="17 * * * *",
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001  Airflow takes it as UTC
    catchup=False,
    max_active_runs=1,  # no account is synced twice at a time
    tags=["zendesk-chat"],
)
def zendesk_chat() -> None:
    """Sync every account."""

    @task
    def accounts() -> list[str]:
        names: list[str] = Variable.get("zendesk_chat_accounts", deserialize_json=True)
        return names

    @task(
        pool="zendesk_chat",  # how many accounts at a time
        retries=3,
        retry_delay=timedelta(minutes=5),
        retry_exponential_backoff=2,  # twice as long each time
        max_retry_delay=timedelta(hours=1),
        execution_timeout=timedelta(hours=12),
        map_index_template="{{ name }}",
    )
    def sync(name: str) -> None:
        connection = BaseHook.get_connection(f"zendesk_chat_{name.replace('-', '_')}")
        try:
            with config_file(config_of(connection)) as config:
                sync_account(name, config, log.info)
        except ConfigProblem as problem:
            raise AirflowFailException(str(problem)) from None  # fails now, without a retry

    sync.expand(name=accounts())


zendesk_chat()
