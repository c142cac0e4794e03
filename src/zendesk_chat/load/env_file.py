"""The ``.env`` file in the current directory. Only its ``ZENDESK_CHAT_*`` variables are used: other programs share the file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from zendesk_chat.errors import ConfigError
from zendesk_chat.json_files import read_bytes
from zendesk_chat.load.text_file import UTF_16
from zendesk_chat.settings import PREFIX

NAME: Final = ".env"


def read_env_file(path: Path = Path(NAME)) -> dict[str, str]:
    """Return the variables of this program in a file; none if there is no file. Values are not expanded.

    Raises:
        ConfigError: The file cannot be read, or the line of one of our variables is malformed.
    """
    if not path.is_file():  # `.env` may be a directory with a virtual environment
        return {}
    text = _text(read_bytes(str(path), "config"))
    if PREFIX not in text:
        return {}
    from dotenv.parser import parse_stream  # noqa: PLC0415  few directories have such a file

    found: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error and PREFIX in binding.original.string:
            raise ConfigError(
                f"{path}, line {binding.original.line}: this is not NAME=value. Write the value on the same line, and quote it "
                "if it contains spaces."
            )
        if binding.key and binding.key.startswith(PREFIX):
            if not _is_text(binding.original.string):
                line = binding.original.line
                raise ConfigError(f"{path}, line {line}: the file is not encoded as UTF-8. Save it as UTF-8.")
            found[binding.key] = binding.value or ""
    return found


def _text(data: bytes) -> str:
    """Decode a file. Bytes that are not UTF-8 are kept as surrogates: they may be in a line of another program."""
    encoding = "utf-16" if data.startswith(UTF_16) else "utf-8-sig"
    return data.decode(encoding, "surrogateescape" if encoding == "utf-8-sig" else "replace")


def _is_text(line: str) -> bool:
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return True
