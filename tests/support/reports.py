"""Files that a report is made of, and what is in the report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from tests.support.clock import FakeClock
from tests.support.loaded_account import RECORDS, chat, engagement, first, span, table
from tests.support.synced import add_run, synced
from zendesk_chat.analytics.views import create_views
from zendesk_chat.cli import make_parser
from zendesk_chat.load.file.stored import open_stored
from zendesk_chat.load.file.tables import make_table
from zendesk_chat.report.command import run_report
from zendesk_chat.report.figures import Figures
from zendesk_chat.report.reading import read_figures
from zendesk_chat.tables.arrow import RecordReader

NOON = 1_775_476_800.0  # 2026-04-06T12:00:00Z
SYNCED = "2026-04-06 09:30:00+00"
HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "\"'><svg/onload=alert(3)>",
    "{{ 7 * 7 }}",
    "signal: 1; [nested].field\\path",
    "\u202egnirts desrever\u202c",
    "a\x00b\x1b[31m\r\nc\u2028d",
    "Z\u0310\u0310\u0310\u0310\u0310\u0310\u0310algo",
    "N" * 5000,
    "",
]

Records = Mapping[str, Sequence[Mapping[str, Any]]]


def account_file(
    path: Path, records: Records = RECORDS, *, completed: str | None = SYNCED, time_zone: str = "UTC", views: bool = True
) -> Path:
    """A file as ``sync`` leaves it, with these records of each stream."""
    path.write_bytes(_content(json.dumps(records), completed, time_zone, views=views))
    return path


@lru_cache(maxsize=4)
def _content(encoded: str, completed: str | None, time_zone: str, *, views: bool) -> bytes:
    """Make such a file once."""
    records: Records = json.loads(encoded)
    with TemporaryDirectory() as folder:
        path = synced(Path(folder) / "account.duckdb")
        results = [(name, "complete" if completed else "interrupted", None, None) for name in records]
        add_run(path, 1, "2026-04-06 09:29:00+00", completed, results, "complete" if completed else "running")
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{path}' AS file; USE file")
            connection.execute("UPDATE _sync_account SET time_zone = ?", [time_zone])
            for name, rows in records.items():
                stream = table(name)
                make_table(connection, "main", name, stream)
                found = RecordReader(stream).read([json.dumps(record).encode() for record in rows])
                connection.execute(f"INSERT INTO {name} FROM found")
                assert found.num_rows == len(rows)
            if views:
                create_views(connection, "main", time_zone)
        return path.read_bytes()


def figures_of(path: Path, days: int = 30, time_zone: str | None = None, schema: str = "main") -> Figures:
    """The figures that a report of the file shows."""
    with open_stored(str(path), schema) as stored:
        return read_figures(stored, days, time_zone, NOON)


def report(*arguments: str | Path) -> int:
    """Run the command at noon. Returns its exit code."""
    options = make_parser().parse_args(["report", *map(str, arguments)])
    return run_report(options, FakeClock(NOON))


def a_day(number: int, day: str, **fields: Any) -> dict[str, Any]:
    """A chat at nine o'clock on a day."""
    return chat(f"c{number}", f"{day}T09:00:00Z", f"{day}T09:10:00Z", duration=600, **fields)


def hostile_account() -> dict[str, list[dict[str, Any]]]:
    """Departments, agents, tags, countries and goals whose names attack the page."""
    return named_account(HOSTILE)


def named_account(names: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """A department, an agent, a tag, a country and a goal of each name, with a chat."""
    chats, agents, departments, spans = [], [], [], []
    for number, name in enumerate(names):
        agents.append({"id": number, "display_name": name})
        departments.append({"id": number, "name": name})
        spans.append(span(number, "2026-04-01T08:00:00Z", 3600 * (number + 1)))
        chats.append(
            a_day(
                number,
                "2026-04-01",
                department_id=number,
                department_name=name,
                tags=[name],
                session={"country_code": "", "country_name": name},
                response_time=first(10 + number),
                rating="good",
                agent_ids=[str(number)],
                agent_names=[name],
                engagements=[engagement(1, str(number), name, "2026-04-01T09:00:00Z", 600, response_time=first(10))],
            )
        )
    conversions = [
        {
            "id": f"k{number}",
            "timestamp": "2026-04-01T10:00:00Z",
            "goal_id": number,
            "goal_name": name,
            "attribution": {"agent_id": number, "chat_id": f"c{number}", "chat_timestamp": "2026-04-01T09:00:00Z"},
        }
        for number, name in enumerate(names)
    ]
    return {
        "agents": agents,
        "departments": departments,
        "agent_timeline": spans,
        "chats": chats,
        "conversions": conversions,
    }
