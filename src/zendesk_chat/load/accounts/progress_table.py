"""The progress of several accounts on a terminal: a line for each, in the order of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.live import Live
from rich.table import Table
from rich.text import Text

from zendesk_chat.load.accounts.summary import STYLES, state_of
from zendesk_chat.load.log import Log
from zendesk_chat.load.outcome import Outcome
from zendesk_chat.load.progress import RunProgress
from zendesk_chat.wording import duration, roughly

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

_MEDIUM: Final = 80  # columns from which the remaining time fits
_LINES_OF_RUN: Final = 2  # its own line, and the cursor's
_REFRESHES_PER_SECOND: Final = 4


class AccountsProgress:
    """The progress of each account.

    Threads of accounts set values while the terminal shows them, so no key is added or removed.
    """

    def __init__(self, accounts: Sequence[str], monotonic: Callable[[], float]) -> None:
        self._running: dict[str, RunProgress | None] = dict.fromkeys(accounts)
        self._ended: dict[str, Outcome | None] = dict.fromkeys(accounts)
        self._monotonic = monotonic
        self._began = monotonic()

    def start(self, account: str, progress: RunProgress) -> None:
        """Show the progress of an account that has started."""
        self._running[account] = progress

    def end(self, outcome: Outcome) -> None:
        """Show that an account has ended."""
        self._ended[outcome.account] = outcome

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the lines. If they do not fit, accounts that have ended or wait are skipped first."""
        grid = Table.grid(padding=(0, 2))
        for justify in ("left", "right", "right", "left"):
            grid.add_column(no_wrap=True, justify=justify)
        shown = list(self._running)
        lines = max(1, console.height - _LINES_OF_RUN)
        if len(shown) > lines:
            shown.sort(key=lambda account: self._ended[account] is not None or self._running[account] is None)
        for account in shown[:lines]:
            grid.add_row(account, *self._cells(account, wide=options.max_width >= _MEDIUM))
        yield grid
        yield Text(self._line(), style="bold", no_wrap=True, overflow="ellipsis")

    def _cells(self, account: str, *, wide: bool) -> Iterator[str | Text]:
        progress, outcome = self._running[account], self._ended[account]
        yield f"{progress.read:,} read" if progress else ""
        yield f"{progress.saved:,} saved" if progress else ""
        if outcome:
            state = state_of(outcome)
            yield Text(state, style=STYLES[state])
        elif progress is None:
            yield "waiting"
        else:
            left = progress.seconds_left
            yield f"{roughly(left)} left" if wide and left is not None else "reading"

    def _line(self) -> str:
        done = sum(outcome is not None for outcome in self._ended.values())
        saved = sum(progress.saved for progress in self._running.values() if progress)
        return f"{done} of {len(self._ended)} accounts, {saved:,} records saved, {duration(self._monotonic() - self._began)}"


@contextmanager
def animated(log: Log, progress: AccountsProgress) -> Iterator[None]:
    """Show the progress at the bottom of the terminal for as long as the block lasts; without a terminal, do nothing."""
    if log.terminal is None:
        yield
        return
    with log.drawing(), Live(progress, console=log.terminal, transient=True, refresh_per_second=_REFRESHES_PER_SECOND):
        yield
