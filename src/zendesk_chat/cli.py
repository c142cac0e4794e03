"""The command line: parses arguments, runs a command, and imports only the modules that this command needs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zendesk_chat._version import __version__
from zendesk_chat.clock import SystemClock
from zendesk_chat.errors import NO_THREAD, ExitCode, cannot_start_thread, needs_packages, one_line, origin
from zendesk_chat.examples import (
    AIRBYTE_EPILOGS,
    CHECK,
    CHECK_EPILOG,
    COMPLETION_EPILOG,
    DESTINATIONS,
    DESTINATIONS_EPILOG,
    EPILOG,
    LOGIN_EPILOG,
    PROFILE_EPILOG,
)
from zendesk_chat.load.arguments import (
    STATUS_EPILOG,
    SYNC_EPILOG,
    VERIFY_EPILOG,
    add_airbyte_options,
    add_check,
    add_database,
    add_destinations,
    add_login,
    add_schema,
    add_status,
    add_streams,
    add_sync,
    add_verify,
)
from zendesk_chat.parser import Parser, add_command
from zendesk_chat.printable import printable
from zendesk_chat.process import SECONDS_TO_END, SECONDS_TO_END_ALL, StopSignals, keep_pages_in_place, standard_streams
from zendesk_chat.report.arguments import REPORT_EPILOG, add_report

if TYPE_CHECKING:
    from zendesk_chat.airbyte.messages import Writer

AIRBYTE_PROGRAM: Final = "source-zendesk-chat"
AIRBYTE: Final = {  # help and files of Airbyte's commands
    "spec": ("print the specification of the config", ()),
    "discover": ("print the catalog of streams", ("config",)),
    "read": ("print records as messages", ("config", "catalog", "state")),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code. Any failure becomes one line on standard error, never a traceback."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        with standard_streams():
            return _run(arguments)
    except BrokenPipeError:  # the reader has closed the pipe, as `| head` does
        return ExitCode.INCOMPLETE
    except Exception as unexpected:  # noqa: BLE001  a user sees a message, never a traceback
        sys.stderr.write(f"error: {printable(one_line(unexpected))}\n")
        return ExitCode.INCOMPLETE


def make_parser() -> Parser:
    """Return the parser of all commands. The parsed options carry the function that runs the command, as ``run``."""
    parser = Parser(prog=_program(), description="Export everything from Zendesk Chat.", epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}", help="Show the version and exit")
    commands = parser.add_subparsers(required=True, metavar="command")
    add = add_command(commands, parser)
    add_login(add("login", help="Sign in with the browser, and store the tokens", epilog=LOGIN_EPILOG), _login)
    add_sync(add("sync", help="Load an account into a database", epilog=SYNC_EPILOG), _sync)
    file = "[options] [FILE]"
    add_status(add("status", usage=file, help="Show how complete and fresh a DuckDB file is", epilog=STATUS_EPILOG), _status)
    add_report(add("report", usage=file, help="Write an HTML report about a DuckDB file", epilog=REPORT_EPILOG), _report)
    add_verify(add("verify", usage=file, help="Compare a DuckDB file with the account", epilog=VERIFY_EPILOG), _verify)
    _add_profile(add("profile", usage=file, help="Show fill rates and column types of a DuckDB file", epilog=PROFILE_EPILOG))
    add_check(add("check", usage=file, help=CHECK, epilog=CHECK_EPILOG), _check)
    streams = add("streams", help="List the streams and what they contain", epilog="examples:\n  zendesk-chat streams --json")
    streams.add_argument("--json", action="store_true", help="Print JSON, for scripts")
    streams.set_defaults(run=_streams)
    add_destinations(
        add("destinations", usage="[options] [NAME]", help=DESTINATIONS, epilog=DESTINATIONS_EPILOG), _destinations
    )
    completion = add("completion", usage="SHELL", help="Print a shell completion script", epilog=COMPLETION_EPILOG)
    completion.add_argument("shell", choices=("bash", "zsh", "fish"), help="Your shell")
    completion.set_defaults(run=_completion)
    for name, (what, files) in AIRBYTE.items():
        _add_airbyte(add(name, help=f"Airbyte: {what}", epilog=AIRBYTE_EPILOGS[name]), name, files)
    add("sandbox", help="Serve a simulated account on this machine; see sandbox --help")
    return parser


def _run(arguments: Sequence[str]) -> int:
    try:
        for argument in arguments:
            argument.encode()
    except UnicodeEncodeError:  # Python decodes bytes that are not UTF-8 as lone surrogates
        sys.stderr.write(f"error: This argument is not valid UTF-8: {argument!a}\n")
        return ExitCode.USAGE
    if arguments[:1] == ["sandbox"]:
        from zendesk_chat_sandbox.cli import main as sandbox

        return sandbox(arguments[1:], f"{_program()} sandbox")
    parser = make_parser()
    if "_ARGCOMPLETE" in os.environ:  # the shell asks what may come next; it passes no arguments
        from zendesk_chat.load.completion import complete

        complete(parser)
    if not arguments:
        parser.print_help(sys.stderr)
        return ExitCode.USAGE  # a script whose command is empty should not seem to succeed
    options = parser.parse(arguments)
    if options.run is _check:
        _check_files(parser.commands["check"], options)
    clock = SystemClock()
    seconds = SECONDS_TO_END_ALL if vars(options).get("accounts") else SECONDS_TO_END
    signals = StopSignals(clock.interrupt, clock.kill, seconds)
    signals.install()
    options.final_exit_code = signals.exit_code
    return signals.exit_code(options.run(options, clock))


def _program() -> str:
    """Return the command that the user typed. Airbyte's tools call it `source-zendesk-chat`."""
    return AIRBYTE_PROGRAM if Path(sys.argv[0]).stem == AIRBYTE_PROGRAM else "zendesk-chat"


def _sync(options: argparse.Namespace, clock: SystemClock) -> int:
    if not _has_loader("sync"):
        return ExitCode.ACTION_NEEDED
    keep_pages_in_place()
    from zendesk_chat.load.command import sync

    return sync(options, clock)


def _login(options: argparse.Namespace, clock: SystemClock) -> int:
    from zendesk_chat.load.login.command import login

    return login(options, clock)


def _check(options: argparse.Namespace, clock: SystemClock) -> int:
    """Check an account: for Airbyte if its tools ask, which call the program by another name, else for people."""
    if options.airbyte or (options.config is not None and _program() == AIRBYTE_PROGRAM):
        return _airbyte(options, clock)
    if not _has_loader("check"):
        return ExitCode.ACTION_NEEDED
    if options.accounts is not None:
        from zendesk_chat.load.accounts.check import run_accounts_check

        return run_accounts_check(options, clock)
    from zendesk_chat.load.check_command import run_check

    return run_check(options, clock)


def _check_files(parser: Parser, options: argparse.Namespace) -> None:
    """Take the file of `check` from either argument. Exits with 2 if it is in both, or in none and Airbyte's tools need it."""
    if options.file is not None and options.config is not None:
        parser.error("FILE and --config name the same thing. Pass only one of them.")
    if options.config is None:
        options.config = options.file
    if options.airbyte and options.accounts is not None:
        parser.error("--airbyte is for one account, but --accounts is for several. Remove one of them.")
    if options.airbyte and options.config is None:
        parser.error("--airbyte needs the config. Pass it with --config FILE.")


def _streams(options: argparse.Namespace, _clock: SystemClock) -> int:
    from zendesk_chat.load.streams_command import run_streams

    return run_streams(options)


def _destinations(options: argparse.Namespace, _clock: SystemClock) -> int:
    from zendesk_chat.load.destinations_command import run_destinations

    return run_destinations(options)


def _completion(options: argparse.Namespace, _clock: SystemClock) -> int:
    if not _has_loader("completion"):
        return ExitCode.ACTION_NEEDED
    from zendesk_chat.load.completion import run_completion

    return run_completion(options)


def _status(options: argparse.Namespace, clock: SystemClock) -> int:
    if not _has_loader("status"):
        return ExitCode.ACTION_NEEDED
    if options.accounts is not None:
        from zendesk_chat.load.accounts.status import run_accounts_status

        return run_accounts_status(options, clock)
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

    complete = all(find_spec(package) for package in ("argcomplete", "dotenv", "duckdb", "jinja2", "pyarrow", "rich"))
    if not complete:
        sys.stderr.write(f"{needs_packages(command)}\n")
    return complete


def _airbyte(options: argparse.Namespace, clock: SystemClock) -> int:
    """Run one of Airbyte's four commands. Standard output contains only messages of the protocol."""
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
        parser.add_argument(f"--{name}", required=name != "state", metavar="FILE", help=f"Read the {name} from this JSON file")
    add_airbyte_options(parser)


def _add_profile(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_profile)
    add_database(parser)
    add_schema(parser)
    add_streams(parser, "Show only these streams, with all of their columns (repeatable)")
    parser.add_argument("--json", action="store_true", help="Print JSON, for scripts")
