"""The ``.env`` file in the current directory. Only its ``ZENDESK_CHAT_*`` variables are used: other programs share the file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from zendesk_chat.errors import ConfigError
from zendesk_chat.load.text_file import read_text
from zendesk_chat.settings import PREFIX

NAME: Final = ".env"


def read_env_file(path: Path = Path(NAME)) -> dict[str, str]:
    """Return the variables of this program in a file; none if there is no file. Values are not expanded.

    Raises:
        ConfigError: The file cannot be read, or the line of one of our variables is malformed.
    """
    if not path.is_file():  # `.env` may be a directory with a virtual environment
        return {}
    text = read_text(path)
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
            found[binding.key] = binding.value or ""
    return found
