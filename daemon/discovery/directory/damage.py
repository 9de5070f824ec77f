"""Damage to the stored log: found when a line is read and in a pass after start, dropped, and fetched again."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from daemon.clock import Clock
from daemon.discovery.directory.buckets import Buckets
from daemon.discovery.directory.lines import checksum
from daemon.discovery.directory.log import DirectoryLog, LogChanges
from daemon.store import Store

log = logging.getLogger(__name__)

LINES_AT_ONCE = 500
MEND_S = 60.0
PAUSE_S = 0.02  # between two steps, so that the pass does not slow down the start


class Damage:
    """`found` may be called in any thread; `mend` on the event loop."""

    def __init__(self, *, store: Store, clock: Clock, log: DirectoryLog, buckets: Buckets) -> None:
        self._store = store
        self._clock = clock
        self._log = log
        self._buckets = buckets
        self._bad: set[int] = set()

    def found(self, seq: int, line: Sequence[Any]) -> bool:
        """Whether a line is damaged; `line` is kind, id, ts, record, entry, view, checksum."""
        if checksum(*line[:-1]) == line[-1]:
            return False
        self._bad.add(seq)
        return True

    async def run(self, lost: Callable[[], None]) -> None:
        """Check the whole log once, then keep dropping lines found damaged; calls `lost` after dropping any."""
        dropped = await self.check_all()
        while True:
            if dropped:
                lost()
            await asyncio.sleep(MEND_S)
            dropped = await self.mend()

    async def check_all(self) -> bool:
        """Check the whole log once, in a thread and in steps; returns as `mend` does."""
        after: int | None = 0
        while after is not None:
            after = await self._store.read_slow(partial(self._check_some, after))
            if after is not None:
                await asyncio.sleep(PAUSE_S)
        return await self.mend()

    async def mend(self) -> bool:
        """Drop the damaged lines found so far; True if there were any: they should be fetched from peers again."""
        if not self._bad:
            return False
        bad, self._bad = self._bad, set()
        now_ms = self._clock.wall_ms()

        def write(conn: sqlite3.Connection) -> LogChanges:
            write = self._log.write(conn, now_ms)
            write.drop(bad)
            conn.executemany("DELETE FROM signers WHERE seq = ?", [(seq,) for seq in bad])  # the key may be damaged
            return write.close()

        changes = await self._store.write(write)
        self._store.read(lambda conn: self._buckets.reload(conn, now_ms))
        log.error("%d lines of the stored directory were damaged; they are fetched again.", len(changes.gone))
        return True

    def _check_some(self, after: int, conn: sqlite3.Connection) -> int | None:
        rows = conn.execute(
            "SELECT seq, kind, id, ts, record, entry, view, checksum FROM directory_log WHERE seq > ?"
            " ORDER BY seq LIMIT ?",
            (after, LINES_AT_ONCE),
        ).fetchall()
        for seq, *line in rows:
            self.found(seq, line)
        return rows[-1][0] if len(rows) == LINES_AT_ONCE else None
