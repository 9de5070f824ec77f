"""Whether the files that SQLite holds open, and the lock of their directory, are still those at their paths.

A removed file exists without a name until its last holder closes it: writes to it succeed and are lost then.
"""

from __future__ import annotations

import os
from pathlib import Path

from daemon.store.errors import DatabaseGone, LockGone


class Whereabouts:
    """Database and write-ahead log as they were when opened. A check costs a few microseconds; on any thread."""

    def __init__(self, path: Path, lock: Path | None = None) -> None:
        """All files must exist: a connection in WAL mode has read. `lock`: the lock file of the data directory."""
        self._lock = lock
        held = (path, path.with_name(f"{path.name}-wal"), *(() if lock is None else (lock,)))
        self._opened = [(each, os.fspath(each), _identity(os.fspath(each))) for each in held]

    def gone(self) -> DatabaseGone | None:
        """The error if one of the files was removed or replaced, else None."""
        for path, name, opened in self._opened:
            found: tuple[int, int] | None
            try:
                found = _identity(name)
            except (FileNotFoundError, NotADirectoryError):
                found = None
            except OSError:  # a directory on the way cannot be entered, which says nothing about the file
                continue
            if found != opened:
                return LockGone(_of_lock(path)) if path == self._lock else DatabaseGone(_sentence(path))
        return None


def _identity(name: str) -> tuple[int, int]:
    """Device and inode."""
    found = os.stat(name)  # noqa: PTH116  # before every commit: a Path takes twice the time
    return found.st_dev, found.st_ino


def _sentence(path: Path) -> str:
    return (
        f"{path} was removed or replaced while the daemon has it open, so no change is taken any more. Do not stop the "
        f"daemon (process {os.getpid()}) yet: move the file back to its place if it was moved; if it was removed, copy "
        f"the database and its -wal out of /proc/{os.getpid()}/fd first (`ls -l` there shows them as deleted; use root "
        "if you may not look), then stop the daemon and put the copies in their places, under their former names. What "
        "is not in them or in a backup is lost when the daemon stops."
    )


def _of_lock(path: Path) -> str:
    return (
        f"{path} was removed or replaced while the daemon holds it, so that another daemon may use the directory too, "
        f"and no change is taken any more. Stop this one (`kill {os.getpid()}`) and start one again: what clients were "
        "told is in the database."
    )
