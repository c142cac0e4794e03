"""The URL of a destination that dlt loads: its parts, and a sentence for each mistake. No message shows a URL."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from zendesk_chat.errors import ConfigError
from zendesk_chat.load.warehouse.drivers import STORAGE_SECRETS
from zendesk_chat.load.warehouse.kinds import FORMATS, SCHEMES, STORAGES, Kind, kind_of
from zendesk_chat.printable import LONGEST_NAME, printable

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
"""Of a URL. One letter is a drive of Windows."""
WITHOUT_SLASHES: Final = frozenset({"motherduck", "md", "ducklake"})
_PATHS: Final = frozenset({"file", "sqlite", "ducklake"})
"""Their URLs contain a path, in which a space is possible."""
STAGING: Final = "_staging"
"""The end of the name of dlt's schema for new rows, before they are merged."""
LONGEST_DATASET: Final = 63 - len(STAGING)
"""Bytes. Postgres would cut off longer names."""
_NAME: Final = re.compile(r"[\w-]+")
_WILDCARD: Final = re.compile(r"[*?\[\]]")
"""What a pattern of file names gives a meaning to. No format can write to such a path and find its files again."""
_ENCODED: Final = "In a user name or a password, write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23 and % as %25"


@dataclass(frozen=True, slots=True)
class Address:
    """What a URL names.

    Attributes:
        kind: Of the destination.
        scheme: In lower case.
        url: With the scheme in lower case. It may contain a password.
        parts: Of the URL.
        query: The parameters of the URL.
        dataset: The schema of the tables in the URL; "" if the URL names none.
    """

    kind: Kind
    scheme: str
    url: str = field(repr=False)
    parts: SplitResult = field(repr=False)
    query: Mapping[str, str] = field(repr=False)
    dataset: str = ""

    @property
    def shown(self) -> str:
        """What messages call the destination. It contains no password."""
        path = self.parts.path
        if self.scheme in STORAGES:
            host = self.parts.netloc if self.scheme == "abfss" else self.parts.netloc.rpartition("@")[2]
            return f"the {'folder' if self.scheme == 'file' else 'bucket'} {self.scheme}://{host}{path}"
        if self.scheme == "sqlite":
            return f"the SQLite file {path.removeprefix('/')}"
        if self.scheme == "ducklake":
            return "the DuckLake" if self.parts.netloc else f"the DuckLake {path}"
        host, name = self.parts.hostname or self.query.get("host", ""), path.strip("/")
        if self.scheme in WITHOUT_SLASHES:  # motherduck:DATABASE
            return f"the MotherDuck database {printable(name or self.parts.netloc, LONGEST_NAME)}"
        of = f"the {_database_of(self.kind)} {printable(name, LONGEST_NAME)} on " if name else ""
        return f"{of}{printable(host, LONGEST_NAME)}"


def scheme_of(text: str) -> str:
    """Return the scheme of a URL, in lower case; "" for a path.

    >>> scheme_of("Postgres://acme@localhost/chats"), scheme_of("md:chats"), scheme_of(r"C:/data/chats.duckdb")
    ('postgres', 'md', '')
    """
    found = _SCHEME.match(text)
    scheme = found[1].lower() if found else ""
    return scheme if scheme in SCHEMES or "://" in text[: len(scheme) + 3] else ""


def nearest_scheme(scheme: str) -> str:
    """Return the scheme that the user may have meant; "" if none is similar."""
    plain = scheme.partition("+")[0]  # of SQLAlchemy: postgresql+psycopg2
    known = sorted(SCHEMES | {"duckdb"})
    return plain if plain in known else next(iter(difflib.get_close_matches(plain, known, n=1)), "")


def parse_address(text: str, schema: str | None = None, name: str = "--to", schema_name: str = "--schema") -> Address:
    """Parse the URL of a destination whose scheme is in ``SCHEMES``.

    Args:
        text: The URL.
        schema: The schema that the user names beside the URL.
        name: What the user calls the URL, for messages.
        schema_name: What the user calls the schema.

    Raises:
        ConfigError: Something is missing or wrong.
    """
    scheme = scheme_of(text)
    rest = text[len(scheme) + 1 :]
    if not rest.startswith("//") and scheme not in WITHOUT_SLASHES:
        raise _mistake(name, scheme, f"write two slashes after {scheme}:")
    if scheme not in _PATHS and any(character.isspace() for character in text):
        raise _mistake(name, scheme, "the URL contains a space. Remove it, or write %20 in its place")
    try:
        parts = urlsplit(rest if rest.startswith("//") else f"//{rest}" if scheme not in _PATHS else rest)
        query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        _ = parts.port
    except ValueError:
        raise _mistake(name, scheme, f"the host or the port is not valid. {_ENCODED}") from None
    kind = _kind(scheme, query, name)
    address = Address(kind, scheme, f"{scheme}:{rest}", parts, query, _dataset(kind, parts))
    _check_parts(address, name)
    if kind.in_url:
        _check_dataset(address, schema, name, schema_name)
    if schema is not None and kind.name == "sqlite":
        raise ConfigError(f"{schema_name}: an SQLite file has no schemas. Remove it, and use a file for each account.")
    if schema is not None:
        check_dataset_name(schema, schema_name)
    return address


def check_dataset_name(dataset: str, name: str) -> None:
    """Check the name of a schema, which the user calls ``name``. It is used exactly as it is. Raises ConfigError."""
    shown = printable(dataset, LONGEST_NAME)
    if dataset.lower().endswith(STAGING):
        raise ConfigError(f"{name} {shown}: `sync` uses names that end with {STAGING} for its own tables. Choose another name.")
    if not _NAME.fullmatch(dataset) or len(dataset.encode()) > LONGEST_DATASET:
        other = re.sub(r"[^\w-]+", "_", dataset)[:LONGEST_DATASET].strip("_") or "acme"
        raise ConfigError(
            f"{name} {shown}: use letters, digits, _ and -, and at most {LONGEST_DATASET} characters, such as {other}."
        )


def _kind(scheme: str, query: Mapping[str, str], name: str) -> Kind:
    table_format = query.get("format", "")
    if "schema" in query:
        raise _mistake(name, scheme, "the URL cannot name a schema. Name it with --schema, and remove ?schema=")
    if scheme not in STORAGES:
        if "format" in query:
            raise _mistake(name, scheme, "?format= is for files, such as file:///data/chats?format=delta. Remove it")
        return kind_of(scheme)
    if "format" in query and table_format not in FORMATS:
        shown = printable(table_format, LONGEST_NAME)
        raise _mistake(name, scheme, f"?format={shown} is unknown. Use one of {', '.join(FORMATS)}")
    if unknown := sorted(query.keys() - {"format"} - ({"endpoint_url", "region"} if scheme == "s3" else set())):
        shown = printable(unknown[0], LONGEST_NAME)
        raise _mistake(
            name, scheme, f"the parameter {shown} is unknown. Use ?format=, and for s3 also endpoint_url= and region="
        )
    return kind_of(scheme, table_format)


def _dataset(kind: Kind, parts: SplitResult) -> str:
    return parts.path.strip("/") if kind.in_url else ""


def _check_parts(address: Address, name: str) -> None:
    if address.parts.fragment:
        raise _mistake(name, address.scheme, f"the URL contains #. {_ENCODED}")
    if mistake := _mistake_in(address) or _mistake_in_storage(address):
        raise _mistake(name, address.scheme, mistake)


def _mistake_in(address: Address) -> str:
    """Return what is wrong with the parts of a URL; "" if nothing is."""
    host, path = address.parts.netloc, address.parts.path.strip("/")
    match address.scheme:
        case "file":
            return "write the absolute path of a folder after three slashes" if host or not path else ""
        case "sqlite":
            return "write the path of a file after three slashes" if host or not path else ""
        case "ducklake":
            return "" if path else "the URL names no file"
        case "motherduck" | "md":
            return "" if host or path else "the URL names no database"
        case scheme if scheme in STORAGES:
            return "" if host else "the URL names no bucket"
    return _mistake_in_server(address, path)


def _database_of(kind: Kind) -> str:
    return {"bigquery": "dataset", "databricks": "catalog"}.get(kind.name, "database")


def _mistake_in_storage(address: Address) -> str:
    """Return what the URL of a folder or a bucket must not contain; "" if it is all right or the URL is another one."""
    if address.scheme not in STORAGES:
        return ""
    parts, secrets = address.parts, STORAGE_SECRETS.get(STORAGES[address.scheme])
    if secrets and (parts.password is not None or ("@" in parts.netloc and address.scheme != "abfss")):
        return f"the URL contains keys. Remove what is before the @, and set {secrets[0]}"
    if found := _WILDCARD.search(unquote(address.parts.path)):
        return f"the path contains {found[0]}. Choose a path without *, ?, [ and ]"
    return ""


def _mistake_in_server(address: Address, database: str) -> str:
    """Return the same for a database on a server: SCHEME://USER:PASSWORD@HOST:PORT/DATABASE."""
    parts, kind = address.parts, address.kind
    if parts.netloc.count("@") > 1 or "@" in database:
        return f"the URL contains more than one @, or a / before it. {_ENCODED}"
    if not parts.hostname and "host" not in address.query:
        return f"the URL names no {'project' if kind.name == 'bigquery' else 'host'}"
    if parts.password == "":
        return "the password is empty. Remove the colon before the @, and set the password elsewhere"
    if "/" in database:
        return "the URL has more than one name after the host. Name the schema with --schema"
    if not database and not kind.in_url:
        return f"the URL names no {_database_of(kind)}"
    return ""


def _check_dataset(address: Address, schema: str | None, name: str, schema_name: str) -> None:
    """Check the schema in a URL, beside which nothing else may name one."""
    what = _database_of(address.kind)
    if address.dataset and schema is not None:
        raise ConfigError(f"{name} names the {what} {printable(address.dataset, LONGEST_NAME)} already. Remove {schema_name}.")
    if address.dataset:
        check_dataset_name(address.dataset, name)
    elif schema is None:
        raise _mistake(name, address.scheme, f"the URL names no {what}")


def _mistake(name: str, scheme: str, what: str) -> ConfigError:
    return ConfigError(f"{name}: {what}. Example: {example_of(scheme)}.")


def example_of(scheme: str) -> str:
    """Return an example of a URL with this scheme.

    >>> example_of("mariadb"), example_of("gs")
    ('mariadb://USER@HOST/DATABASE', 'gs://BUCKET/PREFIX')
    """
    if scheme in STORAGES:
        return "file:///data/chats" if scheme == "file" else f"{scheme}://BUCKET/PREFIX"
    return scheme + kind_of(scheme).example.removeprefix(kind_of(scheme).schemes[0])
