"""The result of several accounts: a table, and one line."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.text import Text

from zendesk_chat.load.accounts.running import worst
from zendesk_chat.load.console import say
from zendesk_chat.load.log import SUMMARY, Log
from zendesk_chat.load.outcome import Outcome
from zendesk_chat.load.report import plain_table, print_complete
from zendesk_chat.load.run_log import streams_of
from zendesk_chat.wording import counted, duration

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_STATES: Final = ("complete", "incomplete", "failed", "interrupted", "not started")
STYLES: Final = {"complete": "green", "incomplete": "red", "failed": "red", "interrupted": "red", "not started": "yellow"}
_UNLIMITED: Final = 1_000  # columns


def state_of(outcome: Outcome) -> str:
    """Return the state of an account in one or two words."""
    if outcome.report:
        return "failed" if outcome.report.is_one_failure else outcome.report.result
    if outcome.error:
        return "failed"
    return "interrupted" if outcome.seconds else "not started"


def print_summary(outcomes: Sequence[Outcome], seconds: float, console: Console) -> None:
    """Print a row for each account, and the result of all in one line. A narrow terminal gets fewer columns."""
    table = _table(outcomes, detailed=True)
    width = console.measure(table, options=console.options.update(max_width=_UNLIMITED)).maximum
    if console.is_terminal and width > console.width:
        table = _table(outcomes, detailed=False)
    print_complete(table, console)
    say(console, result_line(outcomes, seconds))


def result_line(outcomes: Sequence[Outcome], seconds: float) -> str:
    """Return the result of all accounts in one line, with what to do next.

    ``2 accounts complete, 1 failed: 12,345 records in 41 s. Fix the problems reported above, then run the same command again.``
    """
    states = [state_of(outcome) for outcome in outcomes]
    counts = [(states.count(state), state) for state in _STATES if state in states]
    (number, state), *rest = counts
    parts = [f"{counted(number, 'account')} {state}", *(f"{count} {other}" for count, other in rest)]
    records = sum(outcome.report.saved for outcome in outcomes if outcome.report)
    saved = f"{counted(records, 'record')} saved" if records else "no new records"
    line = f"{', '.join(parts)}: {saved} in {duration(seconds)}."
    if any(outcome.interrupted for outcome in outcomes):
        return f"{line} Run the same command to resume."
    match int(worst(outcomes)):
        case 0:
            return line
        case 1:
            return f"{line} Run the same command again to load the rest."
    return f"{line} Fix the problems reported above, then run the same command again."


def log_summary(outcomes: Sequence[Outcome], seconds: float, log: Log) -> None:
    """Log the result of all accounts in one line."""
    code = worst(outcomes)
    accounts = {
        outcome.account: {
            "state": state_of(outcome),
            "exit_code": int(outcome.exit_code),
            "records": outcome.report.saved if outcome.report else 0,
            "seconds": round(outcome.seconds, 3),
            "destination": outcome.destination.shown,
            "schema": outcome.destination.schema,
            "streams": streams_of(outcome.report) if outcome.report else {},
        }
        for outcome in outcomes
    }
    destinations = {outcome.destination.shown for outcome in outcomes}
    interrupted = any(outcome.interrupted for outcome in outcomes)
    log.write(
        logging.WARNING if interrupted else logging.INFO,
        result_line(outcomes, seconds),
        SUMMARY,
        result="interrupted" if interrupted else "incomplete" if code else "complete",
        exit_code=int(code),
        records=sum(outcome.report.saved for outcome in outcomes if outcome.report),
        seconds=round(seconds, 3),
        destination=destinations.pop() if len(destinations) == 1 else None,
        accounts=accounts,
    )


def _table(outcomes: Sequence[Outcome], *, detailed: bool) -> Table:
    table = plain_table(["account"], ["records", "requests", "seconds"] if detailed else ["records"])
    for title in ("state", "destination") if detailed else ("state",):
        table.add_column(title, no_wrap=True)
    for outcome in outcomes:
        report, state = outcome.report, state_of(outcome)
        requests = sum(stream.stats.requests for stream in report.streams) if report else 0
        counts = [f"{report.saved if report else 0:,}"]
        counts += [f"{requests:,}", f"{outcome.seconds:.1f}"] if detailed else []
        where = outcome.destination
        destination = [Text(f"{where.shown}, schema {where.schema}" if where.schema else where.shown)] if detailed else []
        table.add_row(outcome.account, *counts, Text(state, style=STYLES[state]), *destination)
    return table
