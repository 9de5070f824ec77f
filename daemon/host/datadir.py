"""The data directory: private to its owner, used by one daemon at a time; clients find that daemon through it."""

from __future__ import annotations

import errno
import fcntl
import grp
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from config.locations import ENDPOINT_NAME, LOCK_NAME, socket_path
from daemon.errors import EXIT_DATADIR, DaemonError
from daemon.host.lock_proof import lock_for_proof
from daemon.host.own_directory import DatadirError, dangling_link, take
from daemon.host.private_file import naming, write_private

__all__ = ["Datadir", "DatadirError", "DatadirLocked", "Holder", "group_id", "holder_of", "read_endpoint"]


_REMEDIES = {
    errno.EROFS: "mount its file system writable",
    errno.ENOSPC: "free some space",
    errno.EIO: "look at the disk",
}


class DatadirLocked(DaemonError):
    """Another daemon uses the directory."""

    reason = "datadir_locked"
    exit_code = EXIT_DATADIR


class Datadir:
    """A data directory that this process holds the lock of, until `close` or the process ends, however it ends."""

    def __init__(self, path: Path, lock: int, mark: str, *, may_change: bool) -> None:
        self.path = path
        self.mark = mark  # as in `Holder`
        self._lock = lock
        self._may_change = may_change  # the mode of the directory
        self._gid: int | None = None  # who else may find the daemon

    @classmethod
    def claim(cls, path: Path) -> Self:
        """Create the directory if needed (0700), and lock it. Raises DatadirError, DatadirLocked."""
        try:
            may_change = take(path)
            lock = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except (FileExistsError, NotADirectoryError) as error:
            if (link := dangling_link(path)) is not None:
                raise DatadirError(_of_link(path, link)) from error
            raise DatadirError(
                f"The data directory {path} is a file, or inside one: choose another with --datadir."
            ) from error
        except OSError as error:
            remedy = _REMEDIES.get(error.errno or 0, "give its rights to this user")
            raise DatadirError(
                f"The data directory {path} cannot be used ({error.strerror}): {remedy}, or choose another with "
                "--datadir."
            ) from error
        if not _lock_soon(lock):
            holder = _written_in(lock)
            os.close(lock)
            raise DatadirLocked(_locked_sentence(path, holder))
        mark = secrets.token_hex(8)
        with naming(path / LOCK_NAME):
            os.pwrite(lock, f"{os.getpid():<10} {mark}\n".encode(), 0)  # of fixed length: no reader sees half of it
        lock_for_proof(lock)
        (path / ENDPOINT_NAME).unlink(missing_ok=True)  # of a daemon that was killed
        return cls(path, lock, mark, may_change=may_change)

    def let_group_in(self, group: str) -> None:
        """Let members of `group` (`rpc.cookie_group`) open cookie and endpoint.json; they cannot list the directory."""
        gid = group_id(group)
        if not self._may_change:
            raise DatadirError(
                f"rpc.cookie_group: {self.path} holds files that are not musigd's, so its rights are not changed. "
                "Choose a data directory of its own with --datadir."
            )
        try:
            give_to_group(self.path, gid)
            self.path.chmod(0o710)
            self._gid = gid
        except OSError as error:
            raise DatadirError(
                f"rpc.cookie_group: the group of {self.path} cannot be set to {group} ({error.strerror}): make "
                "this user a member of it."
            ) from error

    def socket(self, environment: Mapping[str, str]) -> Path:
        """The path of the unix socket, in a directory that only this user can enter. Raises DatadirError."""
        path = socket_path(self.path, environment)
        if path.parent != self.path:
            _make_runtime_directory(path.parent)
        return path

    def write_endpoint(self, endpoint: Mapping[str, Any]) -> None:
        """Write where the daemon can be reached, atomically. Call it when the listeners are up."""
        file = self.path / ENDPOINT_NAME
        write_private(file, orjson.dumps(endpoint).decode() + "\n", mode=0o600 if self._gid is None else 0o640)
        if self._gid is not None:
            give_to_group(file, self._gid)

    def remove_endpoint(self) -> None:
        """Remove endpoint.json; at a clean stop, before the listeners close."""
        (self.path / ENDPOINT_NAME).unlink(missing_ok=True)

    def close(self) -> None:
        """Release the lock. The lock file stays: removing it would let two daemons lock two files."""
        os.close(self._lock)


@dataclass(frozen=True, slots=True)
class Holder:
    """The daemon that uses a data directory. Two daemons differ in `mark`, whatever their process ids are.

    `pid` is what it wrote itself: from another container it is meaningless here, or names another process.
    """

    pid: int
    mark: str


def holder_of(path: Path) -> Holder | None:
    """The daemon that uses the data directory, by its lock; None if none does. Raises DatadirError if unknown."""
    try:
        lock = os.open(path / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DatadirError(
            f"Whether a daemon uses {path} cannot be told ({error.strerror}): run this as the daemon's user."
        ) from error
    try:
        return None if _try_lock(lock, fcntl.LOCK_SH) else _written_in(lock)
    finally:
        os.close(lock)


def read_endpoint(path: Path) -> dict[str, object] | None:
    """The content of `endpoint.json` if a daemon uses the directory; a daemon removes an old one when it starts."""
    try:
        endpoint: dict[str, object] = orjson.loads((path / ENDPOINT_NAME).read_bytes())
    except (OSError, ValueError):
        return None
    return endpoint if holder_of(path) is not None else None


def give_to_group(path: Path, gid: int) -> None:
    """Set the group, unless it is that already: a sandbox may forbid the call itself. Raises OSError."""
    if path.stat().st_gid != gid:
        os.chown(path, -1, gid)


def group_id(group: str) -> int:
    """Raises DatadirError for a group that this machine does not know."""
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise DatadirError(f"rpc.cookie_group: there is no group {group} on this machine; name another one.") from None


def _of_link(path: Path, link: Path) -> str:
    return (
        f"The data directory {path} cannot be made: {link} is a link to {link.readlink()}, which does not exist. "
        "Create what it points to (mount it, if it is a volume), or choose another with --datadir."
    )


def _make_runtime_directory(path: Path) -> None:
    """Make a directory for sockets outside the data directory. Below `/tmp` others may have made it first."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.stat()
        planted = path.is_symlink() and path.parent.stat().st_mode & 0o002
    except OSError as error:
        raise DatadirError(
            f"The directory {path} for the unix socket cannot be made ({error.strerror}): set XDG_RUNTIME_DIR to one "
            "of this user, or use a shorter --datadir."
        ) from error
    if found.st_uid != os.getuid() or found.st_mode & 0o022 or planted:
        raise DatadirError(f"The directory {path} for the unix socket must belong to this user alone.")


def _lock_soon(lock: int) -> bool:
    """Try the lock for a moment: `holder_of` in another process holds it briefly."""
    for _ in range(20):
        if _try_lock(lock, fcntl.LOCK_EX):
            return True
        time.sleep(0.01)
    return _try_lock(lock, fcntl.LOCK_EX)


def _try_lock(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _written_in(lock: int) -> Holder:
    pid, _, mark = os.pread(lock, 64, 0).decode("ascii", "replace").strip().partition(" ")
    return Holder(int(pid) if pid.isdigit() else 0, mark.strip())


def _locked_sentence(path: Path, holder: Holder) -> str:
    who = f"the musigd with process id {holder.pid}" if holder.pid else "another musigd"
    return f"The data directory {path} is in use by {who}: stop that one (`musigd stop`), or choose another --datadir."
