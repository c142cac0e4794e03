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

Writes one HTML file, which you can open, send and print without a server or a network. The days end with the last one that was
over at the last complete sync. It contains no messages, and of visitors only their countries and the tags of their chats.

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
    add_accounts(parser, "write a report for each account in this TOML file, which sync --accounts has loaded")
    what = f"where to write the page; - writes to stdout (default: {REPORT}; with --accounts {REPORT_OF_ACCOUNT})"
    parser.add_argument("-o", "--output", metavar="FILE", help=what)
    what = "how many days, compared with as many before (default: %(default)s)"
    parser.add_argument("--days", metavar="N", type=parse_days, default=DEFAULT_DAYS, help=what)
    what = "time zone of days and hours, such as Europe/Lisbon (default: that of the file)"
    parser.add_argument("--time-zone", metavar="ZONE", help=what)
    parser.add_argument("--open", action="store_true", help="show the page in the browser")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON, for scripts; write no page")


def parse_days(text: str) -> int:
    """Parse a number of days. Raises argparse.ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_DAYS)) and 1 <= int(text) <= MAX_DAYS):
        raise argparse.ArgumentTypeError(f"{printable(text)!r}: give a number of days from 1 to {MAX_DAYS}")
    return int(text)
