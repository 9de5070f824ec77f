"""Daemons of a signing world on real libp2p nodes on loopback."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from musig2.protocol.records.checks import RecordLimits
from p2p.addresses import split_peer
from p2p.network import GossipItem, NetState, Network, NetworkConfig, Offence, PeerChange
from tests.signing.signing_world import Daemon, World


class Libp2pDaemon(Daemon):
    """One daemon with a libp2p node; implements the sink of its network."""

    announce: tuple[str, ...] = ()
    port: int = 0
    kept_connections: int = 32

    async def start(self, **settings: Any) -> Libp2pDaemon:
        config = NetworkConfig(
            network=self.world.network,
            listen=(f"/ip4/127.0.0.1/tcp/{self.port}",),
            announce=self.announce,
            mdns=False,
            dht=False,
            private_addresses=True,
            kept_connections=self.kept_connections,
            idle_ms=100,
            partner_ms=100,
        )
        self.p2p = Network(config, self.seed, self, self.clock.wall_ms, RecordLimits())
        await self.p2p.start()
        await super().start(network=self.p2p, **settings)
        self.world.book.addrs[self.peer] = tuple(split_peer(text)[0] for text in self.p2p.multiaddrs())
        return self

    async def stop(self) -> None:
        await super().stop()
        await self.p2p.stop()

    def on_peer(self, change: PeerChange) -> None:
        if self.running:
            traffic = self.service.traffic
            (traffic.on_connected if change.connected else traffic.on_disconnected)(change.peer)

    def on_gossip(self, batch: list[GossipItem]) -> None:
        pass

    async def on_ask(self, peer: bytes, payload: bytes) -> bytes:
        return b""

    def on_offence(self, peer: bytes, kind: Offence) -> None:
        self.offences = [*getattr(self, "offences", []), kind]

    def on_ban(self, peer: bytes, reason: str) -> None:
        raise AssertionError(f"an honest peer was banned: {reason}")

    def in_session(self, peer: bytes) -> bool:
        return self.standings.in_session(peer)

    def on_addresses(self) -> None:
        """Of no interest here."""

    def on_state(self, state: NetState) -> None:
        pass


async def libp2p_daemons(
    world: World, count: int, name: str = "lotus", proxied: Sequence[tuple[int, str]] = ()
) -> list[Libp2pDaemon]:
    """That many daemons with one key each; nobody is connected yet. `proxied`: the port of each, and what it says."""
    daemons = []
    for index in range(count):
        daemon = Libp2pDaemon(world, world.folder / f"p{index}", os.urandom(32))
        for port, announced in proxied[index : index + 1]:
            daemon.port, daemon.announce = port, (announced,)
        world.daemons.append(daemon)
        await daemon.start()
        await daemon.new_key(name)
        daemons.append(daemon)
    return daemons
