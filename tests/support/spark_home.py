"""A home directory for Spark. Local clusters write the logs of their executors into it, and not into the package."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path


def spark_environment(folder: Path) -> dict[str, str]:
    """Create a home in a folder, with all of pyspark in it, and return the variables for a driver that uses it."""
    spec = find_spec("pyspark")
    package = Path((spec and spec.origin) or "").parent
    (home := folder / "spark-home").mkdir()
    for entry in package.iterdir():
        if entry.name != "work":
            (home / entry.name).symlink_to(entry)
    return {"SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}


def executor_logs(folder: Path) -> Path:
    """Return where the executors write their logs."""
    return folder / "spark-home" / "work"
