"""PyAirbyte as a client: it runs the executable as it would any connector, and loads what comes into a DuckDB file."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from account import INCREMENTAL, account, config_of, live_a_little
from between import seen, stand_between
from cache_tables import assert_holds
from checked import checked, checked_read
from connector import EXECUTABLE, all_streams, discovered, names_in, run

import airbyte as ab
from tests.support.oracle import truth
from zendesk_chat_sandbox import Sandbox

LISTS_ALONE = tuple(stream for stream in all_streams() if stream not in INCREMENTAL)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with account() as served:
        yield served


@pytest.fixture
def executable(tmp_path: Path) -> Iterator[Path]:
    """The source, and at the end every line that it told the client, checked."""
    between = stand_between(tmp_path, EXECUTABLE)
    yield between
    runs = seen(between)
    assert runs
    for ran in runs:
        if ran.catalog:
            checked_read(ran.stdout, names_in(ran.catalog), discovered())
        else:
            checked(ran.stdout)


def source_of(executable: Path, sandbox: Sandbox) -> ab.Source:
    source = ab.get_source("source-zendesk-chat", config=config_of(sandbox), local_executable=executable)
    source.select_all_streams()
    return source


def cache_in(folder: Path) -> ab.DuckDBCache:
    return ab.DuckDBCache(db_path=folder / "cache.duckdb", schema_name="zendesk_chat")


def test_validate(sandbox: Sandbox, executable: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(config_of(sandbox)))
    pyab = Path(sys.executable).parent / "pyab"
    ended = subprocess.run(
        [pyab, "validate", f"--connector={executable}", f"--config={config}"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert [ran.command for ran in seen(executable)].count("check") == 1


def test_check_and_discover(sandbox: Sandbox, executable: Path) -> None:
    source = source_of(executable, sandbox)
    source.check()
    assert sorted(source.get_available_streams()) == sorted(all_streams())
    sandbox.switch(unavailable={"*": 403})
    with pytest.raises(ab.exceptions.AirbyteConnectorCheckFailedError):
        source.check()


def test_a_cache_follows_the_account(sandbox: Sandbox, executable: Path, tmp_path: Path) -> None:
    source, cache = source_of(executable, sandbox), cache_in(tmp_path)
    lists = sum(len(truth(sandbox, stream)) for stream in LISTS_ALONE)

    first = source.read(cache=cache)
    assert first.processed_records == sum(len(truth(sandbox, stream)) for stream in all_streams())
    assert_holds(cache, sandbox)

    again = source.read(cache=cache)
    assert again.processed_records == lists, "an unchanged account: the lists without a cursor come again, nothing else"
    assert_holds(cache, sandbox)

    changed = live_a_little(sandbox)
    after = source.read(cache=cache)
    assert after.processed_records == lists + sum(map(len, changed.values()))
    assert_holds(cache, sandbox)

    forced = source.read(cache=cache, force_full_refresh=True)
    assert forced.processed_records == sum(len(truth(sandbox, stream)) for stream in all_streams())
    assert_holds(cache, sandbox)


def test_another_client_goes_on_from_the_cache(sandbox: Sandbox, executable: Path, tmp_path: Path) -> None:
    source_of(executable, sandbox).read(cache=cache_in(tmp_path), streams=list(INCREMENTAL))
    changed = live_a_little(sandbox)
    result = source_of(executable, sandbox).read(cache=cache_in(tmp_path), streams=list(INCREMENTAL))
    assert result.processed_records == sum(map(len, changed.values()))


def test_records_without_a_cache(sandbox: Sandbox, executable: Path) -> None:
    agents = source_of(executable, sandbox).get_records("agents")  # which ends the source when nobody refers to it any more
    names = {record["id"]: record["display_name"] for record in agents}
    assert names == {record["id"]: record["display_name"] for record in truth(sandbox, "agents")}


def test_the_spec_is_the_one_of_the_command_line(sandbox: Sandbox, executable: Path) -> None:
    (spec,) = run("spec").output.payloads("SPEC")
    assert source_of(executable, sandbox).config_spec == spec["connectionSpecification"]
