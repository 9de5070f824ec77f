"""The data directory: private to its owner, used by one daemon at a time, and where clients find that daemon."""

from __future__ import annotations

import fcntl
import grp
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import orjson

from config.locations import ENDPOINT_NAME, LOCK_NAME, socket_path
from daemon.errors import EXIT_CONFIGURATION, EXIT_DATADIR, DaemonError
from daemon.host.private_file import sync_directory, write_private


class DatadirError(DaemonError):
    """The directory cannot be made, read or written, or belongs to somebody else."""

    reason = "datadir"
    exit_code = EXIT_CONFIGURATION


class DatadirLocked(DaemonError):
    """Another daemon uses the directory."""

    reason = "datadir_locked"
    exit_code = EXIT_DATADIR


class Datadir:
    """A data directory that this process holds the lock of, until `close` or the process ends, however it ends."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock
        self._gid: int | None = None  # who else may find the daemon

    @classmethod
    def claim(cls, path: Path) -> Self:
        """Make the directory if need be (0700), and lock it. Raises DatadirError, DatadirLocked."""
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make_private(path)
            lock = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except (FileExistsError, NotADirectoryError) as error:
            raise DatadirError(
                f"The data directory {path} is a file, or lies below one: choose another with --datadir."
            ) from error
        except OSError as error:
            raise DatadirError(
                f"The data directory {path} cannot be used ({error.strerror}): give its rights to this user, or choose "
                "another with --datadir."
            ) from error
        if not _lock_soon(lock):
            holder = _pid_in(lock)
            os.close(lock)
            raise DatadirLocked(_locked_sentence(path, holder))
        os.pwrite(lock, f"{os.getpid():<10}\n".encode(), 0)  # of one length, so that no reader sees half of it
        (path / ENDPOINT_NAME).unlink(missing_ok=True)  # of a daemon that was killed
        return cls(path, lock)

    def let_group_in(self, group: str) -> None:
        """Let members of `group` (`rpc.cookie_group`) reach cookie and endpoint.json; they cannot list the rest."""
        gid = group_id(group)
        try:
            os.chown(self.path, -1, gid)
            self.path.chmod(0o710)
            self._gid = gid
        except OSError as error:
            raise DatadirError(
                f"rpc.cookie_group: the group of {self.path} cannot be set to {group} ({error.strerror}): make "
                "this user a member of it."
            ) from error

    def socket(self, environment: Mapping[str, str]) -> Path:
        """Where the unix socket goes, with a directory that only this user can enter, and no left-over in its place."""
        path = socket_path(self.path, environment)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        found = path.parent.stat()
        if found.st_uid != os.getuid() or (path.parent != self.path and found.st_mode & 0o022):
            raise DatadirError(f"The directory {path.parent} for the unix socket must belong to this user alone.")
        path.unlink(missing_ok=True)
        return path

    def write_endpoint(self, endpoint: Mapping[str, Any]) -> None:
        """Say where the daemon is reached; whole or not at all. Call it when the listeners are up."""
        file = self.path / ENDPOINT_NAME
        write_private(file, orjson.dumps(endpoint).decode() + "\n", mode=0o600 if self._gid is None else 0o640)
        if self._gid is not None:
            os.chown(file, -1, self._gid)

    def remove_endpoint(self) -> None:
        """At a clean stop, before the listeners close."""
        (self.path / ENDPOINT_NAME).unlink(missing_ok=True)

    def close(self) -> None:
        """Let another daemon in. The lock file stays: removing it would let two daemons lock two files."""
        os.close(self._lock)


def lock_holder(path: Path) -> int | None:
    """The process id of the daemon that uses the directory; None when nobody does. 0 if it cannot be told."""
    try:
        lock = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return None if _try_lock(lock) else _pid_in(lock)
    finally:
        os.close(lock)


def read_endpoint(path: Path) -> dict[str, Any] | None:
    """What `endpoint.json` says, if the process it names uses the directory."""
    try:
        endpoint: dict[str, Any] = orjson.loads((path / ENDPOINT_NAME).read_bytes())
    except (OSError, ValueError):
        return None
    return endpoint if endpoint.get("pid") == lock_holder(path) else None


def group_id(group: str) -> int:
    """Raises DatadirError for a group that this machine does not know."""
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise DatadirError(f"rpc.cookie_group: there is no group {group} on this machine; name another one.") from None


def _make_private(path: Path) -> None:
    found = path.stat()
    if found.st_uid != os.getuid():
        raise DatadirError(
            f"The data directory {path} belongs to another user: run musigd as that one, or use --datadir."
        )
    if found.st_mode & 0o077:
        path.chmod(0o700)
        sync_directory(path)


def _lock_soon(lock: int) -> bool:
    """Whoever only looks who holds the lock (`lock_holder`) holds it for a moment itself."""
    for _ in range(20):
        if _try_lock(lock):
            return True
        time.sleep(0.01)
    return _try_lock(lock)


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid_in(lock: int) -> int:
    content = os.pread(lock, 32, 0).strip()
    return int(content) if content.isdigit() else 0


def _locked_sentence(path: Path, holder: int) -> str:
    who = f"the musigd with process id {holder}" if holder else "another musigd"
    return f"The data directory {path} is in use by {who}: stop that one (`musigd stop`), or choose another --datadir."
