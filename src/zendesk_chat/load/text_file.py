"""Text files that people write by hand, also on Windows: with a byte-order mark, or in UTF-16."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Final

from zendesk_chat.errors import ConfigError
from zendesk_chat.json_files import read_bytes

UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path, what: str = "config") -> str:
    """Return the content of a file. ``what`` is its purpose, for messages.

    Raises:
        ConfigError: The file cannot be read, or is not text.
    """
    data = read_bytes(str(path), what)
    try:
        return data.decode("utf-16" if data.startswith(UTF_16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}, line {line}: the file is not encoded as UTF-8. Save it as UTF-8.") from None
