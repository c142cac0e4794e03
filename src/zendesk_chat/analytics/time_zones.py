"""Names of time zones, as DuckDB knows them: the views use its list, and a machine may have none."""

from __future__ import annotations

from contextlib import closing

import duckdb

from zendesk_chat.errors import ConfigError
from zendesk_chat.printable import LONGEST_NAME, printable
from zendesk_chat.validation import did_you_mean


def check_time_zone(name: str) -> str:
    """Return the name of a time zone as DuckDB writes it: ``Europe/Lisbon`` for ``europe/lisbon``.

    Raises:
        ConfigError: There is no time zone of this name.
    """
    with closing(duckdb.connect()) as connection:
        rows = connection.execute("SELECT name FROM pg_timezone_names() ORDER BY name").fetchall()
    names: list[str] = [known for (known,) in rows]
    zones = {known.lower(): known for known in names}
    if zone := zones.get(name.lower()):
        return zone
    cities = {known.rpartition("/")[2].lower(): known for known in reversed(names) if "/" in known}
    near = did_you_mean(name, cities | zones)
    hint = f"Did you mean {(cities | zones)[near]}?" if near else "Use a name such as Europe/Lisbon."
    raise ConfigError(f"There is no time zone {printable(name, LONGEST_NAME)!r}. {hint}")
