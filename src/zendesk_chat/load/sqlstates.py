"""What the errors of Postgres, Redshift and their driver mean for a user. No sentence quotes a row or a password."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error means.

    Attributes:
        text: One or more sentences without the last period. ``{message}`` is the server's own message.
        needs_person: Whether no retry can succeed before somebody has changed something.
    """

    text: str
    needs_person: bool = True


_AGAIN: Final = "Records already committed are kept. Run the sync again"
_BROKEN: Final = Meaning(f"the connection to the server broke. {_AGAIN}", needs_person=False)
_BUSY: Final = Meaning(f"the server has no connection left: {{message}}. {_AGAIN}", needs_person=False)
_STARTING: Final = Meaning("{message}. Try again when it is running", needs_person=False)
_CHANGED: Final = Meaning(
    f"a table or a column disappeared during the sync: {{message}}. {_AGAIN}, which creates it again", needs_person=False
)
_OTHER_TYPE: Final = Meaning(
    "a column of a table has another type than the stream. Drop the table, and run the sync again to load it from the start"
)

_DEPENDENT: Final = Meaning("{message}. {detail}. Drop the object that depends on it, run the sync again, and create it again")
_ENCODING: Final = Meaning(
    "the encoding of the database is not UTF8, so it cannot store every string. Create a database with ENCODING 'UTF8', and "
    "load into that"
)
_MALFORMED: Final = Meaning(  # the driver's own message may quote a part of the password
    "the URL is malformed. Encode special characters of the user and the password, such as % as %25, and check the parameters"
)

_CODES: Final = {  # by SQLSTATE, or its class
    "0A000": _DEPENDENT,
    "2BP01": _DEPENDENT,
    "22": _OTHER_TYPE,
    "22001": Meaning("{message}. Give the column its former type again: text"),
    "22021": _ENCODING,
    "22P05": _ENCODING,
    "23": Meaning("the constraint {constraint} of the table {table} refuses a row. Drop the constraint"),
    "23502": Meaning("the column {column} of the table {table} refuses null. Remove its NOT NULL, or give it a default"),
    "23505": Meaning(
        "the constraint {constraint} of the table {table} refuses a second row with the same key. Run the sync again. If the "
        "constraint is your own, drop it",
        needs_person=False,
    ),
    "25006": Meaning("it is read-only. Connect to the primary server, with a user who may write"),
    "40": Meaning(f"{{message}}. {_AGAIN}", needs_person=False),
    "42501": Meaning("{message}. Grant the user this permission, or connect as the owner of the tables"),
    "42804": _OTHER_TYPE,
    "42939": Meaning("{message}. Choose another name with --schema"),
    "42809": Meaning("{message}. Rename it, or load into another schema with --schema"),
    "42703": _CHANGED,
    "42P01": _CHANGED,
    "3F000": _CHANGED,
    "53100": Meaning("there is no space left on the disk of the server. Records already committed are kept"),
    "53200": Meaning(f"the server ran out of memory. {_AGAIN}", needs_person=False),
    "53300": _BUSY,
    "53400": Meaning("{message}. Raise the limit of the server"),
    "54": Meaning("{message}. If it is your own index, drop it, or create one of another kind"),
    "55": Meaning(f"{{message}}. {_AGAIN}", needs_person=False),
    "57014": Meaning("{message}. Raise the limit for the user: ALTER ROLE ... SET statement_timeout = 0"),
    "57": _BROKEN,
    "58": Meaning("the server cannot read or write its files: {message}"),
    "08": _BROKEN,
}
_MESSAGES: Final = (  # by a phrase of the driver, in lower case, for errors without a code; the first one wins
    ("percent-encoded", _MALFORMED),
    ("separator", _MALFORMED),
    ("forbidden value", _MALFORMED),
    ("password authentication failed", Meaning("{message}. Check the user and the password")),
    ("no password supplied", Meaning("the server expects a password, and the URL has none. Add it, or set PGPASSWORD")),
    ("no encryption", Meaning("the server accepts only encrypted connections from this user. Add ?sslmode=require to the URL")),
    ("does not support ssl", Meaning("the server offers no TLS, which sslmode in the URL requires")),
    ("certificate", Meaning("{message}. Name the certificate to trust with ?sslrootcert=FILE in the URL")),
    ("no pg_hba.conf entry", Meaning("the server does not accept this user from this host. Ask its administrator")),
    ("temporary failure in name resolution", Meaning("{message}", needs_person=False)),
    ("could not translate host name", Meaning("{message}. Check the host in the URL")),
    (
        "connection refused",
        Meaning("{message}. Check the host and the port, and that the server is running", needs_person=False),
    ),
    ("is the server running locally", Meaning("{message}. Check that the server is running", needs_person=False)),
    ("does not exist", Meaning("{message}. Check the URL")),
    ("too many", _BUSY),
    ("connection slots", _BUSY),
    ("the database system is", _STARTING),
    ("timeout expired", Meaning("the server does not respond. Check the host and the port", needs_person=False)),
    ("timed out", Meaning("the server does not respond. Check the host and the port", needs_person=False)),
    ("invalid uri query parameter", Meaning("the parameter {message} in the URL is unknown. Correct or remove it")),
    ("invalid", _MALFORMED),
    ("connection", _BROKEN),
    ("permission denied", Meaning("{message}")),
)
_CONNECTING: Final = re.compile(r'^connection to server (?:at "[^"]*"(?: \([^)]*\))?, port \d+|on socket "[^"]*") failed: ')
_SEVERITY: Final = re.compile(r"^(?:[A-Z]+|[^\s:]+): +")
_OF_URL: Final = re.compile(r"^invalid dsn: (?:invalid URI query parameter: )?")
_QUOTED: Final = frozenset({"0A", "2B", "25", "40", "42", "53", "54", "55", "57", "58", "08"})
"""Classes of errors whose message contains names, and no data."""


def meaning_of(causes: Iterable[BaseException]) -> Meaning | None:
    """Return what the first error of the driver in a chain means; None if there is none, or its meaning is unknown."""
    for cause in causes:
        if type(cause).__module__.partition(".")[0] == "psycopg2":
            return _with_code(cause) if getattr(cause, "pgcode", None) else _without_code(str(cause))
    return None


def _with_code(error: BaseException) -> Meaning | None:
    code: str = getattr(error, "pgcode", "")
    found = _CODES.get(code) or _CODES.get(code[:2])
    if found is None:
        return None
    if code == "57014" and "statement timeout" not in str(error):
        found = _CODES["55"]
    diagnostics: Any = getattr(error, "diag", None)
    quotes_no_data = code[:2] in _QUOTED or code == "22001"
    message = str(getattr(diagnostics, "message_primary", None) or "") if quotes_no_data else ""
    details = {
        "message": message.rstrip("."),
        "detail": str(getattr(diagnostics, "message_detail", None) or "").rstrip("."),
        "constraint": getattr(diagnostics, "constraint_name", None) or "",
        "table": getattr(diagnostics, "table_name", None) or "",
        "column": getattr(diagnostics, "column_name", None) or "",
    }
    return Meaning(found.text.format(**details), found.needs_person)


def _without_code(text: str) -> Meaning | None:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    message = _OF_URL.sub("", _SEVERITY.sub("", _CONNECTING.sub("", lines[0]))) if lines else ""
    lower = text.lower()
    found = next((meaning for phrase, meaning in _MESSAGES if phrase in lower), None)
    if found is None:
        return None
    if message.lower() in ("connection refused", "no such file or directory"):  # without the address, they say too little
        message = lines[0].replace(" failed: Connection refused", " was refused")
    return Meaning(found.text.format(message=message.rstrip(".?")), found.needs_person)
