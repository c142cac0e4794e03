"""Names of time zones are checked against DuckDB's list, and a name that is nearly one is answered with it."""

from __future__ import annotations

import pytest

from zendesk_chat.analytics.time_zones import check_time_zone
from zendesk_chat.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Europe/Lisbon", "Europe/Lisbon"),
        ("europe/lisbon", "Europe/Lisbon"),
        ("utc", "UTC"),
        ("America/St_Johns", "America/St_Johns"),
    ],
)
def test_a_name_as_duckdb_writes_it(name: str, zone: str) -> None:
    assert check_time_zone(name) == zone


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Europe/Lisboa", "Did you mean Europe/Lisbon?"),
        ("Lisbon", "Did you mean Europe/Lisbon?"),
        ("new york", "Did you mean America/New_York?"),
        ("Eurpe/Berlin", "Did you mean Europe/Berlin?"),
        ("+01:00", "Use a name such as Europe/Lisbon."),
        ("", "Use a name such as Europe/Lisbon."),
    ],
)
def test_no_time_zone(name: str, hint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        check_time_zone(name)
    assert str(raised.value) == f"There is no time zone '{name}'. {hint}"


def test_a_long_name_with_control_characters_is_cut_and_escaped() -> None:
    with pytest.raises(ConfigError) as raised:
        check_time_zone("\x1b[31m" + "x" * 10_000)
    assert "\x1b" not in str(raised.value)
    assert len(str(raised.value)) < 400
