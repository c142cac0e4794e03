"""The reference of the commands, from the parsers that the program uses, so that it cannot be out of date."""

import argparse
import re
from collections.abc import Iterator
from unittest.mock import patch

from zendesk_chat.cli import make_parser
from zendesk_chat_sandbox.cli import build_parser as make_sandbox_parser

WIDTH = "92"
"""Columns of the examples and of the usage lines."""


def commands() -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Yield the name, the purpose and the parser of each command, in the order of ``zendesk-chat --help``."""
    for action in make_parser()._actions:  # noqa: SLF001  argparse has no public way to its commands
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001  likewise
            for choice in action._choices_actions:  # noqa: SLF001  likewise
                name = choice.dest
                parser = make_sandbox_parser("zendesk-chat sandbox") if name == "sandbox" else action.choices[name]
                yield name, choice.help or "", parser


def rows(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """Yield the form and the meaning of each argument that the help shows."""
    formatter = parser._get_formatter()  # noqa: SLF001  argparse expands %(default)s and the like only there
    for action in parser._actions:  # noqa: SLF001  argparse has no public list of arguments
        if action.help not in {None, argparse.SUPPRESS} and not isinstance(action, argparse._HelpAction):  # noqa: SLF001
            value = formatter._format_args(action, formatter._get_default_metavar_for_optional(action))  # noqa: SLF001
            forms = [f"{option} {value}".strip() for option in action.option_strings] or [str(action.metavar or action.dest)]
            yield ", ".join(f"`{form}`" for form in forms), formatter._expand_help(action)  # noqa: SLF001


def cell(text: str) -> str:
    """Return a string for a cell of a table: on one line, with options and variables as code."""
    line = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
    return re.sub(r"(?<![\w`-])(--[a-z][\w-]+|ZENDESK_CHAT_[A-Z_]+|\.env)(?![\w`])", r"`\1`", line)


def section(name: str, purpose: str, parser: argparse.ArgumentParser) -> str:
    """Return the section of a command."""
    usage = re.sub(r"^(usage: | {7})", "", parser.format_usage(), flags=re.MULTILINE).rstrip()
    parts = [f"## {name}", f"{purpose[:1].upper()}{purpose[1:]}.", f"```text\n{usage}\n```"]
    table = [f"| {form} | {cell(meaning)} |" for form, meaning in rows(parser)]
    if table:
        parts.append("\n".join(["| argument | meaning |", "|---|---|", *table]))
    if parser.epilog:
        parts.append(f"```text\n{parser.epilog.replace('%(prog)s', parser.prog).strip()}\n```")
    return "\n\n".join(parts)


def reference() -> str:
    """Return a section for each command: usage, arguments, examples."""
    with patch.dict("os.environ", COLUMNS=WIDTH), patch("sys.argv", ["zendesk-chat"]):
        return "\n\n".join(section(*command) for command in commands()) + "\n"
