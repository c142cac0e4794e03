"""Arguments that several commands share, and those of the commands that read a DuckDB file."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final, TypeAlias

from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.settings import DEFAULT_DATABASE

Run: TypeAlias = Callable[..., int]
"""Runs a command, given its options and a clock. Returns the exit code."""

ACCOUNT: Final = "acme for acme.zendesk.com (env: ZENDESK_CHAT_SUBDOMAIN)"
API_URL: Final = "Use another server with this API, such as the sandbox (env: ZENDESK_CHAT_API_URL)"
TOKEN: Final = "Use this Chat access token. Prefer ZENDESK_CHAT_TOKEN: other users can see command lines"  # noqa: S105  a help text
AGE_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}  # seconds
LONGEST_AGE: Final = 9  # digits
LARGEST_NUMBER: Final = 10**15
LONGEST_WAIT: Final = 31_536_000  # seconds: a year
SAMPLE: Final = 500  # chats that `verify` compares: ten requests
SYNC_EPILOG: Final = """\
examples:
  zendesk-chat sync                                                   use the configuration: see below
  zendesk-chat sync --subdomain acme --token TOKEN
  ZENDESK_CHAT_SUBDOMAIN=acme ZENDESK_CHAT_TOKEN=... zendesk-chat sync --start-date 2026-01-01
  zendesk-chat sync --config config.json --streams chats,agents --to acme.duckdb
  zendesk-chat sync --config config.json --exclude triggers,shortcuts
  zendesk-chat sync --config config.json --full-refresh
  zendesk-chat sync --config config.json --schema acme --wait 60      one of several accounts in a file
  zendesk-chat sync --to postgres://loader@db.example.com/support     see: zendesk-chat destinations
  zendesk-chat sync --start-date 2025-01-01 --end-date 2026-01-01     exactly one calendar year
  zendesk-chat sync --redact chats.history.msg=mask --redact chats.visitor.email=null
  zendesk-chat sync --accounts accounts.toml                          several accounts at once

Each stream is a table. A second run loads only what is new or changed, and an interrupted one resumes. DuckDB files also get
reporting views, for example analytics.chats_by_day. Your own tables and views in the file are kept.

configuration, strongest first: options; --config FILE; ZENDESK_CHAT_* variables; .env and zendesk-chat.toml in the current
directory; the file that `zendesk-chat login` stores. docs/configuration.md lists all settings.

exit codes:
  0    every stream is complete
  1    some stream is incomplete; run again later
  2    the arguments or the configuration are wrong
  3    you must fix something first: token, role, account, destination
  130  or 129, 143: interrupted; loaded records are kept, and the next run resumes
"""
LOGIN_PORT: Final = 8790
LAST_PORT: Final = 65_535
STATUS_EPILOG: Final = """\
examples:
  zendesk-chat status
  zendesk-chat status acme.duckdb --max-age 2h        for monitoring: check the exit code
  zendesk-chat status acme.duckdb --json
  zendesk-chat status --accounts accounts.toml --max-age 2h

exit codes:
  0  the last run completed each of its streams, within --max-age
  1  it did not; or the file does not exist, contains no synced data, or is open in another program
  2  the arguments are wrong
"""
VERIFY_EPILOG: Final = """\
examples:
  zendesk-chat verify --config config.json
  ZENDESK_CHAT_SUBDOMAIN=acme ZENDESK_CHAT_TOKEN=... zendesk-chat verify acme.duckdb --sample 2000
  zendesk-chat verify acme.duckdb --config config.json --repair
  zendesk-chat verify acme.duckdb --config config.json --all --json

Pass the same redaction rules as to sync. Prints only field names and keys, never record contents.

exit codes:
  0    no difference
  1    there are differences, or something could not be compared
  2    the arguments or the configuration are wrong
  3    you must fix something first: token, role, another account in the file, the file does not exist
  130  or 143: interrupted
"""


def add_account(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that select the account."""
    group = parser.add_argument_group("account")
    what = "Read the configuration from this JSON or TOML file; other options override it"
    group.add_argument("--config", metavar="FILE", type=parse_path, help=what)
    group.add_argument("--subdomain", metavar="NAME", help=f"Read this account: {ACCOUNT}")
    group.add_argument("--token", help=TOKEN)
    group.add_argument("--api-url", metavar="URL", help=API_URL)


def add_redact(parser: argparse._ActionsContainer) -> None:
    """Add the argument that redacts fields."""
    what = "Drop, null, hash or mask this field before it is loaded (repeatable). Hashing needs ZENDESK_CHAT_HASH_KEY"
    parser.add_argument("--redact", metavar="FIELD=ACTION", action="append", default=[], help=what)


def add_logging(parser: argparse.ArgumentParser, title: str = "log") -> argparse._ArgumentGroup:
    """Add the arguments that configure the log. Returns their group."""
    group = parser.add_argument_group(title)
    level = group.add_mutually_exclusive_group()
    level.add_argument("--quiet", action="store_true", help="Print only warnings and errors, and nothing if all goes well")
    level.add_argument("--verbose", action="store_true", help="Log each request and page, and where each setting comes from")
    what = "Log text, or JSON with one object per line, on stderr (default: text)"
    group.add_argument("--log-format", choices=("text", "json"), default="text", help=what)
    group.add_argument("--log-file", metavar="FILE", type=parse_path, help="Also append the log to this file")
    return group


def add_database(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names a DuckDB file."""
    what = f"Path of a DuckDB file, or duckdb:///PATH (default: `to` in the configuration, or {DEFAULT_DATABASE})"
    parser.add_argument("database", nargs="?", metavar="FILE", help=what)


def add_schema(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names the schema of an account."""
    what = "Read the tables in this schema, as passed to sync (default: `schema` in the configuration, or main)"
    parser.add_argument("--schema", metavar="NAME", help=what)


def add_streams(parser: argparse._ActionsContainer, what: str) -> None:
    """Add the argument that selects streams; ``what`` describes it."""
    parser.add_argument("--streams", metavar="A,B", action="append", help=what)


def add_check(parser: argparse.ArgumentParser, run: Run) -> None:
    """Add the arguments of `check`, which ``run`` runs."""
    parser.set_defaults(
        run=run, command="check", start_date=None, end_date=None, redact=[], full_refresh=False, renamed_from=None
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="JSON or TOML file (default: the configuration of sync)")
    parser.add_argument("--subdomain", metavar="NAME", help=f"Check this account: {ACCOUNT}")
    parser.add_argument("--token", help=TOKEN)
    parser.add_argument("--api-url", metavar="URL", help=API_URL)
    parser.add_argument("--config", metavar="FILE", help="The same as FILE")
    add_accounts(parser, "Check all accounts in this TOML file, as loaded by sync --accounts")
    what = "Airbyte: print protocol messages; needs --config. source-zendesk-chat check --config always prints them"
    parser.add_argument("--airbyte", action="store_true", help=what)
    add_airbyte_options(parser)


def add_airbyte_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that all of Airbyte's commands have."""
    parser.add_argument("--debug", action="store_true", help="Airbyte: log every page")
    for name in ("--manifest-path", "--components-path"):  # some versions of Airbyte's tools always pass them
        parser.add_argument(name, help=argparse.SUPPRESS)


def add_accounts(parser: argparse._ActionsContainer, what: str) -> None:
    """Add the arguments that name several accounts; ``what`` describes them."""
    parser.add_argument("--accounts", metavar="FILE", type=parse_path, help=what)
    what = "With --accounts, select only these accounts (repeatable)"
    parser.add_argument("--only", metavar="A,B", action="append", help=what)


def add_sync(parser: argparse.ArgumentParser, run: Run) -> None:
    """Add the arguments of `sync`, which ``run`` runs."""
    parser.set_defaults(run=run)
    add_account(parser)
    _add_selection(parser.add_argument_group("what to load"))
    _add_destination(parser.add_argument_group("where to load it"))
    accounts = parser.add_argument_group("several accounts")
    add_accounts(accounts, "Load the accounts in this TOML file at the same time; see docs/schedule.md")
    what = "Write metrics of the run to this file, for Prometheus (node_exporter's textfile collector)"
    add_logging(parser, "log and metrics").add_argument("--metrics-file", metavar="FILE", type=parse_path, help=what)


def _add_selection(group: argparse._ActionsContainer) -> None:
    add_streams(group, "Load only these streams (repeatable; default: all that the account has)")
    group.add_argument("--exclude", metavar="A,B", action="append", help="Skip these streams (repeatable)")
    what = "Skip records before this date, in UTC (default: load everything)"
    group.add_argument("--start-date", metavar="DATE", help=what)
    group.add_argument("--end-date", metavar="DATE", help="Stop before this date, in UTC (default: load until now)")
    what = "Read everything again; each table changes when it is complete"
    group.add_argument("--full-refresh", action="store_true", help=what)
    add_redact(group)


def _add_destination(group: argparse._ActionsContainer) -> None:
    what = f"Load into this DuckDB file, or into the destination at this URL; see `destinations` (default: {DEFAULT_DATABASE})"
    group.add_argument("--to", metavar="FILE|URL", help=what)
    what = "Use this schema, for several accounts in one file or database (default: main in a DuckDB file, or zendesk_chat)"
    group.add_argument("--schema", metavar="NAME", help=what)
    what = "Use this time zone in the views, such as Europe/Lisbon; the file remembers it (default: UTC)"
    group.add_argument("--time-zone", metavar="ZONE", help=what)
    what = "Wait this long while another program has the file open, or another sync uses the schema (default: 0)"
    group.add_argument("--wait", metavar="SECONDS", type=parse_seconds, help=what)
    what = "Accept this former subdomain in the file, after the account was renamed; needed once"
    group.add_argument("--renamed-from", metavar="SUBDOMAIN", help=what)


def add_login(parser: argparse.ArgumentParser, run: Run) -> None:
    """Add the arguments of `login`, which ``run`` runs."""
    parser.set_defaults(run=run)
    parser.add_argument("--subdomain", metavar="NAME", help=f"Sign in to this account: {ACCOUNT}")
    what = "Use the API client with this client ID (env: ZENDESK_CHAT_CLIENT_ID)"
    parser.add_argument("--client-id", metavar="ID", help=what)
    what = "Use this port in the API client's redirect URL, http://localhost:PORT (default: %(default)s)"
    parser.add_argument("--port", type=parse_port, default=LOGIN_PORT, help=what)
    what = "Store the configuration in this file (default: config.json in your configuration directory)"
    parser.add_argument("--config", metavar="FILE", type=parse_path, help=what)
    parser.add_argument("--no-browser", action="store_true", help="Print the address to open, and read what you paste")
    what = "Use code, which needs the client secret, or implicit, whose token cannot be renewed (default: code with a secret)"
    parser.add_argument("--grant", choices=("code", "implicit"), help=what)
    parser.add_argument("--api-url", metavar="URL", help=API_URL)


def parse_path(text: str) -> str:
    """Return the path in an option; it is empty if a script's variable is not set. Raises argparse.ArgumentTypeError."""
    if not text:
        raise argparse.ArgumentTypeError("missing. Name a file, or remove the option.")
    return text


def parse_port(text: str) -> int:
    """Parse a port; 0 is any free one. Raises argparse.ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and int(text) <= LAST_PORT):
        raise argparse.ArgumentTypeError(f"{printable(text)!r} is not a port. Use a number from 1 to {LAST_PORT}.")
    return int(text)


def add_status(parser: argparse.ArgumentParser, run: Run) -> None:
    """Add the arguments of `status`, which ``run`` runs."""
    parser.set_defaults(run=run)
    add_database(parser)
    add_schema(parser)
    add_accounts(parser, "Show all accounts in this TOML file, as loaded by sync --accounts")
    what = "Fail if a stream was last complete longer ago than this, such as 90s, 30m, 2h or 1d"
    parser.add_argument("--max-age", metavar="AGE", type=parse_age, help=what)
    parser.add_argument("--json", action="store_true", help="Print JSON, for scripts")


def add_verify(parser: argparse.ArgumentParser, run: Run) -> None:
    """Add the arguments of `verify`, which ``run`` runs."""
    parser.set_defaults(run=run, start_date=None, end_date=None)  # which only `sync` has
    add_database(parser)
    add_schema(parser)
    add_account(parser)
    add_redact(parser)
    what = "Compare this many chats, chosen at random (default: %(default)s)"
    parser.add_argument("--sample", metavar="N", type=_positive, default=SAMPLE, help=what)
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="Choose other chats with another number (default: 0)")
    parser.add_argument("--all", action="store_true", help="Compare all chats, with one request for each 40 of them")
    parser.add_argument("--repair", action="store_true", help="Read missing and different records again, and store them")
    what = "With --repair, wait this long while another program has the file open (default: 0)"
    parser.add_argument("--wait", metavar="SECONDS", type=parse_seconds, help=what)
    parser.add_argument("--json", action="store_true", help="Print JSON, for scripts")
    add_logging(parser)


def add_destinations(parser: argparse.ArgumentParser, run: Run) -> None:
    """Add the arguments of `destinations`, which ``run`` runs."""
    parser.set_defaults(run=run)
    what = "Show everything about this one: a name in the table, such as postgres or 'SQL Server', or a URL's scheme"
    parser.add_argument("name", metavar="NAME", nargs="?", help=what)
    parser.add_argument("--json", action="store_true", help="Print JSON, for scripts")


def _positive(text: str) -> int:
    """Parse a positive whole number. Raises argparse.ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < LARGEST_NUMBER):
        raise argparse.ArgumentTypeError(f"{printable(text, LONGEST_NAME)!r} is not a number. Use 1 or more")
    return int(text)


def parse_age(text: str) -> int:
    """Parse a length of time such as 90s, 30m, 2h or 1d into seconds. Raises argparse.ArgumentTypeError."""
    number, unit = text.strip()[:-1], text.strip()[-1:]
    if unit not in AGE_UNITS or not (number.isascii() and number.isdecimal() and len(number) <= LONGEST_AGE):
        raise argparse.ArgumentTypeError(
            f"{printable(text, LONGEST_NAME)!r} is not a length of time. Use a number and a unit, such as 90s, 30m, 2h or 1d"
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
            f"{printable(text, LONGEST_NAME)!r} is not a number of seconds. Use 0 or more, such as 60"
        )
    return seconds
