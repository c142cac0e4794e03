"""SQL Server through dlt, with JSON in strings: only SQL Server 2025 and Azure have a type for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dlt.common.destination import Destination
from dlt.destinations.impl.mssql.factory import MsSqlTypeMapper

if TYPE_CHECKING:
    from dlt.common.destination import TDestinationReferenceArg


class Types(MsSqlTypeMapper):
    """dlt's types, except JSON."""

    sct_to_unbound_dbt = MsSqlTypeMapper.sct_to_unbound_dbt | {"json": "nvarchar(max)"}


def mssql(**options: Any) -> TDestinationReferenceArg:  # noqa: ANN401  dlt's options
    """Return dlt's destination, with our types."""
    return Destination.from_reference("mssql", type_mapper=Types, **options)
