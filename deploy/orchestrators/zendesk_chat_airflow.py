"""An Airflow DAG with one mapped task for each account in the accounts file.

If the file names an environment variable for a token (``token_env``), the task takes the token from the password of the
Connection ``zendesk_chat_<account>``. Without that Connection, the variable must be set on the worker.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from account_sync import AccountSync, Figures, SyncFailed, account_names, token_variable
from airflow.sdk import BaseOperator, Connection, dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowNotFoundException


class SyncAccount(BaseOperator):
    """Runs ``zendesk-chat sync`` for one account."""

    def __init__(self, *, account: str, **options: Any) -> None:  # noqa: ANN401  options of every operator
        super().__init__(**options)
        self.account = account
        self._sync: AccountSync | None = None

    def execute(self, context: Any) -> Figures:  # noqa: ANN401, ARG002  Airflow's context, which is not needed
        """Sync the account. Fails without a retry if a person must act."""
        try:
            self._sync = AccountSync(self.account, token_of(self.account))
            return self._sync.run(self.log.log)
        except SyncFailed as failure:
            kind = AirflowException if failure.retry else AirflowFailException
            raise kind(str(failure)) from None

    def on_kill(self) -> None:
        """Let the process save what it has, when somebody stops the task or the worker shuts down."""
        if self._sync is not None:
            self._sync.stop()


def token_of(account: str) -> dict[str, str]:
    """Return the variable with the token of an account, if a Connection has it."""
    variable = token_variable(account)
    if variable is None:
        return {}
    try:
        return {variable: Connection.get(f"zendesk_chat_{account}").password or ""}
    except AirflowNotFoundException:
        return {}


@dag(
    schedule="17 * * * *",
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001  Airflow takes it as UTC
    catchup=False,
    max_active_runs=1,  # no two runs sync the same account
    tags=["zendesk-chat"],
)
def zendesk_chat() -> None:
    """Sync every account."""

    @task
    def accounts() -> list[str]:
        return account_names()

    SyncAccount.partial(
        task_id="sync",
        pool="zendesk_chat",  # how many accounts at a time
        retries=3,
        retry_exponential_backoff=2,  # twice as long each time
        max_retry_delay=timedelta(hours=1),
        execution_timeout=timedelta(hours=3),
        map_index_template="{{ task.account }}",
    ).expand(account=accounts())


zendesk_chat()
