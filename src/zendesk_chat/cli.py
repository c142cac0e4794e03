"""The command line: puts the parts together, and loads only those that a command needs."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from zendesk_chat._version import __version__
from zendesk_chat.errors import NO_THREAD, ExitCode, cannot_start_thread, needs_packages, one_line, origin
from zendesk_chat.printable import printable
from zendesk_chat.standard_streams import standard_streams

if TYPE_CHECKING:
    from zendesk_chat.airbyte.messages import Writer
    from zendesk_chat.clock import SystemClock

SECONDS_TO_END: Final = 5.0
SECONDS_TO_RENEW: Final = 15.0  # more, where tokens are being renewed; all in all less than the 30 that Kubernetes gives
LOADER: Final = ("sync", "profile")  # commands that need the extra `load`
SIGNAL_EXIT: Final = 128  # and the number of the signal, as shells have it

EPILOG: Final = """\
examples:
  zendesk-chat sync --subdomain acme --token TOKEN       load everything into chats.duckdb
  zendesk-chat sync --config config.json --streams chats,agents
  zendesk-chat profile chats.duckdb                      what is in it, and what is new or missing
  zendesk-chat check --config config.json                can this token read the account?
  zendesk-chat read --config config.json --catalog catalog.json --state state.json
  zendesk-chat sandbox                                   a simulated account to try all of this on
"""
SYNC_EPILOG: Final = """\
examples:
  zendesk-chat sync --subdomain acme --token TOKEN
  ZENDESK_CHAT_SUBDOMAIN=acme ZENDESK_CHAT_TOKEN=... zendesk-chat sync --start-date 2026-01-01
  zendesk-chat sync --config config.json --streams chats,agents --to duckdb:///acme.duckdb
  zendesk-chat sync --config config.json --exclude triggers,shortcuts
  zendesk-chat sync --config config.json --full-refresh
  zendesk-chat sync --start-date 2025-01-01 --end-date 2026-01-01     exactly one calendar year
  zendesk-chat sync --redact chats.history.*.msg=mask --redact chats.visitor.email=null

Each stream is a table. A second run loads only what is new or changed. DuckDB files also get reporting views, for
example analytics.chats_by_day.

exit codes:
  0    every stream is complete
  1    some stream is incomplete; run again later
  2    the arguments or the configuration are wrong
  3    a person must act first: token, role, account, destination
  130  or 143: interrupted; what was loaded stays, and the next run resumes
"""
PROFILE_EPILOG: Final = """\
examples:
  zendesk-chat profile
  zendesk-chat profile acme.duckdb --streams chats,visitors
  zendesk-chat profile acme.duckdb --json

Never prints record contents. Exit codes: 0, 1 the file cannot be read, 2 the arguments are wrong.
"""


_EXAMPLES: Final = argparse.RawDescriptionHelpFormatter


class _Parser(argparse.ArgumentParser):
    """A parser that repeats arguments without their control characters."""

    def error(self, message: str) -> NoReturn:
        """Report a wrong argument, and exit with 2."""
        super().error(printable(message))


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code. Whatever goes wrong becomes one line on standard error, never a traceback."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        with standard_streams():
            return _run(arguments)
    except BrokenPipeError:  # nobody reads on, as after `| head`
        return ExitCode.INCOMPLETE
    except Exception as unexpected:  # noqa: BLE001  a user sees a message, never a traceback
        sys.stderr.write(f"error: {printable(one_line(unexpected))}\n")
        return ExitCode.INCOMPLETE


def _run(arguments: Sequence[str]) -> int:
    if unreadable := [text for text in arguments if not _is_unicode(text)]:
        sys.stderr.write(f"error: This argument is not valid UTF-8: {unreadable[0]!a}\n")
        return ExitCode.USAGE
    if arguments[:1] == ["sandbox"]:
        from zendesk_chat_sandbox.cli import main as sandbox

        return sandbox(arguments[1:], f"{_program()} sandbox")
    options = _parser().parse_args(arguments)
    stopped = threading.Event()
    received = _stop_on_signals(stopped)
    code = _loader(options, stopped) if options.command in LOADER else _airbyte(options, stopped)
    return SIGNAL_EXIT + received[0] if received else code


def _is_unicode(text: str) -> bool:
    """Return whether an argument was valid UTF-8. If not, Python puts lone surrogates in place of the bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _loader(options: argparse.Namespace, stopped: threading.Event) -> int:
    from importlib.util import find_spec

    if not all(find_spec(package) for package in ("dlt", "duckdb", "pyarrow", "rich")):
        sys.stderr.write(f"{needs_packages(options.command)}\n")
        return ExitCode.ACTION_NEEDED
    if options.command == "profile":
        from zendesk_chat.load.profile import run_profile

        return run_profile(options)
    from zendesk_chat.load.command import sync
    from zendesk_chat.memory import keep_pages_in_place

    keep_pages_in_place()
    return sync(options, stopped)


def _airbyte(options: argparse.Namespace, stopped: threading.Event) -> int:
    """Run one of Airbyte's four commands with stdout as the protocol."""
    from zendesk_chat.airbyte.messages import Writer
    from zendesk_chat.clock import SystemClock

    clock = SystemClock(stopped)
    debug = options.debug or os.environ.get("LOG_LEVEL", "").lower() in {"debug", "trace"}
    writer = Writer(sys.stdout.buffer, clock, debug=debug)
    try:
        code = _airbyte_command(options, writer, clock, stopped)
        sys.stdout.flush()
    except OSError as error:  # of stdout; files and connections have errors of their own
        if not isinstance(error, BrokenPipeError):
            sys.stderr.write(f"The messages cannot be written to stdout: {error.strerror}.\n")
        return ExitCode.INCOMPLETE
    except Exception as unexpected:  # noqa: BLE001  a user sees a message, never a traceback
        what = NO_THREAD if cannot_start_thread(unexpected) else f"Unexpected {type(unexpected).__name__}. Please report this."
        writer.error(what, "system_error", internal=origin(unexpected))
        return ExitCode.INCOMPLETE
    return code


def _airbyte_command(options: argparse.Namespace, writer: Writer, clock: SystemClock, stopped: threading.Event) -> int:
    match options.command:
        case "spec":
            from zendesk_chat.airbyte.spec import spec

            return spec(writer)
        case "discover":
            from zendesk_chat.airbyte.discover import discover

            return discover(writer, options.config)
        case "check":
            from zendesk_chat.airbyte.check import check

            return check(writer, clock, stopped, options.config)
        case _:
            from zendesk_chat.airbyte.read import read
            from zendesk_chat.memory import keep_pages_in_place

            keep_pages_in_place()
            return read(writer, clock, stopped, options.config, options.catalog, options.state)


def _stop_on_signals(stopped: threading.Event) -> list[int]:
    """End soon on SIGTERM, SIGINT and SIGHUP: let the consumer finish its event, but not wait for a stuck one.

    A second signal does not wait for the consumer either. Both let a renewal of tokens end.
    """
    received: list[int] = []

    def stop(number: int, _frame: object) -> None:
        seconds = 0.0 if received else SECONDS_TO_END
        received.append(number)
        stopped.set()
        last_resort = threading.Timer(seconds, _end_at_once, (SIGNAL_EXIT + received[0],))
        last_resort.daemon = True
        with suppress(RuntimeError):  # no thread is left for it
            last_resort.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    closed = getattr(signal, "SIGHUP", None)  # of a terminal; Windows has none
    if closed is not None and signal.getsignal(closed) != signal.SIG_IGN:  # as nohup sets it
        signal.signal(closed, stop)
    return received


def _end_at_once(code: int) -> None:
    """Exit although the main thread is stuck, but let a renewal of tokens end first, or they would be lost."""
    from zendesk_chat.api.auth import settle_all

    if settle_all(SECONDS_TO_RENEW):
        time.sleep(1)  # for the main thread to hand the new tokens over
    os._exit(code)


def _program() -> str:
    """Return the command that the user typed. Airbyte's tools call it `source-zendesk-chat`."""
    called = Path(sys.argv[0]).stem
    return called if called == "source-zendesk-chat" else "zendesk-chat"


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(_program(), description="Export everything from Zendesk Chat.", epilog=EPILOG, formatter_class=_EXAMPLES)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    _add_sync(
        commands.add_parser("sync", help="load the account into a database", epilog=SYNC_EPILOG, formatter_class=_EXAMPLES)
    )
    _add_profile(
        commands.add_parser(
            "profile", help="what is in a database that sync filled", epilog=PROFILE_EPILOG, formatter_class=_EXAMPLES
        )
    )
    _add_airbyte(commands.add_parser("spec", help="Airbyte: what a configuration looks like"))
    _add_airbyte(commands.add_parser("check", help="Airbyte: can the configuration read the account?"), "config")
    _add_airbyte(commands.add_parser("discover", help="Airbyte: the streams there are"), "config")
    _add_airbyte(commands.add_parser("read", help="Airbyte: the records, as messages on stdout"), "config", "catalog", "state")
    commands.add_parser("sandbox", help="serve a simulated account on this machine; see: sandbox --help")
    return parser


def _add_airbyte(parser: argparse.ArgumentParser, *files: str) -> None:
    for name in files:
        parser.add_argument(f"--{name}", required=name != "state", metavar="FILE", help=f"the {name}, a JSON file")
    parser.add_argument("--debug", action="store_true", help="log every page")
    for name in ("--manifest-path", "--components-path"):  # some versions of Airbyte's tools always give them
        parser.add_argument(name, help=argparse.SUPPRESS)


def _add_sync(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", help="JSON config file (see README); the options below override it")
    parser.add_argument("--subdomain", help="acme for acme.zendesk.com; or set ZENDESK_CHAT_SUBDOMAIN")
    parser.add_argument("--token", help="Chat access token. Prefer ZENDESK_CHAT_TOKEN: other users can see command lines")
    parser.add_argument("--start-date", metavar="DATE", help="skip records before this date (UTC); default: load everything")
    parser.add_argument("--end-date", metavar="DATE", help="stop before this date (UTC); default: load until now")
    _add_streams(parser, "load only these streams; default: all that the account has")
    parser.add_argument("--exclude", metavar="A,B", action="append", help="skip these streams; may be repeated")
    parser.add_argument(
        "--redact",
        metavar="FIELD=ACTION",
        action="append",
        default=[],
        help="drop, null, hash or mask a field before it is loaded; for hash set ZENDESK_CHAT_HASH_KEY; may be repeated",
    )
    parser.add_argument("--to", default="duckdb:///chats.duckdb", metavar="URL", help="destination (default: %(default)s)")
    parser.add_argument("--full-refresh", action="store_true", help="read everything again, and replace the tables")
    parser.add_argument("--api-url", help=argparse.SUPPRESS)


def _add_profile(parser: argparse.ArgumentParser) -> None:
    default = "duckdb:///chats.duckdb"
    what = "a DuckDB file, as a path or as sync's --to names it (default: %(default)s)"
    parser.add_argument("database", nargs="?", default=default, metavar="FILE", help=what)
    _add_streams(parser, "show only these streams, with all of their columns")
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")


def _add_streams(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--streams", metavar="A,B", action="append", help=f"{what}; may be repeated")
