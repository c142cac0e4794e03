"""Arguments that several commands share, and those of the commands that read a DuckDB file."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final, TypeAlias

from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.settings import DEFAULT_DATABASE

Run: TypeAlias = Callable[..., int]
"""Runs a command, given its options and a clock. Returns the exit code."""

API_URL: Final = "another server with this API, such as the sandbox; or ZENDESK_CHAT_API_URL"
AGE_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}  # seconds
LONGEST_AGE: Final = 9  # digits
LARGEST_NUMBER: Final = 10**15
LONGEST_WAIT: Final = 31_536_000  # seconds: a year
SAMPLE: Final = 500  # chats that `verify` compares: ten requests
SYNC_EPILOG: Final = """\
examples:
  zendesk-chat sync                                                   with a configuration: see below
  zendesk-chat sync --subdomain acme --token TOKEN
  ZENDESK_CHAT_SUBDOMAIN=acme ZENDESK_CHAT_TOKEN=... zendesk-chat sync --start-date 2026-01-01
  zendesk-chat sync --config config.json --streams chats,agents --to acme.duckdb
  zendesk-chat sync --config config.json --exclude triggers,shortcuts
  zendesk-chat sync --config config.json --full-refresh
  zendesk-chat sync --config config.json --schema acme --wait 60      one of several accounts in a file
  zendesk-chat sync --start-date 2025-01-01 --end-date 2026-01-01     exactly one calendar year
  zendesk-chat sync --redact chats.history.*.msg=mask --redact chats.visitor.email=null
  zendesk-chat sync --accounts accounts.toml                          several accounts, side by side

Each stream is a table. A second run loads only what is new or changed, and an interrupted one resumes. DuckDB files also get
reporting views, for example analytics.chats_by_day. Your own tables and views in the file stay.

configuration, the strongest first: options; --config FILE; ZENDESK_CHAT_* variables; .env and zendesk-chat.toml in the
current directory; the file that `zendesk-chat login` stores. docs/configuration.md lists all settings.

exit codes:
  0    every stream is complete
  1    some stream is incomplete; run again later
  2    the arguments or the configuration are wrong
  3    a person must act first: token, role, account, destination
  130  or 129, 143: interrupted; what was loaded stays, and the next run resumes
"""
LOGIN_PORT: Final = 8790
LAST_PORT: Final = 65_535
STATUS_EPILOG: Final = """\
examples:
  zendesk-chat status
  zendesk-chat status acme.duckdb --max-age 2h        for a monitor: only the exit code counts
  zendesk-chat status acme.duckdb --json
  zendesk-chat status --accounts accounts.toml --max-age 2h

exit codes:
  0  the last run completed each of its streams, not longer ago than --max-age
  1  it did not; or the file does not exist, holds no sync, or is open in another program
  2  the arguments are wrong
"""
VERIFY_EPILOG: Final = """\
examples:
  zendesk-chat verify --config config.json
  ZENDESK_CHAT_SUBDOMAIN=acme ZENDESK_CHAT_TOKEN=... zendesk-chat verify acme.duckdb --sample 2000
  zendesk-chat verify acme.duckdb --config config.json --repair
  zendesk-chat verify acme.duckdb --config config.json --all --json

Give the same redaction rules as to sync. Never prints record contents: only names of fields, and keys.

exit codes:
  0    no difference
  1    there are differences, or something could not be compared now
  2    the arguments or the configuration are wrong
  3    a person must act first: token, role, another account in the file, the file does not exist
  130  or 143: interrupted
"""


def add_account(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which account is read, and how its records are redacted."""
    parser.add_argument("--config", metavar="FILE", type=parse_path, help="JSON or TOML file; the options below override it")
    parser.add_argument("--subdomain", help="acme for acme.zendesk.com; or ZENDESK_CHAT_SUBDOMAIN")
    parser.add_argument("--token", help="Chat access token. Prefer ZENDESK_CHAT_TOKEN or _TOKEN_FILE: others see command lines")
    parser.add_argument(
        "--redact",
        metavar="FIELD=ACTION",
        action="append",
        default=[],
        help="drop, null, hash or mask a field before it is loaded; for hash set ZENDESK_CHAT_HASH_KEY; may be repeated",
    )
    parser.add_argument("--api-url", metavar="URL", help=API_URL)


def add_logging(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what is logged, and where."""
    group = parser.add_argument_group("log")
    level = group.add_mutually_exclusive_group()
    level.add_argument("--quiet", action="store_true", help="print warnings and errors only; nothing if all goes well")
    level.add_argument("--verbose", action="store_true", help="log each request and page, and where each setting comes from")
    what = "text, or json: one object a line on stderr (default: text)"
    group.add_argument("--log-format", choices=("text", "json"), default="text", help=what)
    group.add_argument("--log-file", metavar="FILE", type=parse_path, help="append the log to this file too")


def add_database(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names a DuckDB file."""
    what = f"a DuckDB file: a path, or a URL as for sync --to (default: the configured `to`, or {DEFAULT_DATABASE})"
    parser.add_argument("database", nargs="?", metavar="FILE", help=what)


def add_schema(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names the schema of an account."""
    what = "the schema of the account's tables, as given to sync (default: the configured `schema`, or main)"
    parser.add_argument("--schema", metavar="NAME", help=what)


def add_streams(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the argument that selects streams; ``what`` describes it."""
    parser.add_argument("--streams", metavar="A,B", action="append", help=f"{what}; may be repeated")


def add_check(parser: argparse.ArgumentParser, run: Run) -> None:
    """Add the arguments of `check`, which ``run`` runs."""
    parser.set_defaults(run=run, command="check", start_date=None, end_date=None, redact=[])
    parser.add_argument("file", nargs="?", metavar="FILE", help="a JSON or TOML file; default: the configuration of sync")
    parser.add_argument("--subdomain", help="acme for acme.zendesk.com; or ZENDESK_CHAT_SUBDOMAIN")
    parser.add_argument("--token", help="Chat access token; or ZENDESK_CHAT_TOKEN, which nobody else sees")
    parser.add_argument("--api-url", metavar="URL", help=API_URL)
    parser.add_argument("--config", metavar="FILE", help="Airbyte: the config, a JSON file; prints messages of its protocol")
    add_airbyte_options(parser)


def add_airbyte_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that all of Airbyte's commands have."""
    parser.add_argument("--debug", action="store_true", help="Airbyte: log every page")
    for name in ("--manifest-path", "--components-path"):  # some versions of Airbyte's tools always give them
        parser.add_argument(name, help=argparse.SUPPRESS)


def add_accounts(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the arguments that name several accounts; ``what`` describes them."""
    parser.add_argument("--accounts", metavar="FILE", type=parse_path, help=what)
    parser.add_argument("--only", metavar="A,B", action="append", help="with --accounts: only these accounts; may be repeated")


def add_sync(parser: argparse.ArgumentParser, run: Run) -> None:
    """Add the arguments of `sync`, which ``run`` runs."""
    parser.set_defaults(run=run)
    add_account(parser)
    parser.add_argument("--start-date", metavar="DATE", help="skip records before this date (UTC); default: load everything")
    parser.add_argument("--end-date", metavar="DATE", help="stop before this date (UTC); default: load until now")
    add_streams(parser, "load only these streams; default: all that the account has")
    parser.add_argument("--exclude", metavar="A,B", action="append", help="skip these streams; may be repeated")
    what = f"a DuckDB file, or the URL of another database (default: {DEFAULT_DATABASE})"
    parser.add_argument("--to", metavar="FILE", help=what)
    what = "schema of the tables, for several accounts in one file (default: main; in other databases zendesk_chat)"
    parser.add_argument("--schema", metavar="NAME", help=what)
    what = "read everything again; each table changes when it is complete"
    parser.add_argument("--full-refresh", action="store_true", help=what)
    what = "time zone of days and hours in the views, such as Europe/Lisbon; the file keeps it (default: UTC)"
    parser.add_argument("--time-zone", metavar="ZONE", help=what)
    what = "how long to wait while another program has the file open (default: 0)"
    parser.add_argument("--wait", metavar="SECONDS", type=parse_seconds, help=what)
    what = "former subdomain of the account in the file, if it was renamed; needed once"
    parser.add_argument("--renamed-from", metavar="SUBDOMAIN", help=what)
    add_accounts(parser, "load the accounts in this TOML file, side by side: docs/schedule.md describes it")
    what = "write metrics of the run to this file, for node_exporter's textfile collector (Prometheus)"
    parser.add_argument("--metrics-file", metavar="FILE", type=parse_path, help=what)
    add_logging(parser)


def add_login(parser: argparse.ArgumentParser, run: Run) -> None:
    """Add the arguments of `login`, which ``run`` runs."""
    parser.set_defaults(run=run)
    parser.add_argument("--subdomain", help="acme for acme.zendesk.com; or set ZENDESK_CHAT_SUBDOMAIN")
    parser.add_argument("--client-id", metavar="ID", help="of an API client of the account; or set ZENDESK_CHAT_CLIENT_ID")
    what = "port of the redirect URL http://localhost:PORT, which the API client must have (default: %(default)s)"
    parser.add_argument("--port", type=parse_port, default=LOGIN_PORT, help=what)
    what = "where to store the configuration (default: config.json in your own configuration directory)"
    parser.add_argument("--config", metavar="FILE", type=parse_path, help=what)
    parser.add_argument("--no-browser", action="store_true", help="print the address, and read the answer that you paste")
    what = "code needs the client's secret, implicit does not, and its token cannot be renewed (default: code if there is one)"
    parser.add_argument("--grant", choices=("code", "implicit"), help=what)
    parser.add_argument("--api-url", metavar="URL", help="another server, such as the sandbox; or set ZENDESK_CHAT_API_URL")


def parse_path(text: str) -> str:
    """Return the path in an option; it is empty if a script's variable is not set. Raises argparse.ArgumentTypeError."""
    if not text:
        raise argparse.ArgumentTypeError("missing. Name a file, or remove the option.")
    return text


def parse_port(text: str) -> int:
    """Parse a port; 0 is any free one. Raises argparse.ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and int(text) <= LAST_PORT):
        raise argparse.ArgumentTypeError(f"{printable(text)!r} is not a port. Give a number from 1 to {LAST_PORT}.")
    return int(text)


def add_status(parser: argparse.ArgumentParser, run: Run) -> None:
    """Add the arguments of `status`, which ``run`` runs."""
    parser.set_defaults(run=run)
    add_database(parser)
    add_schema(parser)
    add_accounts(parser, "show all accounts in this TOML file, which sync --accounts has loaded")
    what = "fail if a stream was last complete longer ago than this: 90s, 30m, 2h, 1d"
    parser.add_argument("--max-age", metavar="AGE", type=parse_age, help=what)
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")


def add_verify(parser: argparse.ArgumentParser, run: Run) -> None:
    """Add the arguments of `verify`, which ``run`` runs."""
    parser.set_defaults(run=run, start_date=None, end_date=None)  # which only `sync` has
    add_database(parser)
    add_schema(parser)
    add_account(parser)
    what = "compare so many chats, chosen at random (default: %(default)s)"
    parser.add_argument("--sample", metavar="N", type=_positive, default=SAMPLE, help=what)
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="choose others with another number (default: 0)")
    parser.add_argument("--all", action="store_true", help="compare all chats: a request for each 40 of them")
    parser.add_argument("--repair", action="store_true", help="read again what is missing or different, and write it")
    what = "with --repair: how long to wait while another program has the file open (default: 0)"
    parser.add_argument("--wait", metavar="SECONDS", type=parse_seconds, help=what)
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")
    add_logging(parser)


def _positive(text: str) -> int:
    """Parse a positive whole number. Raises argparse.ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < LARGEST_NUMBER):
        raise argparse.ArgumentTypeError(f"{printable(text, LONGEST_NAME)!r} is not a number; give 1 or more")
    return int(text)


def parse_age(text: str) -> int:
    """Parse a length of time such as 90s, 30m, 2h or 1d into seconds. Raises argparse.ArgumentTypeError."""
    number, unit = text.strip()[:-1], text.strip()[-1:]
    if unit not in AGE_UNITS or not (number.isascii() and number.isdecimal() and len(number) <= LONGEST_AGE):
        raise argparse.ArgumentTypeError(
            f"{printable(text, LONGEST_NAME)!r}: write a number and a unit, as in 90s, 30m, 2h or 1d"
        )
    return int(number) * AGE_UNITS[unit]


def parse_seconds(text: str) -> float:
    """Parse a duration in seconds. Raises argparse.ArgumentTypeError."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_WAIT:
        raise argparse.ArgumentTypeError(
            f"{printable(text, LONGEST_NAME)!r} is not a number of seconds; give 0 or more, such as 60"
        )
    return seconds
