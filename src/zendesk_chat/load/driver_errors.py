"""What the errors of the drivers of MySQL, MariaDB and SQLite mean for a user. No sentence quotes a row or a password."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from zendesk_chat.load.sqlstates import Meaning

_AGAIN: Final = "Records already committed are kept. Run the sync again"
_RIGHTS: Final = "Grant the user all rights on the database and on the one with _staging after its name"
_WIDEN: Final = "Change its type, or drop the table: the next sync loads it again from the start"
_BROKEN: Final = Meaning(f"the connection to the server broke. {_AGAIN}", needs_person=False)
_FULL: Final = Meaning("there is no space left on the disk of the server. Records already committed are kept")
_NUMBERS: Final = {  # of MySQL and MariaDB
    1021: _FULL,
    1114: _FULL,
    1040: Meaning(f"the server has no connection left. {_AGAIN}", needs_person=False),
    1264: Meaning(f"{{where}} is too narrow for a value. {_WIDEN}"),
    1406: Meaning(f"{{where}} is too narrow for a value. {_WIDEN}"),
    1366: Meaning(f"{{where}} has another type or character set than its values. {_WIDEN}"),
    1203: Meaning(f"the user has no connection left. {_AGAIN}", needs_person=False),
    1044: Meaning(f"{{message}}. {_RIGHTS}"),
    1045: Meaning("{message}. Check the user and the password"),
    1698: Meaning("{message}. Check the user and the password"),
    1049: Meaning("{message}. Create it, or check the URL"),
    1142: Meaning(f"{{message}}. {_RIGHTS}"),
    1143: Meaning(f"{{message}}. {_RIGHTS}"),
    1205: Meaning(f"another program locks a table. {_AGAIN}", needs_person=False),
    1213: Meaning(f"another program locks a table. {_AGAIN}", needs_person=False),
    1227: Meaning("{message}. Ask the administrator of the server"),
    1290: Meaning("{message}. Connect to a server that you may write to"),
    1792: Meaning("{message}. Connect to a server that you may write to"),
    1836: Meaning("{message}. Connect to a server that you may write to"),
    1153: Meaning("a row is longer than the server accepts. Raise max_allowed_packet on the server"),
    1158: _BROKEN,
    1160: _BROKEN,
    1161: _BROKEN,
    1053: _BROKEN,
    1927: _BROKEN,
    2003: Meaning("{message}. Check the host and the port, and that the server is running", needs_person=False),
    2005: Meaning("{message}. Check the host in the URL"),
    2006: _BROKEN,
    2013: _BROKEN,
    2055: _BROKEN,
}
_PHRASES: Final = (  # of SQLite
    ("database is locked", Meaning("another program uses the file. Close it there and try again", needs_person=False)),
    ("database table is locked", Meaning("another program uses the file. Close it there and try again", needs_person=False)),
    ("file is not a database", Meaning("the file is not an SQLite database")),
    ("malformed", Meaning("the file is damaged. Restore it from a copy, or load into another file")),
    ("unable to open", Meaning("the file or its directory does not exist, or you may not write there")),
    ("readonly", Meaning("you may not write into the file or its directory")),
    ("disk is full", Meaning("there is no space left on the disk. Records already committed are kept")),
    ("disk i/o error", Meaning("the disk refused to read or write. Is it full, or removed?")),
    ("too big", Meaning("a value is longer than SQLite accepts, which is a billion bytes")),
)
_COLUMN: Final = re.compile(r"for column '?(\S+?)'? at row ")
_OF_PROGRAM: Final = re.compile(r" \(\[Errno -?\d+\] [^)]*\)$")


def table_of(cause: BaseException) -> str | None:
    """Return the table that one of dlt's errors concerns; a load job is named TABLE.ID.TRY.FORMAT."""
    job = getattr(cause, "job_id", None)
    name = getattr(cause, "table_name", None) or (job.partition(".")[0] if isinstance(job, str) else None)
    return name if isinstance(name, str) else None


def meaning_of_driver(causes: Sequence[BaseException]) -> Meaning | None:
    """Return what the first error of a driver in a chain means; None if there is none, or its meaning is unknown."""
    table = next(filter(None, map(table_of, causes)), None)
    for cause in causes:
        match type(cause).__module__.partition(".")[0]:
            case "pymysql":
                return _of_mysql(cause, table)
            case "sqlite3":
                text = str(cause).lower()
                return next((meaning for phrase, meaning in _PHRASES if phrase in text), None)
    return None


def _of_mysql(error: BaseException, table: str | None) -> Meaning:
    number, message = error.args if len(error.args) == 2 else (0, "")  # noqa: PLR2004  its number and the message
    if str(message).startswith("Lost connection") or number == 0:
        return _BROKEN
    found = _NUMBERS.get(number)
    if found is None:  # the message may quote a row
        return Meaning(f"the server refused a statement with its error {number}", needs_person=False)
    shown = _OF_PROGRAM.sub("", str(message)).rstrip(".")
    return Meaning(found.text.format(message=shown, where=_where(str(message), table)), found.needs_person)


def _where(message: str, table: str | None) -> str:
    """Return which column a message concerns, without the value that it may quote."""
    column = _COLUMN.search(message)
    names = [
        f"the column {column[1].rpartition('.')[2].strip('`')}" if column else "a column",
        *([f"the table {table}"] if table else []),
    ]
    return " of ".join(names)
