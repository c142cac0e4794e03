"""dlt as in a program of a user, except that it sends and logs nothing."""

from __future__ import annotations

import pytest
from dlt.common.runtime import run_context, telemetry

SETTINGS = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "CRITICAL", "LOAD__WORKERS": "1"}


def quieten(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    """Set the environment, and start dlt's runtime again: it started with its own settings when it was imported."""
    for name, value in {**SETTINGS, **settings}.items():
        monkeypatch.setenv(name, value)
    telemetry.stop_telemetry()
    run_context.active().initialize_runtime()
