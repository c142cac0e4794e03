"""The Python that Spark starts for its workers."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def other_python() -> str | None:
    """Return a warning if workers on this machine use another Python than the driver's virtual environment; else None."""
    if "PYSPARK_PYTHON" in os.environ or sys.prefix == sys.base_prefix:
        return None
    found = shutil.which("python3")
    if found is not None and Path(found).parent == Path(sys.executable).parent:
        return None
    return (
        f"Spark's workers run {found or 'python3'}, not {sys.executable}. If zendesk_chat is not installed there, stop "
        f"the driver, run `export PYSPARK_PYTHON={sys.executable}`, and start it again."
    )
