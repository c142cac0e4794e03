"""Everything one sandbox is made of, apart from its HTTP server."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from zendesk_chat_sandbox.account import Account
from zendesk_chat_sandbox.auth import Tokens
from zendesk_chat_sandbox.clock import SandboxClock, Timestamp
from zendesk_chat_sandbox.faults import FaultBook
from zendesk_chat_sandbox.rate_limit import RateLimit
from zendesk_chat_sandbox.seed import build_account
from zendesk_chat_sandbox.seed_visitors import RETURNING_SHARE
from zendesk_chat_sandbox.switches import Switches

LOG_LENGTH: Final = 100_000


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request that the sandbox has responded to; status 0 means that the connection was broken instead."""

    method: str
    path: str
    query: Mapping[str, str]
    status: int
    time: float


@dataclass(slots=True)
class World:
    """The state that requests read and the admin calls change."""

    seed: int
    clock: SandboxClock
    account: Account
    tokens: Tokens
    switches: Switches
    history_until: Timestamp | None = None
    returning_visitors: float = RETURNING_SHARE
    faults: FaultBook = field(default_factory=FaultBook)
    rate_limit: RateLimit = field(default_factory=RateLimit)
    requests: deque[LoggedRequest] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
    export_pages: int = 0
    """How many export pages had more to follow; counts towards short pages."""

    def reset(self, seed: int, chats: int) -> None:
        """Start anew with another account; switches, tokens and the clock stay."""
        self.account = build_account(seed, chats, self.clock, self.history_until, self.returning_visitors)
        self.seed = seed
        self.faults.clear()
        self.rate_limit.clear()
        self.requests.clear()
        self.export_pages = 0
