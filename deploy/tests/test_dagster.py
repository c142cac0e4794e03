"""The Dagster asset, really materialised: a partition for each account, through PyAirbyte."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tests.support.executable import ROOT
from zendesk_chat_sandbox import Sandbox

RECIPE = ROOT / "deploy" / "orchestrators"


@pytest.fixture
def recipe(settings: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in {**settings, "ZENDESK_CHAT_ACCOUNTS": str(folder)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(RECIPE))
    for name in ("zendesk_chat_dagster", "account_sync"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("zendesk_chat_dagster")


def materialise(recipe: Any, partition: str, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return dg.materialize([recipe.zendesk_chat], partition_key=partition, instance=instance, raise_on_error=False)


def test_each_partition_reads_its_account_and_then_what_is_new(
    recipe: Any, accounts: dict[str, Sandbox], loaded_chats: Callable[[str], set[str]]
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        for (name, account), runs in zip(accounts.items(), (2, 1), strict=True):
            for _ in range(runs):
                result = materialise(recipe, name, instance)
                assert result.success
                (event,) = result.get_asset_materialization_events()
                assert event.partition == name
            printed = event.step_materialization_data.materialization.metadata["sync"].value
            assert "records are new or changed" in str(printed)
            assert loaded_chats(name) == set(account.account.chat_ids())


def test_a_refused_token_fails_without_a_retry(recipe: Any) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialise(recipe, "refused", instance)
    assert not result.success
    (failure,) = result.get_step_failure_events()
    assert "rejected the token" in str(failure.event_specific_data)
    assert not [event for event in result.all_events if event.event_type_value == "STEP_UP_FOR_RETRY"]


def test_the_schedule_asks_for_a_run_of_each_account(recipe: Any) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(instance, scheduled_execution_time=datetime(2026, 1, 1, 1, 17, tzinfo=UTC))
        runs = list(recipe.every_hour(context))
    assert [run.partition_key for run in runs] == ["acme", "globex-uk", "refused"]
    assert len({run.run_key for run in runs}) == 3


def test_the_definitions_load(recipe: Any) -> None:
    dg.Definitions.validate_loadable(recipe.defs)
