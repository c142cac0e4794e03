"""A process that kills itself with SIGKILL, and what it left: ``python -m tests.support.killed WHAT ...``.

load FOLDER FULL_REFRESH
    Before every thirteenth statement of a load (each, with SOAK=1), a fork of this process kills itself; another one checks
    that the file is consistent, resumes, and prints the position from which it did so.
edit FOLDER
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

from tests.support.clock import FakeClock
from tests.support.loads import (
    EACH_PAGE,
    EVENTS,
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
    opened,
    page,
    rows,
    started,
)
from zendesk_chat.api.config_file import ConfigFile
from zendesk_chat.engine.events import Event


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

STRIDE = 1 if "SOAK" in os.environ else 13  # statements from one kill to the next

OLD = [chat(number) for number in range(12)]
CHATS = [chat(number) for number in range(10, 14)]


def departments(*numbers: int) -> list[Event]:
    records = [{"id": number, "name": "a"} for number in numbers]
    return [*started("departments"), page("departments", records), completed("departments")]


def refreshed_events(first: int = 0) -> list[Event]:
    return [*departments(2, 3), *chat_pages(CHATS[first:], size=2)]


def killed_load(path: Path, step: int, *, full_refresh: bool) -> None:
    """Load, and be killed before the statement of that number."""
    load(path, refreshed_events(), limits=EACH_PAGE, full_refresh=full_refresh, reach=kill_before(step))


def kill_before(step: int) -> Callable[[str], None]:
    """Return what kills this process when a statement of that number is reached."""
    numbers = itertools.count(1)

    def reach(_statement: str) -> None:
        if next(numbers) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    return reach


def resume_load(path: Path, *, full_refresh: bool) -> None:
    """Check what the kill has left; resume as a command would; check that everything is there once, and nothing else."""
    with opened(path, full_refresh=full_refresh) as store:
        state = store.states().get("chats", {})
        position = state.get("next", 0)
    held = held_ids(path, "chats")
    visible = {record["id"] for record in OLD} if full_refresh else {record["id"] for record in CHATS[:position]}
    complete = {record["id"] for record in CHATS}
    assert held in (visible, complete), "the rows are neither those of the state nor those of a complete refresh"
    if full_refresh and held == visible:
        staged = held_ids(path, "_sync_new_chats")
        assert staged == {record["id"] for record in CHATS[:position]}, "a refresh is not where its state is"
    lists = ({1, 2}, {2, 3}) if full_refresh else (set(), {2, 3})
    assert held_ids(path, "departments") in lists, "a list is half replaced"
    load(path, refreshed_events(position), limits=EACH_PAGE, full_refresh=full_refresh and held == visible)
    assert loaded_chats(path) == by_id(CHATS), "the table is not what was read"
    assert rows(path, "SELECT id FROM departments ORDER BY id") == [(2,), (3,)]
    assert not [name for (name,) in rows(path, "SELECT table_name FROM duckdb_tables()") if name.startswith("_sync_new_")]
    sys.stdout.write(f"{position}\n")
    sys.stdout.flush()


def held_ids(path: Path, table: str) -> set[Any]:
    try:
        return {key for (key,) in rows(path, f"SELECT id FROM {table}")}
    except (duckdb.CatalogException, duckdb.IOException):  # no such table, or no such file
        return set()


def loads(folder: Path, full_refresh: str) -> None:
    prepared, refresh = folder / "prepared.duckdb", full_refresh == "True"
    # What a full refresh is to replace. This also imports, once for all forks, what is imported late.
    load(prepared, [*departments(1, 2), *started("chats"), page("chats", OLD, old=True), completed("chats")])
    source = prepared if refresh else None
    at_each_statement(folder, source, partial(killed_load, full_refresh=refresh), partial(resume_load, full_refresh=refresh))


def at_each_statement(
    folder: Path, prepared: Path | None, killed: Callable[[Path, int], None], resume: Callable[[Path], None]
) -> None:
    """Kill a fork before its first statement, another before a later one, and so on, and let one more resume each time."""
    for step in itertools.count(1, STRIDE):
        path = folder / f"{step}.duckdb"
        if prepared is not None:
            shutil.copy(prepared, path)
        code = in_fork(partial(killed, path, step))
        if code == 0:
            return
        assert code == -signal.SIGKILL, f"statement {step}"
        assert in_fork(partial(resume, path)) == 0, f"killed before statement {step}"


# Edits.

PAGES: list[list[Family]] = [
    [("a", ["a0", "a1"], True), ("b", ["b0"], True), ("c", ["c0"], True)],
    [("a", ["a1", "a2"], True), ("b", [], True), ("c", ["c1"], False)],
    [("a", ["a0"], True), ("b", ["b1"], True)],
]
HELD = [after_page({}, PAGES[0], "0")]
for number in (1, 2):
    HELD.append(after_page(HELD[-1], PAGES[number], str(number)))


def load_pages(path: Path, first: int, end: int, **options: Any) -> None:
    """Load some of the pages, each in a transaction of its own."""
    pages = [family_page(PAGES[number], str(number), next=number + 1) for number in range(first, end)]
    events: list[Event] = [*started("chat_events"), *pages, completed("chat_events")]
    load(path, events, tables=[EVENTS], limits=EACH_PAGE, **options)


def killed_edit(path: Path, step: int) -> None:
    load_pages(path, 1, len(PAGES), reach=kill_before(step))


def resume_edit(path: Path) -> None:
    """Check that the state is what the rows are, and that a load that resumes there comes to what was read."""
    with opened(path, [EVENTS]) as store:
        position = store.states()["chat_events"]["next"]
    assert held_events(path) == HELD[position - 1], "the children are not those of the state"
    load_pages(path, position, len(PAGES))
    assert held_events(path) == HELD[-1], "the table is not what was read"
    sys.stdout.write(f"{position}\n")
    sys.stdout.flush()


def edits(folder: Path) -> None:
    prepared = folder / "prepared.duckdb"
    load_pages(prepared, 0, 1)
    at_each_statement(folder, prepared, killed_edit, resume_edit)


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
