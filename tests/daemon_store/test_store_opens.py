"""Opening a store: the settings that make a commit durable, and every way in which a file can be wrong."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from daemon.errors import EXIT_CONFIGURATION, EXIT_DATADIR
from daemon.store import Store, StoreCorrupt, StoreTooNew, StoreUnusable


def filled(path: Path, rows: int = 2_000) -> None:
    store = Store.open(path)
    asyncio.run(store.close())
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.executemany("INSERT INTO meta (name, value) VALUES (?, ?)", [(f"n{n}", b"x" * 100) for n in range(rows)])


async def test_commits_survive_a_power_cut(store: Store) -> None:
    def pragmas(conn: sqlite3.Connection) -> tuple[str, int]:
        return conn.execute("PRAGMA journal_mode").fetchone()[0], conn.execute("PRAGMA synchronous").fetchone()[0]

    assert await store.write(pragmas) == ("wal", 2)


async def test_only_the_owner_may_read_the_files(store: Store) -> None:
    await store.write(lambda conn: conn.execute("INSERT INTO meta (name, value) VALUES ('a', 1)"))
    for path in store.path.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_a_newer_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "musigd.sqlite3"
    filled(path)
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA user_version=9999")
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match="version 9999") as caught:
        Store.open(path)
    assert caught.value.exit_code == EXIT_DATADIR
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["header", "middle", "text"])
def test_a_damaged_database_is_named_with_its_remedy_and_left_alone(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "musigd.sqlite3"
    filled(path)
    content = bytearray(path.read_bytes())
    match damage:
        case "header":
            content[:100] = b"\0" * 100
        case "middle":
            content[4096 : 4096 * 12] = b"\xff" * 4096 * 11
        case _:
            content = bytearray(b"this is no database\n" * 500)
    path.write_bytes(content)
    with pytest.raises(StoreCorrupt) as caught:
        Store.open(path)
    assert str(path) in str(caught.value)
    assert "musigd restore" in str(caught.value)
    assert path.read_bytes() == content


def test_somebody_elses_sqlite_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "musigd.sqlite3"
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TABLE wallet (secret)")
    with pytest.raises(StoreCorrupt, match="not a database of musigd"):
        Store.open(path)


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "musigd.sqlite3"
    path.touch()
    store = Store.open(path)
    assert store.schema_version >= 1
    asyncio.run(store.close())


def test_a_directory_in_its_place_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "musigd.sqlite3"
    path.mkdir()
    with pytest.raises(StoreUnusable, match="no regular file") as caught:
        Store.open(path)
    assert caught.value.exit_code == EXIT_CONFIGURATION


def test_a_missing_directory_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="cannot be written"):
        Store.open(tmp_path / "nowhere" / "musigd.sqlite3")


async def test_closing_leaves_one_file(store: Store) -> None:
    await store.write(lambda conn: conn.execute("INSERT INTO meta (name, value) VALUES ('a', 1)"))
    await store.close()
    await store.close()
    assert [path.name for path in store.path.parent.iterdir()] == ["musigd.sqlite3"]
