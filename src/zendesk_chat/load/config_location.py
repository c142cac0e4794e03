"""Where `login` stores the configuration, and where the other commands look for one when you name none."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FOLDER: Final = "zendesk-chat"
FILE: Final = "config.json"


def default_config() -> Path | None:
    """Return the path of your own configuration file, whether it exists or not; None if you have no home directory."""
    try:
        home = Path.home()
    except RuntimeError:  # a container's user without an entry in the system's files
        home = None
    return config_path(sys.platform, os.environ, home)


def config_path(platform: str, environment: Mapping[str, str], home: Path | None) -> Path | None:
    """Return the path on a platform. Each has its own directory for configurations.

    >>> config_path("linux", {}, Path("/home/ana"))
    PosixPath('/home/ana/.config/zendesk-chat/config.json')
    """
    chosen = environment.get("APPDATA" if platform == "win32" else "XDG_CONFIG_HOME", "")
    if chosen and (platform == "win32" or Path(chosen).is_absolute()):  # XDG ignores relative paths
        return Path(chosen) / FOLDER / FILE
    usual = {"win32": "AppData/Roaming", "darwin": "Library/Application Support"}.get(platform, ".config")
    return None if home is None else home / usual / FOLDER / FILE
