"""A process that kills itself with SIGKILL, and what it left: ``python -m tests.support.killed WHAT ...``.

load FOLDER FULL_REFRESH POINT...
    For each point, a fork of this process loads into a database and kills itself; another one checks what is left, resumes,
    and prints the position from which it did so. The point ``2:MERGE`` is before the second statement that begins so. A
    commit is a statement that begins with COMMIT and what was executed before it.
edit FOLDER POINT...
    Likewise, for children of chats that were edited: a table holds those of before or those of after, never a mixture.
renewal FILE steps|times SEED
    Tokens are stored until a kill at each call to the operating system, or at random times. Prints, for each kill, the pairs
    of tokens in readable files, as JSON.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

from tests.support.clock import FakeClock
from tests.support.loads import (
    EACH_PAGE,
    EVENTS,
    TABLES,
    Family,
    after_page,
    by_id,
    chat,
    chat_pages,
    completed,
    family_page,
    held_events,
    load,
    loaded_chats,
    page,
    rows,
    started,
    states,
    url,
)
from zendesk_chat.engine.events import Event
from zendesk_chat.load.config_file import ConfigFile
from zendesk_chat.load.destination import open_target
from zendesk_chat.load.loading import load_events
from zendesk_chat.load.transaction import read_states


def in_fork(action: Callable[[], object], seconds: float | None = None) -> int:
    """Run the action in a fork of this process, which is killed after so many seconds.

    Returns how it ended: its status, or minus the signal.
    """
    child = os.fork()
    if child:
        if seconds is not None:
            time.sleep(seconds)
            os.kill(child, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        action()
        os._exit(0)
    except BaseException as error:  # noqa: BLE001  a fork must not continue in its parent's code
        sys.stderr.write(f"{error!r}\n")
        os._exit(1)


# Loads.

OLD = [chat(number) for number in range(12)]
CHATS = [chat(number) for number in range(10, 14)]


def departments(*numbers: int) -> list[Event]:
    records = [{"id": number, "name": "a"} for number in numbers]
    return [*started("departments"), page("departments", records), completed("departments")]


def killed_load(path: Path, point: str, *, full_refresh: bool) -> None:
    """Load, and be killed at that point."""
    kill_at_statement(point)
    events = [*departments(2, 3), *chat_pages(CHATS, size=2)]
    load(path, events, limits=EACH_PAGE, full_refresh=full_refresh)


def kill_at_statement(point: str) -> None:
    """Let this process kill itself at that point of a load."""
    number, beginning = point.split(":", 1)
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


def resume_load(path: Path, *, full_refresh: bool) -> None:
    """Check what the kill has left; resume as a command would; check that everything is there once, and nothing else."""
    with open_target(url(path)) as target:
        assert target.connection is not None
        chats = ids(target.connection, "chats")
        state = read_states(target).get("chats", {})
        begun = "old" not in state
        position = state.get("next", 0)
        assert begun or chats == {record["id"] for record in OLD}, "a table is replaced while its old state is there"
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


def loads(folder: Path, full_refresh: str, *points: str) -> None:
    prepared, refresh = folder / "prepared.duckdb", full_refresh == "True"
    # What a full refresh is to replace. This also imports, once for all forks, what dlt imports late.
    load(prepared, [*departments(1, 2), *started("chats"), page("chats", OLD, old=True), completed("chats")])
    for index, point in enumerate(points):
        path = folder / f"{index}.duckdb"
        if refresh:
            shutil.copy(prepared, path)
        kill_and_resume(
            partial(killed_load, path, point, full_refresh=refresh), partial(resume_load, path, full_refresh=refresh), point
        )


def kill_and_resume(killed: Callable[[], None], resume: Callable[[], None], point: str) -> None:
    assert in_fork(killed) == -signal.SIGKILL, f"the load ended before {point}"
    assert in_fork(resume) == 0, f"killed at {point}"


# Edits.

PAGES: list[list[Family]] = [
    [("a", ["a0", "a1"], True), ("b", ["b0"], True), ("c", ["c0"], True)],
    [("a", ["a1", "a2"], True), ("b", [], True), ("c", ["c1"], False)],
    [("a", ["a0"], True), ("b", ["b1"], True)],
]
HELD = [after_page({}, PAGES[0], "0")]
for number in (1, 2):
    HELD.append(after_page(HELD[-1], PAGES[number], str(number)))


def load_pages(path: Path, first: int, end: int) -> None:
    """Load some of the pages, each in a transaction of its own."""
    pages = [family_page(PAGES[number], str(number), next=number + 1) for number in range(first, end)]
    events: list[Event] = [*started("chat_events"), *pages, completed("chat_events")]
    with open_target(url(path)) as target:
        load_events(events, [EVENTS], target, limits=EACH_PAGE)


def killed_edit(path: Path, point: str) -> None:
    kill_at_statement(point)
    load_pages(path, 1, len(PAGES))


def resume_edit(path: Path) -> None:
    """Check what the kill has left, and that a load that resumes there comes to what was read."""
    position = states(path)["chat_events"]["next"]
    held = held_events(path)
    assert held in HELD[position - 1 : position + 1], "children are neither those of the state nor those of the next page"
    load_pages(path, position, len(PAGES))
    assert held_events(path) == HELD[-1], "the table is not what was read"
    sys.stdout.write(f"{position} {HELD.index(held) + 1}\n")
    sys.stdout.flush()


def edits(folder: Path, *points: str) -> None:
    prepared = folder / "prepared.duckdb"
    load_pages(prepared, 0, 1)
    for index, point in enumerate(points):
        path = folder / f"{index}.duckdb"
        shutil.copy(prepared, path)
        kill_and_resume(partial(killed_edit, path, point), partial(resume_edit, path), point)


# Renewals of tokens.

CALLS = ("open", "close", "write", "fsync", "ftruncate", "replace", "unlink", "lseek")
ROUNDS = 60


def renew(path: Path, access: str, refresh: str) -> None:
    with ConfigFile(path, FakeClock()).prepare() as slot:
        assert slot.stored is not None
        slot.save(replace(slot.stored, access_token=access, refresh_token=refresh))


def kill_at_call(step: int) -> None:
    """Let this process kill itself in the middle of a call to the operating system."""
    steps = itertools.count(1)

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **more: Any) -> Any:
            if next(steps) == step:
                if call.__name__ == "write":
                    file, content = arguments
                    call(file, content[: len(content) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **more)

        return counting

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))


def readable(path: Path, config: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """The pairs of tokens in files that hold everything else too."""
    for file in sorted(path.parent.glob(f"{path.name}*")):
        try:
            found = json.loads(file.read_bytes())
        except ValueError:
            continue
        credentials = found["credentials"]
        if {**found, "credentials": None} == {**config, "credentials": None}:
            yield ("file" if file == path else "copy"), [credentials["access_token"], credentials["refresh_token"]]


def tidy(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for copy in path.parent.glob(f"{path.name}.new-tokens-*"):
        copy.unlink()


def by_steps(path: Path) -> None:
    content = path.read_bytes()
    config = json.loads(content)
    for step in itertools.count(1):
        ended = in_fork(partial(renew_until, step, path)) == 0
        sys.stdout.write(json.dumps(list(readable(path, config))) + "\n")
        if ended:
            return
        tidy(path, content)


def renew_until(step: int, path: Path) -> None:
    kill_at_call(step)
    renew(path, "new-access", "new-refresh")


def by_times(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    config = json.loads(path.read_bytes())
    for _ in range(ROUNDS):
        in_fork(partial(renew_for_ever, path), chance.uniform(0.001, 0.03))
        sys.stdout.write(json.dumps(list(readable(path, config))) + "\n")


def renew_for_ever(path: Path) -> None:
    for number in itertools.count():
        renew(path, f"{number}-access", f"{number}-refresh")


def renewals(path: Path, how: str, seed: str) -> None:
    by_steps(path) if how == "steps" else by_times(path, int(seed))


if __name__ == "__main__":
    commands: dict[str, Callable[..., None]] = {"load": loads, "edit": edits, "renewal": renewals}
    commands[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
