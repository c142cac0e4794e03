"""A sandbox that runs in a thread of this process."""

import threading
from typing import Self

from zendesk_chat_sandbox.account import Account
from zendesk_chat_sandbox.auth import DEFAULT_TOKEN, Tokens, initial_tokens
from zendesk_chat_sandbox.clock import SandboxClock, Timestamp
from zendesk_chat_sandbox.faults import Fault
from zendesk_chat_sandbox.seed import build_account
from zendesk_chat_sandbox.seed_visitors import RETURNING_SHARE
from zendesk_chat_sandbox.server import LOOPBACK, SandboxServer
from zendesk_chat_sandbox.switches import Switches
from zendesk_chat_sandbox.world import LoggedRequest, World


class Sandbox:
    """The Zendesk Chat API of a simulated account, served from ``with Sandbox() as sandbox`` until the block ends.

    Args:
        seed: decides all data; the same seed, ``chats`` and ``now`` give the same bytes.
        chats: how many chats and offline messages the account starts with.
        port: the port to serve on; 0 for any free one.
        host: only the loopback address is allowed.
        token: the access token of an administrator.
        now: where the clock starts; without it the clock follows real time.
        ticking: lets real time pass on top of ``now``.
        history_until: where the seeded history ends, by default now; give a fixed time to find the same data after
            a restart in real time.
        clock_skew: seconds by which the sandbox's clock is ahead of this machine's (or of ``now``), behind if negative.
            Its ``Date`` headers, its checks of ``start_time`` and its data follow its own clock.
        returning_visitors: the share of the chats whose visitor has written before; 0 for none.
        switches: choices between the behaviours that the public facts leave open.

    Raises:
        ValueError: another host than the loopback address.
    """

    def __init__(  # noqa: PLR0913 -- keyword-only options, each with a default
        self,
        *,
        seed: int = 7,
        chats: int = 5000,
        port: int = 0,
        host: str = LOOPBACK,
        token: str = DEFAULT_TOKEN,
        now: Timestamp | None = None,
        ticking: bool = False,
        history_until: Timestamp | None = None,
        clock_skew: float = 0.0,
        returning_visitors: float = RETURNING_SHARE,
        switches: Switches | None = None,
    ) -> None:
        if host != LOOPBACK:
            raise ValueError(f"the sandbox serves {LOOPBACK} only, not {host}")
        clock = SandboxClock(now, ticking=ticking)
        clock.advance(clock_skew)
        self.world = World(
            seed=seed,
            clock=clock,
            account=build_account(seed, chats, clock, history_until, returning_visitors),
            tokens=initial_tokens(token),
            switches=switches or Switches(),
            history_until=history_until,
            returning_visitors=returning_visitors,
        )
        self.token = token
        self._port = port
        self._server: SandboxServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Serve in a thread until `stop`.

        Raises:
            OSError: the port is taken.
        """
        if self._server is None:
            self._server = SandboxServer(self.world, self._port)
            self._thread = threading.Thread(target=self._server.run, name="zendesk-chat-sandbox", daemon=True)
            self._thread.start()
        return self

    def stop(self) -> None:
        """End all connections, requests that hang included, and stop serving."""
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where the sandbox serves, e.g. ``http://127.0.0.1:8097``.

        Raises:
            RuntimeError: it has not been started.
        """
        if self._server is None:
            raise RuntimeError("the sandbox has not been started")
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    @property
    def account(self) -> Account:
        """The account's data, to be read and changed."""
        return self.world.account

    @property
    def clock(self) -> SandboxClock:
        """The sandbox's idea of now."""
        return self.world.clock

    @property
    def tokens(self) -> Tokens:
        """The tokens and grants that are valid."""
        return self.world.tokens

    @property
    def requests(self) -> list[LoggedRequest]:
        """The requests so far, without admin calls and requests refused as those of web pages."""
        return list(self.world.requests)

    @property
    def switches(self) -> Switches:
        """The switches as they are now."""
        return self.world.switches

    def switch(self, **changes: object) -> None:
        """Change some switches from the next request on.

        Raises:
            SwitchError: an unknown name, or a value the switch cannot take.
        """
        self.world.switches = self.world.switches.changed(changes)

    def inject(self, *faults: Fault) -> None:
        """Let faults hit the requests that match them."""
        for fault in faults:
            self.world.faults.add(fault)

    def clear_faults(self) -> None:
        """Forget all faults."""
        self.world.faults.clear()

    def clear_requests(self) -> None:
        """Empty the log of requests."""
        self.world.requests.clear()

    def reset(self, *, seed: int | None = None, chats: int | None = None) -> None:
        """Start anew with another account; faults, log and rate limit are cleared."""
        size = len(self.account.chats) if chats is None else chats
        self.world.reset(self.world.seed if seed is None else seed, size)
