"""Sandbox accounts, and the accounts file that names them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from zendesk_chat_sandbox import Sandbox, Switches

TOKENS = ("first-secret-token-8d2f", "second-secret-token-b71c", "third-secret-token-44e9")
HASH_KEY = "a-secret-hash-key-0c55"


@dataclass
class Accounts:
    """Running sandboxes by the names of their accounts: ``a0``, ``a1``, ``a2``."""

    folder: Path
    sandboxes: dict[str, Sandbox] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return str(self.folder / "accounts.toml")

    def token_file(self, name: str) -> Path:
        return self.folder / f"{name}.token"

    def write(self, names: Sequence[str] | None = None, top: str = "", **tables: str) -> None:
        """Write the accounts file, with more lines at the top or in the tables of accounts."""
        lines = ["start_date = 2020-01-01", "requests_per_minute = 10000", top]
        for name in self.sandboxes if names is None else names:
            sandbox = self.sandboxes[name]
            self.token_file(name).write_text(sandbox.token)
            lines += [f"[accounts.{name}]", f'token_file = "{name}.token"', f'api_url = "{sandbox.url}"', tables.get(name, "")]
        (self.folder / "accounts.toml").write_text("\n".join(lines))

    def requests(self) -> dict[str, int]:
        """The number of requests of each account since ``clear_requests``."""
        return {name: len(sandbox.requests) for name, sandbox in self.sandboxes.items()}

    def clear_requests(self) -> None:
        for sandbox in self.sandboxes.values():
            sandbox.clear_requests()


def started(folder: Path, stack: ExitStack, chats: int = 120, clock_skew: float = 0, number: int = 3) -> Accounts:
    """Start accounts with different data. Their history ended an hour ago, so that all of it is settled."""
    accounts = Accounts(folder)
    for seed, token in enumerate(TOKENS[:number]):
        sandbox = Sandbox(
            chats=chats,
            seed=seed,
            token=token,
            returning_visitors=0,
            history_until=time.time() + clock_skew - 3600,
            clock_skew=clock_skew,
            switches=Switches(rate_limit=0, export_page_cap=50),
        )
        accounts.sandboxes[f"a{seed}"] = stack.enter_context(sandbox)
    accounts.write()
    return accounts
