"""Writes the manual page of `musig-cli` from its command line and its table: `python -m rpc.schema.generate_man`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rpc.cli.api import METHODS
from rpc.cli.environment import MEANING
from rpc.cli.help import COMMANDS, EXIT_CODES, PARAMETERS, USAGE
from rpc.cli.options import parser

PAGE: Final = Path(__file__).parents[2] / "docs" / "musig-cli.1"


def page() -> str:
    """The page in the man macros."""
    return "\n".join([".TH MUSIG-CLI 1", *_head(), *_options(), *_commands(), *_methods(), *_rest()]) + "\n"


def _head() -> Iterator[str]:
    yield from (".SH NAME", r"musig-cli \- calls a running musigd", ".SH SYNOPSIS", ".nf", _plain(USAGE), ".fi")
    yield from (".SH DESCRIPTION", _plain(str(parser().description)), ".PP", ".nf", _plain(PARAMETERS), ".fi")


def _options() -> Iterator[str]:
    yield ".SH OPTIONS"
    for action in parser()._actions:
        if action.option_strings:
            yield from _entry(" ".join([", ".join(action.option_strings), *_taken(action)]), str(action.help))


def _taken(action: argparse.Action) -> list[str]:
    return [] if action.nargs == 0 else [action.metavar if isinstance(action.metavar, str) else action.dest.upper()]


def _commands() -> Iterator[str]:
    yield ".SH COMMANDS"
    for name, meaning in COMMANDS.items():
        yield from _entry(name, meaning)


def _methods() -> Iterator[str]:
    section = ""
    yield ".SH METHODS"
    for method in METHODS.values():
        if method.section != section:
            section = method.section
            yield f".SS {_plain(section)}"
        yield from _entry(method.name, method.summary)
        if method.params:
            yield f".br\n{_plain('  '.join(f'{name}=' for name in method.params))}"


def _rest() -> Iterator[str]:
    yield from (".SH EXIT STATUS", _plain(" ".join(EXIT_CODES.split()).removeprefix("exit codes: ").capitalize() + "."))
    yield ".SH ENVIRONMENT"
    for name, meaning in MEANING.items():
        yield from _entry(name, meaning)
    yield from (".SH SEE ALSO", "musig-cli help METHOD: each parameter with its range, and an example.")


def _entry(tag: str, text: str) -> Iterator[str]:
    yield from (".TP", rf"\fB{_plain(tag)}\fR", _plain(text))


def _plain(text: str) -> str:
    """Text that no macro reads: a line that begins like one, hyphens that stay hyphens."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return "\n".join(rf"\&{line}" if line.startswith((".", "'")) else line for line in escaped.split("\n"))


def main() -> None:
    """Writes the file."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
