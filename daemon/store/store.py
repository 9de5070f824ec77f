"""The database for the rest of the daemon: one writer, concurrent readers, results only once they are on disk."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog

from daemon.store.connection import inspect, open_reader, open_writer
from daemon.store.errors import DatabaseGone, StoreClosed, StoreError, is_systems_fault, store_error
from daemon.store.migrate import Migration, back_up, migrate, refuse_newer, shipped_migrations
from daemon.store.writer import Job, Writer

_log = structlog.get_logger("store")

T = TypeVar("T")
READER_THREADS = 2


@dataclass(frozen=True, slots=True)
class StoreStats:
    """Counters of writes since the start, and of waiting ones."""

    commits: int
    writes: int
    failed: int
    largest_batch: int
    checkpoints: int
    queued: int


class Store:
    """SQLite behind one writer thread. Create it with `Store.open`; use it from one event loop.

    A write function gets a connection inside a transaction of its own; it must not begin, commit, roll back or await,
    and nobody else may change what it closes over until it has ended.
    """

    def __init__(self, path: Path, writer: Writer, schema_version: int) -> None:
        self.path = path
        self.schema_version = schema_version
        self._writer = writer
        self._reader = open_reader(path)
        self._slow_readers: list[sqlite3.Connection] = []
        self._of_thread = threading.local()
        self._pool = ThreadPoolExecutor(READER_THREADS, thread_name_prefix="musigd-read")
        self._closed = False
        self.failure: str | None = None  # why the last write failed; None after a success

    @classmethod
    def open(cls, path: Path, migrations: Sequence[Migration] | None = None, *, lock: Path | None = None) -> Store:
        """Open or create the database and bring it up to date. Blocks. Nothing is written once `lock` is lost.

        Raises StoreTooNew, StoreCorrupt, StoreUnusable, StoreFull; the file is then as it was.
        """
        steps = shipped_migrations() if migrations is None else migrations
        found = inspect(path)
        refuse_newer(path, found, steps)
        try:
            conn = open_writer(path)
        except sqlite3.Error as error:
            raise store_error(error, path) from error
        try:
            migrate(conn, path, found, steps)
            store = cls(path, Writer(conn, path, lock), steps[-1].version)
        except sqlite3.Error as error:
            conn.close()
            raise store_error(error, path) from error
        except StoreError:
            conn.close()
            raise
        store._writer.start()
        return store

    async def write(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        """Run `fn` inside the next commit; returns its value once that is on the disk.

        An exception of `fn` undoes its rows only and is raised here; a failing disk raises StoreFull or StoreError.
        Cancelling the wait does not cancel the write.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._writer.submit(Job(fn, future))
        try:
            value = await future
        except StoreError as error:
            if isinstance(error, DatabaseGone) and self.failure != str(error):
                _log.critical(f"store.{error.reason}", detail=str(error))
            self.failure = str(error)
            raise
        self.failure = None
        return value

    def read(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        """Run `fn` at once on the event loop's thread, in one snapshot: short indexed queries only."""
        if self._closed:
            raise StoreClosed("The store is closed: the daemon is stopping.")
        return self._read_with(self._reader, fn)

    def query(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        """As `read`, for a single statement: it needs no transaction to see one state, which takes two more."""
        if self._closed:
            raise StoreClosed("The store is closed: the daemon is stopping.")
        try:
            return fn(self._reader)
        except sqlite3.Error as error:
            if is_systems_fault(error):
                raise store_error(error, self.path) from error
            raise

    def gone(self) -> DatabaseGone | None:
        """Why every write is refused, if database or lock was removed or replaced since it was opened; else None."""
        return self._writer.files.gone()

    async def read_slow(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        """Run `fn` in a reader thread, in one snapshot: scans, large results."""
        if self._closed:
            raise StoreClosed("The store is closed: the daemon is stopping.")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read_in_thread, fn)

    async def back_up(self, target: Path) -> None:
        """Copy the committed state to `target` while the daemon keeps writing."""
        await asyncio.get_running_loop().run_in_executor(self._pool, self._back_up_in_thread, target)

    async def close(self) -> None:
        """Write what is queued and close. Safe to repeat. Call it on the thread that calls `read`."""
        if self._begin_to_close():
            await asyncio.to_thread(self._close_rest)

    def _begin_to_close(self) -> bool:
        """Refuse reads from now on; False if that was done before."""
        if self._closed:
            return False
        self._closed = True
        self._reader.close()
        return True

    def _close_rest(self) -> None:
        self._pool.shutdown(wait=True)
        for conn in self._slow_readers:
            conn.close()
        self._writer.stop()  # last: closing the last connection folds the write-ahead log into the file

    @property
    def stats(self) -> StoreStats:
        done = self._writer.stats
        return StoreStats(
            commits=done.commits,
            writes=done.writes,
            failed=done.failed,
            largest_batch=done.largest_batch,
            checkpoints=self._writer.checkpoints,
            queued=self._writer.queued,
        )

    def _read_in_thread(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        return self._read_with(self._own_connection(), fn)

    def _back_up_in_thread(self, target: Path) -> None:
        back_up(self._own_connection(), target)

    def _own_connection(self) -> sqlite3.Connection:
        conn: sqlite3.Connection | None = getattr(self._of_thread, "conn", None)
        if conn is None:
            if (gone := self.gone()) is not None:  # opening the path would create an empty database
                raise gone
            conn = open_reader(self.path)
            self._of_thread.conn = conn
            self._slow_readers.append(conn)
        return conn

    def _read_with(self, conn: sqlite3.Connection, fn: Callable[[sqlite3.Connection], T]) -> T:
        if conn.in_transaction:  # a read inside a read sees the same state
            return fn(conn)
        try:
            conn.execute("BEGIN")
            try:
                return fn(conn)
            finally:
                conn.execute("COMMIT")
        except sqlite3.Error as error:
            if is_systems_fault(error):
                raise store_error(error, self.path) from error
            raise
