"""ClickHouse through dlt: tables whose keys may be null, and lists that replace the earlier ones at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from dlt.common.destination.typing import PreparedTableSchema
from dlt.destinations.impl.clickhouse.clickhouse import ClickHouseClient
from dlt.destinations.impl.clickhouse.factory import clickhouse as dlt_clickhouse

if TYPE_CHECKING:
    from dlt.common.destination import TDestinationReferenceArg

_SETTINGS: Final = "x-clickhouse-settings"
"""dlt's hint for the settings of a table."""
_PORTS: Final = {True: (9440, 8443), False: (9000, 8123)}
"""The usual ports of the native protocol and of HTTP, with and without TLS."""


class NullableKeys(ClickHouseClient):
    """dlt's client. A key that does not fit its column is null, as in all destinations."""

    def prepare_load_table(self, table_name: str) -> PreparedTableSchema:
        """Permit nulls in the sorting key."""
        table = cast("dict[str, object]", super().prepare_load_table(table_name))
        return cast("PreparedTableSchema", table | {_SETTINGS: {"allow_nullable_key": True}})


class clickhouse(dlt_clickhouse):  # noqa: N801  dlt derives the destination's name from it
    """dlt's destination, with our client."""

    @property
    def client_class(self) -> type[ClickHouseClient]:
        """The class of the client."""
        return NullableKeys


def clickhouse_of(credentials: str, **options: Any) -> TDestinationReferenceArg:  # noqa: ANN401  dlt's options
    """Return dlt's destination for clickhouse://USER:PASSWORD@HOST:PORT/DATABASE.

    ``?secure=0`` connects without TLS, and ``?http_port=`` names the port of HTTP, over which dlt sends the rows.
    """
    # There are no transactions. This strategy exchanges a table with one that is complete, in one statement.
    return clickhouse(credentials=_parts(credentials), **options | {"replace_strategy": "staging-optimized"})


def _parts(url: str) -> dict[str, object]:
    """Return what a URL contains. dlt looks up the rest."""
    parts = urlsplit(url)
    query: dict[str, str] = dict(parse_qsl(parts.query))
    secure = query.pop("secure", "1") != "0"
    native, http = _PORTS[secure]
    found = {
        "host": parts.hostname,
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": unquote(parts.path.strip("/")),
    }
    present: dict[str, object] = {name: value for name, value in found.items() if value}
    return present | {
        "port": parts.port or native,
        "http_port": int(query.pop("http_port", http)),
        "secure": int(secure),
        "query": query,
    }
