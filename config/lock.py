"""Whether a daemon holds a data directory, asked without keeping anybody out."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from config.locations import LOCK_NAME


def is_held(datadir: Path) -> bool:
    """True while a daemon, ready or not, has the directory; False where that cannot be told."""
    try:
        lock = os.open(datadir / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(lock)
    return False
