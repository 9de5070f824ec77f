"""Opens SQLite connections the way the store needs them, and looks at a file before anything may change it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from daemon.store.errors import StoreUnusable, corrupt, store_error

C = TypeVar("C", bound=sqlite3.Connection)
APPLICATION_ID = 0x6D757369  # "musi": tells our files from other SQLite databases
_HEADER_BYTES = 100  # sqlite.org/fileformat2.html, section 1.3; the application id stands at byte 68
OLDEST_SQLITE = (3, 37, 0)  # STRICT tables
CHECKED_UP_TO_BYTES = 64 * 1024 * 1024  # larger ones are checked in full only by `musigd doctor`: fast start


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a database file is, found without changing it. `version` 0 and `is_new` for a file that does not exist."""

    version: int
    is_new: bool


def is_ours(path: Path) -> bool:
    """Whether the file's header says that it is a database of musigd, of this user. Reads nothing but the header."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
            return os.fstat(file.fileno()).st_uid == os.getuid() and header[68:72] == APPLICATION_ID.to_bytes(4)
    except OSError:
        return False


def inspect(path: Path, *, full: bool = False) -> Inspection:
    """Look at the file through a read-only connection, so that not even a checkpoint touches a damaged one.

    Raises StoreCorrupt, StoreUnusable. `full` checks the structure however large the file is.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StoreUnusable(f"SQLite {sqlite3.sqlite_version} is too old: musigd needs 3.37 or newer.")
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return Inspection(version=0, is_new=True)
    except OSError as error:
        raise StoreUnusable(f"The database {path} cannot be read: {error.strerror}.") from error
    if not path.is_file():
        raise StoreUnusable(f"The database {path} is no regular file: move it away, or use another --datadir.")
    if size == 0:
        return Inspection(version=0, is_new=True)
    try:
        return _inspect_file(path, check=full or size <= CHECKED_UP_TO_BYTES)
    except sqlite3.Error as error:
        raise store_error(error, path) from error


def _inspect_file(path: Path, *, check: bool) -> Inspection:
    conn = open_unchanged(path)
    try:
        (tables,) = conn.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (version,) = conn.execute("PRAGMA user_version").fetchone()
        if tables == 0 and version == 0:
            return Inspection(version=0, is_new=True)
        (application,) = conn.execute("PRAGMA application_id").fetchone()
        if application != APPLICATION_ID:
            raise corrupt(path, "it is not a database of musigd")
        if check:
            (finding,) = conn.execute("PRAGMA quick_check(1)").fetchone()
            if finding != "ok":
                raise corrupt(path, finding)
        return Inspection(version=version, is_new=False)
    finally:
        conn.close()


def open_unchanged(path: Path) -> sqlite3.Connection:
    """A connection that leaves the directory unchanged: it creates no journal, whatever user runs it.

    Not for an empty file: SQLite would remove its journal.
    """
    journal = path.with_name(f"{path.name}-wal")
    how = "mode=ro" if journal.exists() else "immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None)


class WritingConnection(sqlite3.Connection):
    """The connection of the writer, with what owners of tables remember of them from one write to the next.

    `remembered` is right for the transaction as it is: every rollback empties it. `at_end` are functions that are run
    once at the end of the write function under way, in its transaction.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.remembered: dict[str, Any] = {}
        self.at_end: list[Callable[[sqlite3.Connection], None]] = []

    def finish(self) -> None:
        """The write function has ended."""
        while self.at_end:
            self.at_end.pop(0)(self)

    def forget(self) -> None:
        """Something was rolled back."""
        self.remembered.clear()
        self.at_end.clear()


def open_writer(path: Path) -> WritingConnection:
    """The one connection that writes. WAL, and `synchronous=FULL`: a commit that returned survives a power cut."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreUnusable(f"The database {path} cannot be written: {error.strerror}.") from error
    conn = _connect(path, WritingConnection)
    conn.execute("PRAGMA journal_mode=WAL").fetchone()
    conn.execute("PRAGMA synchronous=FULL")
    conn.execute("PRAGMA foreign_keys=ON")
    conn.execute("PRAGMA wal_autocheckpoint=0")  # the writer says when, see writer.py
    conn.execute("PRAGMA secure_delete=FAST")
    return conn


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write."""
    conn = _connect(path, sqlite3.Connection)
    conn.execute("PRAGMA query_only=ON")
    conn.execute("SELECT count(*) FROM sqlite_master").fetchone()  # SQLite opens the files only now, not at first use
    return conn


def open_copier(path: Path) -> sqlite3.Connection:
    """A connection that copies the log into the database, which must be there."""
    conn = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
    )
    conn.execute("PRAGMA synchronous=FULL")
    conn.execute("PRAGMA wal_autocheckpoint=0")
    conn.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return conn


def _connect(path: Path, kind: type[C]) -> C:
    conn = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512, factory=kind)
    conn.execute("PRAGMA busy_timeout=5000")
    return conn
