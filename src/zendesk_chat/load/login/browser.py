"""The browser of this machine, if it has one."""

from __future__ import annotations

import webbrowser
from collections.abc import Mapping


def has_browser(platform: str, environment: Mapping[str, str]) -> bool:
    """Return whether a browser can be shown to the person: not over SSH without a display, nor in a container.

    Terminal browsers do not count: they would take the terminal, and the sign-in page of Zendesk needs a graphical one.
    """
    if environment.get("BROWSER"):  # editors that are connected to another machine also set it
        return True
    display = bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
    if platform in {"win32", "darwin"}:
        return not environment.get("SSH_CONNECTION")
    return display or "WSL_DISTRO_NAME" in environment


def open_browser(address: str) -> bool:
    """Open a page in the browser. Returns whether one could be started."""
    try:
        return webbrowser.open(address)
    except (webbrowser.Error, OSError):
        return False
