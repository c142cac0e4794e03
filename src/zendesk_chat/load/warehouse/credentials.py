"""What dlt's destinations take of a URL. They look up the credentials that it does not contain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlencode

from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.exceptions import SystemConfigurationException

from zendesk_chat.errors import DestinationRefusedError
from zendesk_chat.load.failures import error_chain
from zendesk_chat.load.warehouse.address import Address
from zendesk_chat.load.warehouse.drivers import secrets_of

if TYPE_CHECKING:
    from dlt.destinations.impl.ducklake.configuration import DuckLakeCredentials
    from dlt.destinations.impl.redshift.configuration import RedshiftCredentials

_SQLITE: Final = (".sqlite", ".sqlite3")
_DATA: Final = "data"
"""The parameter of a DuckLake's URL that names the folder of its files."""


def credentials_of(address: Address) -> object:
    """Return the credentials in a URL; None if all of them are looked up."""
    match address.kind.name:
        case "redshift":
            return _redshift(address)
        case "bigquery":
            return None
        case "databricks":
            return _databricks(address)
        case "motherduck":
            database = unquote(address.parts.netloc or address.parts.path.strip("/"))
            return f"md:///{database}?{urlencode(address.query)}"
        case "ducklake":
            return _ducklake(address)
    return address.url


def options_of(address: Address) -> dict[str, object]:
    """Return other options of dlt's destination that a URL names."""
    if address.kind.name != "bigquery":
        return {}
    options = {"project_id": address.parts.netloc, "location": address.query.get("location")}
    return {name: value for name, value in options.items() if value}


@contextmanager
def naming_missing(address: Address) -> Iterator[None]:
    """Convert errors about missing credentials, and about a driver that cannot be loaded, to ones that say what to do."""
    kind = address.kind
    try:
        yield
    except Exception as error:
        causes = list(error_chain(error))
        unusable = next((cause for cause in causes if isinstance(cause, ImportError | SystemConfigurationException)), None)
        if unusable:
            line = str(unusable).strip().splitlines()[0].rstrip(". ")
            raise DestinationRefusedError(f"The driver of {kind.title} cannot be used: {line}.") from error
        if any(isinstance(cause, ConfigurationException) for cause in causes):
            raise DestinationRefusedError(
                f"The credentials of {address.shown} are missing or incomplete. {_advice(address)}"
                f"To show other ways, run: zendesk-chat destinations {kind.name}"
            ) from None  # dlt's message quotes values
        raise


def _advice(address: Address) -> str:
    secrets = secrets_of(address.kind, address.scheme)
    return f"Set {secrets[0]}. " if secrets else ""


def _redshift(address: Address) -> RedshiftCredentials:
    """Return credentials that may be incomplete: libpq looks for the rest in PGPASSWORD, ~/.pgpass and others."""
    from dlt.common.configuration import resolve_configuration
    from dlt.destinations.impl.redshift.configuration import RedshiftCredentials

    url = "postgresql" + address.url.removeprefix(address.scheme)  # libpq does not know redshift://
    sections = ("destination", "redshift")
    found = resolve_configuration(RedshiftCredentials(), sections=sections, explicit_value=url, accept_partial=True)
    if not found.is_resolved():
        found.resolve()
    return found


def _databricks(address: Address) -> dict[str, str]:
    """Return the parts of databricks://token:TOKEN@HOST/CATALOG?http_path=PATH, or of ID:SECRET of a service principal."""
    user, password = unquote(address.parts.username or ""), unquote(address.parts.password or "")
    found = {
        "server_hostname": address.parts.hostname,
        "catalog": unquote(address.parts.path.strip("/")),
        "http_path": address.query.get("http_path"),
        "access_token": password if user == "token" else None,
        "client_id": user if user != "token" else None,
        "client_secret": password if user != "token" else None,
    }
    return {name: value for name, value in found.items() if value}


def _ducklake(address: Address) -> DuckLakeCredentials:
    """Return a catalog and the folder of its files: next to the catalog, unless ``?data=`` names another one."""
    from dlt.destinations.impl.ducklake.configuration import DuckLakeCredentials

    catalog = address.url.removeprefix("ducklake:").partition("?")[0]
    data = address.query.get(_DATA)
    if "://" not in catalog:
        path = Path(unquote(catalog.removeprefix("//"))).expanduser().absolute()
        scheme = "sqlite" if path.suffix in _SQLITE else "duckdb"
        catalog, data = f"{scheme}:///{path}", data or f"{path}.files"
    return DuckLakeCredentials(catalog=catalog, **({"storage": data} if data else {}))
