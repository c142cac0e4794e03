"""The command line of the sandbox: start it, say how to reach it, serve until interrupted."""

import argparse
import gc
import json
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING, Final, NoReturn

from zendesk_chat_sandbox.auth import DEFAULT_TOKEN
from zendesk_chat_sandbox.http_messages import API
from zendesk_chat_sandbox.sandbox import Sandbox
from zendesk_chat_sandbox.seed import oldest_chat
from zendesk_chat_sandbox.switches import SwitchError, Switches, parse_switch

if TYPE_CHECKING:
    from zendesk_chat_sandbox.clock import Moment

DEFAULT_PORT: Final = 8097
_EXAMPLES: Final = """\
examples:
  %(prog)s
  %(prog)s --chats 40000 --switch rate_limit=0
  %(prog)s --history-until 2026-11-20T12:00:00Z
  %(prog)s --now 2026-11-20T12:00:00Z --seed 3 --port 9000
  %(prog)s --switch start_id=inclusive --switch 'unavailable={"goals": 404}'
while it runs:
  curl -H 'Authorization: Bearer sandbox-token' http://127.0.0.1:8097/api/v2/chat/agents/me
  curl http://127.0.0.1:8097/_sandbox/state
  curl -d '{"kind": "status", "status": 502, "times": 3}' http://127.0.0.1:8097/_sandbox/faults
  curl -d '{"resource": "chats", "count": 10}' http://127.0.0.1:8097/_sandbox/add
"""


class _Parser(argparse.ArgumentParser):
    """A parser that repeats arguments without their control characters."""

    def error(self, message: str) -> NoReturn:
        """Report a wrong argument, and exit with 2."""
        super().error("".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in message))


def build_parser(program: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of the sandbox's options."""
    parser = _Parser(
        prog=program,
        description="Serve a local stand-in of the Zendesk Chat API with invented data, on 127.0.0.1 only.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port to serve on, 0 for any (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="decides all data (%(default)s)")
    parser.add_argument("--chats", type=int, default=5000, help="how many chats to start with (%(default)s)")
    parser.add_argument("--token", default=DEFAULT_TOKEN, help="the administrator's access token (%(default)s)")
    parser.add_argument(
        "--now", default="real", help='"real", or the ISO time at which the sandbox\'s clock starts (%(default)s)'
    )
    parser.add_argument(
        "--history-until",
        metavar="TIME",
        help="ISO time at which the seeded history ends, to find the same data after a restart (now)",
    )
    parser.add_argument("--switch", action="append", default=[], metavar="NAME=VALUE", help="set a switch; may be repeated")
    return parser


def _switches(texts: Sequence[str]) -> Switches:
    return Switches().changed(dict(parse_switch(text) for text in texts))


def _greeting(sandbox: Sandbox) -> str:
    config = {
        "start_date": oldest_chat(sandbox.account),
        "subdomain": "sandbox",
        "api_url": f"{sandbox.url}{API}",
        "credentials": {"credentials": "access_token", "access_token": sandbox.token},
    }
    counts = sandbox.account.counts()
    return (
        f"Zendesk Chat sandbox: {sandbox.url}{API}\n"
        f"Token: {sandbox.token}\n"
        f"Holds {counts['chats']} chats, {counts['agents']} agents, {counts['agent_timeline']} timeline spans.\n"
        f"{json.dumps(config)}\n"
    )


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 -- the signature of signal handlers
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    return stop


def main(argv: Sequence[str] | None = None, program: str = "zendesk-chat-sandbox") -> int:
    """Run the sandbox until SIGINT or SIGTERM; return the exit status."""
    parser = build_parser(program)
    options = parser.parse_args(argv)
    now: Moment | None = None if options.now == "real" else options.now
    gc.disable()  # seeding makes only objects that stay; looking for garbage among them takes a third of the time
    try:
        switches = _switches(options.switch)
        sandbox = Sandbox(
            seed=options.seed,
            chats=options.chats,
            port=options.port,
            token=options.token,
            now=now,
            ticking=True,
            history_until=options.history_until,
            switches=switches,
        )
    except (SwitchError, ValueError) as error:
        parser.error(str(error))
    finally:
        gc.freeze()
        gc.enable()
    stop = _stop_on_signals()
    try:
        sandbox.start()
    except OSError as error:
        parser.exit(1, f"{parser.prog}: cannot serve on port {options.port}: {error.strerror}\n")
    with sandbox:
        sys.stdout.write(_greeting(sandbox))
        sys.stdout.flush()
        stop.wait()
    return 0
