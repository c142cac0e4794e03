"""As ``killed``, of a load of chats that were edited: their children are those of before or those of after, never between."""

from __future__ import annotations

import shutil
import signal
import sys
from functools import partial
from pathlib import Path

from tests.support.killed import be_killed_at, in_fork
from tests.support.loads import EACH_PAGE, EVENTS, Family, after_page, completed, family_page, held_events, started, states, url
from zendesk_chat.engine.events import Event
from zendesk_chat.load.destination import open_target
from zendesk_chat.load.loading import load_events

PAGES: list[list[Family]] = [
    [("a", ["a0", "a1"], True), ("b", ["b0"], True), ("c", ["c0"], True)],
    [("a", ["a1", "a2"], True), ("b", [], True), ("c", ["c1"], False)],
    [("a", ["a0"], True), ("b", ["b1"], True)],
]
HELD = [after_page({}, PAGES[0], "0")]
HELD += [after_page(HELD[0], PAGES[1], "1")]
HELD += [after_page(HELD[1], PAGES[2], "2")]


def load(path: Path, first: int, end: int) -> None:
    """Load some of the pages, each in a transaction of its own."""
    pages = [family_page(PAGES[number], str(number), next=number + 1) for number in range(first, end)]
    events: list[Event] = [*started("chat_events"), *pages, completed("chat_events")]
    with open_target(url(path)) as target:
        load_events(events, [EVENTS], target, limits=EACH_PAGE)


def killed_load(path: Path, moment: str) -> None:
    be_killed_at(moment)
    load(path, 1, len(PAGES))


def resume(path: Path) -> None:
    """Check what the kill has left, and that going on from there comes to what was read."""
    position = states(path)["chat_events"]["next"]
    held = held_events(path)
    assert held in HELD[position - 1 : position + 1], "children are neither those of the state nor those of the next page"
    load(path, position, len(PAGES))
    assert held_events(path) == HELD[-1], "the table is not what was read"
    sys.stdout.write(f"{position} {HELD.index(held) + 1}\n")
    sys.stdout.flush()


def main() -> None:
    directory, *moments = sys.argv[1:]
    prepared = Path(directory) / "prepared.duckdb"
    load(prepared, 0, 1)
    for index, moment in enumerate(moments):
        path = Path(directory) / f"{index}.duckdb"
        shutil.copy(prepared, path)
        assert in_fork(partial(killed_load, path, moment)) == -signal.SIGKILL, f"the load ended before {moment}"
        assert in_fork(partial(resume, path)) == 0, f"killed at {moment}"


if __name__ == "__main__":
    main()
