"""`musig-cli`: every method of the API from a shell. Prints JSON; its exit code says how it went.

Only what a call needs is imported: the table of methods is a file (`api.json`), the call is plain HTTP. What follows
events loads the asyncio client.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from config.locations import path_argument
from config.output.command_parser import CommandParser
from config.output.terminal import complain, say
from config.text.nearest import did_you_mean
from config.text.plain_text import escaped
from musigd_client.endpoint import DataDir, Locator, locator_of
from musigd_client.errors import CallFailed, ClientError, NotAuthorised, Unreachable
from rpc.cli.api import EVENTS, METHODS, MethodEntry
from rpc.cli.environment import refuse_unknown_variables
from rpc.cli.help import EXIT_CODES, MORE, PARAMETERS, USAGE, events_help, method_help, methods_help
from rpc.cli.params import MOST_DIGITS, UsageError, params_of

if TYPE_CHECKING:
    from musigd_client import Client

COMMANDS = ("events", "methods", "help", "completion")
COMPACT: Any = {"ensure_ascii": False, "separators": (",", ":")}
WAITING = frozenset({"getEvents", "getFinalSignature"})  # through restarts of the daemon, while `waitMs` lasts


class Exit(IntEnum):
    """What the exit code says."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_AUTHORISED = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; `rpc.cli.__main__` hears of what escapes from here."""
    options = _understood(_parser(), arguments)
    try:
        _run(options)
    except KeyboardInterrupt:
        return Exit.DONE
    except CallFailed as problem:
        say(_json({"error": problem.to_json()}))
        return Exit.NOT_AUTHORISED if isinstance(problem, NotAuthorised) else Exit.REFUSED
    except Unreachable as problem:
        return _complain(problem, Exit.UNREACHABLE)
    except (UsageError, ClientError) as problem:
        return _complain(problem, Exit.USAGE)
    return Exit.DONE


def _understood(parser: CommandParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Options may stand before, between and after the parameters."""
    options, others = parser.parse_known_intermixed_args(arguments)
    if others:
        parser.refuse_unknown(others)
    return options


def _run(options: argparse.Namespace) -> None:
    refuse_unknown_variables(os.environ)
    if options.help or options.command in (None, "help"):
        say(_help(options))
        return
    match options.command:
        case "methods":
            say(methods_help())
        case "completion":
            from rpc.cli.completion import completion  # noqa: PLC0415  # few commands need it

            say(completion(_only(options, "bash, zsh or fish")))
        case "events":
            _follow(options)
        case name:
            _call(options, _method(name))


def _help(options: argparse.Namespace) -> str:
    """`help`, `help METHOD`, `METHOD --help`, `--help`: of what is named, else of the command."""
    words = [word for word in (options.command, *options.pairs) if word not in (None, "help")]
    if not words:
        return _parser().format_help()
    match words[0]:
        case "events":
            return events_help()
        case "methods" | "completion":
            return _parser().format_help()
        case name:
            return method_help(_method(str(name)))


def _call(options: argparse.Namespace, method: MethodEntry) -> None:
    if method.websocket:
        raise UsageError(f"{method.name} needs a connection that stays; use musig-cli events")
    params = params_of(method, options.pairs)
    result = _asked(_locator(options), method, params)
    if options.table:
        from rpc.cli.table import as_table  # noqa: PLC0415  # few calls need it

        say(as_table(result))
    else:
        say(_json(result))


def _asked(locator: Locator, method: MethodEntry, params: dict[str, Any]) -> Any:
    from musigd_client.sync.http import call  # noqa: PLC0415  # help and completion need no connection

    wait_ms = params.get("waitMs")
    if method.name in WAITING and isinstance(wait_ms, int):
        from musigd_client.patience import through_restarts  # noqa: PLC0415  # few calls wait

        return through_restarts(lambda left_ms: call(locator, method.name, {**params, "waitMs": left_ms}), wait_ms)
    return call(locator, method.name, params)


def _follow(options: argparse.Namespace) -> None:
    if options.pairs:
        raise UsageError("events takes --from SEQ and --event NAME, nothing else")
    for name in options.event or ():
        if not name.endswith("*") and name not in EVENTS:
            raise UsageError(f"there is no event {name}{did_you_mean(name, EVENTS)}; musig-cli help events lists them")
    import asyncio  # noqa: PLC0415  # calls need none

    asyncio.run(_followed(options))


async def _followed(options: argparse.Namespace) -> None:
    async with _client(_locator(options)) as client:
        async for event in client.events(from_seq=options.from_seq, events=options.event):
            say(_line(event) if options.table else escaped(json.dumps(event, **COMPACT)) + "\n")


def _client(locator: Locator) -> Client:
    from musigd_client import Client  # noqa: PLC0415  # loads the models, and aiohttp

    return Client(locator)


def _locator(options: argparse.Namespace) -> Locator:
    locator = locator_of(datadir=options.datadir, url=options.url, token_file=options.token_file)
    if options.socket and isinstance(locator, DataDir):
        return DataDir(locator.path, by_socket=True)
    return locator


def _method(name: str) -> MethodEntry:
    if name not in METHODS:
        guess = did_you_mean(name, (*METHODS, *COMMANDS))
        raise UsageError(f"there is no method {name}{guess}; musig-cli methods lists them")
    return METHODS[name]


def _seq(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        raise argparse.ArgumentTypeError(f"it is a whole number of at most {MOST_DIGITS} digits")
    return int(text)


def _only(options: argparse.Namespace, what: str) -> str:
    if len(options.pairs) != 1:
        raise UsageError(f"{options.command} takes {what}")
    return str(options.pairs[0])


class _Version(argparse.Action):
    """The version, looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415  # only when asked

        parser.exit(message=f"musig-cli {version('musigd')}\n")


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="musig-cli",
        usage=USAGE,
        description="Calls a running musigd and prints the answer as JSON.",
        epilog=f"{PARAMETERS}\n\n{EXIT_CODES}\n\n{MORE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action="store_true", help="this, or the help of the METHOD that is named")
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--datadir", type=path_argument, help="data directory of the daemon (default: $MUSIGD_DATADIR, or usual)"
    )
    where.add_argument("--url", help="address of the daemon (default: $MUSIG_URL)")
    parser.add_argument(
        "--token-file",
        type=path_argument,
        help="file with the token, instead of the cookie (default: $MUSIG_TOKEN_FILE)",
    )
    parser.add_argument("--socket", action="store_true", help="through the unix socket of the data directory")
    parser.add_argument("--table", action="store_true", help="for people instead of programs")
    parser.add_argument(
        "--from", dest="from_seq", type=_seq, metavar="SEQ", help="events: from here; 0 is the oldest kept"
    )
    parser.add_argument("--event", action="append", metavar="NAME", help="events: only this one, or such as session:*")
    parser.add_argument("command", metavar="METHOD", nargs="?")
    parser.add_argument("pairs", nargs="*", metavar="key=value")
    return parser


def _json(value: Any) -> str:
    return escaped(json.dumps(value, ensure_ascii=False, indent=2), lines=True) + "\n"


def _line(event: Any) -> str:
    data = escaped(json.dumps(event["data"], **COMPACT)[:200])
    return f"{event.get('seq', '-'):>8}  {event['event']:<32}  {data}\n"


def _complain(problem: Exception, code: Exit) -> int:
    complain(f"musig-cli: {escaped(str(problem), lines=True)}")
    return code
