"""What a PyAirbyte cache should hold of an account, in the types of its tables."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from account import Record
from connector import all_streams, primary_key
from sqlalchemy import inspect, text

import airbyte as ab
from tests.support.oracle import by_content, truth
from zendesk_chat_sandbox import Sandbox

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
