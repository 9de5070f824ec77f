"""`musigd stop` and `musigd reload`: orders to the daemon that holds the data directory."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

import orjson

from config.output.terminal import say
from daemon.commands.settings import datadir_from
from daemon.errors import EXIT_CONFIGURATION, DaemonError
from daemon.host.datadir import holder_of
from daemon.host.own_socket import ask_daemon
from daemon.host.stop import stop_daemon
from rpc.ports import Reloaded

WAIT_SECONDS = 60.0


class NotReached(DaemonError):
    """No daemon uses the data directory, or it does not answer."""

    reason = "not_reached"


class NotTakenOver(DaemonError):
    """The daemon could not take something over, and goes on with what it has. `problems`: a sentence for each."""

    reason = "settings_refused"
    exit_code = EXIT_CONFIGURATION

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def stop(arguments: argparse.Namespace) -> int:
    """Ask the daemon that holds the data directory to stop and wait until it is gone; 1 if that takes a minute."""
    datadir = datadir_from(arguments)
    stopped = stop_daemon(datadir, os.environ, WAIT_SECONDS)
    say(f"Stopped the daemon of {datadir}.\n" if stopped else f"No daemon uses {datadir}.\n")
    return 0


def reload(arguments: argparse.Namespace) -> int:
    """Let the daemon read its settings again, and say what became of each thing; 2 if one of them failed."""
    answer = _ask(datadir_from(arguments))
    said = {
        "Taken over": answer["taken"],
        "Unchanged": answer["unchanged"],
        "Waiting for a restart": answer["needRestart"],
    }
    for what, things in said.items():
        if things:
            say(f"{what}: {', '.join(things)}.\n")
    if answer["failed"]:
        raise NotTakenOver([f"Failed, and as before: {thing}. {why}" for thing, why in answer["failed"].items()])
    return 0


def _ask(datadir: Path) -> Reloaded:
    holder = holder_of(datadir)
    if holder is None:
        raise NotReached(f"No daemon uses {datadir}.")
    answer = ask_daemon(datadir, os.environ, holder, "/reload", WAIT_SECONDS)
    if answer is None or answer.status != HTTPStatus.OK:
        raise NotReached(f"The daemon of {datadir} does not answer at its socket: it is starting, stopping, or hangs.")
    said: Reloaded = orjson.loads(answer.body)
    return said
