"""Copies the write-ahead log into the database in a thread of its own, so that no commit waits for it.

SQLite starts the log anew once all of it is in the database (sqlite.org/wal.html). While this thread copies, more is
committed: the writer copies that short rest between two commits, and its next commit starts the log anew.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from threading import Event, Thread
from typing import Final

PAUSE_SECONDS: Final = 1.0  # between two copies: pages that change often are copied once in it


def copy_log(conn: sqlite3.Connection) -> None:
    """Copy what is committed; if it cannot be done now, the next call does it. Keeps nobody from reading or writing."""
    with suppress(sqlite3.Error):
        conn.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


class LogCopier:
    """Runs, and owns its connection, until `stop`."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self.copies = 0  # since the start; written by this thread only
        self._conn = conn
        self._wanted = Event()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="musigd-store-log", daemon=True)
        self._thread.start()

    def want(self) -> None:
        """Have the log copied soon: at once, or when the pause is over. May be called from any thread."""
        self._wanted.set()

    def stop(self) -> None:
        """End the thread, after the copy under way, and close the connection. Blocks."""
        self._stopping.set()
        self._wanted.set()
        self._thread.join()
        self._conn.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wanted.wait()
            self._wanted.clear()
            if not self._stopping.is_set():
                copy_log(self._conn)
                self.copies += 1
                self._stopping.wait(PAUSE_SECONDS)
