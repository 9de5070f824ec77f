"""Keeps the write-ahead log short: it is copied into the database by a thread of its own, so commits do not wait.

    much is committed ----> handed over ----> copied by the thread ----> taken back: the writer copies the short rest

SQLite starts the log anew once all of it is in the database (sqlite.org/wal.html). While the thread copies, more is
committed; the writer copies that between two commits, and its next commit starts the log anew.

Only one of the two may copy at a time, and the thread only a log of which a part is certainly not copied yet. Else both
could meet a third step, the log's new start, and SQLite before 3.51.3 would take pages for copied that are not
(sqlite.org/wal.html#walresetbug). So the log is handed over only right after a commit that changed rows, and from then
on the writer copies nothing until the thread has ended its copy.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Final

from daemon.store.connection import open_copier
from daemon.store.whereabouts import Whereabouts

COPY_AFTER_ROWS: Final = 1_000  # changed since the log was handed over; below that it is short anyway
PAUSE_SECONDS: Final = 1.0  # between two copies: pages that change often are copied once in it


def copy_log(conn: sqlite3.Connection) -> None:
    """Copy what is committed; if it cannot be done now, the next call does it. Keeps nobody from reading or writing."""
    with suppress(sqlite3.Error):
        conn.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


class LogCopier:
    """The thread. Raises sqlite3.Error, OSError or RuntimeError where there can be none."""

    def __init__(self, path: Path) -> None:
        self._conn = open_copier(path)
        # Closed last of all: closing any descriptor of a file ends the locks that SQLite has on it (fcntl(2)).
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._is_copying = False  # set by the writer, cleared by the thread
        self._wanted = Event()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="musigd-store-log", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            self._conn.close()
            os.close(self._file)
            raise

    @property
    def alive(self) -> bool:
        """False: it will copy nothing any more."""
        return self._thread.is_alive()

    @property
    def busy(self) -> bool:
        """Whether what was handed over is still to be copied."""
        return self._is_copying and self.alive

    def copy(self) -> None:
        """Hand the log over, to be copied at once, or when the pause is over."""
        self._is_copying = True
        self._wanted.set()

    def stop(self) -> None:
        """End the thread, after the copy under way, and close the connection. Blocks."""
        self._stopping.set()
        self._wanted.set()
        self._thread.join()
        self._conn.close()

    def close_file(self) -> None:
        """Call it after `stop`, when no connection to the database is left."""
        os.close(self._file)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wanted.wait()
            self._wanted.clear()
            if not self._stopping.is_set():
                copy_log(self._conn)
                with suppress(OSError):  # SQLite flushes it only if all is copied; the writer would wait for that then
                    os.fdatasync(self._file)
                self._is_copying = False
                self._stopping.wait(PAUSE_SECONDS)


class WriteAheadLog:
    """The log of the writer's connection; used on the writer's thread only."""

    def __init__(self, conn: sqlite3.Connection, path: Path, files: Whereabouts) -> None:
        self.checkpoints = 0  # copies that the writer has ended
        self._conn = conn
        self._path = path
        self._files = files
        self._rows = 0  # changed since the log was handed over
        self._copier: LogCopier | None = None  # made when there is something to copy: most daemons are idle
        self._is_handed_over = False

    def committed(self, rows: int) -> None:
        """A commit has changed so many rows: see to the log."""
        self._rows += rows
        if self._is_handed_over:
            if self._copier is None or not self._copier.busy:
                self._copy_rest()
        elif rows and self._rows >= COPY_AFTER_ROWS:
            self._rows = 0
            self._hand_over()

    def stop(self) -> None:
        """Call it before the writer's connection is closed. Blocks."""
        if self._copier is not None:
            self._copier.stop()

    def forget_file(self) -> None:
        """Call it when the writer's connection, the last one, is closed."""
        if self._copier is not None:
            self._copier.close_file()

    def _hand_over(self) -> None:
        copier = self._copier = self._copier or self._new_copier()
        if copier is not None and copier.alive:
            copier.copy()
            self._is_handed_over = True
        else:
            self._copy_rest()

    def _new_copier(self) -> LogCopier | None:
        """None where no descriptor or no thread is to be had, or the database is gone: it is tried again later."""
        if self._files.gone() is not None:
            return None
        try:
            return LogCopier(self._path)
        except (sqlite3.Error, OSError, RuntimeError):
            return None

    def _copy_rest(self) -> None:
        self._is_handed_over = False
        copy_log(self._conn)
        self.checkpoints += 1
