"""Compares the number of chats that the account reports with the rows in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from zendesk_chat.load.verify.chats import ChatCheck

Outcome: TypeAlias = Literal["equal", "equal with deleted chats", "more in the account", "fewer in the account", "not compared"]
FEWEST_DELETED: Final = 20
"""With fewer deleted chats than this, a total that is higher by their number may as well be due to missing ones."""


@dataclass(frozen=True, slots=True)
class Total:
    """How many chats the account and the file have.

    Attributes:
        account: The ``count`` of ``GET chats``; None if there is none.
        rows: Rows in the file, without deleted chats.
        deleted: Rows in the file of deleted chats.
        newer: How many more chats than the file the account has because they began after the last sync; negative if more
            chats were deleted since.
        reason: Why the totals are not compared, or "".
    """

    outcome: Outcome
    account: int | None
    rows: int
    newer: int = 0
    deleted: int = 0
    reason: str = ""

    @property
    def unexplained(self) -> int:
        """How many more chats the account has than the file should have; negative if it has fewer."""
        return 0 if self.account is None or self.outcome == "not compared" else self.account - self.rows - self.newer


def compare_totals(check: ChatCheck, account: int | None, partial: str) -> Total:
    """Compare the account's total with the rows in the file.

    Zendesk does not document what it counts. First assume that deleted chats do not count, then that they do.

    Args:
        check: The comparison of the chats, already made.
        account: The account's total.
        partial: Why the file does not contain all chats, or "".
    """
    table, changes = check.table, check.changes
    rows = table.count(table.alive)
    deleted = table.count() - rows
    reason = "Zendesk sent no total." if account is None else partial
    if account is None or reason:
        return Total("not compared", account, rows, deleted=deleted, reason=reason)
    began = (changes.times.keys() - changes.deleted - check.held) | check.newer
    ended = changes.deleted
    newer = len(began) - len(table.known(began)) - len(table.known(ended, table.alive))
    surplus = account - rows - newer
    if surplus == 0:
        return Total("equal", account, rows, newer, deleted)
    if surplus == deleted >= FEWEST_DELETED:
        return Total("equal with deleted chats", account, rows, newer + deleted, deleted)
    return Total("more in the account" if surplus > 0 else "fewer in the account", account, rows, newer, deleted)
