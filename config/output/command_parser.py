"""The parser of a command line: one sentence for a mistake, with the nearest name for a mistyped one."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NoReturn

from config.text.nearest import did_you_mean
from config.text.plain_text import escaped

_LONGEST_SHOWN = 60
_MOST_NAMED = 3
EXIT_USAGE: Final = 2


class CommandParser(argparse.ArgumentParser):
    """As its base, without abbreviations; an option may also stand before the command that takes it.

    `elsewhere`: what to add to the sentence about a command that does not exist.
    """

    elsewhere: Callable[[str], str] = staticmethod(lambda name: "")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{"allow_abbrev": False, **options})

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{self.prog.partition(' ')[0]}: {escaped(message)}. See `{self.prog} --help`.\n")

    def runs(self, command: str) -> None:
        """Set the function that this parser selects, as `command` of the result."""
        self.set_defaults(command=command, parser=self)

    def understood(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse the words; ends the process with a sentence for an unknown one."""
        if words and words[0] == "help" and self._commands():
            words = [*words[1:], "--help"]
        found, others = self.parse_known_args(self._in_order(words))
        if others:
            parser: CommandParser = getattr(found, "parser", self)
            parser.refuse_unknown(others, self)
        return found

    def refuse_unknown(self, words: Sequence[str], whole: CommandParser | None = None) -> NoReturn:
        """End the process because of words that no option or parameter takes. `whole`: the parser of all commands."""
        name = _named(words).partition("=")[0]
        if whole is not None and name in whole._option_string_actions:
            self.error(f"{name} goes without a command: `{whole.prog} {name}`")
        takers = [f"`{other.prog}`" for other in whole._all() if name in other._option_string_actions] if whole else []
        if takers and name not in self._option_string_actions:
            others = " and others" if len(takers) > _MOST_NAMED else ""
            self.error(f"{self.prog} takes no {name}, which goes with {', '.join(takers[:_MOST_NAMED])}{others}")
        self.error(_unknown(words, self._option_string_actions))

    def _commands(self) -> dict[str, CommandParser]:
        found = [action for action in self._actions if isinstance(action, argparse._SubParsersAction)]
        return dict(found[0].choices) if found else {}

    def _all(self) -> Iterator[CommandParser]:
        """This parser and those of all its commands."""
        yield self
        for parser in self._commands().values():
            yield from parser._all()

    def _in_order(self, words: Sequence[str]) -> list[str]:
        """The words, with options that stand before their command behind it."""
        options = {name: action for each in self._all() for name, action in each._option_string_actions.items()}
        parser, named, early, rest = self, list[str](), list[str](), list(words)
        while rest and (commands := parser._commands()):
            name = rest[0].partition("=")[0]
            if rest[0] in commands:
                parser = commands[rest[0]]
                named.append(rest.pop(0))
            elif not name.startswith("-") or name in parser._option_string_actions:
                return [*named, *rest, *early]
            elif name not in options:
                parser.error(_unknown(rest[:1], options))
            else:
                end = 1 if "=" in rest[0] or options[name].nargs == 0 else 2
                early += rest[:end]
                del rest[:end]
        if early and parser._commands():
            example = _cut(shlex.join([*parser.prog.split(), next(iter(parser._commands())), *early]))
            parser.error(f"the command is missing, for example `{example}`")
        return [*named, *early, *rest]

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            guess = did_you_mean(str(value), known) or self.elsewhere(str(value))
            raise argparse.ArgumentError(
                action, f"there is no {_short(str(value))}{guess}; it is one of {', '.join(known)}"
            )


def _unknown(words: Sequence[str], options: Iterable[str]) -> str:
    named = _named(words)
    name = named.partition("=")[0] if named.startswith("-") else named
    guess = did_you_mean(name, [option for option in options if option.startswith("--")])
    if f"--{name.partition('=')[0]}" in options:
        guess = f" (did you mean --{_cut(name)}?)"
    return f"unknown argument {_short(name)}{guess}"


def _named(words: Sequence[str]) -> str:
    """The word to speak of: the first option, else the first."""
    return next((word for word in words if word.startswith("-")), words[0])


def _short(word: str) -> str:
    return repr(_cut(word))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
