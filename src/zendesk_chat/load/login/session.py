"""One sign-in from its address to the stored tokens, with the browser of this machine or of another."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from zendesk_chat.api.auth import rotated_config
from zendesk_chat.api.client import USER_AGENT
from zendesk_chat.api.transport import HttpTransport
from zendesk_chat.clock import Clock
from zendesk_chat.config import OAuth
from zendesk_chat.errors import AuthError, ConnectorError
from zendesk_chat.load.login.browser import open_browser
from zendesk_chat.load.login.exchange import exchange_code
from zendesk_chat.load.login.pasted import pasted_answer
from zendesk_chat.load.login.reading import config_to_try, who_reads
from zendesk_chat.load.login.receiver import Outcome, Receiver, Server
from zendesk_chat.load.login.sign_in import Answer, SignIn, UnusableAnswerError, refusal
from zendesk_chat.load.login.storing import Stored, store
from zendesk_chat.load.login.terminal import Terminal
from zendesk_chat.wording import duration

TIMEOUT_SECONDS: Final = 30.0
MOST_PASTES: Final = 5


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The machine on which a person signs in."""

    clock: Clock
    environment: Mapping[str, str]
    terminal: Terminal
    platform: str = sys.platform
    open_browser: Callable[[str], bool] = open_browser


@dataclass(frozen=True, slots=True)
class Target:
    """The account to sign in to, and the file for its tokens.

    Attributes:
        api_url: As the user wrote it; None for the account's own.
        origin: Scheme, host and port of the account.
    """

    subdomain: str
    api_url: str | None
    origin: str
    stored: Stored


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in and what it needs. Its methods return the name of the agent, or raise ConnectorError."""

    machine: Surroundings
    target: Target
    sign_in: SignIn
    secret: str = field(repr=False)

    def with_browser(self, servers: Sequence[Server]) -> str:
        """Open the browser of this machine, and receive the response from it."""
        terminal = self.machine.terminal
        receiver = Receiver(self.sign_in, self.machine.clock, terminal)
        with receiver.serving(servers):
            terminal.say("Opening the sign-in page in your browser. If it does not open, go to this address:")
            terminal.say(f"  {self.sign_in.address}")
            terminal.say("Waiting for the browser. Press Ctrl-C to stop.")
            # In a thread, because some browsers block the program that starts them.
            threading.Thread(target=self._open, args=(receiver,), daemon=True).start()
            answer = receiver.wait()
            try:
                name = self._finish(answer)
            except ConnectorError as error:
                receiver.end(Outcome("The sign-in failed", str(error)))
                raise
            text = f"Signed in to {self.target.subdomain} as {name}. You can close this tab and go back to the terminal."
            receiver.end(Outcome("You are signed in", text, good=True))
        return name

    def _open(self, receiver: Receiver) -> None:
        if not self.machine.open_browser(self.sign_in.address):
            receiver.remark("No browser could be started. Open the address in a browser on this machine.")

    def with_paste(self, *, chosen: bool) -> str:
        """Let the person sign in on any machine, and paste the redirect address."""
        terminal, what = self.machine.terminal, "token" if self.sign_in.implicit else "code"
        if not chosen:
            terminal.say("This machine has no browser, so sign in on another one.")
        for line in (
            "1. Open this address in a browser on any machine, sign in as an administrator, and choose Allow:",
            f"     {self.sign_in.address}",
            f"2. The browser then tries to open {self.sign_in.redirect_url}, which fails. This is expected.",
            f"3. Copy the complete address from the address bar, and paste it here. It contains the {what}.",
        ):
            terminal.say(line)
        return self._finish(self._pasted())

    def _pasted(self) -> Answer:
        terminal, hidden = self.machine.terminal, self.sign_in.implicit
        question = "Address (not shown, because it contains the token): " if hidden else "Address: "
        missing = "No address was entered. Run `zendesk-chat login` again, and paste the one that the browser shows at the end."
        for _ in range(MOST_PASTES):
            try:
                return pasted_answer(terminal.ask(question, hidden=hidden, missing=missing), self.sign_in)
            except UnusableAnswerError as error:
                if not terminal.interactive:
                    raise AuthError(str(error)) from None
                terminal.say(str(error))
        raise AuthError("No usable address was pasted. Run `zendesk-chat login` again.")

    def _finish(self, answer: Answer) -> str:
        """Turn a response into tokens, prove that they can read, and store them. Returns the name of the agent."""
        if answer.error:
            raise refusal(answer.error)
        target, clock = self.target, self.machine.clock
        token, credentials = self._credentials(answer)
        name = who_reads(config_to_try(target.subdomain, target.api_url, token), clock)
        api_url = {"api_url": target.api_url} if target.api_url else {}
        store(target.stored, {"subdomain": target.subdomain, "credentials": credentials, **api_url}, clock)
        if answer.life is not None:
            again = "It cannot be renewed. Run `zendesk-chat login` again then, or use a client with a secret."
            self.machine.terminal.say(f"The token expires in {duration(answer.life)}. {again}")
        return name

    def _credentials(self, answer: Answer) -> tuple[str, object]:
        """Return the access token, and the credentials to store."""
        client_id = self.sign_in.client_id
        if answer.token:
            return answer.token, {"credentials": "access_token", "client_id": client_id, "access_token": answer.token}
        oauth = self._exchanged(answer.code)
        client = {"credentials": "oauth2.0", "client_id": client_id, "client_secret": self.secret}
        return oauth.access_token or "", rotated_config({"credentials": client}, oauth)["credentials"]

    def _exchanged(self, code: str) -> OAuth:
        clock, origin = self.machine.clock, self.sign_in.origin
        transport = HttpTransport(origin, timeout=TIMEOUT_SECONDS, clock=clock, user_agent=USER_AGENT)
        return exchange_code(self.sign_in, code, self.secret, transport, clock)
