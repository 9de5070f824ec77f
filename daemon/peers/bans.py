"""Banned peers, stored across restarts. The network enforces the bans."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from daemon.clock import WallClock
from daemon.events import EventLog
from daemon.store import Store
from musig2.protocol.records.peers import peer_text

MOST = 10_000  # the newest are kept
RECORDED_A_MINUTE = 20  # in the audit log; all of them are events
MINUTE_MS = 60_000
AHEAD_MS = 300_000  # allowed clock difference: a ban that starts later was made while the clock was ahead


@dataclass(frozen=True, slots=True)
class PeerBan:
    """A banned peer (binary id), until when (ms), and why."""

    peer: bytes
    until_ms: int
    reason: str


class Bans:
    """The stored bans. The caller also tells the network about changes: `set_ban`, `lift_ban`."""

    def __init__(self, *, store: Store, clock: WallClock, events: EventLog) -> None:
        self._store = store
        self._clock = clock
        self._events = events
        self._bans: dict[bytes, PeerBan] = {}
        self._minute, self._recorded = 0, 0

    async def start(self) -> None:
        """Load the bans; the network has to be told of those `in_force`.

        A ban that was made while the clock was ahead lasts its full time from now on.
        """
        await self._store.write(partial(_bring_back, now_ms=self._clock.wall_ms()))
        rows = self._store.read(
            lambda conn: conn.execute("SELECT peer, until_ms, reason FROM bans ORDER BY created_at").fetchall()
        )
        self._bans = {peer: PeerBan(peer, until_ms, reason) for peer, until_ms, reason in rows}

    def in_force(self) -> Sequence[PeerBan]:
        now_ms = self._clock.wall_ms()
        return [ban for ban in self._bans.values() if ban.until_ms > now_ms]

    async def ban(
        self, peer: bytes, until_ms: int, reason: str, also: Callable[[sqlite3.Connection], None] = lambda conn: None
    ) -> PeerBan:
        """Store a ban, in place of an earlier one of this peer, and emit `peer:banned`.

        `also` runs in the same transaction.
        """
        ban = PeerBan(peer, until_ms, reason)
        now_ms = self._clock.wall_ms()

        on_record = self._may_record(now_ms)
        others = [one for one in self._bans if one != peer]
        surplus = others[: max(0, len(others) - MOST + 1)]

        def save(conn: sqlite3.Connection) -> None:
            row = (peer, until_ms, reason, now_ms)
            conn.executemany("DELETE FROM bans WHERE peer = ?", [(one,) for one in surplus])
            conn.execute("INSERT OR REPLACE INTO bans (peer, until_ms, reason, created_at) VALUES (?, ?, ?, ?)", row)
            data = {"peerId": peer_text(peer), "until": until_ms, "reason": reason}
            self._events.append(conn, "peer:banned", data, on_record=on_record)
            also(conn)

        await self._store.write(save)
        for one in (peer, *surplus):
            self._bans.pop(one, None)
        self._bans[peer] = ban
        self._events.publish()
        return ban

    def _may_record(self, now_ms: int) -> bool:
        """A few a minute: an identity costs nothing, so whoever wants to be banned can be so without end."""
        if now_ms // MINUTE_MS != self._minute:
            self._minute, self._recorded = now_ms // MINUTE_MS, 0
        self._recorded += 1
        return self._recorded <= RECORDED_A_MINUTE

    async def lift(self, peer: bytes) -> None:
        """End a ban and emit `peer:unbanned`; does nothing without one."""

        def delete(conn: sqlite3.Connection) -> None:
            if conn.execute("DELETE FROM bans WHERE peer = ?", (peer,)).rowcount:
                self._events.append(conn, "peer:unbanned", {"peerId": peer_text(peer)})

        await self._store.write(delete)
        self._bans.pop(peer, None)
        self._events.publish()

    async def forget_ended(self) -> None:
        """Delete bans that are over."""
        now_ms = self._clock.wall_ms()
        await self._store.write(lambda conn: conn.execute("DELETE FROM bans WHERE until_ms <= ?", (now_ms,)))
        self._bans = {peer: ban for peer, ban in self._bans.items() if ban.until_ms > now_ms}


def _bring_back(conn: sqlite3.Connection, now_ms: int) -> None:
    query = "UPDATE bans SET until_ms = until_ms - created_at + ?, created_at = ? WHERE created_at > ?"
    conn.execute(query, (now_ms, now_ms, now_ms + AHEAD_MS))
