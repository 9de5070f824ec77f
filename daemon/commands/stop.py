"""`musigd stop`."""

from __future__ import annotations

import argparse
import os

from config.output.terminal import say
from daemon.commands.settings import datadir_from
from daemon.host.stop import stop_daemon

WAIT_SECONDS = 60.0


def stop(arguments: argparse.Namespace) -> int:
    """Ask the daemon that holds the data directory to stop and wait until it is gone; 1 if that takes a minute."""
    datadir = datadir_from(arguments)
    stopped = stop_daemon(datadir, os.environ, WAIT_SECONDS)
    say(f"Stopped the daemon of {datadir}.\n" if stopped else f"No daemon uses {datadir}.\n")
    return 0
