"""How far this daemon has read the logs of its peers, in the store."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from daemon.store import Store

from .ports import Clock

KEPT = 2_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """Everything in this log up to `position` was read."""

    log: bytes
    position: int


class Cursors:
    """One per peer; those of peers not met for longest go first."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def of(self, peer: bytes) -> Cursor | None:
        """Where to go on with a peer."""
        row = self._store.read(
            lambda conn: conn.execute("SELECT log, cursor FROM sync_cursors WHERE peer = ?", (peer,)).fetchone()
        )
        return Cursor(*row) if row else None

    async def save(self, peer: bytes, cursor: Cursor) -> None:
        """Remember it, if it is news."""
        if self.of(peer) == cursor:
            return
        now_ms = self._clock.wall_ms()

        def write(conn: sqlite3.Connection) -> None:
            row = (peer, cursor.log, cursor.position, now_ms)
            conn.execute("INSERT OR REPLACE INTO sync_cursors (peer, log, cursor, at_ms) VALUES (?, ?, ?, ?)", row)
            conn.execute(
                "DELETE FROM sync_cursors WHERE (SELECT count(*) FROM sync_cursors) > ?"
                " AND peer = (SELECT peer FROM sync_cursors ORDER BY at_ms LIMIT 1)",
                (KEPT,),
            )

        await self._store.write(write)
