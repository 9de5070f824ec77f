"""Keeps a minimum number of peers connected: dials known peers, nodes of the directory, and providers from the DHT.

The network itself dials the addresses in `p2p.bootstrap`. A daemon without any peer tries again with growing pauses.
Provider records are only a hint for the first contact: twenty strangers can fill a key.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable, Iterable

from daemon.clock import Clock
from daemon.discovery.directory.reads import some_nodes
from daemon.discovery.limits import HOUR_MS, MINUTE_MS
from daemon.discovery.peers.lookup import Route
from daemon.discovery.ports import DirectoryNetwork, Identity
from daemon.peers.known_peers import KnownPeers
from daemon.store import Store
from musig2.protocol.records.envelope import open_envelope
from musig2.protocol.records.records import Node
from musig2.protocol.wire.sync import MAX_ENVELOPE_BYTES
from p2p.network import P2PError

WANTED = 6
FIRST_PAUSE_MS = 2_000
LAST_PAUSE_MS = 5 * MINUTE_MS
KNOWN = 16
NODES = 16
AT_ONCE = 4
MOST_DIALLED = 32  # dialled in one round, however many are named
EPOCH_MS = 6 * HOUR_MS
SHARDS = 4
PROVIDE_AGAIN_MS = HOUR_MS
DHT_S = 10.0


class Connector:
    """One task. `alone_since_ms`: since when no peer is connected, for the report to the owner."""

    def __init__(
        self,
        *,
        net: DirectoryNetwork,
        network: str,
        clock: Clock,
        store: Store,
        known_peers: KnownPeers,
        identity: Identity,
        types: Callable[[], Iterable[str]],
        exchange: Callable[[bytes], Awaitable[None]],
    ) -> None:
        """`types`: the transaction types for which this node is worth asking; `exchange` asks a peer for others."""
        self._net = net
        self._network = network
        self._clock = clock
        self._store = store
        self._known_peers = known_peers
        self._identity = identity
        self._types = types
        self._exchange = exchange
        self._changed = asyncio.Event()
        self._provided: dict[bytes, int] = {}  # DHT key -> monotonic time of the next announcement
        self.alone_since_ms: int | None = clock.mono_ms()

    def on_peer(self) -> None:
        """A peer connected or disconnected."""
        if self._net.peers():
            self.alone_since_ms = None
        elif self.alone_since_ms is None:
            self.alone_since_ms = self._clock.mono_ms()
            self._changed.set()

    async def run(self) -> None:
        """Dial when there are too few peers, for as long as the daemon runs."""
        pause_ms = FIRST_PAUSE_MS
        while True:
            if len(self._net.peers()) < WANTED:
                await asyncio.gather(*(self._exchange(info.peer) for info in self._net.peers()))
                await self._find_some()
            await self._provide()
            pause_ms = FIRST_PAUSE_MS if self._changed.is_set() else min(2 * pause_ms, LAST_PAUSE_MS)
            self._changed.clear()
            try:
                async with asyncio.timeout(pause_ms * random.uniform(0.8, 1.2) / 1000):  # noqa: S311 - spreads load
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _find_some(self) -> None:
        known: list[Route] = [(peer, tuple(addrs)) for peer, addrs in self._known_peers.newest(KNOWN)]
        own = frozenset(peer for peer, _ in known)  # reached before: no hearsay
        order = self._strangers(known + self._nodes())
        if not order and self._net.peers():
            order = self._strangers(await self._providers())
        random.shuffle(order)
        del order[MOST_DIALLED:]
        for start in range(0, len(order), AT_ONCE):
            if len(self._net.peers()) >= WANTED:
                return
            await asyncio.gather(
                *(self._dial(*route, hearsay=route[0] not in own) for route in order[start : start + AT_ONCE])
            )

    def _strangers(self, routes: list[Route]) -> list[Route]:
        """Peers that could be dialled: each once, without this node and connected peers."""
        others = {peer: addrs for peer, addrs in routes if peer != self._identity.peer}
        return [route for route in others.items() if not self._net.connected(route[0])]

    async def _dial(self, peer: bytes, addrs: tuple[bytes, ...], *, hearsay: bool) -> None:
        try:
            reached = await self._net.dial(peer, addrs, hearsay=hearsay)
        except P2PError:
            return  # the next round tries others
        if not reached and self._net.peers():  # without any peer, the fault may be on this side
            await self._known_peers.forget(peer)

    def _nodes(self) -> list[Route]:
        routes = []
        for envelope in self._store.read(lambda conn: some_nodes(conn, self._clock.wall_ms(), NODES)):
            record = open_envelope(envelope, max_bytes=MAX_ENVELOPE_BYTES).record
            if isinstance(record, Node):
                routes.append((record.peer, record.addrs))
        return routes

    async def _providers(self) -> list[Route]:
        found: list[Route] = []
        for name in sorted(self._types())[:SHARDS]:
            key = provider_key(self._network, name, self._clock.wall_ms(), random.randrange(SHARDS))  # noqa: S311 - no secret
            try:
                async with asyncio.timeout(DHT_S):
                    found += await self._net.find_providers(key)
            except (P2PError, TimeoutError):
                continue
        return found

    async def _provide(self) -> None:
        """Once per hour and key; a key lives for six hours."""
        if not self._net.peers():
            return
        now_ms = self._clock.mono_ms()
        self._provided = {key: due for key, due in self._provided.items() if due > now_ms}
        shard = self._identity.peer[-1] % SHARDS
        for name in self._types():
            key = provider_key(self._network, name, self._clock.wall_ms(), shard)
            if key in self._provided:
                continue
            try:
                async with asyncio.timeout(DHT_S):
                    await self._net.provide(key)
            except (P2PError, TimeoutError):
                return
            self._provided[key] = now_ms + PROVIDE_AGAIN_MS


def provider_key(network: str, transaction_type: str, now_ms: int, shard: int) -> bytes:
    """The DHT key (32 bytes) under which nodes that serve a type are announced; it changes every six hours."""
    name = f"musigd/{network}/signers/{transaction_type}/{now_ms // EPOCH_MS}/{shard}"
    return hashlib.sha256(name.encode()).digest()
