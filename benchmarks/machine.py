"""The machine and the versions that figures were taken with."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks.programs import CDK_PYTHON

OWN_PACKAGES: Final = ("zendesk-chat", "msgspec", "urllib3", "dlt", "duckdb", "pyarrow")
CDK_PACKAGES: Final = ("airbyte-cdk", "requests", "orjson")


def describe_machine() -> dict[str, str]:
    """Lines of name and value for the report."""
    return describe_hardware() | {
        "`bare`, `read`, `sync`": ", ".join(f"{name} {version(name)}" for name in OWN_PACKAGES),
        "`cdk-declarative`, `cdk-http`": _cdk_versions(),
    }


def describe_hardware() -> dict[str, str]:
    """The same without the versions of packages."""
    processor = _found("/proc/cpuinfo", r"model name\s*: (.*)")
    memory_kb = int(_found("/proc/meminfo", r"MemTotal:\s*(\d+)"))
    system = _found("/etc/os-release", r'PRETTY_NAME="?([^"\n]*)')
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "CPU": f"{len(os.sched_getaffinity(0))} cores, {processor}",
        "memory": f"{memory_kb / 1024**2:.0f} GB",
        "system": f"{system}, Linux {platform.release().partition('-')[0]}",
        "Python": f"{platform.python_version()} ({platform.python_implementation()})",
    }


def _found(file: str, pattern: str) -> str:
    match = re.search(pattern, Path(file).read_text())
    return match[1].strip() if match else "unknown"


def _cdk_versions() -> str:
    code = "import sys; from importlib.metadata import version; print(*(f'{n} {version(n)}' for n in sys.argv[1:]), sep=', ')"
    done = subprocess.run([CDK_PYTHON, "-c", code, *CDK_PACKAGES], check=True, capture_output=True, text=True)
    return done.stdout.strip()
