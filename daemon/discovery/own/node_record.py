"""The own node record: says that this node serves the directory, and where. It spreads like an advertisement."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from daemon.clock import Clock
from daemon.discovery.directory.statements import Statement
from daemon.discovery.intake.take_in import Ingest
from daemon.discovery.limits import DAY_MS, HOUR_MS
from daemon.discovery.ports import Identity
from daemon.store import Store
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.records import Node
from musig2.protocol.wire.frames import Signed

ROLES = ("directory",)
LIFE_MS = DAY_MS
RENEW_MS = 12 * HOUR_MS


class OwnNode:
    """Keeps one record in force; belongs to the event loop."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        identity: Identity,
        ingest: Ingest,
        addrs: Callable[[], tuple[bytes, ...]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._identity = identity
        self._ingest = ingest
        self._addrs = addrs
        self._current: Signed[Node] | None = None

    @property
    def envelope(self) -> bytes | None:
        """The record in force, None before the first `renew`."""
        return self._current.envelope if self._current else None

    async def renew(self) -> None:
        """Make a new record if the old one grows old, or if the addresses are others now."""
        now_ms, addrs = self._clock.wall_ms(), self._addrs()
        current = self._current.record if self._current else None
        if current and current.addrs == addrs and 0 <= now_ms - current.ts < RENEW_MS:
            return
        ts = max(now_ms, self._last_ts() + 1)
        signed = seal(Node(self._identity.peer, addrs, ROLES, ts, ts + LIFE_MS), self._identity.sign)
        await self._ingest.keep_own(Statement(signed), lambda _: None)
        self._current = signed

    def _last_ts(self) -> int:
        subject = b"n" + self._identity.peer

        def read(conn: sqlite3.Connection) -> int:
            row = conn.execute("SELECT ts FROM directory_log WHERE subject = ?", (subject,)).fetchone()
            return int(row[0]) if row else 0

        return self._store.read(read)


def some_nodes(conn: sqlite3.Connection, now_ms: int, count: int) -> list[bytes]:
    """Envelopes of node records picked at random."""
    rows = conn.execute(
        "SELECT record FROM directory_log WHERE seq IN"
        " (SELECT seq FROM directory_log WHERE kind = 3 AND exp > ? ORDER BY random() LIMIT ?)",
        (now_ms, count),
    )
    return [row[0] for row in rows]
