"""Records from topics that wait to be stored: while one burst is stored, the next one gathers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from daemon.discovery.intake.checks import RecordOrigin
from daemon.discovery.intake.take_in import Ingest
from musig2.protocol.records.records import Record
from musig2.protocol.wire.frames import Signed
from p2p.network import GossipItem

ROOM = 20_000
AT_ONCE = 1_000


class RecordInbox:
    """Bounded: what does not fit comes with the next synchronisation."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest
        self._waiting: list[Signed[Record]] = []
        self._filled = asyncio.Event()

    def put(self, batch: Sequence[GossipItem]) -> None:
        """Queue a burst; returns at once."""
        room = max(0, ROOM - len(self._waiting))
        self._waiting += [item.signed for item in batch[:room]]
        self._filled.set()

    async def run(self) -> None:
        """Store what arrives, for as long as the daemon runs."""
        while True:
            await self._filled.wait()
            burst, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            if not self._waiting:
                self._filled.clear()
            await self._ingest.take(burst, origin=RecordOrigin.GOSSIP)
