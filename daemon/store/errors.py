"""The errors of the database, and the only translation from SQLite's own errors."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from daemon.errors import EXIT_CONFIGURATION, EXIT_DATADIR, DaemonError


class StoreError(DaemonError):
    """Root of the store's errors; by itself: a read or a write failed because of the system."""

    reason = "store_failed"


class StoreClosed(StoreError):
    """A write or read after `close`."""

    reason = "store_closed"


class StoreFull(StoreError):
    """The disk is full; nothing of the write remains, and the same write may succeed later."""

    reason = "store_full"


class DatabaseGone(StoreError):
    """The open file is no longer the one at its path: what is written to it would be lost."""

    reason = "database_gone"


class LockGone(DatabaseGone):
    """The lock of the data directory was removed or replaced: another daemon may write to the database now."""

    reason = "lock_gone"


class StoreCorrupt(StoreError):
    """The file is damaged or no database of musigd; it was not changed."""

    reason = "store_corrupt"


class StoreTooNew(StoreError):
    """A later version of the program has written this database; it was not changed."""

    reason = "store_too_new"
    exit_code = EXIT_DATADIR


class StoreUnusable(StoreError):
    """The file cannot be opened or written, or SQLite is too old."""

    reason = "store_unusable"
    exit_code = EXIT_CONFIGURATION


_FULL = {sqlite3.SQLITE_FULL}
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNUSABLE = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
_SYSTEM = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM}
_SYSTEM |= {sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_PROTOCOL}


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's result code without its extension; -1 where Python gave none."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return -1 if code is None else code & 0xFF


def is_systems_fault(error: sqlite3.Error) -> bool:
    """Whether disk, file or memory failed, and not the statement itself (a constraint, a wrong query)."""
    return primary_code(error) in _FULL | _CORRUPT | _UNUSABLE | _SYSTEM


def store_error(error: sqlite3.Error, path: Path) -> StoreError:
    """The error for a failure of the system; its sentence names the file and the remedy."""
    code = primary_code(error)
    if code in _FULL:
        return StoreFull(f"The disk under {path} is full: free some space, then try again.")
    if code in _CORRUPT:
        return corrupt(path, str(error))
    if code in _UNUSABLE:
        return StoreUnusable(
            f"The database {path} cannot be opened or written ({error}): check its owner and rights, "
            "and that its file system is not mounted read-only."
        )
    return StoreError(f"The database {path} failed ({error}): check the disk and the system log.")


def corrupt(path: Path, detail: str) -> StoreCorrupt:
    """`detail` is SQLite's own finding."""
    return StoreCorrupt(
        f"The database {path} is damaged ({detail}); nothing was changed. Move its directory aside and bring back your "
        f"last backup into an empty one with `musigd restore FILE`; without a backup, `sqlite3 {path.name} .recover` "
        "saves what can be read."
    )
