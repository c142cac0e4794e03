"""Files that are no regular files: opening some of them would wait for another program, perhaps for ever."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Final

_OPEN_ALREADY: Final = re.compile(r"/dev/(?:stdin|stdout|stderr|fd/\d+)|/proc/self/fd/\d+")


def blocking_kind(path: str | Path) -> str | None:
    """Return what is at a path, if opening it could wait for another program; None if not.

    Pipes that are open already do not wait, such as ``/dev/fd/63``, which the shell writes for ``<(pass show zendesk)``.
    """
    if _OPEN_ALREADY.fullmatch(str(path)):
        return None
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):  # missing, or not a path: opening it reports that
        return None
    return "a named pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else None


def is_skipped(path: Path) -> bool:
    """Return whether a file that is used without being named cannot be: a pipe, a device, a link to itself or to nothing."""
    try:
        return (path.is_symlink() or path.exists()) and not (path.is_file() or path.is_dir())
    except OSError:
        return False
