"""Copies the write-ahead log into the database in a thread of its own, so that commits do not wait for it.

SQLite starts the log anew once all of it is in the database (sqlite.org/wal.html). While this thread copies, more is
committed: the writer copies that short rest between two commits, and its next commit starts the log anew.

Only one of the two may copy at a time, and this thread only a log of which a part is certainly not copied yet. Else
both could meet a third step, the log's new start, and SQLite before 3.51.3 would take pages for copied that are not
(sqlite.org/wal.html#walresetbug). So the writer hands the log over with `want`, and copies nothing until `copies` has
grown.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Final

from daemon.store.connection import open_copier

PAUSE_SECONDS: Final = 1.0  # between two copies: pages that change often are copied once in it


def copy_log(conn: sqlite3.Connection) -> None:
    """Copy what is committed; if it cannot be done now, the next call does it. Keeps nobody from reading or writing."""
    with suppress(sqlite3.Error):
        conn.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


class LogCopier:
    """Runs until `stop`. Raises sqlite3.Error, OSError or RuntimeError where there can be no such thread."""

    def __init__(self, path: Path) -> None:
        self.copies = 0  # since the start; written by this thread only
        self._conn = open_copier(path)
        # Closed last of all: closing any descriptor of a file ends the locks that SQLite has on it (fcntl(2)).
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
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

    def want(self) -> None:
        """Hand the log over, to be copied at once, or when the pause is over."""
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
                self.copies += 1
                self._stopping.wait(PAUSE_SECONDS)
