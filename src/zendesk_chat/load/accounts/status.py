"""``status --accounts``: how fresh and complete each account of an accounts file is, in one table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.text import Text

from zendesk_chat.clock import Clock
from zendesk_chat.errors import ConfigError, ConnectorError, ExitCode
from zendesk_chat.load.accounts.accounts_file import Entry, chosen, read_accounts
from zendesk_chat.load.console import PlainConsole, say
from zendesk_chat.load.database import MAIN
from zendesk_chat.load.file.stored import open_stored, stored_file
from zendesk_chat.load.report import plain_table, print_complete
from zendesk_chat.load.status import GOOD, FileStatus, read_status
from zendesk_chat.load.status_report import age_in_words, utc
from zendesk_chat.wording import counted

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """The status of one account.

    Attributes:
        file: None if it could not be read, or does not exist yet.
        problems: A sentence each; none if all is well.
        supported: Whether ``status`` can read its destination.
    """

    account: str
    file: FileStatus | None
    problems: Sequence[str]
    exists: bool = True
    supported: bool = True

    @property
    def word(self) -> str:
        """How the last run ended, in a word or two."""
        if self.file is None:
            return "not read" if not self.supported else "not readable" if self.exists else "never"
        if self.file.last_run is None:
            return "no run"
        return "too old" if self.problems and self.file.last_run.result == "complete" else self.file.last_run.result


def run_accounts_status(options: argparse.Namespace, clock: Clock) -> int:
    """Print the status of all accounts. Returns the exit code: 1 if any of them has a problem, else 2 if it cannot read all."""
    try:
        entries = entries_of(options)
    except ConfigError as error:
        say(PlainConsole(stderr=True), f"error: {error}")
        return ExitCode.USAGE
    statuses = [_status(entry, options.max_age, clock.now()) for entry in entries]
    if options.json:
        sys.stdout.write(_to_json(statuses).decode())
    else:
        console = PlainConsole()
        print_complete(_table(statuses, clock.now()), console)
        for line in _problems(statuses):
            say(console, line, "red")
    if any(status.problems and status.supported for status in statuses):
        return ExitCode.INCOMPLETE
    return ExitCode.COMPLETE if all(status.supported for status in statuses) else ExitCode.USAGE


def entries_of(options: argparse.Namespace) -> list[Entry]:
    """Return the accounts that the options of a command name that reads files. Raises ConfigError."""
    if options.database is not None or options.schema is not None:
        given = "FILE" if options.database is not None else "--schema"
        raise ConfigError(f"{given} is for one account, but --accounts is for several. Remove one of them.")
    return chosen(read_accounts(Path(options.accounts)), options.only)


def _status(entry: Entry, max_age_seconds: float | None, now: float) -> AccountStatus:
    to = str(entry.values["to"])
    try:
        path = stored_file(to, "status")
    except ConfigError as error:
        return AccountStatus(entry.account, None, [str(error)], supported=False)
    except ConnectorError as error:
        return AccountStatus(entry.account, None, [str(error)], exists=Path(to.removeprefix("duckdb:///")).exists())
    try:
        with open_stored(path, str(entry.values.get("schema") or MAIN)) as stored:
            status = read_status(stored, now)
    except ConnectorError as error:
        return AccountStatus(entry.account, None, [str(error)])
    return AccountStatus(entry.account, status, status.problems(max_age_seconds))


def _problems(statuses: Sequence[AccountStatus]) -> Iterator[str]:
    """Yield a line for each problem, and one for all accounts that are in other destinations."""
    for status in statuses:
        if status.supported:
            yield from (f"{status.account}: {problem}" for problem in status.problems)
    if others := sum(not status.supported for status in statuses):
        what = f"{counted(others, 'account')} not read, because `status` reads only DuckDB files."
        yield f"{what} Query them with SQL, and select the others with --only."


def _table(statuses: Sequence[AccountStatus], now: float) -> Table:
    table = plain_table(["account", "last run"], ["ended", "age", "streams"])
    table.add_column("oldest", justify="right", no_wrap=True)
    for status in statuses:
        table.add_row(status.account, *_cells(status, now))
    return table


def _cells(account: AccountStatus, now: float) -> Sequence[str | Text]:
    """Return the cells of a row: the last run, when it ended, its streams, and the age of the one that is the oldest."""
    status, word = account.file, Text(account.word, style="red" if account.problems else "green")
    run = status.last_run if status else None
    if status is None or run is None:
        return [word]
    streams = status.of_last_run
    good = sum(stream.result in GOOD for stream in streams)
    ages = [stream.age_seconds for stream in streams if stream.age_seconds is not None]
    return [
        word,
        "" if run.ended_at is None else utc(run.ended_at).removesuffix(" UTC"),
        "" if run.ended_at is None else age_in_words(max(0.0, now - run.ended_at)),
        f"{good} of {len(streams)}",
        age_in_words(max(ages)) if ages else "",
    ]


def _to_json(statuses: Sequence[AccountStatus]) -> bytes:
    content = {
        "complete": not any(status.problems for status in statuses),
        "accounts": [
            {"account": status.account, "complete": not status.problems, "problems": status.problems}
            | (asdict(status.file) if status.file else {})
            for status in statuses
        ],
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
