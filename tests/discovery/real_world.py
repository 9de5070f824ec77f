"""Discovery services on real libp2p nodes on loopback."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from daemon.clock import SystemClock
from daemon.discovery.limits import DiscoveryLimits
from daemon.discovery.service import DiscoveryService
from daemon.discovery.surroundings import DiscoverySurroundings
from daemon.events import EventLog
from daemon.peers.known_peers import KnownPeers
from daemon.store import Store
from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.wire.frames import Frame
from p2p.network import GossipItem, NetState, NetStatus, Network, NetworkConfig, Offence, PeerChange
from tests.discovery.discovery_world import Daemon, KeyRing


class Ears:
    """Hands what the network brings to a discovery service."""

    def __init__(self) -> None:
        self.service: DiscoveryService | None = None
        self.offences: list[tuple[bytes, Offence]] = []
        self.bans: list[bytes] = []

    def on_frames(self, batch: list[tuple[bytes, Frame]]) -> None:
        return

    def on_gossip(self, batch: list[GossipItem]) -> None:
        if self.service is not None:
            self.service.inbox.put(batch)

    def on_peer(self, change: PeerChange) -> None:
        if self.service is not None:
            self.service.traffic.on_peer(change)

    async def on_ask(self, peer: bytes, payload: bytes) -> bytes:
        assert self.service is not None
        return await self.service.traffic.on_ask(peer, payload)

    def on_offence(self, peer: bytes, kind: Offence) -> None:
        self.offences.append((peer, kind))

    def on_ban(self, peer: bytes, reason: str) -> None:
        self.bans.append(peer)

    def in_session(self, peer: bytes) -> bool:
        return False

    def on_addresses(self) -> None:
        """Of no interest here."""

    def on_state(self, state: NetState) -> None:
        if state.status is NetStatus.UP and self.service is not None:
            self.service.traffic.on_network_up()


class RealDaemon(Daemon):
    """The same daemon as in the in-memory world, on a real node and a real clock."""

    def __init__(self, path: Path, network_name: str, limits: DiscoveryLimits, bootstrap: Sequence[str] = ()) -> None:
        self.path = path
        self.seed = secrets.token_bytes(32)
        self.keys = KeyRing()
        self.clock = SystemClock()  # type: ignore[assignment] # real time instead of a moved one
        self.heard = []
        self.notices = []
        self.ears = Ears()
        self._limits = limits
        self._network_name = network_name
        self._bootstrap = tuple(bootstrap)

    async def start(self) -> None:
        self.identity = PeerIdentity(self.seed)
        self.store = Store.open(self.path)
        self.events = EventLog(store=self.store, clock=self.clock)
        await self.events.start()
        self.events.subscribe(self.heard.extend)
        config = NetworkConfig(
            network=self._network_name,
            listen=("/ip4/127.0.0.1/tcp/0",),
            bootstrap=self._bootstrap,
            mdns=False,
            private_addresses=True,
            max_connections_per_ip=1_000,
        )
        self.network = Network(config, self.seed, self.ears, self.clock.wall_ms, self._limits.checks)
        self.service = DiscoveryService(
            DiscoverySurroundings(
                store=self.store,
                events=self.events,
                clock=self.clock,
                keystore=self.keys,
                identity=self.identity,
                network=self.network,
                network_name=self._network_name,
                known_peers=KnownPeers(store=self.store, clock=self.clock),
                limits=self._limits,
                on_notice=self.notices.append,
            )
        )
        self.ears.service = self.service
        await self.network.start()
        await self.service.start()

    async def stop(self) -> None:
        await self.service.stop()
        await self.network.stop()
        await self.store.close()


@asynccontextmanager
async def real_daemons(
    path: Path, count: int, limits: DiscoveryLimits | None = None
) -> AsyncIterator[list[RealDaemon]]:
    """`count` daemons in a chain: each has dialled the one before it."""
    name = "t" + secrets.token_hex(4)
    chain: list[RealDaemon] = []
    try:
        for index in range(count):
            daemon = RealDaemon(path / f"{index}.sqlite", name, limits or DiscoveryLimits())
            await daemon.start()
            chain.append(daemon)
            if index:
                await daemon.network.connect(chain[index - 1].network.multiaddrs()[0])
        yield chain
    finally:
        await asyncio.gather(*(daemon.stop() for daemon in chain))
