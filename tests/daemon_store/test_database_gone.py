"""A database that is removed or replaced while it is open takes no more writes."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.store import DatabaseGone, LockGone, Store


def insert(conn: sqlite3.Connection) -> None:
    conn.execute("INSERT INTO meta (name, value) VALUES ('a', 1)")


def remove(path: Path) -> None:
    path.unlink()


def remove_journal(path: Path) -> None:
    path.with_name(f"{path.name}-wal").unlink()


def replace_with_copy(path: Path) -> None:
    shutil.copy(path, f"{path}.copy")
    Path(f"{path}.copy").replace(path)


def remove_directory(path: Path) -> None:
    shutil.rmtree(path.parent)


@pytest.mark.parametrize("harm", [remove, remove_journal, replace_with_copy, remove_directory])
async def test_a_write_to_a_database_that_is_gone_is_refused_and_says_not_to_stop(
    store: Store, harm: Callable[[Path], None]
) -> None:
    harm(store.path)
    with pytest.raises(DatabaseGone, match=r"(?s)removed or replaced.*Do not stop the daemon"):
        await store.write(insert)
    assert store.read(lambda conn: conn.execute("SELECT count(*) FROM meta WHERE name = 'a'").fetchone()) == (0,)


async def test_a_database_that_is_moved_back_takes_writes_again(store: Store) -> None:
    aside = store.path.with_name("aside")
    store.path.rename(aside)
    with pytest.raises(DatabaseGone):
        await store.write(insert)
    aside.rename(store.path)
    await store.write(insert)
    assert store.gone() is None
    assert store.failure is None


@pytest.mark.parametrize("replaced", [False, True])
async def test_no_write_is_taken_once_another_daemon_could_lock_the_directory(tmp_path: Path, replaced: bool) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    store = Store.open(tmp_path / "musigd.sqlite3", lock=lock)
    await store.write(lambda conn: conn.execute("DELETE FROM meta WHERE name = 'a'").rowcount)
    lock.rename(tmp_path / "aside")
    if replaced:
        lock.touch()
    with pytest.raises(LockGone, match="another daemon may use the directory too"):
        await store.write(insert)
    assert store.read(lambda conn: conn.execute("SELECT count(*) FROM meta WHERE name = 'a'").fetchone()) == (0,)
    await store.close()


async def test_a_slow_read_makes_no_new_file_in_the_place_of_the_one_removed(store: Store) -> None:
    store.path.unlink()
    with pytest.raises(DatabaseGone):
        await store.read_slow(lambda conn: conn.execute("SELECT 1").fetchone())
    assert not store.path.exists()
