"""The write-ahead log is copied into the database beside the writer: no commit waits, and the log stays short."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading
from pathlib import Path

import pytest

from daemon.store import Store, write_ahead_log
from daemon.store.write_ahead_log import COPY_AFTER_ROWS, LogCopier

WAIT_S = 20
ROWS = COPY_AFTER_ROWS // 4  # of one commit


def many_rows(conn: sqlite3.Connection) -> None:
    (before,) = conn.execute("SELECT count(*) FROM meta").fetchone()
    conn.executemany("INSERT INTO meta VALUES (?, ?)", [(f"{before + n}", bytes(500)) for n in range(ROWS)])


async def until_checkpoints(store: Store, count: int) -> None:
    async with asyncio.timeout(WAIT_S):
        while store.stats.checkpoints < count:
            await store.write(many_rows)


async def test_the_log_does_not_grow_while_much_is_written(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_ahead_log, "PAUSE_SECONDS", 0.0)
    await until_checkpoints(store, 2)
    log = store.path.with_name(f"{store.path.name}-wal")
    size = Path(log).stat().st_size
    written = store.stats.writes
    await until_checkpoints(store, 12)
    assert store.stats.writes > 2 * written
    assert Path(log).stat().st_size < 3 * size


async def test_writes_go_on_while_the_log_is_copied(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    copying, go_on = threading.Event(), threading.Event()

    def slow_copy(conn: sqlite3.Connection) -> None:
        copying.set()
        assert go_on.wait(WAIT_S)

    monkeypatch.setattr(write_ahead_log, "copy_log", slow_copy)
    async with asyncio.timeout(WAIT_S):
        while not copying.is_set():
            await store.write(many_rows)
        before = store.stats.writes
        for _ in range(10):
            await store.write(many_rows)
    assert store.stats.writes == before + 10
    go_on.set()


async def test_little_is_not_copied(store: Store) -> None:
    copies = store.stats.checkpoints
    for _ in range(COPY_AFTER_ROWS // ROWS - 1):
        await store.write(many_rows)
    assert store._writer._log._copier is None
    assert store.stats.checkpoints == copies


def test_what_was_copied_is_in_the_database_and_a_stop_ends_the_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied, copy = threading.Event(), write_ahead_log.copy_log

    def copy_and_say(conn: sqlite3.Connection) -> None:
        copy(conn)
        copied.set()

    monkeypatch.setattr(write_ahead_log, "copy_log", copy_and_say)
    path = tmp_path / "a.db"
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("PRAGMA wal_autocheckpoint=0")
    writer.execute("CREATE TABLE t (x)")
    copier = LogCopier(path)
    writer.execute("INSERT INTO t VALUES (1)")
    copier.copy()
    assert copied.wait(WAIT_S)
    copier.stop()
    alone = tmp_path / "copy.db"
    alone.write_bytes(path.read_bytes())  # without its log
    assert sqlite3.connect(alone).execute("SELECT x FROM t").fetchall() == [(1,)]
    assert not copier.alive
    writer.close()
    copier.close_file()


async def test_the_log_is_handed_over_only_while_part_of_it_is_not_copied(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite before 3.51.3 may lose pages where a copy begins while the log begins anew (#walresetbug)."""
    monkeypatch.setattr(write_ahead_log, "PAUSE_SECONDS", 0.0)
    handed_over: list[tuple[int, int]] = []
    copy = LogCopier.copy

    def looked_at(copier: LogCopier) -> None:
        """The header of the index of the log: frames in it, and frames that are copied (sqlite.org/walformat.html)."""
        index = store.path.with_name(f"{store.path.name}-shm").read_bytes()
        handed_over.append((int.from_bytes(index[16:20], sys.byteorder), int.from_bytes(index[96:100], sys.byteorder)))
        copy(copier)

    monkeypatch.setattr(LogCopier, "copy", looked_at)
    await until_checkpoints(store, 20)
    assert len(handed_over) >= 20
    assert all(frames > copied for frames, copied in handed_over)


async def test_the_writer_copies_the_log_where_no_thread_can_be_had(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(copier: LogCopier, path: Path) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(LogCopier, "__init__", refuse)
    await until_checkpoints(store, 3)
    log = store.path.with_name(f"{store.path.name}-wal")
    size = log.stat().st_size
    await until_checkpoints(store, 6)
    assert log.stat().st_size < 2 * size
