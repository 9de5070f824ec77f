"""Forks daemons that can be killed: what they load from libraries is loaded once.

    python -m tests.signing.crash.crash_spawner

For each line on its standard input, the JSON list of the arguments of `crash_child.main`, it writes the process id of
a new daemon. musig2 refuses to sign in a process that was forked after it was loaded, so only libraries are loaded
before.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3  # noqa: F401 - loaded for the daemons, as the next four
import sys
import traceback
from typing import NoReturn

import coincurve  # noqa: F401 - as above
import nacl.bindings  # noqa: F401 - as above
import pydantic  # noqa: F401 - as above
import structlog  # noqa: F401 - as above


def serve() -> None:
    """Fork a daemon for each line; ends with the input. The kernel clears away the daemons that ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _become(json.loads(line))
        print(pid, flush=True)


def _become(arguments: list[str]) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # the spawner's own output is for process ids
    try:
        from tests.signing.crash import crash_child

        asyncio.run(crash_child.main(*arguments))
    except BaseException:
        traceback.print_exc()
    os._exit(0)


if __name__ == "__main__":
    serve()
