"""`musigd stop` and `musigd reload`: orders to the daemon that holds the data directory."""

from __future__ import annotations

import argparse
import os
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


class SettingsRefused(DaemonError):
    """The daemon could not take the settings over, and goes on with those it has."""

    reason = "settings_refused"
    exit_code = EXIT_CONFIGURATION


def stop(arguments: argparse.Namespace) -> int:
    """Ask the daemon that holds the data directory to stop and wait until it is gone; 1 if that takes a minute."""
    datadir = datadir_from(arguments)
    stopped = stop_daemon(datadir, os.environ, WAIT_SECONDS)
    say(f"Stopped the daemon of {datadir}.\n" if stopped else f"No daemon uses {datadir}.\n")
    return 0


def reload(arguments: argparse.Namespace) -> int:
    """Let the daemon read its settings again, and say which it took over; 2 if they cannot be read."""
    answer = _ask(datadir_from(arguments))
    if "problem" in answer:
        raise SettingsRefused(f"The daemon goes on with its former settings: {answer['problem']}")
    taken, waiting = answer["taken"], answer["needRestart"]
    say(f"Taken over: {', '.join(taken)}.\n" if taken else "Nothing was taken over.\n")
    if waiting:
        say(f"Waiting for a restart: {', '.join(waiting)}.\n")
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
