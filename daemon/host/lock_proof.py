"""Which process holds a data directory according to the kernel: the only basis for sending a signal to a process.

A process id in a file is only a number. It may belong to another container, or to a process that got it later. The
kernel names the holder of a record lock by its id as seen by the caller (fcntl(2), F_GETLK), and nothing if the process
cannot be seen from here. The daemon takes a record lock for this reason only; the lock that counts is flock's.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from config.locations import LOCK_NAME

# struct flock of 64-bit systems: where l_type, l_whence, l_start, l_len and l_pid stand, by sys.platform.
_FORMS: Final = {"linux": ("hhqqi4x", (0, 4)), "darwin": ("qqihh", (3, 2))}


def lock_for_proof(lock: int) -> None:
    """Take the record lock too. It ends with the process, or when the process closes any descriptor of the file."""
    with suppress(OSError):  # a file system without record locks: then no process is ever signalled
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def proven_holder(datadir: Path) -> int | None:
    """The process here that holds the data directory; None when the kernel names none."""
    form, (kind, pid) = _FORMS.get(sys.platform, ("", (0, 0)))
    if not form:
        return None
    asked = [0] * len(struct.unpack(form, bytes(struct.calcsize(form))))
    asked[kind] = fcntl.F_WRLCK
    try:
        lock = os.open(datadir / LOCK_NAME, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            answer = struct.unpack(form, fcntl.fcntl(lock, fcntl.F_GETLK, struct.pack(form, *asked)))
        finally:
            os.close(lock)
    except OSError:
        return None
    return int(answer[pid]) if answer[kind] != fcntl.F_UNLCK and answer[pid] > 0 else None
