"""Arguments of the ``report`` command."""

from __future__ import annotations

import argparse
from typing import Final

from zendesk_chat.load.arguments import Run, add_accounts, add_database, add_schema
from zendesk_chat.printable import printable

DEFAULT_DAYS: Final = 30
MAX_DAYS: Final = 3660  # ten years
REPORT: Final = "report.html"
REPORT_OF_ACCOUNT: Final = "report-{account}.html"
REPORT_EPILOG: Final = """\
examples:
  zendesk-chat report
  zendesk-chat report acme.duckdb -o monday.html --days 7
  zendesk-chat report acme.duckdb --days 90 --time-zone Europe/Lisbon --open
  zendesk-chat report acme.duckdb --json
  zendesk-chat report --accounts accounts.toml -o 'reports/{account}.html'

Writes one HTML file, which you can open, send and print without a server or a network. The last day of the report is the last
one that was over at the last complete sync. The report contains no messages, and only countries and chat tags of visitors.

exit codes:
  0  the report is written
  1  the file cannot be read, or the report cannot be written
  2  the arguments are wrong
"""


def add_report(parser: argparse.ArgumentParser, run: Run) -> None:
    """Add the arguments of `report`, which ``run`` runs."""
    parser.set_defaults(run=run)
    add_database(parser)
    add_schema(parser)
    add_accounts(parser, "Write a report for each account in this TOML file, as loaded by sync --accounts")
    what = f"Write the page to this file, or to stdout if it is - (default: {REPORT}; with --accounts {REPORT_OF_ACCOUNT})"
    parser.add_argument("-o", "--output", metavar="FILE", help=what)
    what = "Report on the last N days, compared with the N days before (default: %(default)s)"
    parser.add_argument("--days", metavar="N", type=parse_days, default=DEFAULT_DAYS, help=what)
    what = "Use this time zone for days and hours, such as Europe/Lisbon (default: that of the file)"
    parser.add_argument("--time-zone", metavar="ZONE", help=what)
    parser.add_argument("--open", action="store_true", help="Open the page in the browser")
    parser.add_argument("--json", action="store_true", help="Print the figures as JSON, for scripts, and write no page")


def parse_days(text: str) -> int:
    """Parse a number of days. Raises argparse.ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_DAYS)) and 1 <= int(text) <= MAX_DAYS):
        raise argparse.ArgumentTypeError(f"{printable(text)!r} is not a number of days. Use a number from 1 to {MAX_DAYS}")
    return int(text)
