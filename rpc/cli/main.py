"""`musig-cli`: every method of the API from a shell. Prints JSON; its exit code says how it went."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Sequence
from enum import IntEnum
from importlib.metadata import version
from typing import Any

import orjson

from config.locations import path_argument
from config.output.terminal import complain, say
from config.plain_text import escaped
from rpc.cli.completion import completion
from rpc.cli.environment import refuse_unknown_variables
from rpc.cli.help import EXIT_CODES, PARAMETERS, method_help, methods_help
from rpc.cli.params import UsageError, params_of
from rpc.cli.table import as_table
from rpc.client.client import CallFailed, Client, ClientError, NotAuthorised, Unreachable
from rpc.client.endpoint import DataDir, locator_of
from rpc.methods.method import Method
from rpc.methods.table import METHODS


class Exit(IntEnum):
    """What the exit code says."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_AUTHORISED = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; `rpc.cli.__main__` hears of what escapes from here."""
    options = _parser().parse_intermixed_args(arguments)
    try:
        return asyncio.run(_run(options))
    except KeyboardInterrupt:
        return Exit.DONE
    except CallFailed as problem:
        say(_json({"error": problem.to_json()}))
        return Exit.NOT_AUTHORISED if isinstance(problem, NotAuthorised) else Exit.REFUSED
    except Unreachable as problem:
        return _complain(problem, Exit.UNREACHABLE)
    except (UsageError, ClientError) as problem:
        return _complain(problem, Exit.USAGE)


async def _run(options: argparse.Namespace) -> int:
    refuse_unknown_variables(os.environ)
    match options.command:
        case "methods":
            say(methods_help())
        case "help":
            say(method_help(_method(_only(options, "a method"))))
        case "completion":
            say(completion(_only(options, "bash, zsh or fish")))
        case "events":
            await _follow(options)
        case name:
            await _call(options, _method(name))
    return Exit.DONE


async def _call(options: argparse.Namespace, method: Method) -> None:
    if method.websocket:
        raise UsageError(f"{method.name} needs a connection that stays; use musig-cli events")
    params = params_of(method, options.pairs)
    async with _client(options) as client:
        result = await client.call(method.name, **params)
    say(as_table(result) if options.table else _json(result))


async def _follow(options: argparse.Namespace) -> None:
    if options.pairs:
        raise UsageError("events takes --from SEQ and --event NAME, nothing else")
    async with _client(options) as client:
        async for event in client.events(from_seq=options.from_seq, events=options.event):
            say(_line(event) if options.table else escaped(orjson.dumps(event).decode()) + "\n")


def _client(options: argparse.Namespace) -> Client:
    locator = locator_of(datadir=options.datadir, url=options.url, token_file=options.token_file)
    if options.socket and isinstance(locator, DataDir):
        locator = DataDir(locator.path, by_socket=True)
    return Client(locator)


def _method(name: str) -> Method:
    if name not in METHODS:
        raise UsageError(f"there is no method {name}; musig-cli methods lists them")
    return METHODS[name]


def _only(options: argparse.Namespace, what: str) -> str:
    if len(options.pairs) != 1:
        raise UsageError(f"{options.command} takes {what}")
    return str(options.pairs[0])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="musig-cli",
        usage="musig-cli [options] METHOD [key=value ...] | events | methods | help METHOD | completion SHELL",
        description="Calls a running musigd and prints the answer as JSON.",
        epilog=f"{PARAMETERS}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"musig-cli {version('musigd')}")
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
        "--from", dest="from_seq", type=int, metavar="SEQ", help="events: from here; 0 is the oldest kept"
    )
    parser.add_argument("--event", action="append", metavar="NAME", help="events: only this one, or such as session:*")
    parser.add_argument("command", metavar="METHOD")
    parser.add_argument("pairs", nargs="*", metavar="key=value")
    return parser


def _json(value: Any) -> str:
    return escaped(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(), lines=True) + "\n"


def _line(event: Any) -> str:
    return f"{event.get('seq', '-'):>8}  {event['event']:<32}  {escaped(orjson.dumps(event['data']).decode()[:200])}\n"


def _complain(problem: Exception, code: Exit) -> int:
    complain(f"musig-cli: {escaped(str(problem), lines=True)}")
    return code
