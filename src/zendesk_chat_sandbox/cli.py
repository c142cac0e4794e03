"""The command line of the sandbox: start it, print how to reach it, serve until interrupted."""

import argparse
import difflib
import errno
import gc
import json
import math
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Final, NoReturn

from zendesk_chat_sandbox.auth import DEFAULT_TOKEN
from zendesk_chat_sandbox.clock import to_epoch
from zendesk_chat_sandbox.http_messages import API
from zendesk_chat_sandbox.sandbox import Sandbox
from zendesk_chat_sandbox.seed import oldest_chat
from zendesk_chat_sandbox.switches import SwitchError, Switches, parse_switch

OPTIONS: Final = ("--port", "--seed", "--chats", "--token", "--now", "--clock-skew", "--history-until", "--switch")
DEFAULT_PORT: Final = 8097
_LAST_PORT: Final = 65_535
_EARLIEST: Final = "2001-01-01T00:00:00Z"
_LATEST: Final = "2999-12-31T00:00:00Z"
_MOST_SKEW_SECONDS: Final = 100_000_000
_SHOWN_TIME: Final = "2026-11-20T12:00:00Z"
_EXAMPLES: Final = """\
examples:
  %(prog)s
  %(prog)s --chats 40000 --switch rate_limit=0
  %(prog)s --history-until 2026-11-20T12:00:00Z      # the same data after each restart
  %(prog)s --now 2026-11-20T12:00:00Z --seed 3 --port 9000
  %(prog)s --clock-skew 1800                         # a server whose clock is half an hour fast
  %(prog)s --switch start_id=inclusive --switch 'unavailable={"goals": 404}'

while it runs:
  curl -H 'Authorization: Bearer sandbox-token' http://127.0.0.1:8097/api/v2/chat/agents/me
  curl http://127.0.0.1:8097/_sandbox/state
  curl -d '{"kind": "status", "status": 502, "times": 3}' http://127.0.0.1:8097/_sandbox/faults
  curl -d '{"resource": "chats", "count": 10}' http://127.0.0.1:8097/_sandbox/add

All switches, faults and admin calls: docs/sandbox.md.
"""


class _Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line, without control characters of the arguments."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {_shown(message)}\n")

    def parse(self, arguments: Sequence[str] | None) -> argparse.Namespace:
        """Parse the arguments. The error for an unknown option names the nearest one."""
        options, unknown = self.parse_known_args(arguments)
        if unknown:
            near = difflib.get_close_matches(unknown[0].partition("=")[0], OPTIONS, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"The options are {', '.join(OPTIONS)}"
            self.error(f"unknown option {unknown[0]}. {hint}")
        return options


def _shown(text: str) -> str:
    """Return an argument without its control characters."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def _port(text: str) -> int:
    if not (text.isdecimal() and text.isascii() and int(text) <= _LAST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port. Use a number from 0 to {_LAST_PORT}")
    return int(text)


def _count(text: str) -> int:
    if not (text.isdecimal() and text.isascii()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of chats. Use 0 or more")
    return int(text)


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _time(text: str) -> str:
    try:
        timestamp = to_epoch(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a time. Use the form {_SHOWN_TIME}") from None
    if not to_epoch(_EARLIEST) <= timestamp <= to_epoch(_LATEST):
        raise argparse.ArgumentTypeError(f"{text!r} is out of range. Use a time from {_EARLIEST[:4]} to {_LATEST[:4]}")
    return text


def _skew(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not abs(seconds) <= _MOST_SKEW_SECONDS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of seconds. Use at most {_MOST_SKEW_SECONDS} in either direction"
        )
    return seconds


def _now(text: str) -> str | None:
    return None if text == "real" else _time(text)


def _switch(text: str) -> tuple[str, object]:
    try:
        return parse_switch(text)
    except SwitchError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def build_parser(program: str | None = None) -> _Parser:
    """Return the parser of the sandbox's options."""
    parser = _Parser(
        prog=program,
        description="Run a local server that behaves like the Zendesk Chat API, with a simulated account of fake data. "
        "It listens on 127.0.0.1 only. Stop it with Ctrl+C.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    add = parser.add_argument
    add("-h", "--help", action="help", help="Show this help and exit")
    add("--port", type=_port, default=DEFAULT_PORT, help="Listen on this port; 0 picks a free one (default: %(default)s)")
    add("--seed", type=_integer, default=7, help="Generate different data with a different seed (default: %(default)s)")
    add("--chats", type=_count, default=5000, help="Start with this many chats and offline messages (default: %(default)s)")
    add("--token", default=DEFAULT_TOKEN, help="Accept this access token of an administrator (default: %(default)s)")
    add(
        "--now",
        type=_now,
        metavar="TIME",
        help="Start the sandbox's clock at this time, such as 2026-11-20T12:00:00Z (default: the real time)",
    )
    add(
        "--clock-skew",
        type=_skew,
        default=0.0,
        metavar="SECONDS",
        help="Run the sandbox's clock ahead of this machine's, or behind it if negative (default: 0)",
    )
    add(
        "--history-until",
        type=_time,
        metavar="TIME",
        help="End the generated history here, to get the same data after a restart (default: now)",
    )
    add(
        "--switch",
        type=_switch,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="Choose a behaviour that Zendesk does not document (repeatable)",
    )
    return parser


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
        f"Token: {_shown(sandbox.token)}\n"
        f"Data: {counts['chats']:,} chats, {counts['agents']:,} agents, {counts['agent_timeline']:,} timeline spans.\n"
        f"{json.dumps(config)}\n"
    )


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 -- the signature of signal handlers
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    return stop


def _built(options: argparse.Namespace) -> Sandbox:
    gc.disable()  # seeding creates only objects that stay, and looking for garbage takes a third of the time
    try:
        return Sandbox(
            seed=options.seed,
            chats=options.chats,
            port=options.port,
            token=options.token,
            now=options.now,
            ticking=True,
            history_until=options.history_until,
            clock_skew=options.clock_skew,
            switches=Switches().changed(dict(options.switch)),
        )
    finally:
        gc.freeze()
        gc.enable()


def _why_not(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is already in use. Choose another with --port, or any free port with --port 0"
    return f"cannot listen on port {port}: {error.strerror}"


def main(argv: Sequence[str] | None = None, program: str = "zendesk-chat-sandbox") -> int:
    """Run the sandbox until SIGINT or SIGTERM; return the exit status."""
    parser = build_parser(program)
    options = parser.parse(argv)
    stop = _stop_on_signals()
    sandbox = _built(options)
    try:
        sandbox.start()
    except OSError as error:
        parser.exit(1, f"{parser.prog}: error: {_why_not(options.port, error)}\n")
    with sandbox:
        try:
            sys.stdout.write(_greeting(sandbox))
            sys.stdout.flush()
        except OSError as error:
            parser.exit(1, f"{parser.prog}: error: cannot print the address: {error.strerror}\n")
        stop.wait()
    return 0
