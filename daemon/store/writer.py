"""The one thread that writes, with group commit.

Whatever is queued when a commit ends goes into the next one: BEGIN IMMEDIATE, each function in a SAVEPOINT of its own
if there are several, COMMIT; only then are the callers told, all in one wake-up of the event loop. So a busy daemon
needs one fsync for many writes, an idle one does not wait, and no caller learns of anything that is not on the disk.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final

from daemon.store.connection import WritingConnection
from daemon.store.errors import StoreClosed, StoreError, is_systems_fault, store_error
from daemon.store.whereabouts import Whereabouts
from daemon.store.write_ahead_log import WriteAheadLog

LARGEST_BATCH: Final = 1_000
ENDED: Final = "A write function ended its transaction; nothing of this commit was kept."


@dataclass(frozen=True, slots=True)
class Job:
    """A function to run inside a commit, and the future of whoever waits for it."""

    fn: Callable[[sqlite3.Connection], Any]
    future: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class Done:
    """The result of a job: `error` is None if its rows are on the disk."""

    future: asyncio.Future[Any]
    value: Any
    error: BaseException | None
    rows: int = 0  # changed, and committed


@dataclass(slots=True)
class WriterStats:
    """Counters since start, written by the writer thread only."""

    commits: int = 0
    writes: int = 0
    failed: int = 0
    largest_batch: int = 0


class Writer:
    """Owns the writing connection from `start` to `stop`. `submit` may be called from the event loop's thread only."""

    def __init__(self, conn: WritingConnection, path: Path, lock: Path | None = None) -> None:
        conn.execute("SELECT count(*) FROM sqlite_master").fetchone()  # creates the write-ahead log
        self.files = Whereabouts(path, lock)
        self.stats = WriterStats()
        self._conn = conn
        self._path = path
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._stopping = False
        self._closed = False
        self._log = WriteAheadLog(conn, path, self.files)
        self._thread = Thread(target=self._run, name="musigd-store", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(self, job: Job) -> None:
        if self._closed:
            raise StoreClosed("The store is closed: the daemon is stopping.")
        self._queue.put(job)

    def stop(self) -> None:
        """Write what is queued, then end the thread and close the connection. Blocks; safe to repeat."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    @property
    def checkpoints(self) -> int:
        """How often the log was copied to its end."""
        return self._log.checkpoints

    @property
    def queued(self) -> int:
        return self._queue.qsize()

    def _run(self) -> None:
        while not self._stopping:
            batch: Sequence[Job] = self._take()
            while batch:
                done, batch = self._commit(batch)
                self._report(done)
                self._log.committed(sum(item.rows for item in done))
        self._log.stop()
        self._conn.close()  # the last one: this folds the log into the file
        self._log.forget_file()

    def _take(self) -> list[Job]:
        """Wait for a job, then take all that are queued."""
        batch: list[Job] = []
        item = self._queue.get()
        while item is not None:
            batch.append(item)
            if len(batch) == LARGEST_BATCH:
                return batch
            try:
                item = self._queue.get_nowait()
            except Empty:
                return batch
        self._stopping = True
        return batch

    def _commit(self, batch: Sequence[Job]) -> tuple[list[Done], Sequence[Job]]:
        """Returns the results of the jobs that were run, and the jobs still to run."""
        done: list[Done] = []
        if (gone := self.files.gone()) is not None:
            return self._all_failed(batch, gone), ()
        try:
            self._conn.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            return self._all_failed(batch, error), ()
        try:
            for job in batch:
                done.append(self._attempt(job, alone=len(batch) == 1))
            if self._conn.in_transaction:
                self._conn.execute("COMMIT")
        except (sqlite3.Error, StoreError) as error:  # SQLite rolled back everything, as it does when the disk is full
            run = len(done) + 1
            return self._all_failed(batch[:run], error), batch[run:]
        self._count(done)
        return done, ()

    def _attempt(self, job: Job, *, alone: bool) -> Done:
        """Run one function. An exception of its own undoes only its own rows: all, if it is `alone`."""
        conn = self._conn
        if not alone:
            conn.execute("SAVEPOINT job")
        try:
            before = conn.total_changes
            value = job.fn(conn)
            conn.finish()
            rows = conn.total_changes - before
        except BaseException as error:  # any error belongs to the waiting caller, not to this thread
            if not conn.in_transaction and isinstance(error, sqlite3.Error):
                raise
            self._undo(alone=alone)
            return Done(job.future, None, self._translated(error))
        if not alone:
            conn.execute("RELEASE job")
        elif not conn.in_transaction:
            raise StoreError(ENDED)
        return Done(job.future, value, None, rows)

    def _undo(self, *, alone: bool) -> None:
        self._conn.forget()
        if not self._conn.in_transaction:
            raise StoreError(ENDED)
        self._conn.execute("ROLLBACK" if alone else "ROLLBACK TO job")
        if not alone:
            self._conn.execute("RELEASE job")

    def _all_failed(self, batch: Sequence[Job], error: sqlite3.Error | StoreError) -> list[Done]:
        self._conn.forget()
        with suppress(sqlite3.Error):  # already rolled back, or the disk is gone: nothing was committed
            self._conn.execute("ROLLBACK")
        self.stats.failed += len(batch)
        failure = store_error(error, self._path) if isinstance(error, sqlite3.Error) else error
        return [Done(job.future, None, failure) for job in batch]

    def _translated(self, error: BaseException) -> BaseException:
        if isinstance(error, sqlite3.Error) and is_systems_fault(error):
            return store_error(error, self._path)
        if isinstance(error, StopIteration):  # a future cannot hold it
            return RuntimeError("a write function raised StopIteration")
        return error

    def _count(self, done: Sequence[Done]) -> None:
        stats = self.stats
        stats.commits += 1
        stats.writes += len(done)
        stats.failed += sum(1 for item in done if item.error is not None)
        stats.largest_batch = max(stats.largest_batch, len(done))

    def _report(self, done: list[Done]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            done[0].future.get_loop().call_soon_threadsafe(_tell, done)


def _tell(done: Sequence[Done]) -> None:
    for item in done:
        if item.future.done():  # the wait was cancelled; the rows stay
            continue
        if item.error is None:
            item.future.set_result(item.value)
        else:
            item.future.set_exception(item.error)
