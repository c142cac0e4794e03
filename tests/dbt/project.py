"""A project of a user that depends on the package, and what dbt does in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

PACKAGE: Final = Path(__file__).parents[2] / "dbt"
MODELS: Final = "warehouse_zendesk_chat"
"""The schema of the models: that of the target, and the package's own."""

PROFILES: Final = """\
warehouse:
  target: duckdb
  outputs:
    duckdb:
      type: duckdb
      path: "{{ env_var('WAREHOUSE') }}"
      schema: warehouse
      threads: 2
    postgres:
      type: postgres
      host: 127.0.0.1
      port: "{{ env_var('WAREHOUSE_PORT', '0') | int }}"
      dbname: "{{ env_var('WAREHOUSE') }}"
      user: postgres
      password: secret
      schema: warehouse
      threads: 2
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A command of dbt that has ended."""

    code: int
    output: str

    @property
    def warnings(self) -> list[str]:
        """The warnings of the package, each once."""
        return sorted(set(re.findall(r"\bThe table .*", self.output)))


@dataclass(frozen=True, slots=True)
class Project:
    """A project of dbt in a folder.

    Attributes:
        executable: The command ``dbt``.
        variables: The variables that the project sets.
    """

    executable: str
    folder: Path
    variables: Mapping[str, Any] = field(default_factory=dict)

    def run(self, *arguments: str, warehouse: str = "none", port: int = 0, check: bool = True) -> Run:
        """Run a command of dbt on a DuckDB file, or on a database of Postgres if there is a port."""
        target = "postgres" if port else "duckdb"
        environment = {
            **os.environ,
            "WAREHOUSE": warehouse,
            "WAREHOUSE_PORT": str(port),
            "DBT_PROFILES_DIR": str(self.folder),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DBT_USE_COLORS": "false",
            "DBT_LOG_FORMAT": "text",
        }
        command = [self.executable, "--no-version-check", *arguments]
        if arguments[0] != "deps":
            # What dbt has parsed is valid for one target.
            command += ["--target", target, "--target-path", f"target-{target}", "--vars", json.dumps(dict(self.variables))]
        done = subprocess.run(
            command, check=False, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0 or not check, done.stdout[-6000:] + done.stderr
        return Run(done.returncode, done.stdout)


def create_project(executable: str, folder: Path, package: Mapping[str, str], settings: str = "", **variables: Any) -> Project:
    """Create a project that has the package, and install it. ``settings`` are added to dbt_project.yml."""
    folder.mkdir()
    (folder / "profiles.yml").write_text(PROFILES)
    (folder / "packages.yml").write_text(json.dumps({"packages": [dict(package)]}))
    (folder / "dbt_project.yml").write_text(f"name: warehouse\nversion: '1.0'\nprofile: warehouse\n{settings}")
    project = Project(executable, folder, {"zendesk_chat_schema": "main", **variables})
    project.run("deps")
    return project
