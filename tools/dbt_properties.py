"""Write dbt/models/*.yml, which describe and test the dbt package: ``python -m tools.dbt_properties``.

Descriptions are those of the data dictionary. With ``--check``, fail if a file differs.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import yaml

from tools.dictionary import columns_of, views_of
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.tables.describing import Column, table_comment
from zendesk_chat.tables.table import StreamTable

FOLDER: Final = Path(__file__).parents[1] / "dbt/models"
HEADER: Final = "# `make dictionary` generates this file. tools/dbt_properties.py has the tests.\n"

Property: TypeAlias = "str | int | bool | Sequence[Property] | Mapping[str, Property]"
"""A value in YAML."""

DESCRIPTIONS: Final = {
    "weekday": "Day of the week on which the chat started, in the account's time zone. In DuckDB it sorts from Monday.",
}
"""Descriptions of columns that differ from those of the views."""

KEYS: Final = {
    "agent_names": "agent_id",
    "department_names": "department_id",
    "chat_facts": "chat_id",
    "visitor_facts": "visitor_id",
    "conversion_facts": "conversion_id",
    "chats_by_day": "day",
    "chats_by_department": "day department_id department",
    "chats_by_agent": "day agent_id agent",
    "chats_by_hour": "month weekday hour",
    "chats_by_tag": "month tag",
    "repeat_visitors": "month",
    "response_times_by_day": "day",
    "response_times_by_department": "month department_id department",
    "response_times_by_agent": "month agent_id agent",
    "missed_by_day": "day",
    "missed_by_department": "day department_id department",
    "satisfaction_by_day": "day",
    "satisfaction_by_department": "day department_id department",
    "satisfaction_by_agent": "day agent_id agent",
    "concurrent_chats_by_agent": "hour_start agent_id",
    "agent_time": "day agent_id activity",
    "agent_hours": "day agent_id",
    "conversions_by_agent": "month agent_id agent",
    "conversions_by_goal": "day goal_id goal",
}
"""Columns of which each combination has one row. In concurrent_chats the hour that repeats in autumn has two."""

NOT_NULL: Final = {
    "agent_names": "agent_id",
    "department_names": "department_id",
    "chat_facts": "chat_id type country department tags is_missed is_dropped is_abandoned",
    "engagement_facts": "chat_id agent department accepted",
    "conversion_facts": "goal agent department",
    "visitor_facts": "visitor_id",
    "agent_spans": "agent_id activity",
    "transcript": "chat_id position sender type",
}
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
VALUES: Final = {
    ("chat_facts", "weekday"): DAYS,
    ("transcript", "type"): ("chat.msg", "chat.file", "offline_msg"),
}
EXPECTED_VALUES: Final = {
    ("chat_facts", "type"): ("chat", "offline_msg"),
    ("chat_facts", "started_by"): ("visitor", "agent", "trigger"),
    ("chat_facts", "rating"): ("good", "bad"),
    ("engagement_facts", "rating"): ("good", "bad"),
    ("transcript", "sender"): ("visitor", "agent", "trigger", "other"),
}
"""Values that the API documents. It may send others some day, so these tests warn."""

IN_CHAT_FACTS: Final = ("engagement_facts", "transcript")
"""Models whose chat_id is in chat_facts. These tests warn, because a sync may add chats between two models."""

WARN: Final = {"config": {"severity": "warn"}}


def column_tests(model: str, column: str) -> Iterator[Property]:
    """Yield the tests of a column."""
    if KEYS.get(model) == column:
        yield "unique"
    if column in NOT_NULL.get(model, "").split():
        yield "not_null"
    if values := VALUES.get((model, column)):
        yield {"accepted_values": {"arguments": {"values": list(values)}}}
    if values := EXPECTED_VALUES.get((model, column)):
        yield {"accepted_values": {"arguments": {"values": list(values)}, **WARN}}
    if column == "chat_id" and model in IN_CHAT_FACTS:
        yield {"relationships": {"arguments": {"to": "ref('chat_facts')", "field": "chat_id"}, **WARN}}


def model_properties(name: str, comment: str, columns: Mapping[str, Column]) -> Property:
    """Return the description and the tests of a model."""
    key = KEYS.get(name, "").split()
    tests: list[Property] = [{"zendesk_chat.one_row_for_each": {"arguments": {"columns": key}}}] if len(key) > 1 else []
    described: list[Property] = []
    for column, facts in columns.items():
        found = list(column_tests(name, column))
        entry = {"name": column, "description": DESCRIPTIONS.get(column, facts.comment)}
        described.append({**entry, **({"data_tests": found} if found else {})})
    return {"name": name, "description": comment, **({"data_tests": tests} if tests else {}), "columns": described}


def source_properties(table: StreamTable) -> Property:
    """Return the description of a table that `sync` loads."""
    columns = [{"name": name, "description": column.comment} for name, column in columns_of(table).items()]
    return {"name": table.name, "description": table_comment(table), "columns": columns}


def files() -> dict[str, str]:
    """Return the content of each file, by name."""
    tables = [StreamTable.of(stream) for stream in STREAMS.values()]
    source: Property = {
        "name": "zendesk_chat",
        "description": "Zendesk Chat, loaded by `zendesk-chat sync`. An account may lack some tables.",
        "database": "{{ var('zendesk_chat_database') or target.database }}",
        "schema": "{{ var('zendesk_chat_schema') }}",
        "tables": [source_properties(table) for table in tables],
    }
    models: Property = [model_properties(*view) for view in views_of(tables)]
    return {"sources.yml": written("sources", [source]), "models.yml": written("models", models)}


def written(kind: str, properties: Property) -> str:
    """Return properties as a file of dbt."""
    return HEADER + yaml.safe_dump({"version": 2, kind: properties}, sort_keys=False, allow_unicode=True, width=120)


def main(arguments: Sequence[str] | None = None, folder: Path = FOLDER) -> int:
    """Write the files, or check them. Returns 1 if the check fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    check = parser.parse_args(arguments).check
    outdated = [
        name for name, text in files().items() if not (folder / name).exists() or (folder / name).read_text("utf-8") != text
    ]
    if not check:
        for name in outdated:
            (folder / name).write_text(files()[name], "utf-8")
    elif outdated:
        print(f"dbt/models/{outdated[0]} is out of date. Run: make dictionary")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
