"""The command `musigd`: installs the signal handlers before slow imports, then runs the command line."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from daemon.errors import EXIT_FAILURE
from daemon.host.signals import SIGNALS, Act, end_with_clean_up, leave_as_interrupted, leaving_with

OPTIONS_WITHOUT_VALUE: Final = frozenset({"--new-database", "--fresh", "--json", "--keep", "--help", "-h", "--version"})
WHILE_LOADING: Final[dict[str, Act]] = {"run": leaving_with(0), "demo": leave_as_interrupted}


def main(argv: Sequence[str] | None = None) -> int:
    """Run `musigd` and return its exit code: 0 clean, 1 failure, 2 usage or configuration, 3 datadir not usable.

    Without `argv` it is the command of this process, which handles signals from here on.
    """
    if argv is None:
        command = command_of(sys.argv[1:])
        SIGNALS.listen(WHILE_LOADING.get(command, end_with_clean_up))
        if command == "run":
            gc.disable()  # until it is ready: what a start makes stays, and each collection would look at all of it
    outermost = import_module("config.output.outermost")
    return int(outermost.guarded("musigd", lambda: _run_command(argv), failure=EXIT_FAILURE))


def command_of(words: Sequence[str]) -> str:
    """The first word that is neither an option nor its value, "" if there is none; the parser is not loaded yet."""
    is_value = False
    for word in words:
        if word.startswith("-"):
            is_value = "=" not in word and word not in OPTIONS_WITHOUT_VALUE
        elif is_value:
            is_value = False
        else:
            return word
    return ""


def _run_command(argv: Sequence[str] | None) -> int:
    return int(import_module("daemon.commands.command_line").run_command(argv))


if __name__ == "__main__":
    sys.exit(main())
