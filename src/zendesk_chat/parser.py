"""The parser of the command line: short errors that suggest what you may have meant."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NoReturn

from zendesk_chat.printable import LONGEST_NAME, printable

_DATABASES: Final = (".duckdb", ".ddb", ".db")
_CONFIGS: Final = (".json", ".toml")


class Parser(argparse.ArgumentParser):
    """A parser that suggests the nearest command or option, and quotes arguments without their control characters.

    Attributes:
        commands: The parsers of the commands, by name.
    """

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401  passed through
        self.commands: dict[str, Parser] = {}
        as_written: Any = {"allow_abbrev": False, "formatter_class": argparse.RawDescriptionHelpFormatter}
        super().__init__(**settings, **as_written, add_help=False)
        self.add_argument("-h", "--help", action="help", help="Show this help and exit")

    @property
    def actions(self) -> list[argparse.Action]:
        """All arguments, those of groups included."""
        return self._actions

    def error(self, message: str) -> NoReturn:
        """Report a wrong argument, and exit with 2."""
        super().error(printable(message))

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse the arguments of a command. Exits with 2 if there is a mistake."""
        name = arguments[0] if arguments else ""
        if name and not name.startswith("-") and name not in self.commands:
            near = _nearest(name, self.commands)
            hint = f" Did you mean {near}?" if near else ""
            self.error(f"unknown command {_shown(name)}.{hint} The commands are: {', '.join(self.commands)}")
        self._refuse_misplaced(arguments)
        options, unknown = self.parse_known_args(arguments)
        if unknown:
            parser = self.commands.get(name, self)
            parser.error(parser.about_unknown(unknown[0]))
        return options

    def _refuse_misplaced(self, arguments: Sequence[str]) -> None:
        """Exit with 2 if the first argument is an option of the command that follows."""
        name = arguments[0].partition("=")[0] if arguments else ""
        command = next((argument for argument in arguments if argument in self.commands), None)
        if not name.startswith("-") or command is None or name in self._options():
            return
        parser = self.commands[command]
        if name in parser._options():  # noqa: SLF001  of the same class
            self.error(f"write {_shown(name)} after the command, as in: {parser.prog} {_shown(name)}")

    def _options(self) -> list[str]:
        return [name for name, action in self._option_string_actions.items() if action.help != argparse.SUPPRESS]

    def about_unknown(self, argument: str) -> str:
        """Return a message for an argument that the command does not have."""
        options = self._options()
        if argument.startswith("-"):
            name = argument.partition("=")[0]
            near = _nearest(name, options)
            return f"unknown option {_shown(name)}." + (f" Did you mean {near}?" if near else f" See: {self.prog} --help")
        suffix = argument[argument.rfind(".") :].lower() if "." in argument else ""
        option = "--to" if suffix in _DATABASES else "--config" if suffix in _CONFIGS else "--streams"
        hint = f" Did you mean {option} {_shown(argument)}?" if option in options else f" See: {self.prog} --help"
        return f"unexpected argument {_shown(argument)}.{hint}"


def add_command(commands: argparse._SubParsersAction[Parser], parent: Parser) -> Callable[..., Parser]:
    """Return a function that adds a command to a parser, as ``commands.add_parser`` does."""

    def add(name: str, *, help: str, epilog: str = "", usage: str = "[options]") -> Parser:  # noqa: A002  as argparse calls it
        parser = commands.add_parser(name, usage=f"{parent.prog} {name} {usage}", help=help, epilog=epilog)
        parent.commands[name] = parser
        return parser

    return add


def _nearest(name: str, known: Iterable[str]) -> str | None:
    plain = {option.lstrip("-"): option for option in known}  # without the dashes, which would make all options similar
    near = difflib.get_close_matches(name.lower().replace("_", "-").lstrip("-"), plain, n=1)
    return plain[near[0]] if near else None


def _shown(argument: str) -> str:
    return printable(argument, LONGEST_NAME)
