"""This node's own record: that it serves the directory, and at which addresses. It spreads like an advertisement."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable

from daemon.clock import Clock
from daemon.discovery.directory.statements import Statement
from daemon.discovery.intake.take_in import Ingest
from daemon.discovery.limits import DAY_MS, HOUR_MS
from daemon.discovery.own.times import next_ts
from daemon.discovery.ports import Identity
from daemon.store import Store
from musig2.protocol.records.checks import RecordLimits
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.records import Node
from musig2.protocol.wire.frames import Signed

DIRECTORY, RELAY = "directory", "relay"  # roles
LIFE_MS = DAY_MS
RENEW_MS = 12 * HOUR_MS
LOOK_S = 60.0


class OwnNode:
    """Keeps one record in force; belongs to the event loop."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        checks: RecordLimits,
        identity: Identity,
        ingest: Ingest,
        addrs: Callable[[], tuple[bytes, ...]],
        serves_as_relay: Callable[[], bool],
    ) -> None:
        self._store = store
        self._clock = clock
        self._checks = checks
        self._identity = identity
        self._ingest = ingest
        self._addrs = addrs
        self._serves_as_relay = serves_as_relay
        self._current: Signed[Node] | None = None

    @property
    def envelope(self) -> bytes | None:
        """The record in force, None before the first `renew`."""
        return self._current.envelope if self._current else None

    async def run(self) -> None:
        """Check once a minute whether it must be renewed."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.renew()

    async def renew(self) -> None:
        """Make a new record if the old one is too old or in the future, the addresses changed, or it is not in force.

        It is not in force if the clock was ahead once and a peer returns the record of that time, now valid.
        """
        now_ms, addrs, (held_id, held_ts) = self._clock.wall_ms(), self._addrs(), self._held()
        roles = (DIRECTORY, RELAY) if self._serves_as_relay() else (DIRECTORY,)
        said = (addrs, roles)
        if self._current and self._current.id == held_id and self._is_good(self._current.record, said, now_ms):
            return
        ts = next_ts(now_ms, (held_ts,), self._checks)
        signed = seal(Node(self._identity.peer, addrs, roles, ts, ts + LIFE_MS), self._identity.sign)
        await self._ingest.keep_own(Statement(signed), lambda _: None)
        self._current = signed

    def _is_good(self, record: Node, said: tuple[tuple[bytes, ...], tuple[str, ...]], now_ms: int) -> bool:
        return (record.addrs, record.roles) == said and -self._checks.skew_ms <= now_ms - record.ts < RENEW_MS

    def _held(self) -> tuple[bytes | None, int]:
        """Id and time of the own record that the directory holds."""
        subject = b"n" + self._identity.peer

        def read(conn: sqlite3.Connection) -> tuple[bytes | None, int]:
            row = conn.execute("SELECT id, ts FROM directory_log WHERE subject = ?", (subject,)).fetchone()
            return (row[0], row[1]) if row else (None, 0)

        return self._store.read(read)
