"""Which directory may become a data directory. A user may name a wrong one: `/tmp`, a home, the current directory.

not there                          made, 0700
empty                              taken, and made private
with a mark of ours                taken, and made private: our lock file, or a database of ours
anything else that is private      taken as it is, unless one of its files has the name of one of ours
anything else                      refused; its rights are never changed
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.locations import CONFIG_NAME, COOKIE_NAME, DATABASE_NAME, ENDPOINT_NAME, LOCK_NAME, SOCKET_NAME
from daemon.errors import EXIT_CONFIGURATION, DaemonError
from daemon.host.private_file import sync_directory
from daemon.store.connection import is_ours

_NOTHING: Final = frozenset({"lost+found", CONFIG_NAME})  # of a new file system, or made before a first start
_WRITTEN: Final = rb"[0-9]{1,10} *( [0-9a-f]{16})?\n"  # in a lock, by a daemon: see datadir.py
_REPLACED: Final = (LOCK_NAME, ENDPOINT_NAME, COOKIE_NAME, SOCKET_NAME)  # names that a start writes without asking


class DatadirError(DaemonError):
    """The directory cannot be made, read or written, or belongs to somebody else."""

    reason = "datadir"
    exit_code = EXIT_CONFIGURATION


@dataclass(frozen=True, slots=True)
class Claim:
    """What may be done with a directory: `may_change` its rights, and that it `is_open` to others now."""

    may_change: bool
    is_open: bool


def take(path: Path) -> bool:
    """Create the directory or make it private; whether its mode may be changed. Raises DatadirError, OSError."""
    try:
        path.mkdir(mode=0o700, parents=True)
        return True
    except FileExistsError:
        if not path.is_dir():
            raise
    claim = claim_to(path)
    if claim.is_open:
        path.chmod(0o700)
        sync_directory(path)
    return claim.may_change


def dangling_link(path: Path) -> Path | None:
    """The symbolic link in a path that points nowhere or in a circle; None if there is none."""
    return next((each for each in (path, *path.parents) if each.is_symlink() and not each.exists()), None)


def claim_to(path: Path) -> Claim:
    """What may be done with a directory that is there. Raises DatadirError for one that is not to be used, OSError."""
    found = path.stat()
    if found.st_uid != os.getuid():
        raise DatadirError(
            f"The data directory {path} belongs to another user: run musigd as that one, or use --datadir."
        )
    is_open = bool(found.st_mode & 0o077)
    if not found.st_mode & stat.S_ISVTX and (is_empty(path) or _is_marked(path)):
        return Claim(may_change=True, is_open=is_open)
    if is_open:
        raise DatadirError(
            f"The directory {path} holds files that are not musigd's, and others may enter it; its rights are not "
            "changed. Choose another with --datadir: a new one, or an empty one."
        )
    taken = [name for name in _REPLACED if os.path.lexists(path / name)]
    if taken:
        raise DatadirError(
            f"The directory {path} is not musigd's and holds {taken[0]} of somebody else, where musigd would put its "
            "own. Choose another with --datadir: a new one, or an empty one."
        )
    return Claim(may_change=False, is_open=False)


def is_empty(path: Path) -> bool:
    """Whether it holds nothing but what a start allows: our settings, and a lock file."""
    names = {entry.name for entry in path.iterdir()} - _NOTHING
    return not names or (names == {LOCK_NAME} and _fits(path / LOCK_NAME, rb"(%s)?" % _WRITTEN))


def _is_marked(path: Path) -> bool:
    return _fits(path / LOCK_NAME, _WRITTEN) or is_ours(path / DATABASE_NAME)


def _fits(path: Path, pattern: bytes) -> bool:
    """Whether this is a regular file of this user with such content."""
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            own = stat.S_ISREG(found.st_mode) and found.st_uid == os.getuid()
            return own and re.fullmatch(pattern, file.read(64)) is not None
    except OSError:
        return False


def is_mounted_read_only(path: Path) -> bool:
    """Whether the file system of what exists there takes no writes, whatever the rights."""
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def why_unwritable(path: Path) -> tuple[str, str] | None:
    """What keeps this user from writing into that directory, and what to do; None: nothing."""
    if os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return None
    if is_mounted_read_only(path):
        return (
            f"The data directory {path} is on a file system that is mounted read-only.",
            "Mount it writable, or use --datadir.",
        )
    return f"The data directory {path} cannot be written.", f"chmod 700 {path}, or use --datadir."
