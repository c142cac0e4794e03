"""The ``completion`` command, and the completions that a shell requests when you press Tab. argcomplete does both."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from argcomplete.completers import FilesCompleter, SuppressCompleter
from argcomplete.finders import CompletionFinder
from argcomplete.shell_integration import shellcode

from zendesk_chat.errors import ExitCode
from zendesk_chat.load.warehouse.address import WITHOUT_SLASHES
from zendesk_chat.load.warehouse.kinds import KINDS, SCHEMES
from zendesk_chat.parser import Parser
from zendesk_chat.streams.registry import STREAMS

_NAMES: Final = ("--streams", "--exclude", "--only")
_FILES: Final = ("FILE", "FILE|URL", "FOLDER")


def run_completion(options: argparse.Namespace) -> int:
    """Print the script that a shell evaluates. Returns the exit code."""
    sys.stdout.write(shellcode(["zendesk-chat"], shell=options.shell) + "\n")
    return ExitCode.COMPLETE


def complete(parser: Parser) -> None:
    """Print the completions for the shell, and end the process."""
    for command in (parser, *parser.commands.values()):
        for action in command.actions:
            action.completer = _completer(action)  # type: ignore[attr-defined]  # argcomplete reads it
    CompletionFinder()(parser, default_completer=SuppressCompleter())


def complete_names(prefix: str, **_parsed: object) -> Sequence[str]:
    """Complete the last name in a list such as ``chats,ag``.

    >>> complete_names("chats,ro")
    ['chats,roles', 'chats,routing_settings']
    """
    before, comma, last = prefix.rpartition(",")
    named = before.split(",")
    return [f"{before}{comma}{name}" for name in STREAMS if name.startswith(last) and name not in named]


def complete_destinations(prefix: str, **options: object) -> Sequence[str]:
    """Complete the scheme of a URL or the path of a file.

    >>> complete_destinations("postgres:")
    ['postgres://']
    """
    urls = [f"{scheme}://" for scheme in sorted(SCHEMES) if scheme not in WITHOUT_SLASHES]
    return [url for url in urls if url.startswith(prefix)] or list(FilesCompleter()(prefix, **options))


def complete_kinds(prefix: str, **_parsed: object) -> Sequence[str]:
    """Complete the name of a destination."""
    return [kind.name for kind in KINDS if kind.name.startswith(prefix)]


def _completer(action: argparse.Action) -> object:
    if _NAMES[0] in action.option_strings or _NAMES[1] in action.option_strings:
        return complete_names
    if "--to" in action.option_strings:
        return complete_destinations
    if action.dest == "name":
        return complete_kinds
    if action.choices is not None:
        return None
    return FilesCompleter() if action.metavar in _FILES else SuppressCompleter()
