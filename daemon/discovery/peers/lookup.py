"""Where a key can be reached: from the directory, else from the DHT and from peers."""

from __future__ import annotations

import asyncio

from daemon.clock import Clock
from daemon.discovery.directory.reads import DirectoryReads
from daemon.discovery.directory.statements import Statement
from daemon.discovery.intake.checks import RecordOrigin
from daemon.discovery.intake.take_in import Ingest
from daemon.discovery.ports import DirectoryNetwork
from daemon.discovery.sync.pull import Puller
from daemon.discovery.sync.rounds import Rounds
from daemon.tasks import BackgroundTasks
from musig2.protocol.errors import ProtocolError
from musig2.protocol.records.envelope import open_verified
from musig2.protocol.records.records import Advertisement, Record, Withdrawal
from musig2.protocol.wire.frames import Signed
from musig2.protocol.wire.sync import MAX_ENVELOPE_BYTES
from p2p.network import P2PError

DHT_MS = 5_000
Route = tuple[bytes, tuple[bytes, ...]]


class Lookup:
    """Belongs to the event loop."""

    def __init__(
        self,
        *,
        reads: DirectoryReads,
        ingest: Ingest,
        net: DirectoryNetwork,
        clock: Clock,
        puller: Puller,
        rounds: Rounds,
        tasks: BackgroundTasks,
    ) -> None:
        self._reads = reads
        self._ingest = ingest
        self._net = net
        self._clock = clock
        self._puller = puller
        self._rounds = rounds
        self._tasks = tasks

    def peers_of(self, pubkey: bytes) -> list[Route]:
        """Peers that this key delegates to, with their addresses, as far as the directory knows."""
        return [(record.peer, record.addrs) for record in self._reads.advertisements_of(pubkey)]

    async def resolve(self, pubkey: bytes) -> list[Route]:
        """The same after asking the DHT, and the peers if that did not help."""
        signed = await self._from_dht(pubkey)
        if signed is not None:
            await self._ingest.take([signed], origin=RecordOrigin.DHT)
            if isinstance(signed.record, Advertisement) and signed.record.exp > self._clock.wall_ms():
                return self._through(Signed(signed.record, signed.id, signed.envelope))
        elif not self.peers_of(pubkey):
            await self._rounds.refresh()
        return self.peers_of(pubkey)

    def _through(self, signed: Signed[Advertisement]) -> list[Route]:
        """The peer that an advertisement from the DHT names; the entry that the directory needs is fetched from it."""
        route = (signed.record.peer, signed.record.addrs)
        known = self.peers_of(signed.record.pubkey)
        if route in known or self._reads.is_superseded(Statement(signed)):
            return known
        self._tasks.once("fetch", self._fetch(*route, signed.id))
        return [route, *known]

    async def _from_dht(self, pubkey: bytes) -> Signed[Record] | None:
        """The newest record of this key, its signatures checked: the DHT is not trusted."""
        try:
            async with asyncio.timeout(DHT_MS / 1000):
                data = await self._net.dht_get(pubkey)
            signed = open_verified(data, max_bytes=MAX_ENVELOPE_BYTES) if data is not None else None
        except (P2PError, ProtocolError, TimeoutError):
            return None
        if signed is None or not isinstance(signed.record, Advertisement | Withdrawal):
            return None
        if isinstance(signed.record, Advertisement) and not signed.record.types:
            return None  # a delegation, not meant to be published
        return signed if signed.record.pubkey == pubkey else None

    async def _fetch(self, peer: bytes, addrs: tuple[bytes, ...], record_id: bytes) -> None:
        """Fetch the entry of an advertisement from the peer that made both."""
        if self._net.connected(peer) or await self._net.dial(peer, addrs):
            await self._puller.fetch(peer, [record_id])
