"""`musig-cli`: every method of the API from a shell. Prints JSON; the exit code says how it ended.

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

from config.output.terminal import STDERR, STDOUT, complain, is_terminal, say
from config.text.nearest import did_you_mean
from config.text.plain_text import escaped
from musigd_client.endpoint import DataDir, Locator, locator_of
from musigd_client.errors import CallFailed, ClientError, NotAuthorised, Unreachable
from musigd_client.places import datadir_of
from rpc.cli.api import EVENTS, METHODS, MethodEntry
from rpc.cli.environment import refuse_unknown_variables
from rpc.cli.help import COMMANDS, DAEMON_COMMANDS, events_help, method_help, methods_help
from rpc.cli.options import parser, understood
from rpc.cli.params import UsageError, params_of

if TYPE_CHECKING:
    from musigd_client import Client

COMPACT: Any = {"ensure_ascii": False, "separators": (",", ":")}
WAITING = frozenset({"getEvents", "getFinalSignature"})  # through restarts of the daemon, while `waitMs` lasts


class Exit(IntEnum):
    """The exit codes."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_AUTHORISED = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; `rpc.cli.__main__` handles exceptions that leave it."""
    options = understood(arguments)
    try:
        return _run(options)
    except KeyboardInterrupt:
        return Exit.DONE
    except CallFailed as problem:
        _refuse(options, problem)
        return Exit.NOT_AUTHORISED if isinstance(problem, NotAuthorised) else Exit.REFUSED
    except Unreachable as problem:
        return _complain(problem, Exit.UNREACHABLE)
    except (UsageError, ClientError) as problem:
        return _complain(problem, Exit.USAGE)


def _run(options: argparse.Namespace) -> Exit:
    refuse_unknown_variables(os.environ)
    if options.help or options.command in (None, "help"):
        say(_help(options))
        return Exit.DONE
    match options.command:
        case "methods":
            say(methods_help())
        case "completion":
            from rpc.cli.completion import completion  # noqa: PLC0415  # few commands need it

            say(completion(_only(options, "bash, zsh or fish")))
        case "events":
            _follow(options)
        case "review" | "sign":
            return _for_a_person(options)
        case "pair":
            _pair(options)
        case name:
            _call(options, _method(name))
    return Exit.DONE


def _help(options: argparse.Namespace) -> str:
    """`help`, `help METHOD`, `METHOD --help`, `--help`: of what is named, else of the command."""
    words = [word for word in (options.command, *options.pairs) if word not in (None, "help")]
    if not words:
        return parser().format_help()
    match words[0]:
        case "events":
            return events_help()
        case "methods" | "completion" | "review" | "sign" | "pair":
            return parser().format_help()
        case name:
            return method_help(_method(str(name)))


def _call(options: argparse.Namespace, method: MethodEntry) -> None:
    if method.websocket:
        raise UsageError(f"{method.name} needs a lasting connection; use musig-cli events")
    if options.to is not None and method.name != "createToken":
        raise UsageError("--to FILE goes with createToken")
    params = params_of(method, options.pairs)
    if options.dry_run:
        if "dryRun" not in method.params:
            raise UsageError("--dry-run goes with reloadPolicy")
        params["dryRun"] = True
    if options.to is not None:
        from rpc.cli.token_file import with_token_file  # noqa: PLC0415  # few calls need it

        result = with_token_file(options.to, lambda: _asked(_locator(options), method, params))
    else:
        result = _asked(_locator(options), method, params)
    listed = params.get("dryRun") is True or method.name.startswith(("list", "find")) or method.name == "getAuditLog"
    say(_for_people(method.name, result) if options.table or (listed and _is_for_a_person(options)) else _json(result))


def _for_people(method: str, result: Any) -> str:
    """Imports what it needs alone: few calls are for people."""
    match method:
        case "listPendingApprovals":
            from rpc.cli.people.pending import pending_text  # noqa: PLC0415  # few calls need it

            return pending_text(result)
        case "reloadPolicy" if "dryRun" in result:
            from rpc.cli.people.dry_run import dry_run_text  # noqa: PLC0415  # few calls need it

            return dry_run_text(result)
        case "getAuditLog":
            from rpc.cli.people.lines import audit_lines  # noqa: PLC0415  # few calls need it

            return audit_lines(result)
        case _:
            from rpc.cli.people.table import as_table  # noqa: PLC0415  # few calls need it

            return as_table(result)


def _is_for_a_person(options: argparse.Namespace) -> bool:
    return not options.json and (options.table or is_terminal(STDOUT))


def _refuse(options: argparse.Namespace, problem: CallFailed) -> None:
    """The sentence on standard error; the error object on standard output, but where that is a terminal."""
    from rpc.cli.people.refusal import refusal_text  # noqa: PLC0415  # most calls succeed

    if options.json or not is_terminal(STDOUT):
        say(_json({"error": problem.to_json()}))
    complain(refusal_text(problem))


def _pair(options: argparse.Namespace) -> None:
    from rpc.cli.people.pair import pairing, qr_code  # noqa: PLC0415  # few commands need it

    link = pairing(_locator(options), _only(options, "a public key") if options.pairs else None, options.name)
    say(f"{qr_code(link)}\n{link}\n" if _is_for_a_person(options) else f"{link}\n")


def _for_a_person(options: argparse.Namespace) -> Exit:
    from rpc.cli.people import sign  # noqa: PLC0415  # few calls need it

    locator, request_id = _locator(options), options.request or _only(options, "the id of a request")
    if options.command == "review":
        request = sign.reviewed(locator, request_id)
        say(_json(request) if options.json else sign.review_of(locator, request))
        return Exit.DONE
    final = sign.signed(locator, request_id, options.key, agreed=options.yes)
    if final is None:
        complain("musig-cli: nothing was signed")
        return Exit.REFUSED
    say(_json(final))
    return Exit.DONE


def _asked(locator: Locator, method: MethodEntry, params: dict[str, Any]) -> Any:
    from musigd_client.sync.http import call  # noqa: PLC0415  # help and completion need no connection

    wait_ms = params.get("waitMs")
    if method.name == "getFinalSignature" and isinstance(wait_ms, int) and is_terminal(STDERR):
        from rpc.cli.people.waiting import waited_for_signature  # noqa: PLC0415  # few calls wait

        return waited_for_signature(locator, params, wait_ms)
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
    from rpc.cli.people.lines import event_line  # noqa: PLC0415  # calls need none

    for_a_person = _is_for_a_person(options)
    async with _client(_locator(options)) as client:
        async for event in client.events(from_seq=options.from_seq, events=options.event):
            say(event_line(event) if for_a_person else escaped(json.dumps(event, **COMPACT)) + "\n")


def _client(locator: Locator) -> Client:
    from musigd_client import Client  # noqa: PLC0415  # loads the models, and aiohttp

    return Client(locator, patience_s=0)


def _locator(options: argparse.Namespace) -> Locator:
    if not options.socket:
        return locator_of(datadir=options.datadir, url=options.url, token_file=options.token_file)
    if options.url is not None or options.token_file is not None:
        raise UsageError("--socket is that of a data directory, and takes no token: leave out --url and --token-file")
    return DataDir(datadir_of(options.datadir, os.environ), by_socket=True)


def _method(name: str) -> MethodEntry:
    if name not in METHODS:
        guess = did_you_mean(name, (*METHODS, *COMMANDS))
        if name in DAEMON_COMMANDS:
            guess = f" (did you mean musigd {name}?)"
        raise UsageError(f"there is no method {name}{guess}; musig-cli methods lists them")
    return METHODS[name]


def _only(options: argparse.Namespace, what: str) -> str:
    if len(options.pairs) != 1 or "=" in options.pairs[0]:
        raise UsageError(f"{options.command} takes {what}, as it is")
    return str(options.pairs[0])


def _json(value: Any) -> str:
    return escaped(json.dumps(value, ensure_ascii=False, indent=2), lines=True) + "\n"


def _complain(problem: Exception, code: Exit) -> int:
    complain(f"musig-cli: {escaped(str(problem), lines=True)}")
    return code
