"""`musigd stop`."""

from __future__ import annotations

import argparse
import os
import signal
import time

from config.output.terminal import complain, say
from daemon.commands.settings import datadir_from, ending_in_a_sentence
from daemon.host.datadir import lock_holder

WAIT_SECONDS = 60.0
LOOK_SECONDS = 0.05


@ending_in_a_sentence
def stop(arguments: argparse.Namespace) -> int:
    """Send SIGTERM to the daemon that holds the data directory and wait until it is gone; 1 if that takes a minute."""
    datadir = datadir_from(arguments)
    pid = lock_holder(datadir)
    if not pid:
        say(f"No daemon uses {datadir}.\n")
        return 0
    try:
        os.kill(pid, signal.SIGTERM)
    except PermissionError:
        complain(f"musigd: process {pid} belongs to another user: stop it as that one.")
        return 1
    except ProcessLookupError:
        return 0
    deadline = time.monotonic() + WAIT_SECONDS
    while lock_holder(datadir) == pid:
        if time.monotonic() > deadline:
            complain(f"musigd: process {pid} has not ended after {WAIT_SECONDS:.0f} s: look at its log.")
            return 1
        time.sleep(LOOK_SECONDS)
    say(f"Stopped process {pid}.\n")
    return 0
