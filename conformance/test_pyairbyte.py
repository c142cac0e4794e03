"""PyAirbyte as a client: it runs the executable as it would any connector, and loads what comes into a DuckDB file."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from between import pass_through, seen
from connector import (
    INCREMENTAL,
    Record,
    account,
    all_streams,
    checked,
    checked_read,
    config_of,
    live_a_little,
    primary_key,
    run,
)
from sqlalchemy import inspect, text

import airbyte as ab
from tests.support.executable import EXECUTABLE, names_in
from tests.support.sandbox import by_content, truth
from zendesk_chat_sandbox import Sandbox

LISTS_ALONE = tuple(stream for stream in all_streams() if stream not in INCREMENTAL)


# What a cache should hold of an account, in the types of its tables.

Row = dict[str, Any]


def rows(cache: ab.DuckDBCache, stream: str) -> list[Row]:
    """The rows of a stream's table, without the columns that the client adds."""
    with cache.get_sql_engine().connect() as connection:
        found = connection.execute(text(f'select * from {cache.schema_name}."{stream}"')).mappings().all()
    return [{name: value for name, value in row.items() if not name.startswith("_airbyte_")} for row in found]


def types(cache: ab.DuckDBCache, stream: str) -> dict[str, str]:
    """The type of each column."""
    columns = inspect(cache.get_sql_engine()).get_columns(stream, schema=cache.schema_name)
    return {column["name"]: str(column["type"]) for column in columns if not column["name"].startswith("_airbyte_")}


def converted(value: Any, kind: str) -> Any:
    """A JSON value as a column of a type gives it back."""
    if value is None:
        return None
    if kind.startswith("TIMESTAMP"):
        return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)
    if kind.startswith(("DECIMAL", "NUMERIC")):
        return Decimal(str(value)).quantize(Decimal("1e-9"))
    if kind == "VARCHAR" and isinstance(value, int):  # of a field that is text or a number
        return str(value)
    return value


def row_of(record: Record, columns: Mapping[str, str]) -> Row:
    """A record as its table should hold it; a field that is missing is null."""
    unknown = record.keys() - columns.keys()
    assert not unknown, f"no column for {unknown}"
    return {name: converted(record.get(name), kind) for name, kind in columns.items()}


def comparable(found: list[Row]) -> list[str]:
    """Rows in a form that compares whatever their order."""
    return by_content([{name: plain(value) for name, value in row.items()} for row in found])


def plain(value: Any) -> Any:
    """A value as JSON; an object as one, also where its field may be text too, so that the client stores it as JSON text."""
    value = json.loads(json.dumps(value, default=str))
    return json.loads(value) if isinstance(value, str) and value.startswith("{") else value


def assert_holds(cache: ab.DuckDBCache, sandbox: Sandbox) -> None:
    """Every table holds exactly the account's records, each key once."""
    for stream in all_streams():
        columns = types(cache, stream)
        held = rows(cache, stream)
        assert comparable(held) == comparable([row_of(record, columns) for record in truth(sandbox, stream)]), stream
        keys = [tuple(row[field] for field in primary_key(stream)) for row in held]
        assert len(set(keys)) == len(keys), f"{stream} holds a key twice"


# The tests.


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with account() as served:
        yield served


@pytest.fixture
def executable(tmp_path: Path) -> Iterator[Path]:
    """The source, and at the end every line that it wrote to the client, checked."""
    between = pass_through(tmp_path, EXECUTABLE)
    yield between
    runs = seen(between)
    assert runs
    for ran in runs:
        if ran.catalog:
            checked_read(ran.stdout, names_in(ran.catalog))
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


def test_another_client_resumes_from_the_cache(sandbox: Sandbox, executable: Path, tmp_path: Path) -> None:
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
