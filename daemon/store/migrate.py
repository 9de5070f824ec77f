"""Migrates a database to the program's version: numbered SQL files, forward only, a backup file before each."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from daemon.store.connection import APPLICATION_ID, Inspection
from daemon.store.errors import StoreTooNew, store_error


@dataclass(frozen=True, slots=True)
class Migration:
    """One file `NNNN_name.sql`. It holds no BEGIN or COMMIT: it runs in one transaction with its version number."""

    version: int
    name: str
    sql: str


def shipped_migrations() -> tuple[Migration, ...]:
    """The migrations in the program, by number."""
    folder = resources.files("daemon.store.migrations")
    files = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return tuple(Migration(int(name[:4]), name[5:-4], (folder / name).read_text("utf-8")) for name in files)


def refuse_newer(path: Path, found: Inspection, migrations: Sequence[Migration]) -> None:
    """Raises StoreTooNew for a newer layout, which this program does not know."""
    newest = migrations[-1].version
    if found.version > newest:
        raise StoreTooNew(
            f"The database {path} has version {found.version}, but this program knows only {newest}: install the "
            "musigd that wrote it, or a later one. Nothing was changed."
        )


def migrate(conn: sqlite3.Connection, path: Path, found: Inspection, migrations: Sequence[Migration]) -> None:
    """Apply the missing migrations. Before each step on a database with content, `<file>.v<version>.backup` is made.

    A step that fails leaves the database as it was before that step.
    """
    version = found.version
    for step in migrations:
        if step.version <= version:
            continue
        if not found.is_new:
            back_up(conn, path.with_name(f"{path.name}.v{version}.backup"))
        _apply(conn, path, step)
        version = step.version


def back_up(conn: sqlite3.Connection, target: Path) -> None:
    """Copy the whole committed database to `target` (0600), atomically."""
    unfinished = target.with_name(target.name + ".part")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    copy = sqlite3.connect(unfinished, isolation_level=None)
    try:
        conn.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE").fetchone()
    finally:
        copy.close()
    unfinished.replace(target)


def _apply(conn: sqlite3.Connection, path: Path, step: Migration) -> None:
    marks = f"PRAGMA application_id={APPLICATION_ID};\nPRAGMA user_version={step.version};"
    try:
        conn.executescript(f"BEGIN IMMEDIATE;\n{step.sql}\n{marks}\nCOMMIT;")
    except sqlite3.Error as error:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        failure = store_error(error, path)
        raise type(failure)(f"Migration {step.version} ({step.name}) was undone. {failure}") from error
