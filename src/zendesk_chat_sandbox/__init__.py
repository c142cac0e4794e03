"""A local simulation of the Zendesk Chat REST API: seeded, stateful, served on the loopback interface.

Example:
    with Sandbox(chats=500) as sandbox:
        sandbox.inject(Fault(kind="status", status=502, path="*/incremental/chats"))
        read_everything(sandbox.url, sandbox.token)
"""

from zendesk_chat_sandbox.account import Account, UnknownRecordError
from zendesk_chat_sandbox.auth import (
    AGENT_TOKEN,
    DEFAULT_TOKEN,
    EXPIRED_TOKEN,
    SUPPORT_TOKEN,
    WRITE_TOKEN,
    Token,
)
from zendesk_chat_sandbox.faults import Fault
from zendesk_chat_sandbox.sandbox import Sandbox
from zendesk_chat_sandbox.switches import SwitchError, Switches
from zendesk_chat_sandbox.world import LoggedRequest

__all__ = [
    "AGENT_TOKEN",
    "DEFAULT_TOKEN",
    "EXPIRED_TOKEN",
    "SUPPORT_TOKEN",
    "WRITE_TOKEN",
    "Account",
    "Fault",
    "LoggedRequest",
    "Sandbox",
    "SwitchError",
    "Switches",
    "Token",
    "UnknownRecordError",
]
