"""``sync`` in this process against a sandbox, and whether a file then holds exactly what the account holds."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from tests.support.sandbox import truth
from zendesk_chat.cli import main
from zendesk_chat.streams.registry import STREAMS
from zendesk_chat.tables.arrow import RecordReader
from zendesk_chat.tables.table import StreamTable
from zendesk_chat_sandbox import Sandbox

NESTED = "chats,chat_events,chat_engagements,visitors,agents,departments"
"""Streams of every kind: with a cursor, nested, as last seen, a long list, a mirrored list."""
_AS_TEXT = pa.string()


@dataclass(frozen=True)
class Synced:
    """A ``sync`` that has ended."""

    code: int
    report: str
    errors: str

    @property
    def warnings(self) -> list[str]:
        """Without the one about the clock, since the time of a sandbox may be fixed."""
        return [warning for warning in logged(self.errors, "WARNING") if not warning.startswith("This machine's clock")]

    @property
    def error(self) -> str:
        """The one error; there is no other."""
        assert "Traceback" not in self.errors + self.report
        (error,) = logged(self.errors, "ERROR")
        return error


def logged(errors: str, level: str) -> list[str]:
    """The messages of a level on standard error that is no terminal."""
    return re.findall(rf"^\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ {level} (.*)$", errors, re.MULTILINE)


def sync(sandbox: Sandbox, path: Path, *options: str, subdomain: str = "acme") -> Synced:
    """Run the command; ``options`` are added to those that name the account and the file."""
    account = ["--subdomain", subdomain, "--token", sandbox.token, "--api-url", sandbox.url, "--to", f"duckdb:///{path}"]
    report, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(report), redirect_stderr(errors):
        code = main(["sync", *account, *options])
    return Synced(code, report.getvalue(), errors.getvalue())


def complete(sandbox: Sandbox, path: Path, *options: str, subdomain: str = "acme") -> Synced:
    """Run the command, which succeeds."""
    done = sync(sandbox, path, *options, subdomain=subdomain)
    assert done.code == 0, done.errors + done.report
    return done


def edit(sandbox: Sandbox, ids: Iterable[str], text: str, *, moved: bool = True) -> None:
    """Change chats: a column, their visitors, and their messages. Unless they are ``moved``, their time of update stays."""
    for identity in ids:
        chat: dict[str, Any] = dict(sandbox.account.chat(identity))
        history = [*(chat.get("history") or [])[1:], {"type": "chat.msg", "timestamp": chat["timestamp"], "msg": text}]
        visitor = {**chat["visitor"], "notes": text}
        time = {} if moved else {"update_timestamp": chat["update_timestamp"]}
        sandbox.account.edit_chat(identity, comment=text, history=history, visitor=visitor, **time)


def execute(path: Path, *statements: str) -> list[tuple[Any, ...]]:
    """What a user does to the file, and the rows of the last statement."""
    with duckdb.connect(str(path)) as connection:
        found: list[tuple[Any, ...]] = []
        for statement in statements:
            found = connection.execute(statement).fetchall()
        return found


def differing(sandbox: Sandbox, path: Path, streams: str = NESTED, schema: str = "main") -> list[str]:
    """The streams whose tables do not hold exactly what the account holds."""
    names = streams.split(",")
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return [name for name in names if held(connection, name, schema) != expected(sandbox, name)]


def held(connection: duckdb.DuckDBPyConnection, stream: str, schema: str = "main") -> list[str]:
    """The rows of a table in the columns of the stream, as text in an order of their own."""
    columns = ", ".join(f'"{name}" AS "{name}"' for name in _reader(stream)[1].names)  # a user may have changed its case
    rows = connection.sql(f'SELECT {columns} FROM "{schema}"."{stream}"').to_arrow_table()
    return _as_lines(rows.cast(_reader(stream)[1]))


def expected(sandbox: Sandbox, stream: str) -> list[str]:
    """The rows that the account's records make."""
    reader, schema = _reader(stream)
    lines = [json.dumps(record, ensure_ascii=False) for record in truth(sandbox, stream)]
    records = [line.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode() for line in lines]
    return _as_lines(reader.read(records).cast(schema))


def _as_lines(rows: pa.Table) -> list[str]:
    return sorted(json.dumps({name: _parsed(value) for name, value in row.items()}, default=str) for row in rows.to_pylist())


def _parsed(value: object) -> object:
    if isinstance(value, str) and value[:1] in {"{", "["}:
        return json.loads(value)
    return value


@cache
def _reader(stream: str) -> tuple[RecordReader, pa.Schema]:
    reader = RecordReader(StreamTable.of(STREAMS[stream]))
    plain = [(name, _AS_TEXT if pa.types.is_string(kind) else kind) for name, kind in _fields(reader.read([]))]
    return reader, pa.schema(plain)


def _fields(rows: pa.Table) -> list[tuple[str, pa.DataType]]:
    return [(field.name, field.type) for field in rows.schema]
