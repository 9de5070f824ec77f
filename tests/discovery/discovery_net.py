"""An in-memory network between discovery services: connections, questions, topics, a shared DHT, and a gate."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from musig2.protocol.errors import BadEncoding
from musig2.protocol.records.checks import RecordLimits, Stated, check_record
from musig2.protocol.records.envelope import check_signatures, open_envelope
from musig2.protocol.records.peers import peer_text
from p2p.addresses import to_text
from p2p.network import (
    BadAsk,
    Direction,
    GossipItem,
    Offence,
    PeerChange,
    PeerInfo,
    PeerUnreachable,
    Reachability,
    Work,
)

Ask = Callable[[bytes, bytes], Awaitable[bytes]]


class Wire:
    """All links between the nodes of one test."""

    def __init__(self) -> None:
        self.nodes: dict[bytes, MemoryNet] = {}
        self.dht: dict[bytes, bytes] = {}
        self.parted: set[frozenset[bytes]] = set()
        self.bytes_asked = 0
        self.bytes_answered = 0

    def link(self, a: MemoryNet, b: MemoryNet) -> None:
        """`a` dials `b`."""
        self.parted.discard(frozenset((a.peer, b.peer)))
        for one, other, direction in ((a, b, Direction.OUTBOUND), (b, a, Direction.INBOUND)):
            one.links[other.peer] = direction
            one.tell(PeerChange(other.peer, True, direction, other.addrs))

    def cut(self, a: MemoryNet, b: MemoryNet, *, unneeded: bool = False) -> None:
        """End a connection; it cannot be made again until `link`."""
        self.parted.add(frozenset((a.peer, b.peer)))
        for one, other in ((a, b), (b, a)):
            direction = one.links.pop(other.peer)
            one.tell(PeerChange(other.peer, False, direction, unneeded=unneeded))


class MemoryNet:
    """Stands in for `p2p.network.Network`. `answer` may be replaced to play a peer that cheats."""

    def __init__(self, wire: Wire, peer: bytes, addrs: tuple[bytes, ...], clock_ms: Callable[[], int]) -> None:
        self.wire = wire
        self.peer = peer
        self.addrs = addrs
        self.links: dict[bytes, Direction] = {}
        self.topics: frozenset[str] = frozenset()
        self.charged: defaultdict[tuple[bytes, Work], float] = defaultdict(float)
        self.calm = True
        self.faults: list[tuple[bytes, Offence]] = []
        self.answer: Ask | None = None
        self.host: str | None = None  # the address that connected nodes see
        self.service: Any = None
        self.seen: set[bytes] = set()
        self._clock_ms = clock_ms
        self._limits = RecordLimits()
        wire.nodes[peer] = self

    def tell(self, change: PeerChange) -> None:
        if self.service is not None:
            self.service.traffic.on_peer(change)

    def multiaddrs(self) -> tuple[str, ...]:
        return tuple(f"{to_text(addr)}/p2p/{peer_text(self.peer)}" for addr in self.addrs)

    def connected(self, peer: bytes) -> bool:
        return peer in self.links

    def peers(self) -> list[PeerInfo]:
        return [
            PeerInfo(peer, self.wire.nodes[peer].multiaddrs(), direction, 0, host=self.wire.nodes[peer].host)
            for peer, direction in self.links.items()
        ]

    def offend(self, peer: bytes, kind: Offence) -> None:
        self.faults.append((peer, kind))

    def charge(self, peer: bytes, work: Work, amount: float = 1) -> None:
        self.charged[peer, work] += amount

    def is_calm(self) -> bool:
        return self.calm

    async def dial(self, peer: bytes, addrs: Sequence[bytes], *, hearsay: bool = False) -> bool:
        other = self.wire.nodes.get(peer)
        if other is None or frozenset((self.peer, peer)) in self.wire.parted:
            return False
        if peer not in self.links:
            self.wire.link(self, other)
        return True

    async def follow(self, topics: frozenset[str]) -> None:
        self.topics = topics

    async def publish(self, topic: str, data: bytes) -> int:
        followers = [peer for peer in self.links if topic in self.wire.nodes[peer].topics]
        self.seen.add(data)
        for peer in followers:
            self.wire.nodes[peer].hear(self.peer, topic, data)
        return len(followers)

    def hear(self, sender: bytes, topic: str, data: bytes) -> None:
        """The validator of a topic: a record that fails a check is neither handed over nor forwarded."""
        if data in self.seen or topic not in self.topics:
            return
        self.seen.add(data)
        try:
            signed = open_envelope(data, max_bytes=50_000)
        except BadEncoding:
            self.offend(sender, Offence.BAD_ENCODING)
            return
        assert isinstance(signed.record, Stated)
        if check_record(len(data), signed.record, self._clock_ms(), self._limits, True) is not None:
            return
        if not check_signatures(signed):
            self.offend(sender, Offence.BAD_SIGNATURE)
            return
        if self.service is not None:
            self.service.inbox.put([GossipItem(topic, sender, signed)])
        for peer in self.links:
            self.wire.nodes[peer].hear(self.peer, topic, data)

    async def dht_put(self, key: bytes, value: bytes) -> bool:
        record = open_envelope(value, max_bytes=50_000).record
        assert isinstance(record, Stated)
        now = [self.wire.nodes[peer]._clock_ms() for peer in self.links]
        if not any(check_record(len(value), record, ms, self._limits, False) is None for ms in now):
            return False
        self.wire.dht[key] = value
        return True

    async def dht_get(self, key: bytes) -> bytes | None:
        return self.wire.dht.get(key)

    async def provide(self, key: bytes) -> None:
        return

    reachability = Reachability()

    def offer_relays(self, relays: Sequence[tuple[bytes, Sequence[bytes]]]) -> None:
        """Nobody needs one here."""

    async def find_providers(self, key: bytes) -> list[tuple[bytes, tuple[bytes, ...]]]:
        return []

    async def ask(self, peer: bytes, payload: bytes, timeout_ms: int) -> bytes:
        if peer not in self.links:
            raise PeerUnreachable("peer_unreachable", "There is no connection to this peer.")
        other = self.wire.nodes[peer]
        self.wire.bytes_asked += len(payload)
        await asyncio.sleep(0)
        answer = other.answer or other.service.traffic.on_ask
        try:
            data = await answer(self.peer, payload)
        except BadAsk as error:
            other.offend(self.peer, Offence.BAD_ENCODING)
            raise PeerUnreachable("peer_unreachable", "The peer closed the stream.") from error
        self.wire.bytes_answered += len(data)
        return data
