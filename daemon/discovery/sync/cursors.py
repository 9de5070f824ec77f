"""How far this daemon has read the logs of its peers; stored.

A cursor is in memory at once and stored a little later: losing it only means reading something twice.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from dataclasses import dataclass
from functools import partial

from daemon.clock import Clock
from daemon.store import Store

log = logging.getLogger(__name__)
KEPT = 2_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """This log was read up to `position`."""

    log: bytes
    position: int


class Cursors:
    """One per peer; those not used for the longest time are dropped. Belongs to the event loop."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._unsaved: dict[bytes, Cursor] = {}
        self._saving: asyncio.Task[None] | None = None

    def of(self, peer: bytes) -> Cursor | None:
        """How far the log of a peer was read."""
        if peer in self._unsaved:
            return self._unsaved[peer]
        row = self._store.read(
            lambda conn: conn.execute("SELECT log, cursor FROM sync_cursors WHERE peer = ?", (peer,)).fetchone()
        )
        return Cursor(*row) if row else None

    def note(self, peer: bytes, cursor: Cursor) -> None:
        """Remember a cursor if it changed; returns at once."""
        if self.of(peer) == cursor:
            return
        self._unsaved[peer] = cursor
        if self._saving is None:
            self._saving = asyncio.create_task(self._save(), name="musigd directory cursors")

    async def flush(self) -> None:
        """Return when every change is stored, or could not be."""
        if self._saving is not None:
            await asyncio.wait([self._saving])

    async def _save(self) -> None:
        try:
            while self._unsaved:
                taken = dict(self._unsaved)
                await self._store.write(partial(self._write, taken))
                self._unsaved = {peer: at for peer, at in self._unsaved.items() if taken.get(peer) != at}
        except Exception:
            log.exception("cursors could not be stored; some log pages may be read twice")
        finally:
            self._saving = None

    def _write(self, taken: dict[bytes, Cursor], conn: sqlite3.Connection) -> None:
        now_ms = self._clock.wall_ms()
        rows = [(peer, cursor.log, cursor.position, now_ms) for peer, cursor in taken.items()]
        conn.executemany("INSERT OR REPLACE INTO sync_cursors (peer, log, cursor, at_ms) VALUES (?, ?, ?, ?)", rows)
        excess = conn.execute("SELECT count(*) FROM sync_cursors").fetchone()[0] - KEPT
        conn.execute(
            "DELETE FROM sync_cursors WHERE peer IN (SELECT peer FROM sync_cursors ORDER BY at_ms LIMIT ?)",
            (max(0, excess),),
        )
