"""Signers that are gone: advertisements that expired, and peers that left. Emits `signer:unavailable`, prunes the log.

The time up to which expiries were told is stored, so that those that happened while the daemon was off are told once
after the start. They are not told at once, because most of these signers have renewed, and peers know it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable

from daemon.clock import Clock
from daemon.discovery.directory.buckets import Buckets
from daemon.discovery.directory.log import DirectoryLog
from daemon.discovery.limits import DiscoveryLimits
from daemon.discovery.ports import DirectoryEvents
from daemon.store import Store
from p2p.network import PeerChange

LONGEST_PAUSE_MS = 10_000
SHORTEST_PAUSE_MS = 100
TOLD_AT_ONCE = 2_000
TOLD_UNTIL = "expiry_told_until_ms"
FOREIGN = (
    "FROM directory_log WHERE kind = 1"
    " AND NOT EXISTS (SELECT 1 FROM directory_kept k WHERE k.subject = directory_log.subject AND k.why = 'own') AND "
)
SIGNER = f"SELECT types, substr(subject, -33) {FOREIGN}"


class SignerPresence:
    """One task, and a timer per peer that left."""

    def __init__(
        self,
        *,
        store: Store,
        events: DirectoryEvents,
        clock: Clock,
        limits: DiscoveryLimits,
        log: DirectoryLog,
        buckets: Buckets,
        followed: Callable[[], frozenset[str]],
        clock_is_wrong: Callable[[], bool],
        set_back: Callable[[], None],
    ) -> None:
        """`clock_is_wrong`: as peers say. `set_back` is called when the clock was set back."""
        self._clock_is_wrong = clock_is_wrong
        self._set_back = set_back
        self._store = store
        self._events = events
        self._clock = clock
        self._limits = limits
        self._log = log
        self._buckets = buckets
        self._followed = followed
        self._left: dict[bytes, int] = {}  # peer -> monotonic time when it counts as gone
        self._awake = asyncio.Event()
        self._settled_mono_ms = clock.mono_ms() + limits.settle_ms
        self._told_until_ms = 0

    def on_peer(self, change: PeerChange) -> None:
        """A peer connected or disconnected; it has left only if it stays away, and not if it was merely not needed."""
        if change.connected:
            self._left.pop(change.peer, None)
        elif not change.unneeded:
            self._left[change.peer] = self._clock.mono_ms() + self._limits.peer_left_ms
            self._awake.set()

    async def run(self) -> None:
        """Tell of signers that are gone, for as long as the daemon runs."""
        self._told_until_ms = min(self._store.read(told_until_ms), self._clock.wall_ms())
        while True:
            self._awake.clear()
            await self._tell_left()
            if self._store.read(lambda conn: self._buckets.expire(conn, self._clock.wall_ms())):
                self._set_back()
            if self._clock.mono_ms() >= self._settled_mono_ms and not self._clock_is_wrong():
                await self._tell_expired()
                await self._prune()
            try:
                async with asyncio.timeout(self._pause_ms() / 1000):
                    await self._awake.wait()
            except TimeoutError:
                continue

    def _pause_ms(self) -> int:
        now_ms = self._clock.wall_ms()
        soonest = self._store.read(
            lambda conn: conn.execute("SELECT min(exp) FROM directory_log WHERE exp > ?", (now_ms,)).fetchone()[0]
        )
        waits = [due - self._clock.mono_ms() for due in self._left.values()]
        if self._clock.mono_ms() < self._settled_mono_ms:
            waits.append(self._settled_mono_ms - self._clock.mono_ms())
        waits += [LONGEST_PAUSE_MS] if soonest is None else [soonest - now_ms]
        return max(SHORTEST_PAUSE_MS, min(LONGEST_PAUSE_MS, *waits))

    async def _tell_left(self) -> None:
        now_ms = self._clock.mono_ms()
        gone = [peer for peer, due in self._left.items() if due <= now_ms]
        for peer in gone:
            del self._left[peer]
            await self._tell("peer_left", "peer = ? AND exp > ?", (peer, self._clock.wall_ms()))

    async def _tell_expired(self) -> None:
        """In steps, each with its mark in one transaction: a stop in between neither repeats nor loses anything."""
        now_ms = self._clock.wall_ms()
        self._told_until_ms = min(self._told_until_ms, now_ms)  # the clock may have been set back
        while self._told_until_ms < now_ms:
            span = (self._told_until_ms, self._next_step_ms(now_ms))
            await self._tell("expired", "exp > ? AND exp <= ?", span, until_ms=span[1])
            self._told_until_ms = span[1]

    def _next_step_ms(self, now_ms: int) -> int:
        """The end of the next step: all that expired in the same millisecond belongs to one step."""
        sql = f"SELECT exp {FOREIGN} exp > ? AND exp <= ? ORDER BY exp LIMIT 1 OFFSET ?"
        span = (self._told_until_ms, now_ms, TOLD_AT_ONCE)
        row = self._store.read(lambda conn: conn.execute(sql, span).fetchone())
        return now_ms if row is None else int(row[0])

    async def _tell(self, reason: str, where: str, params: tuple[object, ...], until_ms: int | None = None) -> None:
        followed = self._followed()
        rows = self._store.read(lambda conn: conn.execute(SIGNER + where, params).fetchall())
        gone = [(pubkey, types.split()) for types, pubkey in rows if not followed.isdisjoint(types.split())]
        if not gone:
            return

        def write(conn: sqlite3.Connection) -> None:
            for pubkey, types in gone:
                told = {"publicKey": pubkey.hex(), "reason": reason, "transactionTypes": types}
                self._events.append(conn, "signer:unavailable", told)
            if until_ms is not None:
                conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (TOLD_UNTIL, until_ms))

        await self._store.write(write)
        self._events.publish()

    async def _prune(self) -> None:
        """In small steps, so that a day's expiries do not delay a signature."""
        now_ms = self._clock.wall_ms()
        oldest = self._store.read(lambda conn: conn.execute("SELECT min(exp) FROM directory_log").fetchone()[0])
        if oldest is None or oldest > now_ms - self._limits.grace_ms:
            return
        changes = await self._store.write(lambda conn: self._log.prune(conn, now_ms))
        self._buckets.remove(changes.gone)


def told_until_ms(conn: sqlite3.Connection) -> int:
    """The time up to which expiries were told."""
    row = conn.execute("SELECT value FROM meta WHERE name = ?", (TOLD_UNTIL,)).fetchone()
    return int(row[0]) if row else 0
