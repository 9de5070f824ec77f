"""GossipSub: what this node follows and publishes, and which records of others it accepts and passes on.

a message is judged in this order, cheapest first: its rate and size, the signature of its libp2p author, its
encoding, whether the record belongs on the topic, size, time and expiry of the record, its signatures, and the rate of
the peer that signed it: that comes last, or forgeries in its name would silence it
what fails is neither delivered nor forwarded; only a bad encoding and a bad signature count against the peer
that forwarded it, because honest nodes forward neither
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import trio
from libp2p.peer.id import ID
from libp2p.pubsub.pb.rpc_pb2 import Message

from musig2.protocol.records.checks import Stated
from musig2.protocol.records.records import Advertisement, Entry, Node, Notice, Withdrawal
from p2p.compat.guard import OnFault
from p2p.compat.host import GuardedHost
from p2p.compat.pubsub import GuardedPubsub, make_router
from p2p.ports import GossipItem, Offence
from p2p.rates import Paces
from p2p.settings import NetworkConfig
from p2p.streams.gate import Checks
from p2p.streams.prices import Work

RECENT = 8_192
RECENT_S = 60.0
DEBT_S = 1.0  # of a burst: before the next is read, all is paid
PUBLISHER_RATE, PUBLISHER_BURST = 2.0, 100.0  # records, and as many notices, of one publisher that are passed on


class Gossip:
    """Owns the pubsub service and its router; `deliver` gets every record that was accepted."""

    def __init__(
        self,
        host: GuardedHost,
        config: NetworkConfig,
        checks: Checks,
        deliver: Callable[[GossipItem], None],
        on_fault: OnFault,
    ) -> None:
        self._config = config
        self._checks = checks
        self._gate = gate = checks.gate
        self._accounts = gate.accounts
        self._deliver = deliver
        self._prefix = f"musigd/{config.network}/"
        self._messages = Paces(config.gossip_rate, 5 * config.gossip_rate)
        self._volume = Paces(config.gossip_bytes_rate, 2 * config.gossip_bytes_rate)
        self._publishers = Paces(PUBLISHER_RATE, PUBLISHER_BURST)
        self._recent: OrderedDict[tuple[str, bytes], float] = OrderedDict()
        self.router = make_router(config.heartbeat_ms / 1000)
        self.router.on_fault = on_fault
        self.pubsub = GuardedPubsub(host, self.router, self._prefix, config.max_gossip_bytes)
        self.pubsub.on_fault = on_fault
        self.pubsub.admit = self._admit
        self.pubsub.settle = self._settle
        self.pubsub.judge = self._judge
        self.pubsub.on_bad_bytes = lambda peer, _: gate.fault(peer.to_bytes(), Offence.BAD_ENCODING)
        self.pubsub.on_bad_signature = lambda peer: gate.fault(peer.to_bytes(), Offence.BAD_SIGNATURE)

    async def follow(self, topics: frozenset[str]) -> None:
        """Be subscribed to exactly these topics."""
        current = set(self.pubsub.topic_ids)
        for topic in current - topics:
            await self.pubsub.unsubscribe(topic)
        for topic in topics - current:
            await self.pubsub.subscribe(topic)

    async def publish(self, topic: str, data: bytes) -> int:
        """Send one envelope to the topic; how many peers follow it as far as this node knows."""
        await self.pubsub.publish(topic, data)
        return len(self.pubsub.peer_topics.get(topic, ()))

    def peers_of_topics(self) -> dict[str, int]:
        """Known followers of each followed topic."""
        return {topic: len(self.pubsub.peer_topics.get(topic, ())) for topic in self.pubsub.topic_ids}

    def followers(self) -> list[tuple[set[ID], set[ID]]]:
        """Of each followed topic, the connected peers that follow it, and those with which messages are exchanged."""
        topics = self.pubsub.topic_ids
        return [(set(self.pubsub.peer_topics.get(name, ())), set(self.router.mesh.get(name, ()))) for name in topics]

    async def _settle(self, peer: ID, entries: int) -> None:
        self._accounts.charge(peer.to_bytes(), Work.CONTROL, entries)
        await self._accounts.settled(peer.to_bytes())

    def _admit(self, forwarder: ID, message: Message) -> bool:
        peer, now, size = forwarder.to_bytes(), trio.current_time(), len(message.data)
        messages, volume = self._messages.of(peer, now), self._volume.of(peer, now)
        if size > self._config.max_gossip_bytes:
            self._gate.fault(peer, Offence.BAD_ENCODING)
            return False
        self._accounts.charge(peer, Work.GOSSIP)
        self._accounts.charge(peer, Work.KIB, size / 1024)
        if self._accounts.owed_s(peer) > DEBT_S or not messages.take(1, now) or not volume.take(size, now):
            self._gate.fault(peer, Offence.RATE)
            return False
        return True

    async def _judge(self, forwarder: ID, message: Message) -> bool:
        peer, topic = forwarder.to_bytes(), message.topicIDs[0]
        signed = self._gate.envelope(peer, message.data)
        if signed is None or not isinstance(signed.record, Stated) or not self._belongs(topic, signed.record):
            return False
        record = signed.record
        if not self._checks.timely(len(message.data), record, live=True):
            return False
        if self._seen_lately(topic, signed.id):
            return False
        if not (await self._gate.check([signed]))[0]:
            self._gate.fault(peer, Offence.BAD_SIGNATURE)
            return False
        now = trio.current_time()
        if not self._publishers.of(_publisher(record), now).take(1, now):
            return False
        self._note(topic, signed.id)
        self._deliver(GossipItem(topic, peer, signed))
        return True

    def _belongs(self, topic: str, record: Stated) -> bool:
        if topic == f"{self._prefix}requests":
            return isinstance(record, Notice)
        kind = topic.removeprefix(f"{self._prefix}signers/")
        if isinstance(record, Advertisement | Entry):
            return kind in record.types
        return isinstance(record, Withdrawal | Node)

    def _seen_lately(self, topic: str, record_id: bytes) -> bool:
        """Whether this record came within the last minute, perhaps under another message id."""
        return self._recent.get((topic, record_id), -RECENT_S) > trio.current_time() - RECENT_S

    def _note(self, topic: str, record_id: bytes) -> None:
        self._recent[topic, record_id] = trio.current_time()
        self._recent.move_to_end((topic, record_id))
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)


def _publisher(record: Stated) -> bytes:
    """Whose budget a record counts against: that of the peer that signed it, or of the withdrawn key."""
    match record:
        case Withdrawal():
            return b"withdrawal" + record.pubkey
        case Notice():
            return b"notice" + record.peer
        case Advertisement() | Entry() | Node():
            return b"record" + record.peer
