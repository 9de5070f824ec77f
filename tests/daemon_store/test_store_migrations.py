"""Forward-only steps: a backup before each, and a step that fails has not happened."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from daemon.store import Store, StoreError
from daemon.store.migrate import Migration, shipped_migrations

ONE = Migration(1, "one", "CREATE TABLE a (x);")
TWO = Migration(2, "two", "CREATE TABLE b (x); INSERT INTO b SELECT x FROM a;")
THREE = Migration(3, "three", "DROP TABLE a;")
BROKEN = Migration(3, "broken", "DROP TABLE a; INSERT INTO nowhere VALUES (1);")


def open_and_close(path: Path, *steps: Migration) -> int:
    store = Store.open(path, steps)
    asyncio.run(store.close())
    return store.schema_version


def tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as conn:
        return {row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as conn:
        return int(conn.execute("PRAGMA user_version").fetchone()[0])


def test_a_new_database_gets_every_step_and_needs_no_backup(tmp_path: Path) -> None:
    assert open_and_close(tmp_path / "db", ONE, TWO) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["db"]


def test_each_step_on_an_old_database_is_preceded_by_a_private_backup(tmp_path: Path) -> None:
    path = tmp_path / "db"
    open_and_close(path, ONE)
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("INSERT INTO a VALUES (7)")
    open_and_close(path, ONE, TWO, THREE)
    assert (tables(path), version(path)) == ({"b"}, 3)
    for old, held in ((1, {"a"}), (2, {"a", "b"})):
        backup = tmp_path / f"db.v{old}.backup"
        assert (version(backup), tables(backup)) == (old, held)
        assert stat.S_IMODE(backup.stat().st_mode) == 0o600
        with closing(sqlite3.connect(backup)) as conn:
            assert conn.execute("SELECT x FROM a").fetchall() == [(7,)]


def test_a_step_that_fails_has_not_happened(tmp_path: Path) -> None:
    path = tmp_path / "db"
    open_and_close(path, ONE, TWO)
    with pytest.raises(StoreError, match=r"Migration 3 .*was undone"):
        Store.open(path, (ONE, TWO, BROKEN))
    assert (tables(path), version(path)) == ({"a", "b"}, 2)
    assert open_and_close(path, ONE, TWO, THREE) == 3


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "db"
    open_and_close(path, ONE)
    before = path.read_bytes()
    open_and_close(path, ONE)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["db"]


def test_the_shipped_steps_are_numbered_without_a_gap() -> None:
    steps = shipped_migrations()
    assert [step.version for step in steps] == list(range(1, len(steps) + 1))
    assert not any(word in step.sql.upper().split() for step in steps for word in ("COMMIT;", "BEGIN;"))
