"""Publishes a statement: by direct push, over topics and in the DHT, whichever of them work.

The push starts a tenth of a second before the others: it is the fastest way to the neighbours, and copies over topics
would only slow it down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection
from dataclasses import dataclass
from typing import TypeVar

from daemon.discovery.directory.statements import Statement
from daemon.discovery.limits import DiscoveryLimits
from daemon.discovery.ports import DirectoryNetwork
from daemon.discovery.sync.items import item_of
from musig2.protocol.records.records import Advertisement, Notice, Withdrawal
from musig2.protocol.wire.sync import Push, Taken, encode_ask, open_answer
from p2p.network import P2PError

PUSH_MS = 3_000
DHT_MS = 3_000
HEAD_START_S = 0.1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Published:
    """How far a publication got: neighbours that have it now, peers on its topics, and whether the DHT has it.

    If every neighbour that was asked refused it, nobody on the topics is counted: they will refuse it as well.
    """

    direct: int = 0
    gossip: int = 0
    dht: bool = False


class Publisher:
    """Publishes to the network; never fails, because synchronisation delivers what did not arrive."""

    def __init__(self, *, net: DirectoryNetwork, network: str, limits: DiscoveryLimits) -> None:
        self._net = net
        self._network = network
        self._limits = limits

    def topic_of(self, transaction_type: str) -> str:
        """The topic on which signers of this type are announced."""
        return f"musigd/{self._network}/signers/{transaction_type}"

    @property
    def requests_topic(self) -> str:
        """The topic of notices."""
        return f"musigd/{self._network}/requests"

    async def publish(self, statement: Statement, types: Collection[str] = ()) -> Published:
        """Publish a statement. `types` are those of the advertisement, or of the one that a withdrawal ends."""
        record = statement.record.record
        topics = [self.topic_of(name) for name in types]
        if isinstance(record, Notice):
            topics = [self.requests_topic]
        push = asyncio.ensure_future(self._push(statement))
        try:
            await asyncio.wait([push], timeout=HEAD_START_S)
            gossip, dht = await asyncio.gather(self._gossip(statement, topics), self.put(statement))
            taken, refused = await push
            return Published(taken, 0 if refused and not taken else gossip, dht)
        finally:
            push.cancel()

    async def put(self, statement: Statement) -> bool:
        """Store an advertisement or a withdrawal under its key in the DHT; False if it did not get there."""
        record = statement.record.record
        if not isinstance(record, Advertisement | Withdrawal):
            return False
        put = self._net.dht_put(record.pubkey, statement.record.envelope)
        return await _or(put, False, DHT_MS)

    async def _push(self, statement: Statement) -> tuple[int, int]:
        """How many neighbours have it now, and how many refused it."""
        peers = [info.peer for info in self._net.peers()][: self._limits.push_peers]
        ask = encode_ask(Push((item_of(statement),)))
        said = await asyncio.gather(*(self._push_to(peer, ask) for peer in peers))
        return said.count(True), said.count(False)

    async def _push_to(self, peer: bytes, ask: bytes) -> bool | None:
        """Whether the peer has it now; None if it did not answer."""
        data = await _or(self._net.ask(peer, ask, PUSH_MS), None, PUSH_MS)
        if data is None:
            return None
        try:
            answer = open_answer(data)
        except ValueError:
            return None
        return answer.count > 0 if isinstance(answer, Taken) else None

    async def _gossip(self, statement: Statement, topics: list[str]) -> int:
        """The largest number of peers on one of the topics. The entry goes first, so that nobody waits for it."""
        envelopes = [statement.entry.envelope] if statement.entry else []
        envelopes.append(statement.record.envelope)
        reached = 0
        for topic in topics:
            for envelope in envelopes:
                reached = max(reached, await _or(self._net.publish(topic, envelope), 0, PUSH_MS))
        return reached


async def _or(work: Awaitable[T], otherwise: T, timeout_ms: int) -> T:
    """The result of `work`, or `otherwise` when libp2p cannot do it now or takes too long."""
    try:
        async with asyncio.timeout(timeout_ms / 1000):
            return await work
    except (P2PError, TimeoutError):
        return otherwise
