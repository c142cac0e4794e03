"""The files in which the processes of one machine share the requests of an account."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from zendesk_chat.errors import ConfigError
from zendesk_chat.printable import printable
from zendesk_chat.spark.options import Options, named


def quota_file(options: Options, subdomain: str) -> Path:
    """Return the file of an account, in ``quota_folder`` or a directory of this user.

    Raises:
        ConfigError: The directory cannot be created, or the default one is not private.
    """
    if options.quota_folder is not None:
        folder = Path(options.quota_folder)
    else:
        folder = Path(tempfile.gettempdir()) / f"zendesk-chat-quota-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()  # the temporary directory may have a link of another user
    except OSError as error:
        raise ConfigError(f"{named('quota_folder')}: {printable(str(folder))} cannot be used: {error.strerror}.") from None
    if options.quota_folder is None and not _is_private(found):
        raise ConfigError(
            f"{folder} must be a directory of yours that only you can use (mode 700), and no link. Remove it, or set "
            f"{named('quota_folder')} to another directory."
        )
    return folder / f"{subdomain}.sqlite"


def _is_private(found: os.stat_result) -> bool:
    """Return whether a file is a directory of this user that no other user can read or write."""
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
