"""How the load of one account ended, whether it has a report or failed before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zendesk_chat.clock import Clock, Stopped
from zendesk_chat.errors import ConnectorError, ExitCode, exit_code, one_line
from zendesk_chat.load.destination import Destination
from zendesk_chat.load.plan import Plan
from zendesk_chat.load.report import LoadReport


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one account's load.

    Attributes:
        account: The user's name of the account: its key in the accounts file, or its subdomain.
        ended_at: In seconds since 1970.
        report: What was loaded; None if the run ended before it read anything.
        error: Why there is no report; None if the run was interrupted first.
    """

    account: str
    subdomain: str
    destination: Destination
    ended_at: float
    seconds: float = 0.0
    report: LoadReport | None = None
    error: ConnectorError | None = None

    @property
    def interrupted(self) -> bool:
        """Whether the run was interrupted before it was complete."""
        return self.report.result == "interrupted" if self.report else self.error is None

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the account. A signal has a different code."""
        if self.report:
            return self.report.exit_code
        return exit_code([self.error] if self.error else [])


def attempt(account: str, plan: Plan, clock: Clock, load: Callable[[], LoadReport]) -> Outcome:
    """Load an account, and return its outcome. Never raises for a failure."""
    began = clock.monotonic()
    report, failure = None, None
    try:
        report = load()
    except ConnectorError as error:
        failure = error
    except Stopped:  # while another program had the file open
        pass
    except Exception as unexpected:  # noqa: BLE001  the user sees a message, and other accounts continue
        failure = ConnectorError(one_line(unexpected))
    seconds = clock.monotonic() - began
    return Outcome(account, plan.config.subdomain, plan.destination, clock.now(), seconds, report, failure)
