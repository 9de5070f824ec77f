"""Staying connected: bootstrap addresses with growing pauses, and the last known peers when all are lost."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Sequence

import trio
from libp2p.network.exceptions import SwarmException
from libp2p.peer.id import ID

from p2p.addresses import Multiaddr, readable, split_peer
from p2p.compat.host import GuardedHost
from p2p.settings import NetworkConfig

REMEMBERED = 32
LAST_PAUSE_S = 300.0


class Bootstrap:
    """Dials. `refused(peer)` tells whom not to bother."""

    def __init__(self, host: GuardedHost, config: NetworkConfig, refused: Callable[[bytes], bool]) -> None:
        self._host = host
        self._refused = refused
        self._first_pause_s = config.bootstrap_pause_ms / 1000
        self._bootstrap = [split_peer(text) for text in config.bootstrap]
        self._known: OrderedDict[bytes, list[Multiaddr]] = OrderedDict()
        self._alone = trio.Event()

    async def dial(self, peer: bytes, addrs: Sequence[bytes]) -> bool:
        """Connect to a peer at these addresses, then at known ones; True when there is a connection."""
        peer_id = ID(peer)
        if self._refused(peer):
            return False
        if addrs:
            self._host.swarm.peerstore.vouch(peer_id, readable(addrs))
        try:
            await self._host.swarm.dial_peer(peer_id)
        except SwarmException:
            return False
        return True

    def why_not(self, peer: bytes, addrs: Sequence[bytes]) -> str:
        """A sentence on why a dial failed, as far as it can be told."""
        if self._refused(peer):
            return "this peer is banned: lift the ban first"
        if not any(self._host.swarm.may_dial(addr) for addr in readable(addrs)):
            return "none of its addresses may be dialled: private ones need p2p.private_addresses"
        return "the peer does not answer there, or is another one"

    def remember(self, peer: bytes, addrs: list[Multiaddr]) -> None:
        """A peer was identified: it is tried again should this node lose everybody."""
        self._known[peer] = addrs
        self._known.move_to_end(peer)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def lost_one(self) -> None:
        """A peer left."""
        if not self._host.swarm.connections:
            self._alone.set()

    async def run(self) -> None:
        """Keep a bootstrap peer connected where there are any, and somebody in any case."""
        pause_s = self._first_pause_s
        while True:
            pause_s = self._first_pause_s if await self._once() else min(2 * pause_s, LAST_PAUSE_S)
            self._alone = trio.Event()
            with trio.move_on_after(pause_s * random.uniform(0.8, 1.2)):  # noqa: S311 - spreads load, guards nothing
                await self._alone.wait()
                await trio.sleep(self._first_pause_s * random.random())  # noqa: S311 - as above

    async def _once(self) -> bool:
        """One round; True when nothing is left to wish for."""
        missing = [(addr, peer) for addr, peer in self._bootstrap if not self._connected(peer)]
        wanted = [(peer, [addr]) for addr, peer in missing]
        if not self._host.swarm.connections:
            wanted += [(peer, [addr.to_bytes() for addr in addrs]) for peer, addrs in self._known.items()]
        async with trio.open_nursery() as nursery:
            for peer, addrs in wanted:
                nursery.start_soon(self.dial, peer, addrs)
        return all(self._connected(peer) for _, peer in self._bootstrap) and bool(
            self._host.swarm.connections or not self._known
        )

    def _connected(self, peer: bytes) -> bool:
        return peer == self._host.get_id().to_bytes() or bool(self._host.swarm.get_connections(ID(peer)))
