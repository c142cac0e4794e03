"""A process that kills itself with SIGKILL at a chosen statement of a load; run as a script by ``test_kill``.

Usage: killed.py DIRECTORY FULL_REFRESH MOMENT...; and killed_edit.py DIRECTORY MOMENT... for children of edited chats.

For each moment, a fork of this process loads into a database and kills itself, and another one checks what is left,
resumes, and prints the position from which it did so. A moment is ``2:MERGE``: before the second statement that begins
so; a commit is a statement that begins with COMMIT and what was executed before it.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

from tests.support.loads import (
    EACH_PAGE,
    TABLES,
    by_id,
    chat,
    chat_pages,
    completed,
    load,
    loaded_chats,
    page,
    rows,
    started,
    url,
)
from zendesk_chat.engine.events import Event
from zendesk_chat.load.destination import open_target
from zendesk_chat.load.loading import load_events
from zendesk_chat.load.transaction import read_states

OLD = [chat(number) for number in range(12)]
CHATS = [chat(number) for number in range(10, 14)]


def departments(*numbers: int) -> list[Event]:
    records = [{"id": number, "name": "a"} for number in numbers]
    return [*started("departments"), page("departments", records), completed("departments")]


def prepare(path: Path) -> None:
    """Load what a full refresh is to replace."""
    load(path, [*departments(1, 2), *started("chats"), page("chats", OLD, old=True), completed("chats")])


def killed_load(path: Path, moment: str, *, full_refresh: bool) -> None:
    """Load, and be killed at that moment."""
    be_killed_at(moment)
    events = [*departments(2, 3), *chat_pages(CHATS, size=2)]
    load(path, events, limits=EACH_PAGE, full_refresh=full_refresh)


def be_killed_at(moment: str) -> None:
    """Let this process kill itself at that moment."""
    number, beginning = moment.split(":", 1)
    statements = [""]

    def reach(statement: str) -> None:
        statements.append(statement)
        if sum(text.startswith(beginning) for text in statements) == int(number):
            os.kill(os.getpid(), signal.SIGKILL)

    execute = DuckDbSqlClient.execute_query
    commit = DuckDbSqlClient.commit_transaction

    def execute_query(client: DuckDbSqlClient, query: str, *args: Any) -> Any:
        reach(query)
        return execute(client, query, *args)

    def commit_transaction(client: DuckDbSqlClient) -> None:
        reach(f"COMMIT {statements[-1]}")
        commit(client)

    setattr(DuckDbSqlClient, "execute_query", execute_query)  # noqa: B010  as mypy lets no method be assigned
    setattr(DuckDbSqlClient, "commit_transaction", commit_transaction)  # noqa: B010


def resume(path: Path, *, full_refresh: bool) -> None:
    """Check what the kill has left; resume as a command would; check that everything is there once, and nothing else."""
    with open_target(url(path)) as target:
        assert target.connection is not None
        chats = ids(target.connection, "chats")
        state = read_states(target).get("chats", {})
        begun = "old" not in state
        position = state.get("next", 0)
        assert begun or chats == {record["id"] for record in OLD}, "a table is replaced while its old state stands"
        assert {record["id"] for record in CHATS[:position]} <= chats, "a state is ahead of the records"
        lists = ({1, 2}, {2, 3}) if full_refresh else (set(), {2, 3})
        assert ids(target.connection, "departments") in lists, "a list is half replaced"
        events = [*departments(2, 3), *chat_pages(CHATS[position:], size=2)]
        load_events(events, TABLES, target, full_refresh=full_refresh and not begun)
    assert loaded_chats(path) == by_id(CHATS), "the table is not what was read"
    assert rows(path, "SELECT id FROM departments ORDER BY id") == [(2,), (3,)]
    sys.stdout.write(f"{position}\n")
    sys.stdout.flush()


def ids(connection: duckdb.DuckDBPyConnection, table: str) -> set[Any]:
    try:
        return {key for (key,) in connection.sql(f"SELECT id FROM main.{table}").fetchall()}
    except duckdb.CatalogException:
        return set()


def in_fork(action: Callable[[], None]) -> int:
    """Run the action in a fork of this process and return how it ended: its status, or minus the signal."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        action()
        os._exit(0)
    except BaseException as error:  # noqa: BLE001  a fork must not run on into its parent's code
        sys.stderr.write(f"{error!r}\n")
        os._exit(1)


def main() -> None:
    directory, refresh, *moments = sys.argv[1:]
    full_refresh = refresh == "True"
    prepared = Path(directory) / "prepared.duckdb"
    prepare(prepared)  # also imports, once for all forks, what dlt imports late
    for index, moment in enumerate(moments):
        path = Path(directory) / f"{index}.duckdb"
        if full_refresh:
            shutil.copy(prepared, path)
        killed = in_fork(partial(killed_load, path, moment, full_refresh=full_refresh))
        assert killed == -signal.SIGKILL, f"the load ended before {moment}"
        assert in_fork(partial(resume, path, full_refresh=full_refresh)) == 0, f"killed at {moment}"


if __name__ == "__main__":
    main()
