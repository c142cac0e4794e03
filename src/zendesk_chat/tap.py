"""The command line of the Singer tap."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final

from zendesk_chat._version import __version__
from zendesk_chat.clock import SystemClock
from zendesk_chat.errors import ExitCode, one_line
from zendesk_chat.parser import Parser
from zendesk_chat.printable import printable
from zendesk_chat.process import StopSignals, keep_pages_in_place, standard_streams
from zendesk_chat.singer.messages import Writer
from zendesk_chat.singer.read import run_tap

PROGRAM: Final = "tap-zendesk-chat"
USAGE: Final = f"{PROGRAM} --config FILE [--discover | --catalog FILE] [--state FILE]"
PURPOSE: Final = "Write the records of a Zendesk Chat account as messages of Singer."
EPILOG: Final = """\
examples:
  tap-zendesk-chat --config config.json --discover > catalog.json
  tap-zendesk-chat --config config.json --catalog catalog.json --state state.json | target-jsonl
"""
CATALOG: Final = (
    "Read the streams and fields that this catalog selects. Default: all streams, except those extracted from chats"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tap and return its exit code. Any failure becomes one line on standard error, never a traceback."""
    parser = make_parser()
    options = parser.parse_args(argv)
    if options.config is None and not options.discover:
        parser.error("the config is missing. Pass it with --config FILE.")
    clock = SystemClock()
    signals = StopSignals(clock.interrupt, clock.kill)
    signals.install()
    keep_pages_in_place()
    debug = os.environ.get("LOGLEVEL", "").lower() == "debug"
    try:
        with standard_streams():
            return signals.exit_code(run_tap(options, Writer(sys.stdout.buffer, sys.stderr, clock, debug), clock))
    except BrokenPipeError:  # the target has ended, and reports why
        return signals.exit_code(ExitCode.INCOMPLETE)
    except Exception as unexpected:  # noqa: BLE001  a user sees a message, never a traceback
        sys.stderr.write(f"CRITICAL {printable(one_line(unexpected))}\n")
        return ExitCode.INCOMPLETE


def make_parser() -> Parser:
    """Return the parser, with the options of singer-io's taps and their short forms."""
    parser = Parser(prog=PROGRAM, usage=USAGE, description=PURPOSE, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}", help="Show the version and exit")
    parser.add_argument("-c", "--config", metavar="FILE", help="Read the settings from this JSON file")
    parser.add_argument("-d", "--discover", action="store_true", help="Print the catalog of streams and exit")
    parser.add_argument("--catalog", "-p", "--properties", metavar="FILE", help=CATALOG)
    parser.add_argument("-s", "--state", metavar="FILE", help="Resume from the state in this JSON file")
    return parser
