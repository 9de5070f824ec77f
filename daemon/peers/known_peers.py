"""Addresses of peers that were reached before, to find the network again when bootstrap addresses are gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from daemon.clock import WallClock
from daemon.store import Store

KEPT: Final = 1_000
KEPT_PER_PEER: Final = 8


class KnownPeers:
    """A bounded table of (peer, binary multiaddr), newest first."""

    def __init__(self, *, store: Store, clock: WallClock) -> None:
        self._store = store
        self._clock = clock

    async def remember(self, peer: bytes, addrs: Sequence[bytes]) -> None:
        """Store addresses at which a peer was just reached. Not of inbound connections: their ports do not last."""
        now_ms = self._clock.wall_ms()
        rows = [(peer, addr, now_ms) for addr in addrs[:KEPT_PER_PEER]]
        if rows:
            query = "INSERT OR REPLACE INTO peers (peer, addr, seen_ms) VALUES (?, ?, ?)"
            await self._store.write(lambda conn: conn.executemany(query, rows))

    async def forget(self, peer: bytes) -> None:
        """Delete the addresses of a peer."""
        await self._store.write(lambda conn: conn.execute("DELETE FROM peers WHERE peer = ?", (peer,)))

    def newest(self, count: int) -> list[tuple[bytes, list[bytes]]]:
        """Up to `count` peers with their addresses, most recently reached first."""

        def select(conn: sqlite3.Connection) -> list[tuple[bytes, bytes]]:
            return conn.execute("SELECT peer, addr FROM peers ORDER BY seen_ms DESC").fetchall()

        found: dict[bytes, list[bytes]] = {}
        for peer, addr in self._store.read(select):
            if peer in found or len(found) < count:
                found.setdefault(peer, []).append(addr)
        return list(found.items())

    async def trim(self) -> None:
        """Keep the newest rows only."""
        query = (
            "DELETE FROM peers WHERE (peer, addr) NOT IN (SELECT peer, addr FROM peers ORDER BY seen_ms DESC LIMIT ?)"
        )
        await self._store.write(lambda conn: conn.execute(query, (KEPT,)))
