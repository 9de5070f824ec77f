"""The parser of a command line: one sentence for a mistake, with the nearest name for a mistyped one."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import Any, Final, NoReturn

from config.text.nearest import did_you_mean
from config.text.plain_text import escaped

_LONGEST_SHOWN = 60
EXIT_USAGE: Final = 2


class CommandParser(argparse.ArgumentParser):
    """As its base, without abbreviations."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{"allow_abbrev": False, **options})

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{self.prog.partition(' ')[0]}: {escaped(message)}. See `{self.prog} --help`.\n")

    def runs(self, command: str) -> None:
        """Set the function that this parser selects, as `command` of the result."""
        self.set_defaults(command=command, parser=self)

    def understood(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse the words; ends the process with a sentence for an unknown one."""
        options = list(self._option_string_actions)
        if words and words[0].startswith("-") and words[0].partition("=")[0] not in options:
            self.error(_unknown([words[0]], options))
        found, others = self.parse_known_args(words)
        if others:
            parser: CommandParser = getattr(found, "parser", self)
            parser.refuse_unknown(others)
        return found

    def refuse_unknown(self, words: Sequence[str]) -> NoReturn:
        """End the process because of words that no option or parameter takes."""
        self.error(_unknown(words, self._option_string_actions))

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            guess = did_you_mean(str(value), known)
            raise argparse.ArgumentError(
                action, f"there is no {_short(str(value))}{guess}; it is one of {', '.join(known)}"
            )


def _unknown(words: Sequence[str], options: Iterable[str]) -> str:
    named = next((word for word in words if word.startswith("-")), words[0])
    name = named.partition("=")[0] if named.startswith("-") else named
    guess = did_you_mean(name, [option for option in options if option.startswith("--")])
    return f"unknown argument {_short(name)}{guess}"


def _short(word: str) -> str:
    return repr(word if len(word) <= _LONGEST_SHOWN else f"{word[:_LONGEST_SHOWN]}...")
