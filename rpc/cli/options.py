"""The command line of `musig-cli`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from config.locations import path_argument
from config.output.command_parser import CommandParser
from rpc.cli.api import METHODS
from rpc.cli.help import EXIT_CODES, MORE, PARAMETERS, USAGE
from rpc.cli.params import MOST_DIGITS


def understood(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; options and parameters may stand before, between and after each other."""
    read = parser()
    options, others = read.parse_known_intermixed_args(arguments)
    if others:
        _refuse_parameter(read, others[0])
        read.refuse_unknown(others)
    words = [options.command, *options.pairs] if options.command else []
    first = next((word for word in words if "=" not in word), None)
    if first is not None:
        words.remove(first)
        options.command, options.pairs = first, words
    return options


def _refuse_parameter(read: CommandParser, word: str) -> None:
    """Ends the process if the word is a parameter of a method, written as an option."""
    name = word.removeprefix("--").partition("=")[0]
    if word.startswith("--") and any(name in method.params for method in METHODS.values()):
        read.error(f"{name} is a parameter, written without the dashes: {name}=...")


class _Version(argparse.Action):
    """The version, looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415  # only when asked

        parser.exit(message=f"musig-cli {version('musigd')}\n")


def parser() -> CommandParser:
    """The parser with all options."""
    made = CommandParser(
        prog="musig-cli",
        usage=USAGE,
        description="Calls a running musigd and prints the answer as JSON; lists as a table where a person looks on.",
        epilog=f"{PARAMETERS}\n\n{EXIT_CODES}\n\n{MORE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    made.add_argument("-h", "--help", action="store_true", help="this, or the help of the METHOD that is named")
    made.add_argument("--version", action=_Version, nargs=0, help="print the version")
    _add_place(made)
    shape = made.add_mutually_exclusive_group()
    shape.add_argument("--table", action="store_true", help="for people instead of programs")
    shape.add_argument("--json", action="store_true", help="for programs, also where standard output is a terminal")
    made.add_argument(
        "--from", dest="from_seq", type=_seq, metavar="SEQ", help="events: from here; 0 is the oldest kept"
    )
    made.add_argument("--event", action="append", metavar="NAME", help="events: only this one, or such as session:*")
    made.add_argument("--request", metavar="ID", help="sign: the request")
    made.add_argument("--key", metavar="PUBLICKEY", help="sign: the own key to sign with, where it needs several")
    made.add_argument("--yes", action="store_true", help="sign: without asking")
    made.add_argument("--to", type=path_argument, metavar="FILE", help="createToken: the raw token into this new file")
    made.add_argument("--dry-run", action="store_true", help="reloadPolicy: change nothing, and show what would change")
    made.add_argument("--name", metavar="NICKNAME", help="pair: how you are called in the link")
    made.add_argument("command", metavar="METHOD", nargs="?")
    made.add_argument("pairs", nargs="*", metavar="key=value")
    return made


def _add_place(made: CommandParser) -> None:
    where = made.add_mutually_exclusive_group()
    where.add_argument(
        "--datadir", type=path_argument, help="data directory of the daemon (default: $MUSIGD_DATADIR, or usual)"
    )
    where.add_argument("--url", help="address of the daemon (default: $MUSIG_URL)")
    made.add_argument(
        "--token-file",
        type=path_argument,
        help="file with the token, instead of the cookie (default: $MUSIG_TOKEN_FILE)",
    )
    made.add_argument("--socket", action="store_true", help="through the unix socket of the data directory")


def _seq(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        raise argparse.ArgumentTypeError(f"must be a whole number of at most {MOST_DIGITS} digits")
    return int(text)
