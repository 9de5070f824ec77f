"""Parses the command line of `musigd` and runs a command. Imports only what that command needs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from config.locations import path_argument
from config.output.command_parser import CommandParser
from config.output.terminal import complain
from daemon.errors import EXIT_CONFIGURATION

VERSIONS = ((3, 11), (3, 13))


def run_command(argv: Sequence[str] | None) -> int:
    """Run the command that these words name, those of the process if None; its exit code. Raises SystemExit."""
    if not VERSIONS[0] <= sys.version_info[:2] <= VERSIONS[1]:
        complain("musigd needs Python 3.11, 3.12 or 3.13; install it with one of these.")
        return EXIT_CONFIGURATION
    arguments = _parser().understood(sys.argv[1:] if argv is None else argv)
    module, _, function = arguments.command.partition(":")
    command: Callable[[argparse.Namespace], int] = getattr(import_module(f"daemon.commands.{module}"), function)
    return command(arguments)


def _parser() -> CommandParser:
    parser = CommandParser(prog="musigd", description="A MuSig2 signer daemon.")
    parser.add_argument("--version", action="version", version=f"musigd {_version()}")
    parser.elsewhere = _meant
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands.add_parser("run", help="run the daemon in the foreground"))
    _add_demo(commands.add_parser("demo", help="N daemons on loopback make one signature"))
    _add_config(commands.add_parser("config", help="show or check the settings"))
    stop = commands.add_parser("stop", help="ask the running daemon to stop, and wait")
    _add_datadir(stop)
    stop.runs("orders:stop")
    reload = commands.add_parser("reload", help="let the running daemon read its settings again")
    _add_datadir(reload)
    reload.runs("orders:reload")
    doctor = commands.add_parser("doctor", help="what is wrong, with remedies")
    _add_settings_flags(doctor)
    doctor.runs("doctor:doctor")
    _add_copies(commands)
    _add_policy(commands.add_parser("policy", help="check or test a policy file, or drop a lost one"))
    evidence = commands.add_parser("verify-evidence", help="check a proof of misbehaviour from getEvidence")
    evidence.add_argument(
        "file", type=path_argument, metavar="FILE", help="the JSON that getEvidence returned, or - for stdin"
    )
    evidence.runs("evidence:verify")
    _add_audit(commands)
    golden = commands.add_parser("protocol-vectors", help="print the protocol's test vectors as JSON")
    golden.runs("protocol_vectors:show")
    return parser


def _meant(word: str) -> str:
    """For a word that is no command: what is typed for it instead."""
    from rpc.cli.api import METHODS  # noqa: PLC0415 - only for a mistake

    if word in METHODS:
        return f" (did you mean musig-cli {word}?)"
    return {"version": " (did you mean --version?)", "start": " (did you mean run?)"}.get(word, "")


def _add_datadir(parser: CommandParser) -> None:
    parser.add_argument(
        "--datadir", type=path_argument, metavar="DIR", help="data directory (default: the XDG data directory)"
    )


def _add_settings_flags(parser: CommandParser) -> None:
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


def _add_run(parser: CommandParser) -> None:
    _add_settings_flags(parser)
    parser.add_argument(
        "--new-database", action="store_true", help="the database is lost and given up: begin anew, as another peer"
    )
    parser.runs("run:run")


def _add_demo(parser: CommandParser) -> None:
    parser.add_argument("--signers", type=_between(2, 20), default=3, metavar="N", help="2 to 20 (default: 3)")
    parser.add_argument("--scheme", choices=("lotus", "bip340"), default="lotus", help="default: lotus")
    parser.add_argument("--messages", type=_between(1, 100), default=1, metavar="M", help="inputs to sign (default: 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    parser.add_argument("--keep", action="store_true", help="keep the daemons up until Ctrl-C")
    parser.runs("demo:demo")


def _add_config(parser: CommandParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    for name, text in (("show", "effective settings and where each comes from"), ("check", "validate and exit")):
        action = actions.add_parser(name, help=text)
        _add_settings_flags(action)
        action.runs(f"config:{name}")
        if name == "show":
            action.add_argument("--fresh", action="store_true", help="what a start would read, though a daemon runs")
    sample = actions.add_parser("sample", help="a commented file with every setting")
    sample.runs("config:print_sample")


def _add_policy(parser: CommandParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    check = actions.add_parser("check", help="read it as the daemon would, and say what it holds")
    check.add_argument("file", type=path_argument, metavar="FILE")
    check.add_argument(
        "--against", type=path_argument, metavar="REQUEST.json", help="what getSigningRequest answered, or - for stdin"
    )
    check.add_argument("--network", default="main", metavar="NAME", help="whose addresses the rules name")
    check.runs("policy:check")
    test = actions.add_parser("test", help="run the examples that it carries")
    test.add_argument("file", type=path_argument, metavar="FILE")
    test.runs("policy:test")
    drop = actions.add_parser("drop", help="go on without the rules whose file is gone; no daemon may run")
    _add_datadir(drop)
    drop.runs("policy:drop")


def _add_audit(commands: argparse._SubParsersAction[CommandParser]) -> None:
    actions = commands.add_parser("audit", help="the record of what was done with the keys").add_subparsers(
        required=True, metavar="ACTION"
    )
    export = actions.add_parser("export", help="write the record to FILE")
    export.add_argument("file", type=path_argument, metavar="FILE", help="a new file, or - for stdout")
    _add_datadir(export)
    export.runs("audit:export")
    verify = actions.add_parser("verify", help="whether FILE is whole, unchanged and holds the anchors")
    verify.add_argument("file", type=path_argument, metavar="FILE", help="what export wrote, or - for stdin")
    verify.add_argument(
        "--anchor", action="append", default=[], metavar="SEQ:HASH", help="what anchor printed before; repeatable"
    )
    verify.runs("audit:verify")
    anchor = actions.add_parser("anchor", help="print where the record stands, to be kept elsewhere")
    _add_datadir(anchor)
    anchor.runs("audit:anchor")


def _add_copies(commands: argparse._SubParsersAction[CommandParser]) -> None:
    for name, text in (
        ("backup", "write database, keys and identity to FILE"),
        ("restore", "bring a backup into an empty data directory"),
    ):
        parser = commands.add_parser(name, help=text)
        parser.add_argument("file", type=path_argument, metavar="FILE")
        _add_datadir(parser)
        parser.runs(f"copies:{name}")


def _between(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} must be a number from {low} to {high}")
        return int(text)

    return number


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 - only when asked

    return version("musigd")
