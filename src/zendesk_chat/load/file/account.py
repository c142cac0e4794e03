"""Whose records a file holds: another account is refused before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from zendesk_chat.errors import DestinationRefusedError
from zendesk_chat.load.file.system import AccountRow

if TYPE_CHECKING:
    from zendesk_chat.engine.events import PageRead

ACCOUNTS: Final = "accounts"
"""The stream whose one record identifies the account. A run reads it even if the user does not select it."""


class _Account(msgspec.Struct):
    account_key: object = None


_account: Final = msgspec.json.Decoder(_Account)


class AccountGuard:
    """Compares the account that answers with the one in the file.

    Attributes:
        account: What to store: the account in the file, with what this run has learned.
        identified: Whether the run may write. It waits for the record of the account if the file has its key.
    """

    def __init__(self, name: str, asked: AccountRow, held: AccountRow | None, renamed_from: str = "") -> None:
        """Compare the subdomains.

        Args:
            name: Of the file, for messages.
            asked: The account of the configuration; its time zone is "" if the one in the file stays.
            held: The account in the file; None for a new one.
            renamed_from: The former subdomain of the account, if it was renamed.

        Raises:
            DestinationRefusedError: The file holds an account with another subdomain.
        """
        self._name = name
        self._held = held
        if held is not None and held.subdomain not in (asked.subdomain, renamed_from):
            raise DestinationRefusedError(
                f"{name} holds the account {held.subdomain}, and you are loading {asked.subdomain}. Give another file with "
                f"--to, or load it into a schema of its own with --schema {asked.subdomain}. If {held.subdomain} was "
                f"renamed to {asked.subdomain}, add --renamed-from {held.subdomain} once."
            )
        key = held.account_key if held else None
        zone = asked.time_zone or (held.time_zone if held else "") or "UTC"
        self.account = AccountRow(asked.subdomain, key, zone)
        self.identified = key is None

    def take(self, page: PageRead) -> None:
        """Compare the key, if this is the record of the account. Raises DestinationRefusedError if it is another one."""
        if page.stream != ACCOUNTS or not page.records:
            return
        found = _account.decode(page.records[0]).account_key
        if not isinstance(found, str) or not found:
            return
        held = self.account.account_key
        if held is not None and held != found:
            raise DestinationRefusedError(
                f"{self._name} holds the account {self.account.subdomain} with the key {held}, but {self.account.subdomain} is "
                f"now the account with the key {found}. Give another file with --to, or another schema with --schema NAME."
            )
        self.account = AccountRow(self.account.subdomain, found, self.account.time_zone)
        self.identified = True

    def end(self, stream: str) -> None:
        """The stream has ended. If it did not show the account, the subdomain must do."""
        self.identified |= stream == ACCOUNTS
