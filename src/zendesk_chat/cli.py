"""The command line: parses arguments, runs a command, and loads only the modules that this command needs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from zendesk_chat._version import __version__
from zendesk_chat.clock import SystemClock
from zendesk_chat.errors import NO_THREAD, ExitCode, cannot_start_thread, needs_packages, one_line, origin
from zendesk_chat.load.arguments import (
    STATUS_EPILOG,
    SYNC_EPILOG,
    VERIFY_EPILOG,
    add_database,
    add_schema,
    add_status,
    add_streams,
    add_sync,
    add_verify,
)
from zendesk_chat.printable import printable
from zendesk_chat.process import StopSignals, keep_pages_in_place, standard_streams
from zendesk_chat.report.arguments import REPORT_EPILOG, add_report

if TYPE_CHECKING:
    from zendesk_chat.airbyte.messages import Writer

AIRBYTE: Final = {  # help and files of Airbyte's commands
    "spec": ("print what a configuration looks like", ()),
    "check": ("check whether the configuration can read the account", ("config",)),
    "discover": ("print the streams", ("config",)),
    "read": ("print the records, as messages on stdout", ("config", "catalog", "state")),
}
EPILOG: Final = """\
examples:
  zendesk-chat sync --subdomain acme --token TOKEN       load everything into chats.duckdb
  zendesk-chat sync --config config.json --streams chats,agents
  zendesk-chat status chats.duckdb                       when it was last loaded, and how complete it is
  zendesk-chat report chats.duckdb --open                the last 30 days as an HTML page, compared with those before
  zendesk-chat verify chats.duckdb                       does it have what the account has?
  zendesk-chat profile chats.duckdb                      fill rates, and differences from the schema
  zendesk-chat check --config config.json                can this token read the account?
  zendesk-chat read --config config.json --catalog catalog.json --state state.json
  zendesk-chat sandbox                                   a simulated account to try all of this on
"""
PROFILE_EPILOG: Final = """\
examples:
  zendesk-chat profile
  zendesk-chat profile acme.duckdb --streams chats,visitors
  zendesk-chat profile acme.duckdb --json

Never prints record contents. Exit codes: 0, 1 the file cannot be read, 2 the arguments are wrong.
"""


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


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands. The parsed options carry the function that runs the command, as ``run``."""
    as_written = argparse.RawDescriptionHelpFormatter
    parser = _Parser(_program(), description="Export everything from Zendesk Chat.", epilog=EPILOG, formatter_class=as_written)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    add = partial(commands.add_parser, formatter_class=as_written)
    add_sync(add("sync", help="load the account into a database", epilog=SYNC_EPILOG), _sync)
    add_status(add("status", help="show how complete and how fresh a DuckDB file is", epilog=STATUS_EPILOG), _status)
    add_report(add("report", help="make an HTML page about the chats in a DuckDB file", epilog=REPORT_EPILOG), _report)
    add_verify(add("verify", help="compare a DuckDB file with the account, on another path", epilog=VERIFY_EPILOG), _verify)
    _add_profile(add("profile", help="describe a database that sync filled", epilog=PROFILE_EPILOG))
    for name, (what, files) in AIRBYTE.items():
        example = " ".join(["zendesk-chat", name, *(f"--{file} {file}.json" for file in files)])
        _add_airbyte(add(name, help=f"Airbyte: {what}", epilog=f"examples:\n  {example}"), name, files)
    commands.add_parser("sandbox", help="serve a simulated account on this machine; see: sandbox --help")
    return parser


def _run(arguments: Sequence[str]) -> int:
    try:
        for argument in arguments:
            argument.encode()
    except UnicodeEncodeError:  # Python puts lone surrogates in place of bytes that are no UTF-8
        sys.stderr.write(f"error: This argument is not valid UTF-8: {argument!a}\n")
        return ExitCode.USAGE
    if arguments[:1] == ["sandbox"]:
        from zendesk_chat_sandbox.cli import main as sandbox

        return sandbox(arguments[1:], f"{_program()} sandbox")
    options = make_parser().parse_args(arguments)
    clock = SystemClock()
    signals = StopSignals(clock.interrupt)
    signals.install()
    return signals.exit_code(options.run(options, clock))


def _program() -> str:
    """Return the command that the user typed. Airbyte's tools call it `source-zendesk-chat`."""
    called = Path(sys.argv[0]).stem
    return called if called == "source-zendesk-chat" else "zendesk-chat"


def _sync(options: argparse.Namespace, clock: SystemClock) -> int:
    if not _has_loader("sync"):
        return ExitCode.ACTION_NEEDED
    keep_pages_in_place()
    from zendesk_chat.load.command import sync

    return sync(options, clock)


def _status(options: argparse.Namespace, clock: SystemClock) -> int:
    if not _has_loader("status"):
        return ExitCode.ACTION_NEEDED
    from zendesk_chat.load.status import run_status

    return run_status(options, clock)


def _report(options: argparse.Namespace, clock: SystemClock) -> int:
    if not _has_loader("report"):
        return ExitCode.ACTION_NEEDED
    from zendesk_chat.report.command import run_report

    return run_report(options, clock)


def _verify(options: argparse.Namespace, clock: SystemClock) -> int:
    if not _has_loader("verify"):
        return ExitCode.ACTION_NEEDED
    from zendesk_chat.load.verify.command import run_verify

    return run_verify(options, clock)


def _profile(options: argparse.Namespace, _clock: SystemClock) -> int:
    if not _has_loader("profile"):
        return ExitCode.ACTION_NEEDED
    from zendesk_chat.load.profile import run_profile

    return run_profile(options)


def _has_loader(command: str) -> bool:
    """Return whether the packages of the extra `load` are installed; if not, print how to install them."""
    from importlib.util import find_spec

    complete = all(find_spec(package) for package in ("duckdb", "jinja2", "pyarrow", "rich"))
    if not complete:
        sys.stderr.write(f"{needs_packages(command)}\n")
    return complete


def _airbyte(options: argparse.Namespace, clock: SystemClock) -> int:
    """Run one of Airbyte's four commands. Standard output holds messages of the protocol only."""
    from zendesk_chat.airbyte.messages import Writer

    debug = options.debug or os.environ.get("LOG_LEVEL", "").lower() in {"debug", "trace"}
    writer = Writer(sys.stdout.buffer, clock, debug=debug)
    try:
        code = _run_airbyte(options, writer, clock)
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


def _run_airbyte(options: argparse.Namespace, writer: Writer, clock: SystemClock) -> int:
    match options.command:
        case "check":
            from zendesk_chat.airbyte.check import check

            return check(writer, clock, options.config)
        case "discover":
            from zendesk_chat.airbyte.discover import discover

            return discover(writer, options.config)
        case "read":
            from zendesk_chat.airbyte.read import read

            keep_pages_in_place()
            return read(writer, clock, options.config, options.catalog, options.state)
    writer.spec()
    return ExitCode.COMPLETE


def _add_airbyte(parser: argparse.ArgumentParser, command: str, files: Sequence[str]) -> None:
    parser.set_defaults(run=_airbyte, command=command)
    for name in files:
        parser.add_argument(f"--{name}", required=name != "state", metavar="FILE", help=f"the {name}, a JSON file")
    parser.add_argument("--debug", action="store_true", help="log every page")
    for name in ("--manifest-path", "--components-path"):  # some versions of Airbyte's tools always give them
        parser.add_argument(name, help=argparse.SUPPRESS)


def _add_profile(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_profile)
    add_database(parser)
    add_schema(parser)
    add_streams(parser, "show only these streams, with all of their columns")
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")
