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
        ConfigError: The directory cannot be created, or another user could write to it.
    """
    if options.quota_folder is not None:
        folder = Path(options.quota_folder)
    else:
        folder = Path(tempfile.gettempdir()) / f"zendesk-chat-quota-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.stat()
    except OSError as error:
        raise ConfigError(f"{named('quota_folder')}: {printable(str(folder))} cannot be used: {error.strerror}.") from None
    if options.quota_folder is None and (found.st_uid != os.getuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
        raise ConfigError(
            f"Another user can write to {folder}. Remove it, or set {named('quota_folder')} to another directory."
        )
    return folder / f"{subdomain}.sqlite"
