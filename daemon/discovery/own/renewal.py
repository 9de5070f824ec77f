"""Renews own advertisements before they expire, also after a restart, and when the addresses changed.

While the keys are locked nothing can be renewed; an event says so an hour before the advertisement expires. Withdrawals
are stored in the DHT again as long as an older advertisement could come back. What was signed while the clock was ahead
is replaced as soon as the clock is right, and once more when its timestamp has come.
"""

from __future__ import annotations

import asyncio
import logging

from daemon.clock import Clock
from daemon.discovery.limits import HOUR_MS, MINUTE_MS, TOMBSTONE_MS
from daemon.discovery.own.advertisements import OwnAdvertisements
from daemon.discovery.own.publish import Publisher
from daemon.discovery.own.rows import OwnRow
from daemon.discovery.ports import DirectoryNetwork, Identity
from daemon.errors import Refused
from musig2.protocol.records.checks import RecordLimits, is_ahead

log = logging.getLogger(__name__)

LOOK_MS = MINUTE_MS
SHORTEST_PAUSE_MS = 200
MOVED_MS = 10 * MINUTE_MS  # changing addresses renew an advertisement at most this often
GONE_MS = 20_000  # the same where none of those that it names is left


class Renewal:
    """One task; `wake` makes it check at once."""

    def __init__(
        self,
        *,
        own: OwnAdvertisements,
        publisher: Publisher,
        clock: Clock,
        checks: RecordLimits,
        identity: Identity,
        net: DirectoryNetwork,
    ) -> None:
        self._own = own
        self._publisher = publisher
        self._clock = clock
        self._checks = checks
        self._identity = identity
        self._net = net
        self._awake = asyncio.Event()
        self._dht_due: dict[bytes, int] = {}  # pubkey -> monotonic time of the next DHT store
        self._stuck: set[bytes] = set()
        self._first_look = True

    def wake(self) -> None:
        """Check now: keys were unlocked, a key was advertised, or the node came up."""
        self._awake.set()

    def network_up(self) -> None:
        """The network came up, and may be another one: store everything in the DHT again."""
        self._dht_due.clear()
        self._awake.set()

    async def run(self) -> None:
        """Renew what is due, for as long as the daemon runs."""
        while True:
            self._awake.clear()
            self._stuck.clear()
            for row in self._own.rows():
                await self._look_at(row)
            self._first_look = False
            try:
                async with asyncio.timeout(self._pause_ms() / 1000):
                    await self._awake.wait()
            except TimeoutError:
                continue

    def _pause_ms(self) -> int:
        now_ms = self._clock.wall_ms()
        rows = [row for row in self._own.rows() if not row.withdrawn and row.pubkey not in self._stuck]
        next_ms = min((self._look_again_ms(row) - now_ms for row in rows), default=LOOK_MS)
        return max(SHORTEST_PAUSE_MS, min(LOOK_MS, next_ms))

    def _look_again_ms(self, row: OwnRow) -> int:
        return min(due_ms(row), row.ts + GONE_MS) if self._is_gone(row) else due_ms(row)

    async def _look_at(self, row: OwnRow) -> None:
        now_ms = self._clock.wall_ms()
        try:
            if row.withdrawn and self._overtaken(row, now_ms):
                await self._own.withdraw(row.pubkey, again=True)
            elif not row.withdrawn and self._is_due(row, now_ms):
                reach = await self._own.renew(row.pubkey)
                self._plan_dht(row.pubkey, told=reach.dht)
            elif self._dht_due.get(row.pubkey, 0) <= self._clock.mono_ms():
                await self._tell_dht(row, now_ms)
        except Refused as error:
            self._stuck.add(row.pubkey)
            if row.exp - now_ms <= HOUR_MS and not row.warned and not row.withdrawn:
                log.warning("An advertisement expires soon and cannot be renewed (%s): unlock the keys.", error.reason)
                await self._own.warn(row)

    def _is_due(self, row: OwnRow, now_ms: int) -> bool:
        return due_ms(row) <= now_ms or self._overtaken(row, now_ms) or self._moved(row, now_ms)

    def _overtaken(self, row: OwnRow, now_ms: int) -> bool:
        """Whether a clock that was ahead left a record that peers refuse, or one that now beats the current one."""
        return is_ahead(row.ts, now_ms, self._checks) or row.ts < row.last_ts <= now_ms + self._checks.skew_ms

    def _moved(self, row: OwnRow, now_ms: int) -> bool:
        """Whether the advertisement names addresses that are no longer this daemon's."""
        if row.advertisement is None:
            return False
        advertisement = row.advertisement.record
        same = advertisement.peer == self._identity.peer and set(advertisement.addrs) == set(self._own.addrs())
        pause_ms = GONE_MS if self._is_gone(row) else MOVED_MS
        return not same and (self._first_look or now_ms - row.ts >= pause_ms)

    def _is_gone(self, row: OwnRow) -> bool:
        """Whether an advertisement leads nowhere, while this daemon can be reached somewhere."""
        addrs = self._own.addrs()
        return row.advertisement is not None and bool(addrs) and not set(addrs) & set(row.advertisement.record.addrs)

    async def _tell_dht(self, row: OwnRow, now_ms: int) -> None:
        statement = self._own.statement(row.pubkey)
        if statement is None or not self._net.peers() or now_ms - row.ts > TOMBSTONE_MS:
            return
        self._plan_dht(row.pubkey, told=await self._publisher.put(statement))

    def _plan_dht(self, pubkey: bytes, *, told: bool) -> None:
        self._dht_due[pubkey] = self._clock.mono_ms() + (HOUR_MS if told else LOOK_MS)


def due_ms(row: OwnRow) -> int:
    """When to renew: after three quarters of its life, a little earlier for some keys to spread the load."""
    life_ms = row.exp - row.ts
    return row.exp - life_ms // 4 - life_ms * row.pubkey[-1] // (255 * 20)
