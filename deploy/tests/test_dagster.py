"""The Dagster asset in a running Dagster: schedule, partitions, retries and stops."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pytest
from accounts_file import WRONG_TOKEN, AccountsFile, account, hang_after_two_pages, is_hanging, wait_until
from dagster_server import Dagster, running_dagster

PARTITIONS = "zendesk_chat_accounts"


@pytest.fixture
def file(tmp_path: Path) -> AccountsFile:
    folder = tmp_path / "accounts"
    folder.mkdir()
    return AccountsFile(folder)


@pytest.fixture
def dagster(file: AccountsFile, tmp_path: Path) -> Iterator[Dagster]:
    home = tmp_path / "dagster"
    home.mkdir()
    with running_dagster(home, file.settings) as dagster:
        yield dagster


def test_the_schedule_syncs_the_accounts_of_the_file_and_retries_only_what_a_retry_can_complete(
    dagster: Dagster, file: AccountsFile
) -> None:
    with ExitStack() as stack:
        acme, globex, slow, new = (stack.enter_context(account(name, 130)) for name in ("acme", "globex-uk", "slow", "new"))
        hang_after_two_pages(slow)
        with duckdb.connect(str(file.database("globex-uk"))):  # in use, so the first try cannot load it
            file.write({"acme": acme, "globex-uk": globex, "slow": slow}, refused=acme)
            wait_until(lambda: dagster.status("globex-uk", 1) == "STARTED" and dagster.retries("globex-uk", 1))
        wait_until(lambda: dagster.ended({"acme", "globex-uk", "refused"}))
        assert {name: dagster.status(name, 1) for name in ("acme", "globex-uk", "refused")} == {
            "acme": "SUCCESS",
            "globex-uk": "SUCCESS",
            "refused": "FAILURE",
        }
        assert dagster.retries("refused", 1) == 0
        assert dagster.figures("acme")["records"] == file.loaded_records("acme")
        assert file.is_complete("acme", acme)
        assert file.is_complete("globex-uk", globex)

        wait_until(lambda: dagster.status("acme", 2) != "not requested")
        assert dagster.status("slow", 2) == "not requested", "its first run is still at work"
        wait_until(lambda: is_hanging(slow))
        time.sleep(2)  # for the second page to be taken
        dagster.stop("slow", 1)
        wait_until(lambda: file.last_result("slow") == "interrupted")
        assert set() < file.chats("slow") < set(slow.account.chat_ids())
        wait_until(lambda: dagster.status("slow", 1) == "CANCELED")

        slow.clear_faults()
        file.write({"slow": slow, "new": new})
        wait_until(lambda: dagster.status("slow", 2) == dagster.status("new", 1) == "SUCCESS")
        assert dagster.status("slow", 1) == "CANCELED", "a run that was stopped is not retried"
        assert set(dagster.instance.get_dynamic_partitions(PARTITIONS)) == {"slow", "new"}
        assert file.is_complete("slow", slow)
        assert file.is_complete("new", new)
        for token in (acme.token, globex.token, slow.token, new.token, WRONG_TOKEN):
            assert dagster.files_with(token) == []
