"""Records from topics that wait to be stored: while one burst is stored, the next one gathers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from daemon.discovery.intake.checks import RecordOrigin
from daemon.discovery.intake.take_in import Ingest
from daemon.fair_queue import FairQueue
from musig2.protocol.records.records import Record
from musig2.protocol.wire.frames import Signed
from p2p.network import GossipItem

ROOM = 20_000
ROOM_OF_ONE = 5_000  # of one forwarder
AT_ONCE = 1_000


class RecordInbox:
    """Bounded, forwarders take turns: what does not fit comes with the next synchronisation."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest
        self._waiting: FairQueue[Signed[Record]] = FairQueue(per_party=ROOM_OF_ONE, total=ROOM)
        self._filled = asyncio.Event()

    def put(self, batch: Sequence[GossipItem]) -> None:
        """Queue a burst; returns at once."""
        for item in batch:
            self._waiting.put(item.peer, item.signed)
        self._filled.set()

    async def run(self) -> None:
        """Store what arrives, for as long as the daemon runs."""
        while True:
            await self._filled.wait()
            burst = [self._waiting.take() for _ in range(min(AT_ONCE, len(self._waiting)))]
            if not self._waiting:
                self._filled.clear()
            await self._ingest.take(burst, origin=RecordOrigin.GOSSIP)
