"""The command line of `musigd`: reads it and runs one of the commands. Imports what a command needs, no more."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NoReturn

from config.locations import path_argument
from config.output.terminal import complain
from daemon.errors import EXIT_CONFIGURATION

VERSIONS = ((3, 11), (3, 13))


class _Parser(argparse.ArgumentParser):
    """One sentence instead of a page, and the exit code for usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_CONFIGURATION, f"musigd: {message}. See `{self.prog} --help`.\n")


def run_command(argv: Sequence[str] | None) -> int:
    """Run the command that these words name, those of the process if None; its exit code. Raises SystemExit."""
    if not VERSIONS[0] <= sys.version_info[:2] <= VERSIONS[1]:
        complain("musigd needs Python 3.11, 3.12 or 3.13; install it with one of these.")
        return EXIT_CONFIGURATION
    arguments = _parser().parse_args(argv)
    module, _, function = arguments.command.partition(":")
    command: Callable[[argparse.Namespace], int] = getattr(import_module(f"daemon.commands.{module}"), function)
    return command(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="musigd", description="A MuSig2 signer daemon.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"musigd {_version()}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands.add_parser("run", help="run the daemon in the foreground", allow_abbrev=False))
    _add_demo(commands.add_parser("demo", help="N daemons on loopback make one signature", allow_abbrev=False))
    _add_config(commands.add_parser("config", help="show or check the settings", allow_abbrev=False))
    stop = commands.add_parser("stop", help="ask the running daemon to stop, and wait", allow_abbrev=False)
    _add_datadir(stop)
    stop.set_defaults(command="stop:stop")
    reload = commands.add_parser("reload", help="let the running daemon read its settings again", allow_abbrev=False)
    _add_datadir(reload)
    reload.set_defaults(command="reload:reload")
    doctor = commands.add_parser("doctor", help="what is wrong, with remedies", allow_abbrev=False)
    _add_settings_flags(doctor)
    doctor.set_defaults(command="doctor:doctor")
    _add_copies(commands)
    evidence = commands.add_parser(
        "verify-evidence", help="check a proof of misbehaviour from getEvidence", allow_abbrev=False
    )
    evidence.add_argument(
        "file", type=path_argument, metavar="FILE", help="the JSON that getEvidence returned, or - for stdin"
    )
    evidence.set_defaults(command="evidence:verify")
    return parser


def _add_datadir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--datadir", type=path_argument, metavar="DIR", help="data directory (default: the XDG data directory)"
    )


def _add_settings_flags(parser: argparse.ArgumentParser) -> None:
    _add_datadir(parser)
    parser.add_argument(
        "--config", type=path_argument, metavar="FILE", help="TOML file (default: <datadir>/musigd.toml)"
    )
    parser.add_argument("--network", metavar="NAME", help="network name: main, test, regtest or one of your own")
    parser.add_argument("--rpc-listen", metavar="HOST:PORT", help="where wallets connect (default: 127.0.0.1:8327)")
    parser.add_argument("--p2p-listen", action="append", metavar="MULTIADDR", help="where peers connect; repeatable")
    parser.add_argument("--bootstrap", action="append", metavar="MULTIADDR", help="a peer to start from; repeatable")
    parser.add_argument("--log-level", metavar="L", help="debug, info, warning or error")
    parser.add_argument("--log-format", metavar="F", help="console or json")


def _add_run(parser: argparse.ArgumentParser) -> None:
    _add_settings_flags(parser)
    parser.add_argument(
        "--new-database", action="store_true", help="the database is lost and given up: begin anew, as another peer"
    )
    parser.set_defaults(command="run:run")


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--signers", type=_between(2, 20), default=3, metavar="N", help="2 to 20 (default: 3)")
    parser.add_argument("--scheme", choices=("lotus", "bip340"), default="lotus", help="default: lotus")
    parser.add_argument("--messages", type=_between(1, 100), default=1, metavar="M", help="inputs to sign (default: 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    parser.add_argument("--keep", action="store_true", help="keep the daemons up until Ctrl-C")
    parser.set_defaults(command="demo:demo")


def _add_config(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    for name, text in (("show", "effective settings and where each comes from"), ("check", "validate and exit")):
        action = actions.add_parser(name, help=text, allow_abbrev=False)
        _add_settings_flags(action)
        action.set_defaults(command=f"config:{name}")
        if name == "show":
            action.add_argument("--fresh", action="store_true", help="what a start would read, though a daemon runs")
    sample = actions.add_parser("sample", help="a commented file with every setting", allow_abbrev=False)
    sample.set_defaults(command="config:print_sample")


def _add_copies(commands: argparse._SubParsersAction[_Parser]) -> None:
    for name, text in (
        ("backup", "write database, keys and identity to FILE"),
        ("restore", "bring a backup into an empty data directory"),
    ):
        parser = commands.add_parser(name, help=text, allow_abbrev=False)
        parser.add_argument("file", type=path_argument, metavar="FILE")
        _add_datadir(parser)
        parser.set_defaults(command=f"copies:{name}")


def _between(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} must be a number from {low} to {high}")
        return int(text)

    return number


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 - only when asked

    return version("musigd")
