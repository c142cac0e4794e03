"""Which account a destination contains. Another account is refused before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from zendesk_chat.errors import DestinationRefusedError

if TYPE_CHECKING:
    from zendesk_chat.engine.events import PageRead


@dataclass(frozen=True, slots=True)
class AccountRow:
    """The account in a schema.

    Attributes:
        account_key: Zendesk's own identifier of the account; None until a run has read it.
        time_zone: The time zone of the views; an IANA name.
    """

    subdomain: str
    account_key: str | None = None
    time_zone: str = "UTC"


ACCOUNTS: Final = "accounts"
"""The stream whose one record identifies the account. A run reads it even if the user does not select it."""


class _Account(msgspec.Struct):
    account_key: object = None


_account: Final = msgspec.json.Decoder(_Account)


class AccountGuard:
    """Compares the account that responds with the one in the destination.

    Attributes:
        account: The account to store: the one in the file, with what this run has learned.
        identified: Whether the run may write. It waits for the record of the account if the file has its key.
    """

    def __init__(
        self,
        name: str,
        asked: AccountRow,
        held: AccountRow | None,
        renamed_from: str = "",
        *,
        another: str = "another file",
        has_schemas: bool = True,
    ) -> None:
        """Compare the subdomains.

        Args:
            name: The name of the destination, for messages.
            asked: The account in the configuration. Its time zone is "" if the one in the file is kept.
            held: The account in the file; None for a new one.
            renamed_from: The former subdomain of the account, if it was renamed.
            another: What another ``--to`` would name, for messages.
            has_schemas: Whether another ``--schema`` helps too.

        Raises:
            DestinationRefusedError: The file contains an account with another subdomain.
        """
        self._name = name
        self._another = another
        self._schema = ", or another schema with --schema NAME" if has_schemas else ""
        self._held = held
        if held is not None and held.subdomain not in (asked.subdomain, renamed_from):
            schema = f", or a separate schema with --schema {asked.subdomain}" if has_schemas else ""
            raise DestinationRefusedError(
                f"{name} contains the account {held.subdomain}, but you are loading {asked.subdomain}. Choose {another} "
                f"with --to{schema}. If {held.subdomain} was renamed to "
                f"{asked.subdomain}, add --renamed-from {held.subdomain} once."
            )
        key = held.account_key if held else None
        zone = asked.time_zone or (held.time_zone if held else "") or "UTC"
        self.account = AccountRow(asked.subdomain, key, zone)
        self.identified = key is None

    def take(self, page: PageRead) -> None:
        """Compare the key, if this is the record of the account. Raises DestinationRefusedError if it differs."""
        if page.stream != ACCOUNTS or not page.records:
            return
        found = _account.decode(page.records[0]).account_key
        if not isinstance(found, str) or not found:
            return
        held = self.account.account_key
        if held is not None and held != found:
            raise DestinationRefusedError(
                f"{self._name} contains the account {self.account.subdomain} with the key {held}, but {self.account.subdomain} "
                f"now has the key {found}. Choose {self._another} with --to{self._schema}."
            )
        self.account = AccountRow(self.account.subdomain, found, self.account.time_zone)
        self.identified = True

    def end(self, stream: str) -> None:
        """Note that a stream has ended. If it did not show the account, the subdomain has to suffice."""
        self.identified |= stream == ACCOUNTS
