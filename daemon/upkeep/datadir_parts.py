"""The parts of a data directory that belong together, and whether they are all there.

    none of them                                      a first start: all are made, under the mark `first-start`
    the mark                                          an interrupted first start continues: nothing depends on it yet
    database and identity, and what opens the keys    whole
    any other set                                     refused, and nothing written: what is missing was lost, or is
                                                      somewhere else, and a new one in its place would hide that

The keys are opened by the generated file `passphrase`, unless settings or owner have chosen another passphrase.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.locations import DATABASE_NAME
from daemon.errors import EXIT_CONFIGURATION, EXIT_FAILURE, DaemonError
from daemon.host.private_file import sync_directory, write_private
from daemon.keys import vault
from daemon.keys.identity import IDENTITY_NAME
from daemon.keys.passphrase import GENERATED_NAME, PassphraseSource, find_passphrase
from daemon.keys.vault import Vault
from daemon.store.connection import inspect, open_unchanged

MARK_NAME: Final = "first-start"
JOURNAL_NAME: Final = f"{DATABASE_NAME}-wal"

DO_NOT_STOP: Final = (
    "Do not stop the daemon that runs here: its database was removed or moved, and only the daemon still holds it. Its "
    "log and `musig-cli getInfo` (database_gone) say how to save it."
)


class IncompleteDatadir(DaemonError):
    """A part is missing beside others. Nothing was written."""

    reason = "datadir_incomplete"
    exit_code = EXIT_FAILURE


class DatabaseThere(DaemonError):
    """A new database was asked for, and there is one."""

    reason = "database_there"
    exit_code = EXIT_CONFIGURATION


@dataclass(frozen=True, slots=True)
class Parts:
    """What a data directory holds. `marked`: its first start was interrupted. `database`: one with content.

    `remains`: an empty database, or a write-ahead log without one. `opened`: the passphrase is in a file, or typed.
    """

    marked: bool
    database: bool
    remains: bool
    identity: bool
    passphrase: bool
    opened: bool


def look(datadir: Path, configured: Path | None, environment: Mapping[str, str]) -> Parts:
    """Look which parts are there; writes nothing. `configured`: the setting `keys.passphrase_file`."""
    database, journal = datadir / DATABASE_NAME, datadir / JOURNAL_NAME
    has_content, made = _database(database)
    source = find_passphrase(datadir, configured, environment)
    is_missing = source.origin is PassphraseSource.GENERATED and not source.path.exists()
    return Parts(
        marked=(datadir / MARK_NAME).exists(),
        database=has_content,
        remains=not has_content and (database.exists() or _size(journal) > 0),
        identity=(datadir / IDENTITY_NAME).exists(),
        passphrase=(datadir / GENERATED_NAME).exists() and configured != datadir / GENERATED_NAME,
        opened=not (is_missing and made is not None and made.generated),
    )


def is_first_start(datadir: Path, parts: Parts) -> bool:
    """True for a first start, False for a whole directory. Raises IncompleteDatadir, with the remedy."""
    if parts.marked or not (parts.database or parts.remains or parts.identity or parts.passphrase):
        return True
    if not parts.database:
        raise IncompleteDatadir(_no_database(datadir, parts))
    if not parts.identity:
        raise IncompleteDatadir(
            f"The data directory {datadir} has a database and no peer identity: put its file `{IDENTITY_NAME}` back. "
            "Without it, `musigd backup FILE` here and `musigd restore FILE` into an empty directory make another "
            "one, and give up the sessions that are open."
        )
    if not parts.opened:
        raise IncompleteDatadir(
            f"The data directory {datadir} has lost the generated file `{GENERATED_NAME}`, which opens its keys: put "
            "it back, name it with keys.passphrase_file, or bring your last backup into an empty directory with "
            "`musigd restore FILE`."
        )
    return False


def begin(datadir: Path, parts: Parts) -> bool:
    """Returns whether this is a first start, and marks it; only with the lock held. Raises IncompleteDatadir."""
    first = is_first_start(datadir, parts)
    if first and not parts.marked:
        write_private(datadir / MARK_NAME, "")
    return first


def finish(datadir: Path) -> None:
    """Remove the mark once all parts are on the disk: from now on each is required."""
    mark = datadir / MARK_NAME
    if mark.exists():
        mark.unlink()
        sync_directory(datadir)


def refuse_new_database(datadir: Path, parts: Parts) -> None:
    """Raises DatabaseThere where `--new-database` would give up a database."""
    if parts.database:
        raise DatabaseThere(f"--new-database: there is a database in {datadir} already; start without this option.")


def give_up_former(datadir: Path) -> None:
    """Make the next start a first one, as the owner asked; only with the lock held. Nothing is deleted.

    As after a restore, the daemon becomes another peer: it no longer knows what it sent as the former one.
    """
    write_private(datadir / MARK_NAME, "")
    former = f"former-{time.time_ns() // 1_000_000}"
    for name in (DATABASE_NAME, JOURNAL_NAME, f"{DATABASE_NAME}-shm", IDENTITY_NAME):
        if (datadir / name).exists():
            (datadir / name).rename(datadir / f"{name}.{former}")
    sync_directory(datadir)


def is_typed(datadir: Path) -> bool:
    """Whether the owner chose the passphrase, so that no file has to hold it."""
    path = datadir / DATABASE_NAME
    try:
        if inspect(path).is_new:
            return False
        with closing(open_unchanged(path)) as conn:
            made = vault.load(conn)
    except (DaemonError, sqlite3.Error):  # said by the check of the database in `musigd doctor`
        return False
    return made is not None and not made.generated


def _no_database(datadir: Path, parts: Parts) -> str:
    there = [f"`{IDENTITY_NAME}`"] * parts.identity + [f"`{GENERATED_NAME}`"] * parts.passphrase
    beside = f" beside {' and '.join(there)}" if there else ""
    how = "an empty or unfinished" if parts.remains else "no"
    return (
        f"The data directory {datadir} has {how} database{beside}; the keys were in it. Put the file `{DATABASE_NAME}` "
        "back, or bring your last backup into an empty directory with `musigd restore FILE`. If the keys may be "
        "given up, start once with `musigd run --new-database`."
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _database(path: Path) -> tuple[bool, Vault | None]:
    """Whether the database has content, and its vault. An empty file is not opened: SQLite would remove its journal.

    A file that cannot be read counts as one with content: opening it later says what is wrong.
    """
    if not path.is_file():
        return path.exists(), None
    if _size(path) == 0:
        return False, None
    try:
        with closing(open_unchanged(path)) as conn:
            (tables,) = conn.execute("SELECT count(*) FROM sqlite_master").fetchone()
            made = None if tables == 0 else vault.load(conn)
    except sqlite3.Error:
        return True, None
    return made is not None, made
