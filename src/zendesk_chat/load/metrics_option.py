"""The option ``--metrics-file``. Most runs do not have it, and do not load Prometheus' library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zendesk_chat.load.metrics_file import MetricsFile


def checked_metrics_file(path: str | None) -> MetricsFile | None:
    """Return the file of ``--metrics-file``, which can be written; None without this option. Raises ConfigError."""
    if path is None:
        return None
    from zendesk_chat.load.metrics_file import MetricsFile  # noqa: PLC0415  most runs have no such file

    file = MetricsFile(Path(path))
    file.check()
    return file
